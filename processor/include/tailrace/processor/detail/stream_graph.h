// The logical graph that the DSL records. Build optimises it and writes it into a Topology in Kafka Streams' order, so that
// generated names and subtopology numbers agree with what the same calls give on the JVM (InternalStreamsBuilder).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tailrace/processor/detail/node.h"
#include "tailrace/processor/topology.h"
#include "tailrace/processor/topology_optimization.h"

namespace tailrace::processor::detail {

// What the optimiser must know of an operator (GraphNode's flags).
struct GraphTraits {
  std::string name;              // the operator that children name as their predecessor; needed with any flag below
  TypeTag type = nullptr;        // of the records it forwards; needed with changes_key and merges
  bool changes_key = false;      // selectKey, map, flatMap, groupBy
  bool changes_value = false;    // mapValues, flatMapValues
  bool merges = false;
  bool takes_null_keys = false;  // left and outer joins: what feeds them lets records without a key pass
};

// A source of the DSL. Two of the same topics, types and serdes become one.
struct SourceTraits {
  std::string name;
  std::vector<std::string> topics;
  OffsetReset offset_reset = OffsetReset::kDefault;
  TypeTag identity = nullptr;  // of the operator's class, so of its key, value and serde types
};

// A way through a repartition topic: filter, sink and source.
struct RepartitionTraits {
  std::string parent;  // the operator above
  std::string topic;   // "<name>-repartition"
  std::string filter;
  std::string sink;
  std::string source;
  std::optional<int32_t> partition_count;
  bool may_merge = true;  // false for KStream::Repartition, which is never optimised away
  TypeTag type = nullptr;
  std::function<std::unique_ptr<Node>(bool drop_null_keys)> make_filter;
  std::function<std::unique_ptr<Node>(const std::string& topic)> make_sink;
  NodeFactory make_source;
};

// Not thread-safe.
class StreamGraph {
 public:
  StreamGraph();
  ~StreamGraph();
  StreamGraph(const StreamGraph&) = delete;
  StreamGraph& operator=(const StreamGraph&) = delete;

  using NodeId = int;
  static constexpr NodeId kRoot = 0;
  using Writer = std::function<void(Topology&)>;

  // "KSTREAM-FILTER-0000000003": one counter for operators and stores.
  std::string NewProcessorName(std::string_view prefix);
  // "KSTREAM-AGGREGATE-STATE-STORE-0000000001"
  std::string NewStoreName(std::string_view prefix);
  // `given`, or a generated name. A given one takes a number all the same, so that naming an operator renames no other
  // (NamedInternal.orElseGenerateWithPrefix).
  std::string NameOr(std::string given, std::string_view prefix);
  // `given` with the suffix, or a generated name (NamedInternal.suffixWithOrElseGet).
  std::string SuffixedOr(const std::string& given, std::string_view suffix, std::string_view prefix);

  // `write` adds to the topology what the node stands for; it runs at Build, after the writers of all parents.
  NodeId Add(std::vector<NodeId> parents, Writer write, GraphTraits traits = {});
  NodeId AddSource(SourceTraits source, Writer write);
  // Fills in the names that `prefix` gives: the topic is "<prefix>-repartition" (KStreamImpl.createRepartitionedSource).
  void NameRepartition(const std::string& prefix, RepartitionTraits& repartition);
  NodeId AddRepartition(NodeId parent, RepartitionTraits repartition);
  // A repartition that is used once more takes its place in the order anew.
  void Touch(NodeId id);

  // The repartition that a join made of a stream, which the next join of the same stream uses again. No source: none yet.
  struct JoinRepartition {
    NodeId id = kRoot;
    std::string source;
  };
  JoinRepartition& JoinRepartitionOf(NodeId stream);

  // The grace of a windowed aggregation: what is below it may wait until windows close.
  void SetWindowGrace(NodeId node, int64_t grace_ms);
  // The largest grace of the windowed aggregations above `node`, itself included (GraphGraceSearchUtil); nullopt when some
  // way up to a source meets none.
  std::optional<int64_t> WindowGrace(NodeId node) const;

  // Keeps the first error; Build returns it.
  void Fail(absl::Status status);

  absl::StatusOr<Topology> Build(const TopologyOptimization& optimization) const;

  struct GraphNode {
    int64_t priority = 0;  // order of writing
    std::vector<NodeId> parents;
    std::vector<NodeId> children;
    Writer write;
    GraphTraits traits;
    std::optional<SourceTraits> source;
    std::optional<RepartitionTraits> repartition;
    NodeId key_changer = -1;  // of a repartition: the operator that made it necessary, when nothing in between changes values
    std::optional<int64_t> grace_ms;
  };

 private:
  NodeId Append(GraphNode node);

  std::vector<GraphNode> nodes_;  // the first is the root
  std::map<NodeId, JoinRepartition> join_repartitions_;
  int next_index_ = 0;
  int64_t next_priority_ = 1;
  absl::Status error_;
};

}  // namespace tailrace::processor::detail
