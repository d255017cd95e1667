// Joins of two tables by key: one operator per side, and one that merges what they forward.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "tailrace/processor/detail/table_nodes.h"

namespace tailrace::processor::detail {

// Which rows the result has, seen from the side whose change comes in.
enum class TableJoinSide {
  kInner,  // both sides have a row (KTableKTableInnerJoin)
  kLeft,   // this side has one (KTableKTableLeftJoin)
  kRight,  // the other side has one (KTableKTableRightJoin)
  kOuter,  // one of them has (KTableKTableOuterJoin)
};

// Called with null only where the side allows it.
template <class VThis, class VOther, class VR>
using TableJoiner = std::function<std::optional<VR>(const VThis*, const VOther*)>;

// Whether there is a result row for these two.
inline bool JoinHasRow(TableJoinSide side, bool has_this, bool has_other) {
  switch (side) {
    case TableJoinSide::kInner: return has_this && has_other;
    case TableJoinSide::kLeft: return has_this;
    case TableJoinSide::kRight: return has_other;
    case TableJoinSide::kOuter: return has_this || has_other;
  }
  return false;
}
// Whether a change of this side can change the result at all.
inline bool JoinMayChange(TableJoinSide side, bool changes_a_row, bool has_other) {
  return has_other || ((side == TableJoinSide::kLeft || side == TableJoinSide::kOuter) && changes_a_row);
}

// One side: joins a change with the other table's row of now. The result carries the larger of both times.
template <class K, class V, class VOther, class VR>
class TableJoinNode final : public Operator<K, Change<V>, K, Change<VR>> {
 public:
  TableJoinNode(TableJoinSide side, std::unique_ptr<ValueGetter<K, VOther>> other, TableJoiner<V, VOther, VR> joiner,
                bool sends_old_values, bool versioned)
      : side_(side), other_(std::move(other)), joiner_(std::move(joiner)), sends_old_values_(sends_old_values),
        versioned_(versioned) {}
  absl::Status Init(TaskContext& context) override {
    other_->Init(context);
    return Operator<K, Change<V>, K, Change<VR>>::Init(context);
  }
  void Process(const Record<K, Change<V>>& record) override {
    const Change<V>& change = *record.value;
    if (record.key == nullptr) return this->context().Drop(DropReason::kNullKey);
    if (versioned_ && !change.is_latest) return this->context().Drop(DropReason::kOutdated);
    const ValueAndTimestamp<VOther> other = other_->Get(*record.key);
    if (!JoinMayChange(side_, change.new_value != nullptr || change.old_value != nullptr, other.value != nullptr)) return;
    Change<VR> joined{Join(change.new_value, other.value, new_), nullptr, change.is_latest};
    if (sends_old_values_) joined.old_value = Join(change.old_value, other.value, old_);
    const int64_t timestamp_ms = other.value == nullptr ? record.timestamp_ms : std::max(record.timestamp_ms, other.timestamp_ms);
    this->Forward({record.key, &joined, timestamp_ms, record.headers});
  }

 private:
  const VR* Join(const V* value, const VOther* other, std::optional<VR>& result) {
    if (!JoinHasRow(side_, value != nullptr, other != nullptr)) return nullptr;
    result = joiner_(value, other);
    return PointerTo(result);
  }

  const TableJoinSide side_;
  std::unique_ptr<ValueGetter<K, VOther>> other_;
  TableJoiner<V, VOther, VR> joiner_;
  const bool sends_old_values_;
  const bool versioned_;
  std::optional<VR> new_;
  std::optional<VR> old_;
};

// Takes the changes of both sides, into the result's store when it has one (KTableKTableJoinMerger).
template <class K, class VR>
class TableMergeNode final : public TableOperator<K, Change<VR>, K, VR> {
 public:
  using TableOperator<K, Change<VR>, K, VR>::TableOperator;
  void Process(const Record<K, Change<VR>>& record) override {
    Change<VR> change = *record.value;
    if (!this->sends_old_values_) change.old_value = nullptr;
    if (!this->rows_.has_value()) return this->Forward({record.key, &change, record.timestamp_ms, record.headers});
    state::CacheEntry* const entry = this->rows_->Find(*record.key);
    if (entry == nullptr) return;
    this->rows_->Update(*entry, *record.key, change, record.timestamp_ms, record.timestamp_ms, record.headers);
  }
};

// The joined row of now, for a result without a store.
template <class K, class V, class VOther, class VR>
class TableJoinGetter final : public ValueGetter<K, VR> {
 public:
  TableJoinGetter(TableJoinSide side, std::unique_ptr<ValueGetter<K, V>> left, std::unique_ptr<ValueGetter<K, VOther>> right,
                  TableJoiner<V, VOther, VR> joiner)
      : side_(side), left_(std::move(left)), right_(std::move(right)), joiner_(std::move(joiner)) {}
  void Init(TaskContext& context) override {
    left_->Init(context);
    right_->Init(context);
  }
  ValueAndTimestamp<VR> Get(const K& key) override {
    const ValueAndTimestamp<V> left = left_->Get(key);
    if (left.value == nullptr && side_ != TableJoinSide::kOuter) return {};
    const ValueAndTimestamp<VOther> right = right_->Get(key);
    if (!JoinHasRow(side_, left.value != nullptr, right.value != nullptr)) return {};
    result_ = joiner_(left.value, right.value);
    if (!result_.has_value()) return {};
    return {&*result_, std::max(left.value == nullptr ? -1 : left.timestamp_ms, right.value == nullptr ? -1 : right.timestamp_ms)};
  }

 private:
  const TableJoinSide side_;
  std::unique_ptr<ValueGetter<K, V>> left_;
  std::unique_ptr<ValueGetter<K, VOther>> right_;
  TableJoiner<V, VOther, VR> joiner_;
  std::optional<VR> result_;
};

}  // namespace tailrace::processor::detail
