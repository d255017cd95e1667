// The start of every topology written in the DSL.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tailrace/processor/kstream.h"
#include "tailrace/processor/topology.h"

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
  template <class K, class V, class KS = UseDefaultSerde, class VS = UseDefaultSerde>
  KStream<K, V> Stream(const std::string& topic, Consumed<KS, VS> consumed = {}) {
    return Stream<K, V>(std::vector{topic}, std::move(consumed));
  }
  template <class K, class V, class KS = UseDefaultSerde, class VS = UseDefaultSerde>
  KStream<K, V> Stream(const std::vector<std::string>& topics, Consumed<KS, VS> consumed = {}) {
    const std::string name = graph_->NameOr(consumed.name, "KSTREAM-SOURCE-");
    const auto id = graph_->Add({detail::StreamGraph::kRoot}, [name, topics, consumed](Topology& topology) {
      topology.AddNode(SourceSpec<K, V>(name, topics, consumed));
    });
    return KStream<K, V>({graph_, id, name, {name}, false});
  }

  // A topic as a table. The store is "<topic>-STATE-STORE-0000000000" unless it is named.
  template <class K, class V, class KS = UseDefaultSerde, class VS = UseDefaultSerde>
  KTable<K, V> Table(const std::string& topic, Materialized<KS, VS> materialized = {}, Consumed<KS, VS> consumed = {}) {
    using KeySerde = detail::SerdeType<KS, K>;
    using ValueSerde = detail::SerdeType<VS, V>;
    const KeySerde key_serde = detail::ResolveSerde<KS, K>::From(materialized.key_serde);
    const ValueSerde value_serde = detail::ResolveSerde<VS, V>::From(materialized.value_serde);
    const std::string store =
        materialized.store_name.empty() ? graph_->NewStoreName(topic + "-") : materialized.store_name;
    const std::string source = graph_->NameOr(consumed.name, "KSTREAM-SOURCE-");
    const std::string table = graph_->NewProcessorName("KTABLE-SOURCE-");
    state::StoreSpec spec = detail::SpecOf(materialized, store, state::StoreKind::kKeyValue);
    if (spec.schema == nullptr) spec.schema = detail::MakeSchema<K, V>(key_serde, value_serde, detail::Merging::kNone);
    consumed.key_serde = materialized.key_serde;
    consumed.value_serde = materialized.value_serde;
    const auto id = graph_->Add({detail::StreamGraph::kRoot}, [=](Topology& topology) {
      topology.AddNode(SourceSpec<K, V>(source, {topic}, consumed));
      topology.AddNode({.name = table, .predecessors = {source}, .factory = [=] {
                          return std::make_unique<detail::TableSourceNode<K, V, KeySerde, ValueSerde>>(store, key_serde,
                                                                                                      value_serde);
                        }});
      topology.AddStateStore(spec, {table});
    });
    return KTable<K, V>(graph_, id, table, {source}, store, [=] {
      return std::make_unique<detail::StoreGetter<K, V, KeySerde, ValueSerde>>(store, key_serde, value_serde);
    });
  }

  // A stream from a source operator of your own: `factory` makes one detail::Source per task, which forwards (K, V).
  template <class K, class V, class Factory>
  KStream<K, V> StreamFrom(const std::vector<std::string>& topics, Factory factory, Named named = {}) {
    const std::string name = graph_->NameOr(std::move(named.name), "KSTREAM-SOURCE-");
    const auto id = graph_->Add({detail::StreamGraph::kRoot}, [name, topics, factory](Topology& topology) {
      topology.AddNode({.type = TopologyNode::Type::kSource, .name = name, .topics = topics, .factory = factory});
    });
    return KStream<K, V>({graph_, id, name, {name}, false});
  }

  // A store for Process; connect it by naming it there.
  void AddStateStore(state::StoreSpec store) {
    graph_->Add({detail::StreamGraph::kRoot}, [store](Topology& topology) { topology.AddStateStore(store, {}); });
  }

  // The first mistake made while building, or the topology.
  absl::StatusOr<Topology> Build() const { return graph_->Build(); }

 private:
  template <class K, class V, class KS, class VS>
  static detail::NodeSpec SourceSpec(const std::string& name, const std::vector<std::string>& topics,
                                     const Consumed<KS, VS>& consumed) {
    const auto key_serde = detail::ResolveSerde<KS, K>::From(consumed.key_serde);
    const auto value_serde = detail::ResolveSerde<VS, V>::From(consumed.value_serde);
    return {.type = TopologyNode::Type::kSource,
            .name = name,
            .topics = topics,
            .offset_reset = consumed.offset_reset,
            .factory = [=] {
              return std::make_unique<detail::SourceNode<K, V, detail::SerdeType<KS, K>, detail::SerdeType<VS, V>>>(
                  key_serde, value_serde);
            }};
  }

  std::shared_ptr<detail::StreamGraph> graph_ = std::make_shared<detail::StreamGraph>();  // shared with all handles
};

}  // namespace tailrace::processor
