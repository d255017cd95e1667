// The store of a table operator: rows are read and written, and changes forwarded, now or when the cache is flushed.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "tailrace/processor/detail/any_serde.h"
#include "tailrace/processor/detail/node.h"
#include "tailrace/state/versioned_store.h"

namespace tailrace::processor::detail {

// KeyValueStoreWrapper with TimestampedTupleForwarder. Owned by an operator of type (..) -> (K, Change<V>). Not thread-safe.
template <class K, class V>
class TableRows final : private state::ChangeListener {
 public:
  TableRows(std::string store, AnySerde<K> key_serde, AnySerde<V> value_serde)
      : store_name_(std::move(store)), key_serde_(std::move(key_serde)), value_serde_(std::move(value_serde)) {}

  // `output` must outlive this object.
  absl::Status Init(TaskContext& context, const Output<K, Change<V>>& output) {
    context_ = &context;
    output_ = &output;
    if (context.is_versioned(store_name_)) versioned_ = &context.versioned_store(store_name_);
    else store_ = &context.key_value_store(store_name_);
    const state::StoreSpec& spec = versioned_ != nullptr ? versioned_->spec() : store_->spec();
    sends_old_values_ = spec.keep_old_values;
    forwards_now_ = !spec.caching;
    // Without caching it hears only of entries that have outlived their time.
    if (!forwards_now_ || spec.time_to_live_ms > 0) store_->SetChangeListener(this);
    return absl::OkStatus();
  }
  void Close() {
    if (store_ != nullptr) store_->SetChangeListener(nullptr);
  }

  // Whether somebody below asked for old values.
  bool sends_old_values() const { return sends_old_values_; }

  // The row of a key, to be looked at and then updated; null after a failure, which is reported.
  state::CacheEntry* Find(const K& key) {
    const std::string_view bytes = key_serde_.Serialize(key, key_scratch_);
    const auto entry = versioned_ != nullptr ? versioned_->LatestEntry(bytes) : store_->Upsert(bytes);
    if (entry.ok()) return *entry;
    context_->Fail(entry.status());
    return nullptr;
  }
  // Null when absent; valid until the next call but Update.
  const V* Decode(const state::CacheEntry& entry) {
    if constexpr (std::is_same_v<V, std::string_view>) {
      // A view would follow the row, which Update overwrites in place.
      if (entry.value().is_null()) return nullptr;
      found_bytes_ = entry.value().view();
      return DecodeInto(found_bytes_, found_);
    } else {
      return DecodeInto(entry.value(), found_);
    }
  }

  // Writes the row. `change` goes to the children at once in a store without caching, with `forward_time_ms`; otherwise the
  // flush forwards what the row was and is then. Kafka Streams logs a delete with the time of the record at hand, so a
  // delete's `row_time_ms` is that of the record. An update that a versioned store finds too old is neither kept nor forwarded.
  void Update(state::CacheEntry& entry, const K& key, const Change<V>& change, int64_t row_time_ms,
              int64_t forward_time_ms, const kafka::Headers* headers) {
    const kafka::NullableBytes value = change.new_value == nullptr ? kafka::NullableBytes()
                                                                   : value_serde_.Serialize(*change.new_value, value_scratch_);
    bool is_latest = true;
    if (versioned_ != nullptr) {
      if (!PutVersion(key, value, row_time_ms, is_latest)) return;
    } else {
      store_->Update(entry, value, row_time_ms);
    }
    if (!forwards_now_) return;
    const Change<V> forwarded{change.new_value, sends_old_values_ ? change.old_value : nullptr, is_latest};
    output_->Forward({&key, &forwarded, forward_time_ms, headers});
  }

 private:
  // False when the version was not put.
  bool PutVersion(const K& key, kafka::NullableBytes value, int64_t time_ms, bool& is_latest) {
    const auto valid_to_ms = versioned_->Put(key_serde_.Serialize(key, key_scratch_), value, time_ms);
    if (!valid_to_ms.ok()) context_->Fail(valid_to_ms.status());
    if (!valid_to_ms.ok() || *valid_to_ms == state::kNotPut) return false;
    is_latest = *valid_to_ms == state::kValidToUndefined;
    return true;
  }
  void OnChange(const state::StoreChange& change) override {
    if (output_->empty()) return;
    TAILRACE_CHECK(key_serde_.Deserialize(change.key, changed_key_), "a serde cannot read what it wrote");
    const Change<V> decoded{DecodeInto(change.new_value, found_), DecodeInto(change.old_value, old_)};
    output_->Forward({&changed_key_, &decoded, change.timestamp_ms, nullptr});
  }
  const V* DecodeInto(kafka::NullableBytes bytes, V& value) {
    if (bytes.is_null()) return nullptr;
    TAILRACE_CHECK(value_serde_.Deserialize(bytes.view(), value), "a serde cannot read what it wrote");
    return &value;
  }

  const std::string store_name_;
  AnySerde<K> key_serde_;
  AnySerde<V> value_serde_;
  TaskContext* context_ = nullptr;
  const Output<K, Change<V>>* output_ = nullptr;
  state::KeyValueStore* store_ = nullptr;  // or:
  state::VersionedStore* versioned_ = nullptr;
  bool sends_old_values_ = false;
  bool forwards_now_ = false;
  K changed_key_{};
  V found_{};
  std::string found_bytes_;  // of a row whose value is a view
  V old_{};
  std::string key_scratch_;
  std::string value_scratch_;
};

}  // namespace tailrace::processor::detail
