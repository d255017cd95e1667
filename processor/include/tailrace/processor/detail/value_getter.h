// Looking up the present row of a table, through the operators between it and its store.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tailrace/processor/detail/any_serde.h"
#include "tailrace/processor/detail/functions.h"
#include "tailrace/processor/detail/task_context.h"
#include "tailrace/state/versioned_store.h"

namespace tailrace::processor::detail {

// A row as a lookup finds it; a null value means absent.
template <class V>
struct ValueAndTimestamp {
  const V* value = nullptr;
  int64_t timestamp_ms = -1;
};

// One per task and user (KTableValueGetter). Not thread-safe.
template <class K, class V>
class ValueGetter {
 public:
  virtual ~ValueGetter() = default;
  virtual void Init(TaskContext& context) = 0;
  // Valid until the next call of this getter, or of the store below it. A failed read fails the task and finds nothing.
  virtual ValueAndTimestamp<V> Get(const K& key) = 0;
  // The row as it was at a time. REQUIRES: versioned().
  virtual ValueAndTimestamp<V> GetAsOf(const K& key, int64_t) { return Get(key); }
  virtual bool versioned() const { return false; }
};
template <class K, class V>
using ValueGetterFactory = std::function<std::unique_ptr<ValueGetter<K, V>>()>;

// What a reader of a table needs: the stores to connect to, and one getter per task.
template <class K, class V>
struct TableView {
  std::vector<std::string> stores;
  ValueGetterFactory<K, V> getter;
};

// Rows of a key-value store or of a versioned one.
template <class K, class V>
class StoreGetter final : public ValueGetter<K, V> {
 public:
  StoreGetter(std::string store, AnySerde<K> key_serde, AnySerde<V> value_serde)
      : store_name_(std::move(store)), key_serde_(std::move(key_serde)), value_serde_(std::move(value_serde)) {}
  void Init(TaskContext& context) override {
    context_ = &context;
    if (context.is_versioned(store_name_)) versioned_ = &context.versioned_store(store_name_);
    else store_ = &context.key_value_store(store_name_);
  }
  bool versioned() const override { return versioned_ != nullptr; }
  ValueAndTimestamp<V> Get(const K& key) override {
    if (versioned_ != nullptr) return Decoded(versioned_->Get(key_serde_.Serialize(key, scratch_)));
    const auto row = store_->Get(key_serde_.Serialize(key, scratch_));
    if (!row.ok()) {
      context_->Fail(row.status());
      return {};
    }
    if (!row->has_value()) return {};
    TAILRACE_CHECK(value_serde_.Deserialize((*row)->value, value_), "a serde cannot read what it wrote");
    return {&value_, (*row)->timestamp_ms};
  }
  ValueAndTimestamp<V> GetAsOf(const K& key, int64_t time_ms) override {
    return Decoded(versioned_->GetAsOf(key_serde_.Serialize(key, scratch_), time_ms));
  }

 private:
  ValueAndTimestamp<V> Decoded(const absl::StatusOr<std::optional<state::Version>>& version) {
    if (!version.ok()) context_->Fail(version.status());
    if (!version.ok() || !version->has_value()) return {};
    TAILRACE_CHECK(value_serde_.Deserialize((*version)->value, value_), "a serde cannot read what it wrote");
    return {&value_, (*version)->valid_from_ms};
  }

  const std::string store_name_;
  AnySerde<K> key_serde_;
  AnySerde<V> value_serde_;
  TaskContext* context_ = nullptr;
  state::KeyValueStore* store_ = nullptr;  // or:
  state::VersionedStore* versioned_ = nullptr;
  std::string scratch_;
  V value_{};
};

template <class K, class V>
ValueGetterFactory<K, V> StoreRows(std::string store, AnySerde<K> key_serde, AnySerde<V> value_serde) {
  return [=] { return std::make_unique<StoreGetter<K, V>>(store, key_serde, value_serde); };
}

// What readers of rows by windowed key share. `key_serde` is that of the key without its window.
template <class K, class V>
class WindowedGetter : public ValueGetter<Windowed<K>, V> {
 public:
  WindowedGetter(std::string store, AnySerde<K> key_serde, AnySerde<V> value_serde)
      : store_name_(std::move(store)), key_serde_(std::move(key_serde)), value_serde_(std::move(value_serde)) {}
  void Init(TaskContext& context) override { context_ = &context; }

 protected:
  const std::string& store_name() const { return store_name_; }
  std::string_view KeyBytes(const Windowed<K>& windowed) { return key_serde_.Serialize(windowed.key, scratch_); }
  // Whether a read has found a row. A failed one fails the task.
  template <class Row>
  bool Found(const absl::StatusOr<std::optional<Row>>& row) {
    if (!row.ok()) context_->Fail(row.status());
    return row.ok() && row->has_value();
  }
  const V* Decoded(std::string_view bytes) {
    TAILRACE_CHECK(value_serde_.Deserialize(bytes, value_), "a serde cannot read what it wrote");
    return &value_;
  }

 private:
  const std::string store_name_;
  AnySerde<K> key_serde_;
  AnySerde<V> value_serde_;
  TaskContext* context_ = nullptr;
  std::string scratch_;
  V value_{};
};

// Rows of a window store.
template <class K, class V>
class WindowStoreGetter final : public WindowedGetter<K, V> {
 public:
  using WindowedGetter<K, V>::WindowedGetter;
  void Init(TaskContext& context) override {
    WindowedGetter<K, V>::Init(context);
    store_ = &context.window_store(this->store_name());
  }
  ValueAndTimestamp<V> Get(const Windowed<K>& windowed) override {
    const auto row = store_->Fetch(this->KeyBytes(windowed), windowed.start_ms);
    if (!this->Found(row)) return {};
    return {this->Decoded((*row)->value), (*row)->timestamp_ms};
  }

 private:
  state::WindowStore* store_ = nullptr;
};

// The row of a table without a store of its own, computed from the row above it. `F` is Result(const K&, const V*); a
// result may be std::optional. It sees null only when `kSeesNull`.
template <class K, class V, class VR, class F, bool kSeesNull = false>
class DerivedGetter final : public ValueGetter<K, VR> {
 public:
  DerivedGetter(std::unique_ptr<ValueGetter<K, V>> parent, F derive)
      : parent_(std::move(parent)), derive_(std::move(derive)) {}
  void Init(TaskContext& context) override {
    parent_->Init(context);
    if constexpr (requires { derive_.Init(context); }) derive_.Init(context);
  }
  ValueAndTimestamp<VR> Get(const K& key) override { return Derive(key, parent_->Get(key)); }
  ValueAndTimestamp<VR> GetAsOf(const K& key, int64_t time_ms) override {
    return Derive(key, parent_->GetAsOf(key, time_ms));
  }
  bool versioned() const override { return parent_->versioned(); }

 private:
  ValueAndTimestamp<VR> Derive(const K& key, const ValueAndTimestamp<V>& row) {
    if (!kSeesNull && row.value == nullptr) return {};
    result_.emplace(derive_(key, row.value));
    const VR* const value = PointerTo(*result_);
    return value == nullptr ? ValueAndTimestamp<VR>{} : ValueAndTimestamp<VR>{value, row.timestamp_ms};
  }

  std::unique_ptr<ValueGetter<K, V>> parent_;
  F derive_;
  std::optional<std::remove_cvref_t<std::invoke_result_t<F&, const K&, const V*>>> result_;
};

// Rows that pass the filter of a table.
template <class K, class V, class F>
class FilterGetter final : public ValueGetter<K, V> {
 public:
  FilterGetter(std::unique_ptr<ValueGetter<K, V>> parent, F predicate, bool keep)
      : parent_(std::move(parent)), predicate_(std::move(predicate)), keep_(keep) {}
  void Init(TaskContext& context) override { parent_->Init(context); }
  ValueAndTimestamp<V> Get(const K& key) override { return Passing(key, parent_->Get(key)); }
  ValueAndTimestamp<V> GetAsOf(const K& key, int64_t time_ms) override {
    return Passing(key, parent_->GetAsOf(key, time_ms));
  }
  bool versioned() const override { return parent_->versioned(); }

 private:
  ValueAndTimestamp<V> Passing(const K& key, const ValueAndTimestamp<V>& row) {
    if (row.value == nullptr) return row;
    return static_cast<bool>(CallKeyValue<K, V>(predicate_, &key, row.value)) == keep_ ? row : ValueAndTimestamp<V>{};
  }

  std::unique_ptr<ValueGetter<K, V>> parent_;
  F predicate_;
  const bool keep_;
};

}  // namespace tailrace::processor::detail
