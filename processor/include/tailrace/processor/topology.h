// A built topology: operators, stores and topics, divided into subtopologies.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tailrace/base/status.h"
#include "tailrace/processor/detail/topology_graph.h"
#include "tailrace/processor/query.h"
#include "tailrace/state/store_spec.h"

namespace tailrace::processor {

// Sources, processors, sinks and stores by name: the low-level way to build what StreamsBuilder builds.
//
// Names are unique within a topology; predecessors exist before their successors. The first error is kept and returned by
// Compile, so calls can be chained without checks.
// Thread-safety: building on one thread; a compiled topology is immutable and shared by all threads.
//
//   Topology topology;
//   topology.AddSource<std::string, std::string>("words", {"words-in"})
//       .AddProcessor("count", {"words"}, [] { return std::make_unique<WordCount>(); })
//       .AddStateStore(CountsStore(), {"count"})
//       .AddSink<std::string, int64_t>("out", "counts-out", {"count"});
class Topology {
 public:
  Topology();
  ~Topology();
  Topology(Topology&&) noexcept;
  Topology& operator=(Topology&&) noexcept;

  Topology& AddNode(detail::NodeSpec node);
  Topology& AddStateStore(state::StoreSpec store, const std::vector<std::string>& processors);
  Topology& ConnectProcessorAndStore(std::string_view processor, std::string_view store);
  Topology& AddRepartitionTopic(detail::RepartitionTopic topic);
  // These sources must have equally many partitions (joins).
  Topology& AddCopartition(std::vector<std::string> source_nodes);
  // Keeps the first error, for StreamsBuilder.
  Topology& Fail(absl::Status status);

  // Kafka Streams' text form. Valid without Compile.
  TopologyDescription Describe() const;

  // Checks the graph and prepares it for an application: prefixes internal topics with `application_id`, names changelogs,
  // divides into subtopologies (Kafka Streams' numbering). The error names the operator, what is wrong and what to change.
  absl::Status Compile(const std::string& application_id);

  // After Compile:
  const std::string& application_id() const;
  const std::vector<detail::Subtopology>& subtopologies() const;
  // All of it as one subtopology, which one task can run where every topic has one partition (TopologyTestDriver).
  const detail::Subtopology& whole() const;
  const std::vector<std::vector<std::string>>& copartition_topics() const;  // full topic names per group
  const std::map<std::string, detail::RepartitionTopic>& repartition_topics() const;  // by full name
  // Changes whenever operators, stores or topics change: two processes with different fingerprints do not share work.
  const std::string& fingerprint() const;

  // The full name of a topic: repartition topics get the application's prefix.
  std::string FullTopicName(std::string_view topic) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailrace::processor
