// KTable::Join and LeftJoin over a foreign key.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "tailrace/processor/detail/foreign_key_nodes.h"
#include "tailrace/processor/detail/topic_nodes.h"
#include "tailrace/processor/ktable.h"
#include "tailrace/processor/table_joins.h"

namespace tailrace::processor {

// What can be said about a foreign-key join (org.apache.kafka.streams.kstream.TableJoined). The partitioners are those by
// which this table (K) and the other one (KO) are partitioned, where that is not by the hash of the key; nullopt asks for
// the hash.
template <class K, class KO>
struct TableJoined {
  TableJoined() = default;
  TableJoined(const char* n) : name(n) {}             // NOLINT
  TableJoined(std::string n) : name(std::move(n)) {}  // NOLINT

  // The prefix of the names of all operators, topics and the store of the join.
  std::string name;
  std::function<std::optional<int32_t>(std::string_view topic, const K* key, int32_t partition_count)> partitioner;
  std::function<std::optional<int32_t>(std::string_view topic, const KO* key, int32_t partition_count)> other_partitioner;
};

namespace detail {

template <class K>
BytesPartitioner OverBytes(std::function<std::optional<int32_t>(std::string_view, const K*, int32_t)> partitioner,
                           AnySerde<K> serde) {
  if (partitioner == nullptr) return nullptr;
  return [partitioner, serde](std::string_view topic, kafka::NullableBytes bytes, int32_t count) -> std::optional<int32_t> {
    K key{};
    if (bytes.is_null() || !serde.Deserialize(bytes.view(), key)) return partitioner(topic, nullptr, count);
    return partitioner(topic, &key, count);
  };
}

// Operators, names and topics in the order of KTableImpl.doJoinOnForeignKey.
template <class K, class V, class KO, class VO, class VR, class E, class KS, class VS>
KTable<K, VR> JoinOnForeignKey(const KTable<K, V>& left, const KTable<KO, VO>& right, E extractor,
                               std::function<std::optional<VR>(const V*, const VO*)> joiner, bool left_join,
                               const TableJoined<K, KO>& joined, const Materialized<KS, VS>& materialized) {
  StreamGraph& graph = *left.handle().graph;
  const auto name_of = [&](const char* suffix, const char* prefix) { return graph.SuffixedOr(joined.name, suffix, prefix); };
  const AnySerde<K> key_serde = SerdeOr<UseDefaultSerde, K>({}, left.key_serde());
  const AnySerde<V> value_serde = SerdeOr<UseDefaultSerde, V>({}, left.value_serde());
  const AnySerde<KO> other_key_serde = SerdeOr<UseDefaultSerde, KO>({}, right.key_serde());
  const AnySerde<VO> other_value_serde = SerdeOr<UseDefaultSerde, VO>({}, right.value_serde());
  const auto left_origin = left.handle().origin;
  const auto right_origin = right.handle().origin;
  right_origin->EnableSendingOldValues(true);
  left_origin->EnableSendingOldValues(true);

  const std::string asking_topic =
      name_of("-subscription-registration", "KTABLE-FK-JOIN-SUBSCRIPTION-REGISTRATION-") + "-topic";
  const std::string send = name_of("-subscription-registration-processor", "KTABLE-FK-JOIN-SUBSCRIPTION-REGISTRATION-");
  const auto send_id = graph.Add({left.handle().id}, [=, parent = left.handle().node](Topology& topology) {
    topology.AddRepartitionTopic({asking_topic, std::nullopt});
    topology.AddNode({.name = send, .predecessors = {parent}, .factory = [=, versioned = left_origin->versioned()] {
                        return MakeNode<SubscriptionSendNode<K, V, KO, E>>(extractor, key_serde, value_serde,
                                                                                  other_key_serde, left_join, versioned);
                      }});
  });
  const std::string sink = name_of("-subscription-registration-sink", "KTABLE-SINK-");
  const auto choose_right = OverBytes<KO>(joined.other_partitioner, other_key_serde);
  const auto sink_id = graph.Add({send_id}, [=](Topology& topology) {
    topology.AddNode({.type = TopologyNode::Type::kSink, .name = sink, .predecessors = {send}, .topics = {asking_topic},
                      .factory = [=] { return MakeNode<SubscriptionSinkNode>(asking_topic, choose_right); }});
  });
  using RawSource = SourceNode<Bytes, Bytes, BytesViewSerde, BytesViewSerde>;
  const std::string source = name_of("-subscription-registration-source", "KTABLE-SOURCE-");
  const auto source_id = graph.Add({sink_id}, [=, right_sources = right.handle().sources](Topology& topology) {
    topology.AddNode({.type = TopologyNode::Type::kSource, .name = source, .topics = {asking_topic}, .factory = [] {
                        return MakeNode<RawSource>(BytesViewSerde{}, BytesViewSerde{});
                      }});
    std::vector<std::string> group(right_sources.begin(), right_sources.end());
    group.push_back(source);
    topology.AddCopartition(std::move(group));
  });
  state::StoreSpec subscriptions;
  subscriptions.name = name_of("-subscription-store", "KTABLE-FK-JOIN-SUBSCRIPTION-STATE-STORE-");
  subscriptions.caching = false;
  subscriptions.log_record_headers = true;
  const std::string receive = name_of("-subscription-receive", "KTABLE-FK-JOIN-SUBSCRIPTION-PROCESSOR-");
  const auto receive_id = graph.Add({source_id}, [=](Topology& topology) {
    topology.AddNode({.name = receive, .predecessors = {source}, .factory = [=] {
                        return MakeNode<SubscriptionReceiveNode>(subscriptions.name);
                      }});
    topology.ShareStateStore(subscriptions, receive);
  });
  const TableView<KO, VO> right_rows = right.View();
  const std::string join = name_of("-subscription-join-foreign", "KTABLE-FK-JOIN-SUBSCRIPTION-PROCESSOR-");
  const auto join_id = graph.Add({receive_id}, [=](Topology& topology) {
    topology.AddNode({.name = join, .predecessors = {receive}, .stores = right_rows.stores, .factory = [=] {
                        return MakeNode<SubscriptionJoinNode<KO, VO>>(right_rows.getter(), other_key_serde,
                                                                             other_value_serde);
                      }});
  });
  const std::string foreign_join = name_of("-foreign-join-subscription", "KTABLE-FK-JOIN-SUBSCRIPTION-PROCESSOR-");
  const auto foreign_join_id = graph.Add({right.handle().id}, [=, parent = right.handle().node](Topology& topology) {
    topology.AddNode({.name = foreign_join, .predecessors = {parent}, .factory = [=, versioned = right_origin->versioned()] {
                        return MakeNode<ForeignTableJoinNode<KO, VO>>(subscriptions.name, other_key_serde,
                                                                             other_value_serde, versioned);
                      }});
    topology.ShareStateStore(subscriptions, foreign_join);
  });
  const std::string answer_topic = name_of("-subscription-response", "KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE-") + "-topic";
  const std::string answer_sink = name_of("-subscription-response-sink", "KTABLE-SINK-");
  const auto answer_sink_id = graph.Add(
      {join_id, foreign_join_id}, [=, choose = OverBytes<K>(joined.partitioner, key_serde)](Topology& topology) {
        topology.AddRepartitionTopic({answer_topic, std::nullopt});
        topology.AddNode({.type = TopologyNode::Type::kSink, .name = answer_sink, .predecessors = {join, foreign_join},
                          .topics = {answer_topic},
                          .factory = [=] { return MakeNode<ForeignResponseSinkNode>(answer_topic, choose); }});
      });
  const std::string answer_source = name_of("-subscription-response-source", "KTABLE-SOURCE-");
  std::set<std::string> sources = left.handle().sources;
  sources.insert(answer_source);
  const auto answer_source_id = graph.Add({answer_sink_id}, [=](Topology& topology) {
    topology.AddNode({.type = TopologyNode::Type::kSource, .name = answer_source, .topics = {answer_topic}, .factory = [] {
                        return MakeNode<RawSource>(BytesViewSerde{}, BytesViewSerde{});
                      }});
    topology.AddCopartition({sources.begin(), sources.end()});
  });
  const TableView<K, V> left_rows = left.View();
  const std::string resolve =
      name_of("-subscription-response-resolver", "KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE-RESOLVER-PROCESSOR-");
  const auto resolve_id = graph.Add({answer_source_id}, [=](Topology& topology) {
    topology.AddNode({.name = resolve, .predecessors = {answer_source}, .stores = left_rows.stores, .factory = [=] {
                        return MakeNode<ResponseJoinNode<K, V, VO, VR>>(left_rows.getter(), joiner, key_serde,
                                                                               value_serde, other_value_serde, left_join);
                      }});
  });
  const std::string result = name_of("-result", "KTABLE-FK-JOIN-OUTPUT-");
  const bool store_named = !materialized.store_name.empty();
  auto store = TableStoreOf<K, VR>(
      materialized, store_named ? materialized.store_name : graph.NewStoreName("KTABLE-FK-JOIN-OUTPUT-"), key_serde);
  return AddTableSource<K, VR>({left.handle().graph, StreamGraph::kRoot, result, std::move(sources), nullptr}, resolve_id,
                               std::move(store), store_named, [resolve](Topology&) { return resolve; });
}

}  // namespace detail

template <class K, class V>
template <class KO, class VO, class E, class F, class KS, class VS>
  requires std::invocable<F&, const V&, const VO&>
auto KTable<K, V>::Join(const KTable<KO, VO>& other, E extractor, F joiner,
                        const std::type_identity_t<TableJoined<K, KO>>& joined,
                        const Materialized<KS, VS>& materialized) const {
  using Joiner = detail::InnerTableJoiner<V, VO, F>;
  return detail::JoinOnForeignKey<K, V, KO, VO, typename Joiner::Result>(*this, other, std::move(extractor),
                                                                         Joiner{std::move(joiner)}, false, joined, materialized);
}

template <class K, class V>
template <class KO, class VO, class E, class F, class KS, class VS>
  requires std::invocable<F&, const V&, const VO*>
auto KTable<K, V>::LeftJoin(const KTable<KO, VO>& other, E extractor, F joiner,
                            const std::type_identity_t<TableJoined<K, KO>>& joined,
                            const Materialized<KS, VS>& materialized) const {
  using Joiner = detail::LeftTableJoiner<V, VO, F>;
  return detail::JoinOnForeignKey<K, V, KO, VO, typename Joiner::Result>(*this, other, std::move(extractor),
                                                                         Joiner{std::move(joiner)}, true, joined, materialized);
}

}  // namespace tailrace::processor
