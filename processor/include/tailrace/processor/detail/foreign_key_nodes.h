// Operators of a foreign-key join. Between the topics they work on bytes; what needs types are the ends and the lookups.
//
//   left table -> send -> topic -> receive -> join ----------+-> topic -> resolve -> result
//                                  (store)      foreign join +
//                                                    ^ right table
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tailrace/processor/detail/foreign_key_bytes.h"
#include "tailrace/processor/detail/functions.h"
#include "tailrace/processor/detail/node.h"
#include "tailrace/processor/detail/topic_nodes.h"
#include "tailrace/processor/detail/value_getter.h"

namespace tailrace::processor::detail {

using Bytes = std::string_view;

// Chooses a partition of a topic for a key; nullopt: by the key's hash.
using BytesPartitioner = std::function<std::optional<int32_t>(std::string_view topic, kafka::NullableBytes key, int32_t count)>;

// Sends records to one topic, to a partition that is known or chosen.
class ForeignKeySender {
 public:
  ForeignKeySender(std::string topic, BytesPartitioner partitioner)
      : topic_(std::move(topic)), partitioner_(std::move(partitioner)) {}
  absl::Status Init(TaskContext& context) { return sender_.Init(context, topic_); }
  void Send(kafka::NullableBytes key, std::string_view value, std::optional<int32_t> partition, int64_t timestamp_ms,
            const kafka::Headers* headers);

 private:
  const std::string topic_;
  const BytesPartitioner partitioner_;
  RecordSender sender_;
  std::vector<int32_t> partitions_;
};

class SubscriptionSinkNode final : public Receiver<Bytes, Bytes> {
 public:
  SubscriptionSinkNode(std::string topic, BytesPartitioner partitioner) : sender_(std::move(topic), std::move(partitioner)) {}
  void AddChild(Node*) override;
  absl::Status Init(TaskContext& context) override { return sender_.Init(context); }
  void Process(const Record<Bytes, Bytes>& record) override;

 private:
  ForeignKeySender sender_;
};

// Back to the partition that asked, unless a partitioner says otherwise.
class ForeignResponseSinkNode final : public Receiver<Bytes, ForeignResponse> {
 public:
  ForeignResponseSinkNode(std::string topic, BytesPartitioner partitioner)
      : chooses_(partitioner != nullptr), sender_(std::move(topic), std::move(partitioner)) {}
  void AddChild(Node*) override;
  absl::Status Init(TaskContext& context) override { return sender_.Init(context); }
  void Process(const Record<Bytes, ForeignResponse>& record) override;

 private:
  const bool chooses_;
  ForeignKeySender sender_;
  std::string value_;
};

// Keeps who points to which foreign key (SubscriptionReceiveProcessorSupplier).
class SubscriptionReceiveNode final : public Operator<Bytes, Bytes, Bytes, Subscription> {
 public:
  explicit SubscriptionReceiveNode(std::string store) : store_name_(std::move(store)) {}
  absl::Status Init(TaskContext& context) override;
  void Process(const Record<Bytes, Bytes>& record) override;

 private:
  const std::string store_name_;
  state::KeyValueStore* store_ = nullptr;
  std::string combined_;
};

// All subscriptions of one foreign key, in the order of their primary keys.
class SubscriptionScan {
 public:
  explicit SubscriptionScan(std::string store) : store_name_(std::move(store)) {}
  void Init(TaskContext& context);
  void ForEach(std::string_view foreign_key, absl::FunctionRef<void(const Subscription&)> visit);

 private:
  const std::string store_name_;
  TaskContext* context_ = nullptr;
  state::KeyValueStore* store_ = nullptr;
  std::string prefix_;
  std::string end_;
};

absl::Status UndecodableForeignKey(const std::string& operator_name, const char* what);

// Tells the right side, for each change of a row, to which foreign key it points and to which it does not any more
// (SubscriptionSendProcessorSupplier).
template <class K, class V, class KO, class E>
class SubscriptionSendNode final : public Operator<K, Change<V>, Bytes, Bytes> {
 public:
  SubscriptionSendNode(E extractor, AnySerde<K> key_serde, AnySerde<V> value_serde, AnySerde<KO> foreign_key_serde,
                       bool left_join, bool versioned)
      : extractor_(std::move(extractor)), key_serde_(std::move(key_serde)), value_serde_(std::move(value_serde)),
        foreign_key_serde_(std::move(foreign_key_serde)), left_join_(left_join), versioned_(versioned) {}

  void Process(const Record<K, Change<V>>& record) override {
    const Change<V>& change = *record.value;
    if (versioned_ && !change.is_latest) return this->context().Drop(DropReason::kOutdated);
    hash_.reset();
    hashed_ = false;
    const bool had_key = Extract(record.key, change.old_value, old_key_);
    const bool has_key = Extract(record.key, change.new_value, new_key_);
    using I = SubscriptionInstruction;
    if (left_join_) {
      if (change.old_value == nullptr && change.new_value == nullptr) return;
      if (had_key && (!has_key || new_key_ != old_key_)) Send(record, &old_key_, I::kDeleteKeyNoPropagate);
      Send(record, has_key ? &new_key_ : nullptr, I::kPropagateNullIfNoForeignValue);
      return;
    }
    if (!has_key) {
      if (change.new_value != nullptr) this->context().Drop(DropReason::kNullKey);
      if (had_key) Send(record, &old_key_, I::kDeleteKeyAndPropagate);
      return;
    }
    const bool moved = had_key && new_key_ != old_key_;
    if (moved) Send(record, &old_key_, I::kDeleteKeyNoPropagate);
    Send(record, &new_key_, moved ? I::kPropagateNullIfNoForeignValue : I::kPropagateOnlyIfForeignValue);
  }

 private:
  bool Extract(const K* key, const V* value, std::string& out) {
    if (value == nullptr) return false;
    const auto& extracted = CallKeyValue<K, V>(extractor_, key, value);
    const KO* const foreign_key = PointerTo(extracted);
    if (foreign_key == nullptr) return false;
    out = foreign_key_serde_.Serialize(*foreign_key, scratch_);
    return true;
  }
  void Send(const Record<K, Change<V>>& record, const std::string* foreign_key, SubscriptionInstruction instruction) {
    if (!hashed_) {
      hashed_ = true;
      if (record.value->new_value != nullptr) hash_ = HashOfRow(value_serde_.Serialize(*record.value->new_value, scratch_));
    }
    const Subscription subscription{hash_, instruction, key_serde_.Serialize(*record.key, scratch_),
                                    this->context().task_id().partition.value()};
    value_.clear();
    AppendSubscription(value_, subscription);
    const Bytes value = value_;
    const Bytes key = foreign_key == nullptr ? Bytes() : Bytes(*foreign_key);
    this->Forward({foreign_key == nullptr ? nullptr : &key, &value, record.timestamp_ms, record.headers});
  }

  E extractor_;
  AnySerde<K> key_serde_;
  AnySerde<V> value_serde_;
  AnySerde<KO> foreign_key_serde_;
  const bool left_join_;
  const bool versioned_;
  RowHash hash_;
  bool hashed_ = false;
  std::string old_key_;
  std::string new_key_;
  std::string scratch_;
  std::string value_;
};

// Answers a subscription with the foreign row of now (SubscriptionJoinProcessorSupplier).
template <class KO, class VO>
class SubscriptionJoinNode final : public Operator<Bytes, Subscription, Bytes, ForeignResponse> {
 public:
  SubscriptionJoinNode(std::unique_ptr<ValueGetter<KO, VO>> foreign, AnySerde<KO> key_serde, AnySerde<VO> value_serde)
      : foreign_(std::move(foreign)), key_serde_(std::move(key_serde)), value_serde_(std::move(value_serde)) {}
  absl::Status Init(TaskContext& context) override {
    foreign_->Init(context);
    return Operator::Init(context);
  }
  void Process(const Record<Bytes, Subscription>& record) override {
    const Subscription& subscription = *record.value;
    ValueAndTimestamp<VO> foreign;
    if (record.key != nullptr) {
      if (!key_serde_.Deserialize(*record.key, key_))
        return this->context().Fail(UndecodableForeignKey(this->name(), "foreign key"));
      foreign = foreign_->Get(key_);
    }
    using I = SubscriptionInstruction;
    if (subscription.instruction == I::kDeleteKeyNoPropagate) return;
    if (subscription.instruction == I::kPropagateOnlyIfForeignValue && foreign.value == nullptr) return;
    ForeignResponse response{subscription.hash, {}, subscription.primary_partition};
    if (foreign.value != nullptr && subscription.instruction != I::kDeleteKeyAndPropagate)
      response.foreign_value = value_serde_.Serialize(*foreign.value, scratch_);
    const int64_t timestamp_ms =
        foreign.value == nullptr ? record.timestamp_ms : std::max(record.timestamp_ms, foreign.timestamp_ms);
    this->Forward({&subscription.primary_key, &response, timestamp_ms, record.headers});
  }

 private:
  std::unique_ptr<ValueGetter<KO, VO>> foreign_;
  AnySerde<KO> key_serde_;
  AnySerde<VO> value_serde_;
  KO key_{};
  std::string scratch_;
};

// Tells all rows that point to a foreign row how it has changed (ForeignTableJoinProcessorSupplier).
template <class KO, class VO>
class ForeignTableJoinNode final : public Operator<KO, Change<VO>, Bytes, ForeignResponse> {
 public:
  ForeignTableJoinNode(std::string store, AnySerde<KO> key_serde, AnySerde<VO> value_serde, bool versioned)
      : subscriptions_(std::move(store)), key_serde_(std::move(key_serde)), value_serde_(std::move(value_serde)),
        versioned_(versioned) {}
  absl::Status Init(TaskContext& context) override {
    subscriptions_.Init(context);
    return Operator<KO, Change<VO>, Bytes, ForeignResponse>::Init(context);
  }
  void Process(const Record<KO, Change<VO>>& record) override {
    if (record.key == nullptr) return this->context().Drop(DropReason::kNullKey);
    if (versioned_ && !record.value->is_latest) return this->context().Drop(DropReason::kOutdated);
    ForeignResponse response;
    if (record.value->new_value != nullptr)
      response.foreign_value = value_serde_.Serialize(*record.value->new_value, value_scratch_);
    subscriptions_.ForEach(key_serde_.Serialize(*record.key, key_scratch_), [&](const Subscription& subscription) {
      response.hash = subscription.hash;
      response.primary_partition = subscription.primary_partition;
      this->Forward({&subscription.primary_key, &response, record.timestamp_ms, record.headers});
    });
  }

 private:
  SubscriptionScan subscriptions_;
  AnySerde<KO> key_serde_;
  AnySerde<VO> value_serde_;
  const bool versioned_;
  std::string key_scratch_;
  std::string value_scratch_;
};

// Joins an answer with the row that asked, unless that has changed since (ResponseJoinProcessorSupplier).
template <class K, class V, class VO, class VR>
class ResponseJoinNode final : public Operator<Bytes, Bytes, K, VR> {
 public:
  using Joiner = std::function<std::optional<VR>(const V*, const VO*)>;
  ResponseJoinNode(std::unique_ptr<ValueGetter<K, V>> rows, Joiner joiner, AnySerde<K> key_serde, AnySerde<V> value_serde,
                   AnySerde<VO> foreign_value_serde, bool left_join)
      : rows_(std::move(rows)), joiner_(std::move(joiner)), key_serde_(std::move(key_serde)),
        value_serde_(std::move(value_serde)), foreign_value_serde_(std::move(foreign_value_serde)), left_join_(left_join) {}
  absl::Status Init(TaskContext& context) override {
    rows_->Init(context);
    return Operator<Bytes, Bytes, K, VR>::Init(context);
  }
  void Process(const Record<Bytes, Bytes>& record) override {
    std::optional<ForeignResponse> response;
    if (record.value != nullptr) response = ParseForeignResponse(*record.value);
    if (record.key == nullptr || !response.has_value() || !key_serde_.Deserialize(*record.key, key_) ||
        (!response->foreign_value.is_null() && !foreign_value_serde_.Deserialize(response->foreign_value.view(), foreign_)))
      return this->context().Fail(UndecodableForeignKey(this->name(), "response"));
    const ValueAndTimestamp<V> row = rows_->Get(key_);
    RowHash hash;
    if (row.value != nullptr) hash = HashOfRow(value_serde_.Serialize(*row.value, scratch_));
    if (hash != response->hash) return this->context().Drop(DropReason::kOutdated);
    const bool has_foreign = !response->foreign_value.is_null();
    result_.reset();
    if (row.value != nullptr && (has_foreign || left_join_)) result_ = joiner_(row.value, has_foreign ? &foreign_ : nullptr);
    this->Forward({&key_, PointerTo(result_), record.timestamp_ms, record.headers});
  }

 private:
  std::unique_ptr<ValueGetter<K, V>> rows_;
  Joiner joiner_;
  AnySerde<K> key_serde_;
  AnySerde<V> value_serde_;
  AnySerde<VO> foreign_value_serde_;
  const bool left_join_;
  K key_{};
  VO foreign_{};
  std::optional<VR> result_;
  std::string scratch_;
};

}  // namespace tailrace::processor::detail
