// How the operators of the DSL enter its graph: the part that knows no types, which a user's program does not compile anew.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tailrace/processor/detail/joiner_call.h"
#include "tailrace/processor/detail/stream_handle.h"
#include "tailrace/processor/detail/table_origin.h"
#include "tailrace/processor/options.h"

namespace tailrace::processor::detail {

// What an operator does to records, as the optimiser wants to know it.
enum class Changes { kNothing, kValue, kKey };

// The stream behind one operator more. `name` is taken as it is; `type` is that of the records that come out.
StreamHandle AddOperator(const StreamHandle& stream, const std::string& name, Changes changes, TypeTag type, NodeFactory factory);
// The same of which the optimiser knows nothing.
StreamHandle AddProcessor(const StreamHandle& stream, const std::string& name, bool changes_key, NodeFactory factory,
                          std::vector<std::string> stores = {});
// A table's changes as a stream.
StreamHandle AddProcessor(const TableHandle& table, const std::string& name, NodeFactory factory);
// Both streams in one. With itself a stream passes once, as in Kafka Streams.
StreamHandle AddMerge(const StreamHandle& a, const StreamHandle& b, const std::string& name, TypeTag type, NodeFactory factory);
// The join of a stream with a global table.
StreamHandle AddGlobalJoin(const StreamHandle& stream, const std::string& name, JoinKind kind, NodeFactory factory);
// No name: a generated one.
void AddSink(const StreamHandle& stream, std::vector<std::string> topics, std::string name, NodeFactory factory);

// One that uses no number up.
void AddNumberlessSink(const StreamHandle& stream, std::string topic, std::string name, NodeFactory factory);

// Sends the stream through a topic; names that `traits` does not have yet come from `prefix`.
StreamHandle AddRepartition(const StreamHandle& stream, const std::string& prefix, RepartitionTraits traits);
// A repartition that is used once more uses the numbers of its operators' names up again.
void UseRepartitionNumbers(StreamGraph& graph);
// The repartition that a grouping with a name has already (GroupedStreamAggregateBuilder.build); nullptr: there is none. It takes
// its place in the order anew.
const StreamHandle* SharedRepartition(const StreamHandle& stream, const std::string& grouping);
// The same for the joins of one stream, unless they are named (KStreamImpl.repartitionForJoin).
std::optional<StreamHandle> JoinRepartition(const StreamHandle& stream, const std::string& prefix);

// The store that a Materialized asks for.
state::StoreSpec SpecOf(const MaterializedOptions& materialized, std::string name, state::StoreKind kind);
// The retention of a windowed store: what was asked for, which may only raise `needed_ms`, or that.
int64_t RetentionOf(StreamGraph& graph, const MaterializedOptions& materialized, int64_t needed_ms, const char* what);

// Of windows that no time closes, and of aggregates without windows.
inline constexpr int64_t kNoGrace = -1;
// Names the store of an aggregate where it has no name. It cannot keep versions.
std::shared_ptr<TableOrigin> NameAggregate(StreamGraph& graph, const MaterializedOptions& materialized, const char* prefix,
                                           state::StoreSpec& store);
TableHandle AddAggregate(const StreamHandle& stream, const std::string& name, const state::StoreSpec& store,
                         std::shared_ptr<TableOrigin> origin, int64_t grace_ms, NodeFactory factory);

// Writes a table's operator and, where it has one, its store. `more_stores` are connected to it, too.
void WriteTableNode(Topology& topology, const std::string& name, std::vector<std::string> predecessors, const state::StoreSpec& store,
                    const TableOrigin& origin, NodeFactory factory, std::vector<std::string> more_stores);

// The join of a stream with a table. `grace_ms`: its records wait in a store of the name that BufferOf gives.
std::string NameTableJoin(const StreamHandle& stream, const TableHandle& table, JoinKind kind, const std::string& given,
                          std::optional<int64_t> grace_ms);
std::string BufferOf(const std::string& table_join);
StreamHandle AddTableJoin(const StreamHandle& stream, const TableHandle& table, JoinKind kind, const std::string& name,
                          std::optional<int64_t> grace_ms, std::vector<std::string> table_stores, NodeFactory factory);

void AddCopartition(Topology& topology, const std::set<std::string>& a, const std::set<std::string>& b);

}  // namespace tailrace::processor::detail
