// Operators on tables, and the stream-table join.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "tailrace/processor/detail/aggregate_nodes.h"
#include "tailrace/processor/detail/functions.h"
#include "tailrace/processor/detail/node.h"

namespace tailrace::processor::detail {

// Looks up the present value of a table, through the operators between it and its store. One per task and user.
template <class K, class V>
class ValueGetter {
 public:
  virtual ~ValueGetter() = default;
  virtual void Init(TaskContext& context) = 0;
  // Null when absent; valid until the next call.
  virtual const V* Get(const K& key) = 0;
};
template <class K, class V>
using ValueGetterFactory = std::function<std::unique_ptr<ValueGetter<K, V>>()>;

template <class K, class V, class KS, class VS>
class StoreGetter final : public ValueGetter<K, V> {
 public:
  StoreGetter(std::string store, KS key_serde, VS value_serde)
      : store_name_(std::move(store)), key_serde_(std::move(key_serde)), value_serde_(std::move(value_serde)) {}
  void Init(TaskContext& context) override {
    context_ = &context;
    store_ = &context.key_value_store(store_name_);
  }
  const V* Get(const K& key) override {
    const auto row = store_->Get(key_serde_.Serialize(key, scratch_));
    if (!row.ok()) {
      context_->Fail(row.status());
      return nullptr;
    }
    if (!row->has_value()) return nullptr;
    TAILRACE_CHECK(value_serde_.Deserialize((*row)->value, value_), "a serde cannot read what it wrote");
    return &value_;
  }

 private:
  const std::string store_name_;
  KS key_serde_;
  VS value_serde_;
  TaskContext* context_ = nullptr;
  state::KeyValueStore* store_ = nullptr;
  std::string scratch_;
  V value_{};
};

template <class K, class V, class VR, class F>
class MapValuesGetter final : public ValueGetter<K, VR> {
 public:
  MapValuesGetter(std::unique_ptr<ValueGetter<K, V>> parent, F mapper)
      : parent_(std::move(parent)), mapper_(std::move(mapper)) {}
  void Init(TaskContext& context) override { parent_->Init(context); }
  const VR* Get(const K& key) override {
    const V* const value = parent_->Get(key);
    if (value == nullptr) return nullptr;
    value_ = CallKeyValue<K, V>(mapper_, &key, value);
    return &value_;
  }

 private:
  std::unique_ptr<ValueGetter<K, V>> parent_;
  F mapper_;
  VR value_{};
};

template <class K, class V, class F>
class FilterGetter final : public ValueGetter<K, V> {
 public:
  FilterGetter(std::unique_ptr<ValueGetter<K, V>> parent, F predicate, bool keep)
      : parent_(std::move(parent)), predicate_(std::move(predicate)), keep_(keep) {}
  void Init(TaskContext& context) override { parent_->Init(context); }
  const V* Get(const K& key) override {
    const V* const value = parent_->Get(key);
    if (value == nullptr) return nullptr;
    return static_cast<bool>(CallKeyValue<K, V>(predicate_, &key, value)) == keep_ ? value : nullptr;
  }

 private:
  std::unique_ptr<ValueGetter<K, V>> parent_;
  F predicate_;
  const bool keep_;
};

// Reads a topic as a table (KTableSource): every record is an upsert, a null value a delete.
template <class K, class V, class KS, class VS>
class TableSourceNode final : public Operator<K, V, K, Change<V>>, private state::ChangeListener {
 public:
  TableSourceNode(std::string store, KS key_serde, VS value_serde)
      : store_name_(std::move(store)), key_serde_(std::move(key_serde)), value_serde_(value_serde),
        decoder_(std::move(value_serde)) {}

  absl::Status Init(TaskContext& context) override {
    store_ = &context.key_value_store(store_name_);
    if (!this->output().empty() && store_->spec().caching) store_->SetChangeListener(this);
    forwards_now_ = !this->output().empty() && !store_->spec().caching;
    return Operator<K, V, K, Change<V>>::Init(context);
  }
  void Close() override {
    if (store_ != nullptr) store_->SetChangeListener(nullptr);
  }
  void Process(const Record<K, V>& record) override {
    if (record.key == nullptr) return this->context().Drop(DropReason::kNullKey);
    const auto entry = store_->Upsert(key_serde_.Serialize(*record.key, key_scratch_));
    if (!entry.ok()) return this->context().Fail(entry.status());
    Change<V> change{record.value, nullptr};
    if (forwards_now_ && store_->spec().keep_old_values)
      change.old_value = decoder_.Decode({}, (*entry)->value()).old_value;
    store_->Update(**entry,
                   record.value == nullptr ? kafka::NullableBytes() : value_serde_.Serialize(*record.value, value_scratch_),
                   record.timestamp_ms);
    if (forwards_now_) this->Forward({record.key, &change, record.timestamp_ms, record.headers});
  }

 private:
  void OnChange(const state::StoreChange& change) override {
    TAILRACE_CHECK(key_serde_.Deserialize(change.key, changed_key_), "a serde cannot read what it wrote");
    const Change<V> decoded = decoder_.Decode(change.new_value, change.old_value);
    this->Forward({&changed_key_, &decoded, change.timestamp_ms, nullptr});
  }

  const std::string store_name_;
  KS key_serde_;
  VS value_serde_;
  ChangeDecoder<V, VS> decoder_;
  state::KeyValueStore* store_ = nullptr;
  bool forwards_now_ = false;
  K changed_key_{};
  std::string key_scratch_;
  std::string value_scratch_;
};

template <class K, class V>
class TableToStreamNode final : public Operator<K, Change<V>, K, V> {
 public:
  void Process(const Record<K, Change<V>>& record) override {
    this->Forward({record.key, record.value->new_value, record.timestamp_ms, record.headers});
  }
};

// A change whose value does not pass becomes a delete (KTableFilter without a store of its own).
template <class K, class V, class F>
class TableFilterNode final : public Operator<K, Change<V>, K, Change<V>> {
 public:
  TableFilterNode(F predicate, bool keep) : predicate_(std::move(predicate)), keep_(keep) {}
  void Process(const Record<K, Change<V>>& record) override {
    const Change<V> change{Passing(record.key, record.value->new_value), Passing(record.key, record.value->old_value)};
    this->Forward({record.key, &change, record.timestamp_ms, record.headers});
  }

 private:
  const V* Passing(const K* key, const V* value) {
    if (value == nullptr) return nullptr;
    return static_cast<bool>(CallKeyValue<K, V>(predicate_, key, value)) == keep_ ? value : nullptr;
  }
  F predicate_;
  const bool keep_;
};

template <class K, class V, class VR, class F>
class TableMapValuesNode final : public Operator<K, Change<V>, K, Change<VR>> {
 public:
  explicit TableMapValuesNode(F mapper) : mapper_(std::move(mapper)) {}
  void Process(const Record<K, Change<V>>& record) override {
    const Change<VR> change{Map(record.key, record.value->new_value, new_), Map(record.key, record.value->old_value, old_)};
    this->Forward({record.key, &change, record.timestamp_ms, record.headers});
  }

 private:
  const VR* Map(const K* key, const V* value, VR& out) {
    if (value == nullptr) return nullptr;
    out = CallKeyValue<K, V>(mapper_, key, value);
    return &out;
  }
  F mapper_;
  VR new_{};
  VR old_{};
};

// Looks the table up when a stream record passes (KStreamKTableJoin). The result carries the stream record's time.
// `joiner` takes (const V&, const VT&); of a left join (const V&, const VT*).
template <class K, class V, class VT, class VR, class F, bool kLeft>
class StreamTableJoinNode final : public Operator<K, V, K, VR> {
 public:
  StreamTableJoinNode(std::unique_ptr<ValueGetter<K, VT>> table, F joiner)
      : table_(std::move(table)), joiner_(std::move(joiner)) {}
  absl::Status Init(TaskContext& context) override {
    table_->Init(context);
    return Operator<K, V, K, VR>::Init(context);
  }
  void Process(const Record<K, V>& record) override {
    if (record.value == nullptr) return this->context().Drop(DropReason::kNullValue);
    if (record.key == nullptr && !kLeft) return this->context().Drop(DropReason::kNullKey);
    const VT* const other = record.key == nullptr ? nullptr : table_->Get(*record.key);
    if constexpr (kLeft) {
      const auto& joined = joiner_(*record.value, other);
      this->Forward({record.key, PointerTo(joined), record.timestamp_ms, record.headers});
    } else {
      if (other == nullptr) return;
      const auto& joined = joiner_(*record.value, *other);
      this->Forward({record.key, PointerTo(joined), record.timestamp_ms, record.headers});
    }
  }

 private:
  std::unique_ptr<ValueGetter<K, VT>> table_;
  F joiner_;
};

}  // namespace tailrace::processor::detail
