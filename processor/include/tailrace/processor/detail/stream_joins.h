// How KStream's joins become operators.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "tailrace/processor/detail/join_nodes.h"
#include "tailrace/processor/detail/join_plan.h"
#include "tailrace/processor/detail/key_serde.h"
#include "tailrace/processor/detail/stream_table_join_nodes.h"
#include "tailrace/processor/grouped_stream.h"
#include "tailrace/processor/joined.h"
#include "tailrace/processor/ktable.h"

namespace tailrace::processor::detail {

// Brings a stream whose key has changed to where its partner's records with equal keys are. Joins of one stream use the same
// repartition topic, unless they are named (KStreamImpl.repartitionForJoin).
template <class K, class V>
StreamHandle RepartitionForJoin(const StreamHandle& stream, const std::string& prefix, const AnySerde<K>& key_serde,
                                const AnySerde<V>& value_serde) {
  if (!stream.repartition_required) return stream;
  if (std::optional<StreamHandle> earlier = JoinRepartition(stream, prefix)) return *std::move(earlier);
  StreamHandle repartitioned = Repartition<K, V>(stream, prefix, std::nullopt, key_serde, value_serde);
  stream.graph->JoinRepartitionOf(stream.id) = {repartitioned.id, repartitioned.node};
  return repartitioned;
}

// KStreamImpl.doJoin. `joiner` is called as CallJoiner<kKind> says.
template <JoinKind kKind, class K, class V1, class V2, class VR, class F, class KS, class VS, class VOS>
StreamHandle JoinStreams(StreamHandle left, StreamHandle right, F joiner, const JoinWindows& windows,
                         const StreamJoined<KS, VS, VOS>& joined) {
  StreamGraph& graph = *left.graph;
  const auto key_serde = SerdeOr<KS, K>(joined.key_serde, InheritedKeySerde<K>(left));
  const auto left_serde = SerdeOr<VS, V1>(joined.value_serde);
  const auto right_serde = SerdeOr<VOS, V2>(joined.other_value_serde);
  const std::string& name = joined.name;
  left = RepartitionForJoin<K, V1>(left, name.empty() ? left.node : name + "-left", key_serde, left_serde);
  right = RepartitionForJoin<K, V2>(right, name.empty() ? right.node : name + "-right", key_serde, right_serde);
  const StreamJoinPlan plan = PlanStreamJoin(graph, kKind, windows, joined);

  graph.Add({left.id}, [=, parent = left.node](Topology& topology) {
    topology.AddNode({.name = plan.this_windowed, .predecessors = {parent}, .factory = [=] {
                        return MakeNode<JoinWindowNode<K, V1>>(plan.this_store.name, key_serde, left_serde);
                      }});
    topology.AddStateStore(plan.this_store, {plan.this_windowed});
  });
  const auto with_itself = [a = left.node, b = right.node](const Topology& topology) {
    return std::is_same_v<V1, V2> && topology.joins_itself(a, b);
  };
  graph.Add({right.id}, [=, parent = right.node](Topology& topology) {
    if (with_itself(topology)) return;
    topology.AddNode({.name = plan.other_windowed, .predecessors = {parent}, .factory = [=] {
                        return MakeNode<JoinWindowNode<K, V2>>(plan.other_store.name, key_serde, right_serde);
                      }});
    topology.AddStateStore(plan.other_store, {plan.other_windowed});
  });
  const auto id = graph.Add({left.id, right.id}, [=, left_sources = left.sources, right_sources = right.sources](Topology& topology) {
    if constexpr (std::is_same_v<V1, V2>) {
      if (with_itself(topology)) {
        topology.AddNode({.name = plan.merge, .predecessors = {plan.this_windowed}, .stores = {plan.this_store.name}, .factory = [=] {
                            return MakeNode<StreamSelfJoinNode<K, V1, VR, F, kKind>>(
                                StreamSelfJoin(plan.this_store.name, windows), joiner, key_serde, left_serde);
                          }});
        return AddCopartition(topology, left_sources, right_sources);
      }
    }
    topology.AddNode({.name = plan.this_join, .predecessors = {plan.this_windowed}, .factory = [=] {
                        return MakeNode<StreamJoinNode<K, V1, V2, VR, F, kKind, true>>(
                            plan.Side(true, windows), joiner, key_serde, left_serde, right_serde);
                      }});
    topology.AddNode({.name = plan.other_join, .predecessors = {plan.other_windowed}, .factory = [=] {
                        return MakeNode<StreamJoinNode<K, V1, V2, VR, F, kKind, false>>(
                            plan.Side(false, windows), joiner, key_serde, left_serde, right_serde);
                      }});
    if (plan.shared_store.has_value()) topology.AddStateStore(*plan.shared_store, {});
    for (const std::string& store : plan.StoresOf(true)) topology.ConnectProcessorAndStore(plan.this_join, store);
    for (const std::string& store : plan.StoresOf(false)) topology.ConnectProcessorAndStore(plan.other_join, store);
    topology.AddNode({.name = plan.merge, .predecessors = {plan.this_join, plan.other_join}, .factory = [] {
                        return MakeNode<JoinMergeNode<K, VR>>();
                      }});
    AddCopartition(topology, left_sources, right_sources);
  }, {.name = plan.merge, .takes_null_keys = kKind != JoinKind::kInner});
  StreamHandle result(left.graph, id, plan.merge, left.sources);
  result.sources.insert(right.sources.begin(), right.sources.end());
  if constexpr (kIsWindowed<K>) result.windowed_key_serde = key_serde;
  return result;
}

// KStreamImpl.doStreamTableJoin. The result carries the stream record's time.
template <JoinKind kKind, class K, class V, class VT, class VR, class F, class KS, class VS>
StreamHandle JoinTable(StreamHandle stream, const KTable<K, VT>& table, F joiner, const Joined<KS, VS>& joined) {
  const auto key_serde = SerdeOr<KS, K>(joined.key_serde, InheritedKeySerde<K>(stream));
  const auto value_serde = SerdeOr<VS, V>(joined.value_serde);
  stream = RepartitionForJoin<K, V>(stream, joined.name.empty() ? stream.node : joined.name, key_serde, value_serde);
  const std::string name = NameTableJoin(stream, table.handle(), kKind, joined.name, joined.grace_ms);
  const TableView<K, VT> view = table.View();
  NodeFactory factory;
  if (joined.grace_ms.has_value()) {
    factory = [=, rows = view.getter, buffer = BufferOf(name), grace_ms = *joined.grace_ms] {
      return MakeNode<BufferedTableJoinNode<K, V, VT, VR, F, kKind>>(rows(), joiner, buffer, grace_ms, key_serde, value_serde);
    };
  } else {
    factory = [=, rows = view.getter] { return MakeNode<StreamTableJoinNode<K, V, VT, VR, F, kKind>>(rows(), joiner); };
  }
  return AddTableJoin(stream, table.handle(), kKind, name, joined.grace_ms, view.stores, std::move(factory));
}

}  // namespace tailrace::processor::detail
