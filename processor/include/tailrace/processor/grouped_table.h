// A table grouped by another key, ready to be aggregated.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tailrace/processor/detail/change_bytes.h"
#include "tailrace/processor/detail/grouped_table_nodes.h"
#include "tailrace/processor/detail/topic_nodes.h"
#include "tailrace/processor/ktable.h"

namespace tailrace::processor {

// Made by KTable::GroupBy; a cheap handle (org.apache.kafka.streams.kstream.KGroupedTable). Rows go through a repartition
// topic; when a row changes, it is first taken out of its old group with the subtractor, then put into its new one with
// the adder. Both must undo each other, whatever the order in which rows come. A result of type std::optional<T> may be
// absent: the group has no aggregate any more.
template <class K, class V>
class KGroupedTable {
 public:
  KGroupedTable(detail::TableHandle mapped, std::string name, detail::AnySerde<K> key_serde, detail::AnySerde<V> value_serde)
      : mapped_(std::move(mapped)), name_(std::move(name)), key_serde_(std::move(key_serde)),
        value_serde_(std::move(value_serde)) {}

  template <class KS = UseDefaultSerde, class VS = UseDefaultSerde>
  KTable<K, int64_t> Count(const Materialized<KS, VS>& materialized = {}, Named named = {}) const {
    return Build<int64_t>({[](const K&, const V&, const int64_t* count) { return count == nullptr ? 1 : *count + 1; },
                           [](const K&, const V&, const int64_t& count) { return count - 1; }},
                          materialized, std::move(named), "KTABLE-AGGREGATE-", {});
  }
  // `adder` and `subtractor`: V(const V& aggregate, const V& value). The first value of a group is its first aggregate.
  template <class A, class S, class KS = UseDefaultSerde, class VS = UseDefaultSerde>
  KTable<K, V> Reduce(A adder, S subtractor, const Materialized<KS, VS>& materialized = {}, Named named = {}) const {
    return Build<V>({[adder](const K&, const V& value, const V* aggregate) mutable -> std::optional<V> {
                       return aggregate == nullptr ? std::optional<V>(value) : std::optional<V>(adder(*aggregate, value));
                     },
                     [subtractor](const K&, const V& value, const V& aggregate) mutable -> std::optional<V> {
                       return subtractor(aggregate, value);
                     }},
                    materialized, std::move(named), "KTABLE-REDUCE-", value_serde_);
  }
  // `initializer`: VR(); `adder` and `subtractor`: VR(const K&, const V&, VR aggregate).
  template <class VR, class I, class A, class S, class KS = UseDefaultSerde, class VS = UseDefaultSerde>
  KTable<K, VR> Aggregate(I initializer, A adder, S subtractor, const Materialized<KS, VS>& materialized = {},
                          Named named = {}) const {
    return Build<VR>({[initializer, adder](const K& key, const V& value, const VR* aggregate) mutable -> std::optional<VR> {
                        return adder(key, value, aggregate == nullptr ? VR(initializer()) : *aggregate);
                      },
                      [subtractor](const K& key, const V& value, const VR& aggregate) mutable -> std::optional<VR> {
                        return subtractor(key, value, aggregate);
                      }},
                     materialized, std::move(named), "KTABLE-AGGREGATE-", {});
  }

 private:
  // The way through the repartition topic: aggregations share it when the grouping was given a name.
  struct Repartition {
    std::optional<detail::StreamGraph::NodeId> id;
    std::string source;
  };

  template <class VR, class KS, class VS>
  KTable<K, VR> Build(detail::TableAggregateFunctions<K, V, VR> functions, const Materialized<KS, VS>& materialized,
                      Named named, const char* prefix, const detail::AnySerde<VR>& value_serde) const {
    detail::StreamGraph& graph = *mapped_.graph;
    const bool store_named = !materialized.store_name.empty();
    auto store = detail::TableStoreOf<K, VR>(
        materialized, store_named ? materialized.store_name : graph.NewStoreName("KTABLE-AGGREGATE-"), key_serde_, value_serde);
    const std::string sink = graph.SuffixedOr(named.name, "-sink", "KSTREAM-SINK-");
    const std::string source = graph.SuffixedOr(named.name, "-source", "KSTREAM-SOURCE-");
    const std::string name = graph.NameOr(named.name, prefix);
    if (!repartition_->id.has_value() || name_.empty()) {
      repartition_->id = AddRepartition(sink, source, absl::StrCat(name_.empty() ? store.spec.name : name_, "-repartition"));
      repartition_->source = source;
    } else {
      graph.Touch(*repartition_->id);
    }
    auto origin = detail::TableOrigin::Aggregate(store.spec.name, store_named);
    const auto id = graph.Add({*repartition_->id}, [=, above = repartition_->source](Topology& topology) {
      detail::WriteTable<K, VR>(topology, name, {above}, store, *origin, false,
                                [functions](const detail::TableNodeOptions<K, VR>& options) {
                                  return detail::MakeNode<detail::TableAggregateNode<K, V, VR>>(options, functions);
                                });
    });
    return KTable<K, VR>(
        {mapped_.graph, id, name, {source}, std::move(origin)},
        detail::StoreRows<K, VR>(store.spec.name, store.key_serde, store.value_serde), store.key_serde, store.value_serde);
  }

  detail::StreamGraph::NodeId AddRepartition(const std::string& sink, const std::string& source,
                                             const std::string& topic) const {
    return mapped_.graph->Add({mapped_.id}, [=, above = mapped_.node, key_serde = key_serde_,
                                             value_serde = value_serde_](Topology& topology) {
      topology.AddRepartitionTopic({topic, std::nullopt});
      topology.AddNode({.type = TopologyNode::Type::kSink, .name = sink, .predecessors = {above}, .topics = {topic},
                        .factory = [=] {
                          using Values = detail::ChangeSerde<V>;
                          return detail::MakeNode<detail::SinkNode<K, Change<V>, detail::AnySerde<K>, Values>>(
                              topic, key_serde, Values(value_serde));
                        }});
      topology.AddNode({.type = TopologyNode::Type::kSource, .name = source, .topics = {topic}, .factory = [=] {
                          return detail::MakeNode<detail::ChangeSourceNode<K, V>>(key_serde, value_serde);
                        }});
    });
  }

  detail::TableHandle mapped_;
  std::string name_;
  detail::AnySerde<K> key_serde_;
  detail::AnySerde<V> value_serde_;
  std::shared_ptr<Repartition> repartition_ = std::make_shared<Repartition>();  // shared by copies of the handle
};

template <class K, class V>
template <class F, class GKS, class GVS>
auto KTable<K, V>::GroupBy(F selector, Grouped<GKS, GVS> grouped) const {
  using Pair = detail::KeyValueResult<F, K, V>;
  using KR = detail::NullableType<typename Pair::first_type>;
  using VR = detail::NullableType<typename Pair::second_type>;
  const std::string name = handle_.graph->NameOr(grouped.name, "KTABLE-SELECT-");
  const auto id = handle_.graph->Add({handle_.id}, [name, selector, parent = handle_.node,
                                                    above = handle_.origin](Topology& topology) {
    topology.AddNode({.name = name, .predecessors = {parent}, .factory = [selector, versioned = above->versioned()] {
                        return detail::MakeNode<detail::TableRepartitionMapNode<K, V, KR, VR, F>>(selector, versioned);
                      }});
  });
  handle_.origin->EnableSendingOldValues(true);
  return KGroupedTable<KR, VR>({handle_.graph, id, name, handle_.sources, nullptr}, grouped.name,
                               detail::SerdeOr<GKS, KR>(grouped.key_serde), detail::SerdeOr<GVS, VR>(grouped.value_serde));
}

}  // namespace tailrace::processor
