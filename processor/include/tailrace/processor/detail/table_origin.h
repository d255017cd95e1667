// How a table comes about: whether it has a store, and who must send old values when somebody below asks for them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tailrace/processor/detail/stream_graph.h"
#include "tailrace/state/store_spec.h"

namespace tailrace::processor::detail {

// The rules of KTableImpl.enableSendingOldValues and valueGetterSupplier. Shared by all handles of one table and by the
// writers of its operators: a later call of the DSL may ask for old values or for a store, so writers look only at Build.
// Not thread-safe.
class TableOrigin {
 public:
  // A topic or stream as a table (KTableSource): a store when it was named, or as soon as somebody needs rows or old values.
  static std::shared_ptr<TableOrigin> Source(std::string store, bool named);
  // An aggregate: always a store. `queryable` when the user named it.
  static std::shared_ptr<TableOrigin> Aggregate(std::string store, bool queryable);
  // Filter, map and transform: a store only when one was asked for, otherwise rows are computed from the parent's.
  static std::shared_ptr<TableOrigin> Derived(std::shared_ptr<TableOrigin> parent, std::string store = {});
  // Joins and merged aggregates: old values are asked of all parents. `store` may be empty.
  static std::shared_ptr<TableOrigin> Joined(std::vector<std::shared_ptr<TableOrigin>> parents, std::string store = {});
  // A suppression: rows are the buffer's prior values, else the parent's.
  static std::shared_ptr<TableOrigin> Suppressed(std::shared_ptr<TableOrigin> parent, std::string buffer);

  // Asks for old values in the table's changes. Without `force`, no table is given a store for that; false when one would
  // be needed.
  bool EnableSendingOldValues(bool force);
  bool sends_old_values() const { return sends_old_values_; }
  // A filter sends old values whenever the table above can without a new store: it may then drop more.
  void SendOldValuesIfParentCan() { sends_old_values_ = parents_.front()->EnableSendingOldValues(false); }

  // Somebody looks rows up: makes sure that they can be, and names the stores that the reader must be connected to.
  std::vector<std::string> UseRows();

  bool materialized() const { return materialized_; }
  const std::string& store() const { return store_; }
  // Empty: not for queries.
  const std::string& queryable_store() const { return queryable_store_; }

  // Versioned tables: an operator that drops what is not the latest asks the table above it.
  void SetVersioned(bool versioned) { versioned_ = versioned; }
  bool versioned() const;

 private:
  enum class Kind { kSource, kAggregate, kDerived, kJoined, kSuppressed };
  TableOrigin(Kind kind, std::vector<std::shared_ptr<TableOrigin>> parents, std::string store);

  const Kind kind_;
  const std::vector<std::shared_ptr<TableOrigin>> parents_;  // shared with the handles of the parents
  const std::string store_;
  std::string queryable_store_;
  bool materialized_ = false;
  bool sends_old_values_ = false;
  std::optional<bool> versioned_;  // absent: as the parents are
};

// A table as other operators continue it.
struct TableHandle {
  TableHandle(std::shared_ptr<StreamGraph> graph, StreamGraph::NodeId id, std::string node, std::set<std::string> sources,
              std::shared_ptr<TableOrigin> origin);
  TableHandle(const TableHandle&);
  TableHandle(TableHandle&&) noexcept;
  TableHandle& operator=(const TableHandle&);
  TableHandle& operator=(TableHandle&&) noexcept;
  ~TableHandle();

  std::shared_ptr<StreamGraph> graph;  // shared by all handles of one builder
  StreamGraph::NodeId id = StreamGraph::kRoot;
  std::string node;
  std::set<std::string> sources;
  std::shared_ptr<TableOrigin> origin;  // shared by all handles of the table
};

}  // namespace tailrace::processor::detail
