// KTable::Join, LeftJoin and OuterJoin with another table of the same key.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tailrace/processor/detail/table_join_nodes.h"
#include "tailrace/processor/ktable.h"

namespace tailrace::processor {
namespace detail {

// Names, order and copartitioning as KTableImpl.doJoin has them.
template <class K, class V, class VO, class VR>
KTable<K, VR> JoinTables(const KTable<K, V>& left, const KTable<K, VO>& right, TableJoiner<V, VO, VR> joiner,
                         TableJoinSide side, Named named, std::optional<TableStore<K, VR>> given_store) {
  StreamGraph& graph = *left.handle().graph;
  const std::string merge = graph.NameOr(named.name, "KTABLE-MERGE-");
  if (side != TableJoinSide::kInner) left.handle().origin->EnableSendingOldValues(true);
  if (side == TableJoinSide::kOuter) right.handle().origin->EnableSendingOldValues(true);
  const TableView<K, V> left_rows = left.View();
  const TableView<K, VO> right_rows = right.View();
  const std::string join_this = graph.SuffixedOr(named.name, "-join-this", "KTABLE-JOINTHIS-");
  const std::string join_other = graph.SuffixedOr(named.name, "-join-other", "KTABLE-JOINOTHER-");
  const TableStore<K, VR> store = given_store.has_value() ? *std::move(given_store) : TableStore<K, VR>{left.key_serde(), {}, {}};
  const auto origin = TableOrigin::Joined({left.handle().origin, right.handle().origin}, store.spec.name);
  std::set<std::string> sources = left.handle().sources;
  sources.insert(right.handle().sources.begin(), right.handle().sources.end());

  const TableJoinSide other_side = side == TableJoinSide::kLeft ? TableJoinSide::kRight : side;
  const TableJoiner<VO, V, VR> reversed = [joiner](const VO* other, const V* value) { return joiner(value, other); };
  const auto write = [=, left_origin = left.handle().origin, right_origin = right.handle().origin,
                      left_node = left.handle().node, right_node = right.handle().node](Topology& topology) {
    const bool old_values = origin->sends_old_values();
    topology.AddNode({.name = join_this, .predecessors = {left_node}, .factory = [=, versioned = left_origin->versioned()] {
                        return MakeNode<TableJoinNode<K, V, VO, VR>>(side, right_rows.getter(), joiner, old_values,
                                                                            versioned);
                      }});
    topology.AddNode({.name = join_other, .predecessors = {right_node}, .factory = [=, versioned = right_origin->versioned()] {
                        return MakeNode<TableJoinNode<K, VO, V, VR>>(other_side, left_rows.getter(), reversed,
                                                                            old_values, versioned);
                      }});
    WriteTable<K, VR>(topology, merge, {join_this, join_other}, store, *origin, false,
                      [](const TableNodeOptions<K, VR>& options) { return MakeNode<TableMergeNode<K, VR>>(options); });
    for (const std::string& name : right_rows.stores) topology.ConnectProcessorAndStore(join_this, name);
    for (const std::string& name : left_rows.stores) topology.ConnectProcessorAndStore(join_other, name);
    topology.AddCopartition({sources.begin(), sources.end()});
  };
  const auto id = graph.Add({left.handle().id, right.handle().id}, write);

  ValueGetterFactory<K, VR> getter;
  if (origin->materialized()) {
    getter = StoreRows<K, VR>(store.spec.name, store.key_serde, store.value_serde);
  } else {
    getter = [=] {
      return std::make_unique<TableJoinGetter<K, V, VO, VR>>(side, left_rows.getter(), right_rows.getter(), joiner);
    };
  }
  return KTable<K, VR>({left.handle().graph, id, merge, std::move(sources), origin}, std::move(getter), store.key_serde,
                       store.value_serde);
}

// With a Materialized the result always has a store, also without a name of its own.
template <class K, class VR, class KS, class VS>
TableStore<K, VR> JoinStore(StreamGraph& graph, const Materialized<KS, VS>& materialized, const AnySerde<K>& key_serde) {
  return TableStoreOf<K, VR>(
      materialized, materialized.store_name.empty() ? graph.NewStoreName("KTABLE-MERGE-") : materialized.store_name, key_serde);
}

template <class V, class VO, class F>
struct InnerTableJoiner {
  using Result = NullableType<std::remove_cvref_t<std::invoke_result_t<F&, const V&, const VO&>>>;
  std::optional<Result> operator()(const V* value, const VO* other) { return function(*value, *other); }
  F function;
};
template <class V, class VO, class F>
struct LeftTableJoiner {
  using Result = NullableType<std::remove_cvref_t<std::invoke_result_t<F&, const V&, const VO*>>>;
  std::optional<Result> operator()(const V* value, const VO* other) { return function(*value, other); }
  F function;
};
template <class V, class VO, class F>
struct OuterTableJoiner {
  using Result = NullableType<std::remove_cvref_t<std::invoke_result_t<F&, const V*, const VO*>>>;
  std::optional<Result> operator()(const V* value, const VO* other) { return function(value, other); }
  F function;
};

}  // namespace detail

template <class K, class V>
template <class VO, class F>
auto KTable<K, V>::Join(const KTable<K, VO>& other, F joiner, Named named) const {
  using Joiner = detail::InnerTableJoiner<V, VO, F>;
  return detail::JoinTables<K, V, VO, typename Joiner::Result>(*this, other, Joiner{std::move(joiner)},
                                                               detail::TableJoinSide::kInner, std::move(named), std::nullopt);
}
template <class K, class V>
template <class VO, class F, class KS, class VS>
auto KTable<K, V>::Join(const KTable<K, VO>& other, F joiner, const Materialized<KS, VS>& materialized, Named named) const {
  using Joiner = detail::InnerTableJoiner<V, VO, F>;
  using VR = typename Joiner::Result;
  return detail::JoinTables<K, V, VO, VR>(*this, other, Joiner{std::move(joiner)}, detail::TableJoinSide::kInner,
                                          std::move(named), detail::JoinStore<K, VR>(*handle_.graph, materialized, key_serde_));
}
template <class K, class V>
template <class VO, class F>
auto KTable<K, V>::LeftJoin(const KTable<K, VO>& other, F joiner, Named named) const {
  using Joiner = detail::LeftTableJoiner<V, VO, F>;
  return detail::JoinTables<K, V, VO, typename Joiner::Result>(*this, other, Joiner{std::move(joiner)},
                                                               detail::TableJoinSide::kLeft, std::move(named), std::nullopt);
}
template <class K, class V>
template <class VO, class F, class KS, class VS>
auto KTable<K, V>::LeftJoin(const KTable<K, VO>& other, F joiner, const Materialized<KS, VS>& materialized,
                            Named named) const {
  using Joiner = detail::LeftTableJoiner<V, VO, F>;
  using VR = typename Joiner::Result;
  return detail::JoinTables<K, V, VO, VR>(*this, other, Joiner{std::move(joiner)}, detail::TableJoinSide::kLeft,
                                          std::move(named), detail::JoinStore<K, VR>(*handle_.graph, materialized, key_serde_));
}
template <class K, class V>
template <class VO, class F>
auto KTable<K, V>::OuterJoin(const KTable<K, VO>& other, F joiner, Named named) const {
  using Joiner = detail::OuterTableJoiner<V, VO, F>;
  return detail::JoinTables<K, V, VO, typename Joiner::Result>(*this, other, Joiner{std::move(joiner)},
                                                               detail::TableJoinSide::kOuter, std::move(named), std::nullopt);
}
template <class K, class V>
template <class VO, class F, class KS, class VS>
auto KTable<K, V>::OuterJoin(const KTable<K, VO>& other, F joiner, const Materialized<KS, VS>& materialized,
                             Named named) const {
  using Joiner = detail::OuterTableJoiner<V, VO, F>;
  using VR = typename Joiner::Result;
  return detail::JoinTables<K, V, VO, VR>(*this, other, Joiner{std::move(joiner)}, detail::TableJoinSide::kOuter,
                                          std::move(named), detail::JoinStore<K, VR>(*handle_.graph, materialized, key_serde_));
}

}  // namespace tailrace::processor
