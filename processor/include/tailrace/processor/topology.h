// A built topology: operators, stores and topics, divided into subtopologies.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tailrace/base/status.h"
#include "tailrace/processor/detail/topology_graph.h"
#include "tailrace/processor/options.h"
#include "tailrace/processor/query.h"
#include "tailrace/processor/topology_optimization.h"
#include "tailrace/state/store_spec.h"

namespace tailrace::processor {

namespace detail {
class GraphOptimizer;
}

// Sources, processors, sinks and stores by name: the low-level way to build what StreamsBuilder builds.
//
// Names are unique within a topology; predecessors exist before their successors. The first error is kept and returned by
// Compile, so calls can be chained without checks. The typed forms are defined in topology_operators.h.
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

  // Reads topics as (K, V).
  template <class K, class V, class KS = UseDefaultSerde, class VS = UseDefaultSerde, class TE = TimestampExtractor>
  Topology& AddSource(const std::string& name, const std::vector<std::string>& topics, Consumed<KS, VS, TE> consumed = {});
  // `supplier` makes one processor per task: std::unique_ptr<P>() for a P derived from Processor. The stores are connected to it.
  template <class F>
  Topology& AddProcessor(const std::string& name, const std::vector<std::string>& predecessors, F supplier,
                         const std::vector<std::string>& stores = {});
  // Writes (K, V) to a topic.
  template <class K, class V, class KS = UseDefaultSerde, class VS = UseDefaultSerde, class P = DefaultPartitioner>
  Topology& AddSink(const std::string& name, const std::string& topic, const std::vector<std::string>& predecessors,
                    Produced<KS, VS, P> produced = {});

  // A store that every process has whole: `supplier`'s processor fills it from the records of a topic, which nothing else reads;
  // it forwards nothing. Any processor may read it (ProcessingContext::global_stores).
  template <class K, class V, class KS = UseDefaultSerde, class VS = UseDefaultSerde, class F>
  Topology& AddGlobalStore(state::StoreSpec store, const std::string& source, const std::string& topic, Consumed<KS, VS> consumed,
                           const std::string& processor, F supplier);

  Topology& AddNode(detail::NodeSpec node);
  Topology& AddGlobalStore(state::StoreSpec store, detail::NodeSpec source, detail::NodeSpec processor);
  Topology& AddStateStore(state::StoreSpec store, const std::vector<std::string>& processors);
  // Null when no store of that name was added.
  const state::StoreSpec* FindStateStore(std::string_view name) const;
  Topology& ConnectProcessorAndStore(std::string_view processor, std::string_view store);
  // For operators that share a store, whichever is written first: adds it, or connects the processor to it.
  Topology& ShareStateStore(state::StoreSpec store, const std::string& processor);
  Topology& AddRepartitionTopic(detail::RepartitionTopic topic);
  // With reuse.ktable.source.topics this source topic is the changelog of the store that is added next under that name.
  void OfferSourceAsChangelog(const std::string& store, const std::string& topic) { source_changelogs_[store] = topic; }
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
  // All of it but global stores as one subtopology, which one task can run where every topic has one partition (TopologyTestDriver).
  const detail::Subtopology& whole() const;
  // The operators and stores of all global stores. No nodes: there are none.
  const detail::Subtopology& global() const;
  const std::vector<std::vector<std::string>>& copartition_topics() const;  // full topic names per group
  const std::map<std::string, detail::RepartitionTopic>& repartition_topics() const;  // by full name
  // Changes whenever operators, stores or topics change: two processes with different fingerprints do not share work.
  const std::string& fingerprint() const;

  // What StreamsBuilder was allowed to rewrite; absent for a topology made without it.
  const std::optional<TopologyOptimization>& optimization() const { return optimization_; }
  // While the DSL writes: whether these operators, which feed one that is being written, are one, or have become one, and
  // single.store.self.join is on.
  bool joins_itself(const std::string& left, const std::string& right) const;

  // kInvalidArgument that lists every store, changelog and repartition topic with a generated name, and the call that names
  // it (ensure.explicit.internal.resource.naming). Generated names change when an operator is added before them, and the
  // state under the old name is lost then.
  absl::Status CheckNames() const;

  // The full name of a topic: repartition topics get the application's prefix.
  std::string FullTopicName(std::string_view topic) const;

 private:
  friend class detail::GraphOptimizer;
  struct Impl;
  std::unique_ptr<Impl> impl_;
  std::optional<TopologyOptimization> optimization_;
  // While the DSL writes: what the optimiser has renamed.
  std::map<std::string, std::string> renamed_predecessors_;
  std::map<std::string, std::string> renamed_sources_;
  std::map<std::string, std::string> source_changelogs_;
};

}  // namespace tailrace::processor
