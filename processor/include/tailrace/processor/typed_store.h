// A key-value store of a processor with serdes in front of it.
//
//   TypedKeyValueStore<std::string, int64_t> seen_;
//   void Init(ProcessorContext<...>& context) override { seen_.Open(context, "seen"); }
//   ... const int64_t* before = seen_.Get(*record.key); seen_.Put(*record.key, 1); ...
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "tailrace/base/check.h"
#include "tailrace/processor/processor.h"
#include "tailrace/processor/serde.h"

namespace tailrace::processor {

// Belongs to one processor of one task. Puts carry the time of the record that is being processed. An error of the store
// stops the task after this record, or ends the record when a key or value is too large; reads answer "absent" then.
template <class K, class V, class KS = DefaultSerde<K>, class VS = DefaultSerde<V>>
class TypedKeyValueStore {
 public:
  explicit TypedKeyValueStore(KS key_serde = {}, VS value_serde = {})
      : key_serde_(std::move(key_serde)), value_serde_(std::move(value_serde)) {}

  // At Init. REQUIRES: the store is connected to the processor.
  void Open(const ProcessingContext& context, std::string_view name) {
    context_ = &context;
    store_ = &context.key_value_store(name);
  }

  // Null when absent. Valid until the next call.
  const V* Get(const K& key) {
    const auto row = store_->Get(key_serde_.Serialize(key, key_scratch_));
    if (!row.ok()) context_->Fail(row.status());
    if (!row.ok() || !row->has_value()) return nullptr;
    TAILRACE_CHECK(value_serde_.Deserialize((*row)->value, value_), "a serde cannot read what it wrote");
    return &value_;
  }
  void Put(const K& key, const V& value) { Write(key, value_serde_.Serialize(value, value_scratch_)); }
  // Whether it was absent; otherwise the store stays as it is.
  bool PutIfAbsent(const K& key, const V& value) {
    if (Get(key) != nullptr) return false;
    Put(key, value);
    return true;
  }
  void Delete(const K& key) { Write(key, {}); }

  // visitor(const K&, const V&) for from <= key <= to in the order of the keys' bytes; it must not use this store.
  template <class F>
  void Range(const K& from, const K& to, F visitor) {
    std::string from_bytes;
    std::string to_bytes;
    Visit(std::string(key_serde_.Serialize(from, from_bytes)), std::string(key_serde_.Serialize(to, to_bytes)), visitor);
  }
  template <class F>
  void All(F visitor) {
    Visit(std::nullopt, std::nullopt, visitor);
  }

 private:
  void Write(const K& key, kafka::NullableBytes value) {
    if (absl::Status status = store_->Put(key_serde_.Serialize(key, key_scratch_), value, context_->record().timestamp_ms); !status.ok())
      context_->Fail(std::move(status));
  }
  template <class F>
  void Visit(const std::optional<std::string>& from, const std::optional<std::string>& to, F& visitor) {
    K key{};
    V value{};
    absl::Status status = store_->Range(from, to, [&](const state::Row& row) {
      TAILRACE_CHECK(key_serde_.Deserialize(row.key, key) && value_serde_.Deserialize(row.value, value),
                     "a serde cannot read what it wrote");
      visitor(std::as_const(key), std::as_const(value));
      return true;
    });
    if (!status.ok()) context_->Fail(std::move(status));
  }

  KS key_serde_;
  VS value_serde_;
  const ProcessingContext* context_ = nullptr;
  state::KeyValueStore* store_ = nullptr;
  std::string key_scratch_;
  std::string value_scratch_;
  V value_{};
};

}  // namespace tailrace::processor
