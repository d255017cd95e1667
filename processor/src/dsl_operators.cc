#include "tailrace/processor/detail/dsl_operators.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace tailrace::processor {

MaterializedOptions::MaterializedOptions() = default;
MaterializedOptions::MaterializedOptions(std::string name) : store_name(std::move(name)) {}
MaterializedOptions::MaterializedOptions(const MaterializedOptions&) = default;
MaterializedOptions::MaterializedOptions(MaterializedOptions&&) noexcept = default;
MaterializedOptions& MaterializedOptions::operator=(const MaterializedOptions&) = default;
MaterializedOptions& MaterializedOptions::operator=(MaterializedOptions&&) noexcept = default;
MaterializedOptions::~MaterializedOptions() = default;

namespace detail {
namespace {

StreamHandle Behind(const StreamHandle& stream, const std::string& name, bool changes_key) {
  StreamHandle next = stream;
  next.node = name;
  next.repartition_required |= changes_key;
  if (changes_key) next.windowed_key_serde.reset();
  return next;
}

StreamGraph::Writer NodeWriter(NodeSpec node) {
  return [node = std::move(node)](Topology& topology) { topology.AddNode(node); };
}

// The store in which records wait for a table, and whether that table goes back far enough.
void AddJoinBuffer(Topology& topology, const std::string& join, const std::string& buffer, int64_t grace_ms,
                   const std::vector<std::string>& table_stores) {
  state::StoreSpec spec;
  spec.name = buffer;
  spec.caching = false;
  topology.AddStateStore(std::move(spec), {join});
  for (const std::string& store : table_stores) {
    topology.ConnectProcessorAndStore(join, store);
    const state::StoreSpec* const table = topology.FindStateStore(store);
    if (table != nullptr && table->kind == state::StoreKind::kVersioned && table->history_retention_ms < grace_ms)
      topology.Fail(base::UsageError(absl::StrCat("operator ", join, ": the table's store ", store, " keeps a history of ",
                                                  table->history_retention_ms, " ms, less than the join's grace of ", grace_ms,
                                                  " ms; keep a longer history or shorten the grace")));
  }
}

}  // namespace

StreamHandle::StreamHandle(std::shared_ptr<StreamGraph> g, StreamGraph::NodeId i, std::string n, std::set<std::string> s)
    : graph(std::move(g)), id(i), node(std::move(n)), sources(std::move(s)) {}
StreamHandle::StreamHandle(const StreamHandle&) = default;
StreamHandle::StreamHandle(StreamHandle&&) noexcept = default;
StreamHandle& StreamHandle::operator=(const StreamHandle&) = default;
StreamHandle& StreamHandle::operator=(StreamHandle&&) noexcept = default;
StreamHandle::~StreamHandle() = default;

StreamHandle AddOperator(const StreamHandle& stream, const std::string& name, Changes changes, TypeTag type, NodeFactory factory) {
  StreamHandle next = Behind(stream, name, changes == Changes::kKey);
  next.id = stream.graph->Add({stream.id}, NodeWriter({.name = name, .predecessors = {stream.node}, .factory = std::move(factory)}),
                              {.name = name, .type = type, .changes_key = changes == Changes::kKey,
                               .changes_value = changes == Changes::kValue});
  return next;
}

StreamHandle AddProcessor(const StreamHandle& stream, const std::string& name, bool changes_key, NodeFactory factory,
                          std::vector<std::string> stores) {
  StreamHandle next = Behind(stream, name, changes_key);
  next.id = stream.graph->Add({stream.id}, NodeWriter({.name = name, .predecessors = {stream.node}, .stores = std::move(stores),
                                                       .factory = std::move(factory)}));
  return next;
}

StreamHandle AddProcessor(const TableHandle& table, const std::string& name, NodeFactory factory) {
  const auto id =
      table.graph->Add({table.id}, NodeWriter({.name = name, .predecessors = {table.node}, .factory = std::move(factory)}));
  return {table.graph, id, name, table.sources};
}

StreamHandle AddMerge(const StreamHandle& a, const StreamHandle& b, const std::string& name, TypeTag type, NodeFactory factory) {
  StreamHandle merged = a;
  merged.node = name;
  merged.sources.insert(b.sources.begin(), b.sources.end());
  merged.repartition_required |= b.repartition_required;
  std::vector<std::string> parents{a.node};
  if (b.node != a.node) parents.push_back(b.node);
  merged.id = a.graph->Add({a.id, b.id}, NodeWriter({.name = name, .predecessors = std::move(parents), .factory = std::move(factory)}),
                           {.name = name, .type = type, .merges = true});
  return merged;
}

StreamHandle AddGlobalJoin(const StreamHandle& stream, const std::string& name, JoinKind kind, NodeFactory factory) {
  StreamHandle joined = Behind(stream, name, false);
  joined.id = stream.graph->Add({stream.id}, NodeWriter({.name = name, .predecessors = {stream.node}, .factory = std::move(factory)}),
                                {.name = name, .takes_null_keys = kind == JoinKind::kLeft});
  return joined;
}

void AddSink(const StreamHandle& stream, std::vector<std::string> topics, std::string name, NodeFactory factory) {
  name = stream.graph->NameOr(std::move(name), "KSTREAM-SINK-");
  stream.graph->Add({stream.id}, NodeWriter({.type = TopologyNode::Type::kSink, .name = std::move(name), .predecessors = {stream.node},
                                             .topics = std::move(topics), .factory = std::move(factory)}));
}

void AddNumberlessSink(const StreamHandle& stream, std::string topic, std::string name, NodeFactory factory) {
  stream.graph->Add({stream.id}, NodeWriter({.type = TopologyNode::Type::kSink, .name = std::move(name), .predecessors = {stream.node},
                                             .topics = {std::move(topic)}, .factory = std::move(factory)}));
}

StreamHandle AddRepartition(const StreamHandle& stream, const std::string& prefix, RepartitionTraits traits) {
  traits.parent = stream.node;
  stream.graph->NameRepartition(prefix, traits);
  const std::string source = traits.source;
  return {stream.graph, stream.graph->AddRepartition(stream.id, std::move(traits)), source, {source}};
}

void UseRepartitionNumbers(StreamGraph& graph) {
  for (const char* prefix : {"KSTREAM-SINK-", "KSTREAM-FILTER-", "KSTREAM-SOURCE-"}) graph.NewProcessorName(prefix);
}

const StreamHandle* SharedRepartition(const StreamHandle& stream, const std::string& grouping) {
  const auto& shared = stream.shared_repartition;
  if (grouping.empty() || shared == nullptr || !shared->has_value()) return nullptr;
  UseRepartitionNumbers(*stream.graph);
  stream.graph->Touch((*shared)->id);
  return &**shared;
}

std::optional<StreamHandle> JoinRepartition(const StreamHandle& stream, const std::string& prefix) {
  const StreamGraph::JoinRepartition& earlier = stream.graph->JoinRepartitionOf(stream.id);
  if (earlier.source.empty() || prefix != stream.node) return std::nullopt;
  UseRepartitionNumbers(*stream.graph);
  return StreamHandle(stream.graph, earlier.id, earlier.source, {earlier.source});
}

state::StoreSpec SpecOf(const MaterializedOptions& materialized, std::string name, state::StoreKind kind) {
  state::StoreSpec spec;
  spec.name = std::move(name);
  spec.kind = kind;
  spec.caching = materialized.caching;
  spec.logging = materialized.logging;
  spec.in_memory = materialized.in_memory;
  spec.changelog_config = materialized.changelog_config;
  spec.schema = materialized.schema;
  // One of zero is refused with the negative ones (Topology::AddStateStore).
  if (materialized.time_to_live.has_value())
    spec.time_to_live_ms = materialized.time_to_live->count() == 0 ? -1 : materialized.time_to_live->count();
  if (materialized.history_retention.has_value() && kind == state::StoreKind::kKeyValue) {
    spec.kind = state::StoreKind::kVersioned;
    spec.history_retention_ms = materialized.history_retention->count();
    if (materialized.segment_interval.has_value()) spec.segment_interval_ms = materialized.segment_interval->count();
    spec.caching = false;
  }
  return spec;
}

int64_t RetentionOf(StreamGraph& graph, const MaterializedOptions& materialized, int64_t needed_ms, const char* what) {
  if (!materialized.retention.has_value()) return needed_ms;
  const int64_t given_ms = materialized.retention->count();
  if (given_ms < needed_ms)
    graph.Fail(base::UsageError(absl::StrCat("store ", materialized.store_name, ": retention of ", given_ms,
                                             " ms is shorter than ", what, " = ", needed_ms,
                                             " ms; raise the retention or shorten the grace")));
  return given_ms;
}

std::shared_ptr<TableOrigin> NameAggregate(StreamGraph& graph, const MaterializedOptions& materialized, const char* prefix,
                                           state::StoreSpec& store) {
  if (materialized.history_retention.has_value())
    graph.Fail(base::UsageError(absl::StrCat("store ", store.name, " of an aggregate cannot be versioned: keep versions in the store "
                                             "of a table that follows it, for example with ToStream().ToTable(...)")));
  const bool named = !store.name.empty();
  if (!named) store.name = graph.NewStoreName(prefix);
  return TableOrigin::Aggregate(store.name, named);
}

TableHandle AddAggregate(const StreamHandle& stream, const std::string& name, const state::StoreSpec& store,
                         std::shared_ptr<TableOrigin> origin, int64_t grace_ms, NodeFactory factory) {
  const auto id = stream.graph->Add({stream.id}, [=, parent = stream.node](Topology& topology) {
    topology.AddNode({.name = name, .predecessors = {parent}, .factory = factory});
    state::StoreSpec spec = store;
    spec.keep_old_values = origin->sends_old_values();
    topology.AddStateStore(std::move(spec), {name});
  });
  if (grace_ms != kNoGrace) stream.graph->SetWindowGrace(id, grace_ms);
  return {stream.graph, id, name, stream.sources, std::move(origin)};
}

void WriteTableNode(Topology& topology, const std::string& name, std::vector<std::string> predecessors, const state::StoreSpec& store,
                    const TableOrigin& origin, NodeFactory factory, std::vector<std::string> more_stores) {
  topology.AddNode({.name = name, .predecessors = std::move(predecessors), .stores = std::move(more_stores),
                    .factory = std::move(factory)});
  if (!origin.materialized()) return;
  state::StoreSpec spec = store;
  spec.keep_old_values = origin.sends_old_values();
  topology.AddStateStore(std::move(spec), {name});
}

std::string NameTableJoin(const StreamHandle& stream, const TableHandle& table, JoinKind kind, const std::string& given,
                          std::optional<int64_t> grace_ms) {
  std::string name = stream.graph->NameOr(given, kind == JoinKind::kLeft ? "KSTREAM-LEFTJOIN-" : "KSTREAM-JOIN-");
  if (grace_ms.has_value() && !table.origin->versioned())
    stream.graph->Fail(base::UsageError(absl::StrCat(
        "operator ", name, ": a join with a grace period looks the table up as it was, so the table must be versioned: give it "
        "Materialized(...).Versioned(history)")));
  return name;
}

std::string BufferOf(const std::string& table_join) { return table_join + "-Buffer"; }

StreamHandle AddTableJoin(const StreamHandle& stream, const TableHandle& table, JoinKind kind, const std::string& name,
                          std::optional<int64_t> grace_ms, std::vector<std::string> table_stores, NodeFactory factory) {
  StreamHandle joined = Behind(stream, name, false);
  joined.sources.insert(table.sources.begin(), table.sources.end());
  joined.id = stream.graph->Add({stream.id}, [=, parent = stream.node, sources = stream.sources,
                                              table_sources = table.sources](Topology& topology) {
    topology.AddNode({.name = name, .predecessors = {parent},
                      .stores = grace_ms.has_value() ? std::vector<std::string>() : table_stores, .factory = factory});
    if (grace_ms.has_value()) AddJoinBuffer(topology, name, BufferOf(name), *grace_ms, table_stores);
    AddCopartition(topology, sources, table_sources);
  }, {.name = name, .takes_null_keys = kind == JoinKind::kLeft});
  return joined;
}

void AddCopartition(Topology& topology, const std::set<std::string>& a, const std::set<std::string>& b) {
  std::vector<std::string> group(a.begin(), a.end());
  group.insert(group.end(), b.begin(), b.end());
  topology.AddCopartition(std::move(group));
}

}  // namespace detail
}  // namespace tailrace::processor
