// Operators that look a table up when a stream record passes.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "tailrace/processor/detail/any_serde.h"
#include "tailrace/processor/detail/join_buffer.h"
#include "tailrace/processor/detail/joiner_call.h"
#include "tailrace/processor/detail/node.h"
#include "tailrace/processor/detail/value_getter.h"

namespace tailrace::processor::detail {

// KStreamKTableJoin: the row as it is now, of a versioned table as it was at the record's time. The result carries the
// stream record's time.
template <class K, class V, class VT, class VR, class F, JoinKind kKind>
class StreamTableJoinNode : public Operator<K, V, K, VR> {
 public:
  StreamTableJoinNode(std::unique_ptr<ValueGetter<K, VT>> table, F joiner)
      : table_(std::move(table)), joiner_(std::move(joiner)) {}
  absl::Status Init(TaskContext& context) override {
    table_->Init(context);
    return Operator<K, V, K, VR>::Init(context);
  }
  void Process(const Record<K, V>& record) override {
    if (Accept(record)) Join(record);
  }

 protected:
  bool Accept(const Record<K, V>& record) {
    const bool no_key = record.key == nullptr && (kKind == JoinKind::kInner || record.value == nullptr);
    if (no_key) this->context().Drop(DropReason::kNullKey);
    else if (record.value == nullptr) this->context().Drop(DropReason::kNullValue);
    return !no_key && record.value != nullptr;
  }
  void Join(const Record<K, V>& record) {
    const VT* row = nullptr;
    if (record.key != nullptr)
      row = (table_->versioned() ? table_->GetAsOf(*record.key, record.timestamp_ms) : table_->Get(*record.key)).value;
    if (kKind == JoinKind::kInner && row == nullptr) return;
    const auto& joined = CallJoiner<kKind, K, V, VT>(joiner_, record.key, record.value, row);
    this->Forward({record.key, PointerTo(joined), record.timestamp_ms, record.headers});
  }

 private:
  std::unique_ptr<ValueGetter<K, VT>> table_;
  F joiner_;
};

// The same after a grace period: records wait in a buffer.
template <class K, class V, class VT, class VR, class F, JoinKind kKind>
class BufferedTableJoinNode final : public StreamTableJoinNode<K, V, VT, VR, F, kKind> {
  using Base = StreamTableJoinNode<K, V, VT, VR, F, kKind>;

 public:
  BufferedTableJoinNode(std::unique_ptr<ValueGetter<K, VT>> table, F joiner, std::string buffer, int64_t grace_ms,
                        AnySerde<K> key_serde, AnySerde<V> value_serde)
      : Base(std::move(table), std::move(joiner)), buffer_(std::move(buffer), grace_ms), key_serde_(std::move(key_serde)),
        value_serde_(std::move(value_serde)) {}
  absl::Status Init(TaskContext& context) override {
    TAILRACE_RETURN_IF_ERROR(Base::Init(context));
    return buffer_.Init(context);
  }
  void Process(const Record<K, V>& record) override {
    if (!this->Accept(record)) return;
    if (record.key == nullptr)
      return this->context().Fail(base::Error(base::Reaction::kSkipRecord, absl::StatusCode::kInvalidArgument,
                                              "operator " + this->name() + ": a record without a key cannot wait for a table; drop "
                                              "such records before a left join with a grace period"));
    const kafka::Headers& headers = record.headers != nullptr ? *record.headers : this->context().record_headers();
    if (!buffer_.Put(key_serde_.Serialize(*record.key, key_scratch_), value_serde_.Serialize(*record.value, value_scratch_),
                     record.timestamp_ms, headers))
      return this->Join(record);
    Evict({});
  }

  void AdvanceTime(int64_t time_ms) override {
    const kafka::Headers marks = this->context().record_headers();  // that say why time has advanced
    buffer_.Observe(time_ms);
    Evict(marks);
  }

 private:
  void Evict(const kafka::Headers& marks) {
    buffer_.Evict([&](std::string_view key, std::string_view value, int64_t timestamp_ms, const kafka::Headers& kept) {
      TAILRACE_CHECK(key_serde_.Deserialize(key, key_) && value_serde_.Deserialize(value, value_), "a serde cannot read what it wrote");
      if (marks.empty()) return this->Join({&key_, &value_, timestamp_ms, &kept});
      kafka::Headers headers = kept;
      headers.insert(headers.end(), marks.begin(), marks.end());
      this->Join({&key_, &value_, timestamp_ms, &headers});
    });
  }

  JoinBuffer buffer_;
  AnySerde<K> key_serde_;
  AnySerde<V> value_serde_;
  K key_{};
  V value_{};
  std::string key_scratch_;
  std::string value_scratch_;
};

}  // namespace tailrace::processor::detail
