// Operators of a grouped table: the map in front of the repartition topic, and the aggregate behind it.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "tailrace/processor/detail/functions.h"
#include "tailrace/processor/detail/table_nodes.h"

namespace tailrace::processor::detail {

// Sends the old row to the group that it was in and the new row to the one that it is in; one change when both are the
// same (KTableRepartitionMap). `F` returns a std::pair of key and value; a row without one of them is in no group.
template <class K, class V, class KR, class VR, class F>
class TableRepartitionMapNode final : public Operator<K, Change<V>, KR, Change<VR>> {
 public:
  TableRepartitionMapNode(F selector, bool versioned) : selector_(std::move(selector)), versioned_(versioned) {}
  void Process(const Record<K, Change<V>>& record) override {
    const Change<V>& change = *record.value;
    if (versioned_ && !change.is_latest) return;
    const Grouped now = Select(record.key, change.new_value, new_);
    const Grouped before = Select(record.key, change.old_value, old_);
    if (now.value != nullptr && before.value != nullptr && *now.key == *before.key) {
      Send(*before.key, {now.value, before.value, change.is_latest}, record);
      return;
    }
    if (before.value != nullptr) Send(*before.key, {nullptr, before.value, change.is_latest}, record);
    if (now.value != nullptr) Send(*now.key, {now.value, nullptr, change.is_latest}, record);
  }

 private:
  using Pair = KeyValueResult<F, K, V>;
  struct Grouped {
    const KR* key = nullptr;
    const VR* value = nullptr;  // null: in no group
  };
  Grouped Select(const K* key, const V* value, std::optional<Pair>& pair) {
    if (value == nullptr) return {};
    pair.emplace(CallKeyValue<K, V>(selector_, key, value));
    const Grouped grouped{PointerTo(pair->first), PointerTo(pair->second)};
    return grouped.key == nullptr ? Grouped{} : grouped;
  }
  void Send(const KR& key, const Change<VR>& change, const Record<K, Change<V>>& record) {
    this->Forward({&key, &change, record.timestamp_ms, record.headers});
  }

  F selector_;
  const bool versioned_;
  std::optional<Pair> new_;
  std::optional<Pair> old_;
};

// What an aggregate of a grouped table does with a row that enters or leaves the group; nullopt: the group has no
// aggregate any more.
template <class K, class V, class VR>
struct TableAggregateFunctions {
  std::function<std::optional<VR>(const K&, const V&, const VR*)> add;  // null: no aggregate yet
  std::function<std::optional<VR>(const K&, const V&, const VR&)> remove;
};

// Takes the old row out, then the new one in (KTableAggregate, KTableReduce). An old row of a group without an aggregate
// is ignored.
template <class K, class V, class VR>
class TableAggregateNode final : public TableOperator<K, Change<V>, K, VR> {
 public:
  TableAggregateNode(TableNodeOptions<K, VR> options, TableAggregateFunctions<K, V, VR> functions)
      : TableOperator<K, Change<V>, K, VR>(std::move(options)), functions_(std::move(functions)) {}
  void Process(const Record<K, Change<V>>& record) override {
    state::CacheEntry* const entry = this->rows_->Find(*record.key);
    if (entry == nullptr) return;
    const VR* const before = this->rows_->Decode(*entry);
    const VR* now = before;
    int64_t timestamp_ms = record.timestamp_ms;
    if (before != nullptr) timestamp_ms = std::max(timestamp_ms, entry->timestamp_ms());
    if (record.value->old_value != nullptr && now != nullptr) {
      removed_ = functions_.remove(*record.key, *record.value->old_value, *now);
      now = PointerTo(removed_);
    }
    if (record.value->new_value != nullptr) {
      added_ = functions_.add(*record.key, *record.value->new_value, now);
      now = PointerTo(added_);
    }
    this->rows_->Update(*entry, *record.key, {now, before, record.value->is_latest},
                        now == nullptr ? record.timestamp_ms : timestamp_ms, timestamp_ms, record.headers);
  }

 private:
  TableAggregateFunctions<K, V, VR> functions_;
  std::optional<VR> removed_;
  std::optional<VR> added_;
};

}  // namespace tailrace::processor::detail
