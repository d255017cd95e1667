#include "tailrace/processor/detail/table_origin.h"

#include <algorithm>

#include "tailrace/base/check.h"

namespace tailrace::processor::detail {

TableOrigin::TableOrigin(Kind kind, std::vector<std::shared_ptr<TableOrigin>> parents, std::string store)
    : kind_(kind), parents_(std::move(parents)), store_(std::move(store)) {}

std::shared_ptr<TableOrigin> TableOrigin::Source(std::string store, bool named) {
  std::shared_ptr<TableOrigin> origin(new TableOrigin(Kind::kSource, {}, std::move(store)));
  origin->materialized_ = named;
  if (named) origin->queryable_store_ = origin->store_;
  origin->versioned_ = false;
  return origin;
}

std::shared_ptr<TableOrigin> TableOrigin::Aggregate(std::string store, bool queryable) {
  std::shared_ptr<TableOrigin> origin(new TableOrigin(Kind::kAggregate, {}, std::move(store)));
  origin->materialized_ = true;
  if (queryable) origin->queryable_store_ = origin->store_;
  origin->versioned_ = false;
  return origin;
}

std::shared_ptr<TableOrigin> TableOrigin::Derived(std::shared_ptr<TableOrigin> parent, std::string store) {
  const bool materialized = !store.empty();
  std::shared_ptr<TableOrigin> origin(new TableOrigin(Kind::kDerived, {std::move(parent)}, std::move(store)));
  origin->materialized_ = materialized;
  origin->queryable_store_ = origin->store_;
  if (materialized) origin->versioned_ = false;
  return origin;
}

std::shared_ptr<TableOrigin> TableOrigin::Joined(std::vector<std::shared_ptr<TableOrigin>> parents, std::string store) {
  const bool materialized = !store.empty();
  std::shared_ptr<TableOrigin> origin(new TableOrigin(Kind::kJoined, std::move(parents), std::move(store)));
  origin->materialized_ = materialized;
  origin->queryable_store_ = origin->store_;
  origin->versioned_ = false;
  return origin;
}

std::shared_ptr<TableOrigin> TableOrigin::Suppressed(std::shared_ptr<TableOrigin> parent, std::string buffer) {
  std::shared_ptr<TableOrigin> origin(new TableOrigin(Kind::kSuppressed, {std::move(parent)}, std::move(buffer)));
  origin->versioned_ = false;
  return origin;
}

bool TableOrigin::EnableSendingOldValues(bool force) {
  if (sends_old_values_) return true;
  switch (kind_) {
    case Kind::kSource:
      if (!force && !materialized_) return false;
      materialized_ = true;
      break;
    case Kind::kAggregate:
      break;
    case Kind::kDerived:
      if (!materialized_ && !parents_.front()->EnableSendingOldValues(force)) return false;
      break;
    case Kind::kJoined:
      for (const auto& parent : parents_) parent->EnableSendingOldValues(true);
      break;
    case Kind::kSuppressed:
      if (!parents_.front()->EnableSendingOldValues(force)) return false;
      break;
  }
  sends_old_values_ = true;
  return true;
}

std::vector<std::string> TableOrigin::UseRows() {
  if (kind_ == Kind::kSource) materialized_ = true;
  if (materialized_) return {store_};
  std::vector<std::string> stores;
  if (kind_ == Kind::kSuppressed) stores.push_back(store_);
  for (const auto& parent : parents_)
    for (std::string& store : parent->UseRows())
      if (std::find(stores.begin(), stores.end(), store) == stores.end()) stores.push_back(std::move(store));
  TAILRACE_CHECK(!stores.empty(), "a table without a store has parents");
  return stores;
}

bool TableOrigin::versioned() const {
  if (versioned_.has_value()) return *versioned_;
  return std::all_of(parents_.begin(), parents_.end(), [](const auto& parent) { return parent->versioned(); });
}

TableHandle::TableHandle(std::shared_ptr<StreamGraph> g, StreamGraph::NodeId i, std::string n, std::set<std::string> s,
                         std::shared_ptr<TableOrigin> o)
    : graph(std::move(g)), id(i), node(std::move(n)), sources(std::move(s)), origin(std::move(o)) {}
TableHandle::TableHandle(const TableHandle&) = default;
TableHandle::TableHandle(TableHandle&&) noexcept = default;
TableHandle& TableHandle::operator=(const TableHandle&) = default;
TableHandle& TableHandle::operator=(TableHandle&&) noexcept = default;
TableHandle::~TableHandle() = default;

}  // namespace tailrace::processor::detail
