// The start of every topology written in the DSL.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tailrace/base/config.h"
#include "tailrace/processor/global_ktable.h"
#include "tailrace/processor/kstream.h"
#include "tailrace/processor/topology.h"
#include "tailrace/processor/topology_operators.h"

namespace tailrace::processor {

// Not thread-safe. The topology that Build returns does not depend on the builder any more.
//
//   StreamsBuilder builder;
//   builder.Stream<std::string, std::string>("text")
//       .FlatMapValues(SplitIntoWords)
//       .GroupBy([](const std::string&, const std::string& word) { return word; }, Grouped("words"))
//       .Count(Materialized("counts"))
//       .ToStream()
//       .To("counts");
//   TAILRACE_ASSIGN_OR_RETURN(Topology topology, builder.Build());
class StreamsBuilder {
 public:
  template <class K, class V, class KS = UseDefaultSerde, class VS = UseDefaultSerde, class TE = TimestampExtractor>
  KStream<K, V> Stream(const std::string& topic, Consumed<KS, VS, TE> consumed = {}) {
    return Stream<K, V>(std::vector{topic}, std::move(consumed));
  }
  // A topic that is streamed twice, with the same types and serdes, is read once.
  template <class K, class V, class KS = UseDefaultSerde, class VS = UseDefaultSerde, class TE = TimestampExtractor>
  KStream<K, V> Stream(const std::vector<std::string>& topics, Consumed<KS, VS, TE> consumed = {}) {
    const std::string name = graph_->NameOr(consumed.name, "KSTREAM-SOURCE-");
    const auto id = graph_->AddSource({.name = name, .topics = topics, .offset_reset = consumed.offset_reset,
                                       .identity = detail::SourceIdentity<K, V, KS, VS, TE>()},
                                      [name, topics, consumed](Topology& topology) {
                                        topology.AddSource<K, V>(name, topics, consumed);
                                      });
    return KStream<K, V>({graph_, id, name, {name}});
  }

  // A topic as a table: records with a null key are dropped, a null value is a delete. It has a store when `materialized`
  // names one, or when a later operator needs rows or old values; that one is called "<topic>-STATE-STORE-0000000000".
  // Serdes that only one of the two gives are used for both.
  template <class K, class V, class KS = UseDefaultSerde, class VS = UseDefaultSerde>
  KTable<K, V> Table(const std::string& topic, const Materialized<KS, VS>& materialized = {}) {
    return TableOf<K, V>(topic, Consumed<KS, VS>{materialized.key_serde, materialized.value_serde, {}, {}, {}}, materialized);
  }
  template <class K, class V, class KS, class VS, class TE>
  KTable<K, V> Table(const std::string& topic, const Consumed<KS, VS, TE>& consumed) {
    return Table<K, V>(topic, consumed, Materialized<>());
  }
  template <class K, class V, class CKS, class CVS, class TE, class KS, class VS>
  KTable<K, V> Table(const std::string& topic, const Consumed<CKS, CVS, TE>& consumed, Materialized<KS, VS> materialized) {
    return TableOf<K, V>(topic, consumed, materialized.WithSerdes(consumed.key_serde, consumed.value_serde));
  }

  // A topic as a table that every process has whole (global_ktable.h). Records with a null key are dropped, a null value is a
  // delete. Timestamp extractors do not apply.
  template <class K, class V, class KS = UseDefaultSerde, class VS = UseDefaultSerde>
  GlobalKTable<K, V> GlobalTable(const std::string& topic, const Materialized<KS, VS>& materialized = {}) {
    return GlobalTable<K, V>(topic, Consumed<KS, VS>{materialized.key_serde, materialized.value_serde, {}, {}, {}}, materialized);
  }
  template <class K, class V, class CKS, class CVS, class KS = UseDefaultSerde, class VS = UseDefaultSerde>
  GlobalKTable<K, V> GlobalTable(const std::string& topic, const Consumed<CKS, CVS>& consumed,
                                 const Materialized<KS, VS>& materialized = {}) {
    const std::string name = materialized.store_name.empty() ? graph_->NewStoreName(topic + "-") : materialized.store_name;
    const std::string source = graph_->SuffixedOr(consumed.name, "-source", "KSTREAM-SOURCE-");
    const std::string table = graph_->NameOr(consumed.name, "KTABLE-SOURCE-");
    // The serdes of the topic are those of the store.
    const auto store = detail::TableStoreOf<K, V>(materialized.WithSerdes(consumed.key_serde, consumed.value_serde), name);
    graph_->Add({detail::StreamGraph::kRoot}, [=](Topology& topology) {
      topology.AddGlobalStore(
          store.spec,
          {.type = TopologyNode::Type::kSource, .name = source, .topics = {topic},
           .factory = [ks = detail::ResolveSerde<CKS, K>::From(consumed.key_serde),
                       vs = detail::ResolveSerde<CVS, V>::From(consumed.value_serde)] {
             return detail::MakeNode<detail::SourceNodeOf<K, V, CKS, CVS, TimestampExtractor>>(ks, vs);
           }},
          {.name = table, .predecessors = {source}, .factory = [store] {
             return detail::MakeNode<detail::TableSourceNode<K, V>>(
                 detail::TableNodeOptions<K, V>{store.spec.name, store.key_serde, store.value_serde});
           }});
    });
    return GlobalKTable<K, V>(store.spec.name, store.key_serde, store.value_serde);
  }
  // A store that every process has whole, filled from a topic by a processor of yours (Topology::AddGlobalStore).
  template <class K, class V, class F, class KS = UseDefaultSerde, class VS = UseDefaultSerde>
  void AddGlobalStore(state::StoreSpec store, const std::string& topic, F supplier, const Consumed<KS, VS>& consumed = {}) {
    const std::string source = graph_->SuffixedOr(consumed.name, "-source", "KSTREAM-SOURCE-");
    const std::string processor = graph_->NameOr(consumed.name, "KTABLE-SOURCE-");
    graph_->Add({detail::StreamGraph::kRoot}, [=](Topology& topology) {
      topology.AddGlobalStore<K, V>(store, source, topic, consumed, processor, supplier);
    });
  }

  // A stream from a source operator of your own: `factory` makes one detail::Source per task, which forwards (K, V).
  template <class K, class V, class Factory>
  KStream<K, V> StreamFrom(const std::vector<std::string>& topics, Factory factory, Named named = {}) {
    const std::string name = graph_->NameOr(std::move(named.name), "KSTREAM-SOURCE-");
    const auto id = graph_->Add({detail::StreamGraph::kRoot}, [name, topics, factory](Topology& topology) {
      topology.AddNode({.type = TopologyNode::Type::kSource, .name = name, .topics = topics, .factory = factory});
    });
    return KStream<K, V>({graph_, id, name, {name}});
  }

  // A store for Process; connect it by naming it there.
  void AddStateStore(state::StoreSpec store) {
    graph_->Add({detail::StreamGraph::kRoot}, [store](Topology& topology) { topology.AddStateStore(store, {}); });
  }

  // The first mistake made while building, or the topology. With the configuration of the application, its
  // topology.optimization is applied; Streams refuses a topology that was built with another one.
  absl::StatusOr<Topology> Build(const TopologyOptimization& optimization = {}) const { return graph_->Build(optimization); }
  absl::StatusOr<Topology> Build(const base::Config& config) const {
    TAILRACE_ASSIGN_OR_RETURN(const TopologyOptimization optimization,
                              TopologyOptimization::Parse(config.String("topology.optimization")));
    return Build(optimization);
  }

 private:
  template <class K, class V, class KS, class VS, class TE>
  KTable<K, V> TableOf(const std::string& topic, const Consumed<KS, VS, TE>& consumed, const Materialized<KS, VS>& materialized) {
    const bool store_named = !materialized.store_name.empty();
    const std::string store = store_named ? materialized.store_name : graph_->NewStoreName(topic + "-");
    const std::string source = graph_->SuffixedOr(consumed.name, "-source", "KSTREAM-SOURCE-");
    const std::string table = graph_->NameOr(consumed.name, "KTABLE-SOURCE-");
    return detail::AddTableSource<K, V>({graph_, 0, table, {source}, nullptr}, detail::StreamGraph::kRoot,
                                        detail::TableStoreOf<K, V>(materialized, store), store_named,
                                        [source, topic, consumed, store](Topology& topology) {
                                          topology.AddSource<K, V>(source, {topic}, consumed);
                                          topology.OfferSourceAsChangelog(store, topic);
                                          return source;
                                        });
  }

  std::shared_ptr<detail::StreamGraph> graph_ = std::make_shared<detail::StreamGraph>();  // shared with all handles
};

}  // namespace tailrace::processor
