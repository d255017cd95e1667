// The operator of a suppression.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/functional/function_ref.h"
#include "tailrace/processor/detail/node.h"
#include "tailrace/processor/detail/value_getter.h"

namespace tailrace::processor::detail {

struct SuppressOptions {
  std::string store;
  int64_t wait_ms = 0;
  bool until_window_closes = false;  // waits from the window's end, and drops deletes
  int64_t max_records = std::numeric_limits<int64_t>::max();
  int64_t max_bytes = std::numeric_limits<int64_t>::max();
  bool emits_when_full = false;
};

// What does not depend on types (KTableSuppressProcessorSupplier). Stream time is the largest time of the changes that came
// here; it survives a restart.
class SuppressBuffer {
 public:
  using Emit = absl::FunctionRef<void(std::string_view key, const state::BufferedChange& change)>;

  explicit SuppressBuffer(SuppressOptions options) : options_(std::move(options)) {}
  const SuppressOptions& options() const { return options_; }
  absl::Status Init(TaskContext& context, const std::string& operator_name);
  // Buffers a change, then emits what is due. `buffer_time_ms` decides when it is.
  void Process(int64_t buffer_time_ms, std::string_view key, kafka::NullableBytes new_value, kafka::NullableBytes old_value,
               int64_t timestamp_ms, const kafka::Headers* headers, Emit emit);
  // Emits what is due at a time that no change has shown.
  void AdvanceTime(int64_t time_ms, Emit emit);

 private:
  void Observe(int64_t time_ms);
  void EmitDue(Emit emit);
  bool IsFull() const;
  void EmitOldest(Emit emit);

  const SuppressOptions options_;
  std::string operator_name_;
  TaskContext* context_ = nullptr;
  state::TimeOrderedBuffer* buffer_ = nullptr;
  const int64_t* limit_ms_ = nullptr;
  int64_t observed_ms_ = -1;
};

template <class K, class V>
class SuppressNode final : public Operator<K, Change<V>, K, Change<V>> {
 public:
  SuppressNode(SuppressOptions options, AnySerde<K> key_serde, AnySerde<V> value_serde)
      : buffer_(std::move(options)), key_serde_(std::move(key_serde)), value_serde_(std::move(value_serde)) {}
  absl::Status Init(TaskContext& context) override {
    TAILRACE_RETURN_IF_ERROR((Operator<K, Change<V>, K, Change<V>>::Init(context)));
    return buffer_.Init(context, this->name());
  }
  void Process(const Record<K, Change<V>>& record) override {
    kafka::NullableBytes new_value;
    kafka::NullableBytes old_value;
    if (record.value->new_value != nullptr) new_value = value_serde_.Serialize(*record.value->new_value, new_scratch_);
    if (record.value->old_value != nullptr) old_value = value_serde_.Serialize(*record.value->old_value, old_scratch_);
    int64_t buffer_time_ms = record.timestamp_ms;
    if constexpr (requires { record.key->end_ms; }) {
      if (buffer_.options().until_window_closes) buffer_time_ms = record.key->end_ms;
    }
    buffer_.Process(buffer_time_ms, key_serde_.Serialize(*record.key, key_scratch_), new_value, old_value,
                    record.timestamp_ms, record.headers, [this](std::string_view key, const state::BufferedChange& change) {
                      Emit(key, change, change.context.headers);
                    });
  }

  void AdvanceTime(int64_t time_ms) override {
    const kafka::Headers marks = this->context().record_headers();  // that say why time has advanced
    buffer_.AdvanceTime(time_ms, [&](std::string_view key, const state::BufferedChange& change) {
      kafka::Headers headers = change.context.headers;
      headers.insert(headers.end(), marks.begin(), marks.end());
      Emit(key, change, headers);
    });
  }

 private:
  void Emit(std::string_view key, const state::BufferedChange& change, const kafka::Headers& headers) {
    TAILRACE_CHECK(key_serde_.Deserialize(key, key_), "a serde cannot read what it wrote");
    const Change<V> decoded{Decode(change.new_value, new_), Decode(change.old_value, old_)};
    this->Forward({&key_, &decoded, change.context.timestamp_ms, &headers});
  }
  const V* Decode(const std::optional<std::string>& bytes, V& value) {
    if (!bytes.has_value()) return nullptr;
    TAILRACE_CHECK(value_serde_.Deserialize(*bytes, value), "a serde cannot read what it wrote");
    return &value;
  }

  SuppressBuffer buffer_;
  AnySerde<K> key_serde_;
  AnySerde<V> value_serde_;
  K key_{};
  V new_{};
  V old_{};
  std::string key_scratch_;
  std::string new_scratch_;
  std::string old_scratch_;
};

// What the suppressed table has let out: the prior value of what is in the buffer, otherwise the row above.
template <class K, class V>
class SuppressGetter final : public ValueGetter<K, V> {
 public:
  SuppressGetter(std::unique_ptr<ValueGetter<K, V>> parent, std::string store, AnySerde<K> key_serde, AnySerde<V> value_serde)
      : parent_(std::move(parent)), store_name_(std::move(store)), key_serde_(std::move(key_serde)),
        value_serde_(std::move(value_serde)) {}
  void Init(TaskContext& context) override {
    parent_->Init(context);
    buffer_ = &context.time_ordered_buffer(store_name_);
  }
  ValueAndTimestamp<V> Get(const K& key) override {
    const state::BufferedChange* const buffered = buffer_->Find(key_serde_.Serialize(key, scratch_));
    if (buffered == nullptr) return parent_->Get(key);
    if (!buffered->prior_value.has_value()) return {};
    TAILRACE_CHECK(value_serde_.Deserialize(*buffered->prior_value, value_), "a serde cannot read what it wrote");
    return {&value_, -1};
  }

 private:
  std::unique_ptr<ValueGetter<K, V>> parent_;
  const std::string store_name_;
  AnySerde<K> key_serde_;
  AnySerde<V> value_serde_;
  state::TimeOrderedBuffer* buffer_ = nullptr;
  std::string scratch_;
  V value_{};
};

}  // namespace tailrace::processor::detail
