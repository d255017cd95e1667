// The logical graph that the DSL records. Build writes it into a Topology in Kafka Streams' order, so that generated names
// and subtopology numbers agree with what the same calls give on the JVM.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tailrace/processor/topology.h"

namespace tailrace::processor::detail {

// Not thread-safe.
class StreamGraph {
 public:
  using NodeId = int;
  static constexpr NodeId kRoot = 0;

  // "KSTREAM-FILTER-0000000003": one counter for operators and stores.
  std::string NewProcessorName(std::string_view prefix);
  // "KSTREAM-AGGREGATE-STATE-STORE-0000000001"
  std::string NewStoreName(std::string_view prefix);
  // `given`, or a generated name. A number is used up in both cases, so that a name does not renumber what follows.
  std::string NameOr(std::string given, std::string_view prefix);
  // `given` with the suffix, or a generated name (NamedInternal.suffixWithOrElseGet).
  std::string SuffixedOr(const std::string& given, std::string_view suffix, std::string_view prefix);

  // `write` adds to the topology what the node stands for; it runs at Build, after the writers of all parents.
  NodeId Add(std::vector<NodeId> parents, std::function<void(Topology&)> write);

  // The grace of a windowed aggregation: what is below it may wait until windows close.
  void SetWindowGrace(NodeId node, int64_t grace_ms);
  // The largest grace of the windowed aggregations above `node`, itself included (GraphGraceSearchUtil); nullopt when some
  // way up to a source meets none.
  std::optional<int64_t> WindowGrace(NodeId node) const;

  // Keeps the first error; Build returns it.
  void Fail(absl::Status status);

  absl::StatusOr<Topology> Build() const;

 private:
  struct Node {
    std::vector<NodeId> parents;
    std::vector<NodeId> children;
    std::function<void(Topology&)> write;
    std::optional<int64_t> grace_ms;
  };
  std::vector<Node> nodes_{Node{}};
  int next_index_ = 0;
  absl::Status error_;
};

}  // namespace tailrace::processor::detail
