// The join of a stream with a global table.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "tailrace/processor/detail/any_serde.h"
#include "tailrace/processor/detail/global_stores.h"
#include "tailrace/processor/detail/joiner_call.h"
#include "tailrace/processor/detail/node.h"

namespace tailrace::processor::detail {

// Rows of a global table, as last published. Owned by one operator; not thread-safe.
template <class K, class V>
class GlobalRows {
 public:
  GlobalRows(std::string store, AnySerde<K> key_serde, AnySerde<V> value_serde)
      : store_(std::move(store)), key_serde_(std::move(key_serde)), value_serde_(std::move(value_serde)) {}
  void Init(TaskContext& context) {
    context_ = &context;
    stores_ = &context.global_stores();
  }
  // Null when absent; valid until the next call. A failed read fails the task and finds nothing.
  const V* Get(const K& key) {
    if (const uint64_t now = stores_->version(); now != version_) {
      view_ = stores_->view();
      version_ = now;
    }
    if (view_ == nullptr) return nullptr;
    const auto row = view_->Get(store_, key_serde_.Serialize(key, scratch_));
    if (!row.ok()) context_->Fail(row.status());
    if (!row.ok() || !row->has_value()) return nullptr;
    TAILRACE_CHECK(value_serde_.Deserialize((*row)->value, value_), "a serde cannot read what it wrote");
    return &value_;
  }

 private:
  const std::string store_;
  AnySerde<K> key_serde_;
  AnySerde<V> value_serde_;
  TaskContext* context_ = nullptr;
  const GlobalStores* stores_ = nullptr;
  std::shared_ptr<const state::ReadView> view_;  // shared with the stores and other readers
  uint64_t version_ = 0;
  std::string scratch_;
  V value_{};
};

// KStreamGlobalKTableJoin. `mapper` makes the table's key of a record; it may return std::optional.
template <class K, class V, class KG, class VG, class VR, class M, class F, JoinKind kKind>
class GlobalTableJoinNode final : public Operator<K, V, K, VR> {
 public:
  GlobalTableJoinNode(GlobalRows<KG, VG> rows, M mapper, F joiner)
      : rows_(std::move(rows)), mapper_(std::move(mapper)), joiner_(std::move(joiner)) {}
  absl::Status Init(TaskContext& context) override {
    rows_.Init(context);
    return Operator<K, V, K, VR>::Init(context);
  }
  void Process(const Record<K, V>& record) override {
    if (record.value == nullptr) return this->context().Drop(DropReason::kNullValue);
    const auto& mapped = CallKeyValue<K, V>(mapper_, record.key, record.value);
    const KG* const key = PointerTo(mapped);
    if (key == nullptr && kKind == JoinKind::kInner) return this->context().Drop(DropReason::kNullKey);
    const VG* const row = key == nullptr ? nullptr : rows_.Get(*key);
    if (row == nullptr && kKind == JoinKind::kInner) return;
    const auto& joined = CallJoiner<kKind, K, V, VG>(joiner_, record.key, record.value, row);
    this->Forward({record.key, PointerTo(joined), record.timestamp_ms, record.headers});
  }

 private:
  GlobalRows<KG, VG> rows_;
  M mapper_;
  F joiner_;
};

}  // namespace tailrace::processor::detail
