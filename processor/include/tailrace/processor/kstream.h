// A stream of independent records, and what can be done with it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tailrace/processor/detail/global_join_nodes.h"
#include "tailrace/processor/detail/stream_joins.h"
#include "tailrace/processor/foreign_key_join.h"
#include "tailrace/processor/global_ktable.h"
#include "tailrace/processor/grouped_stream.h"
#include "tailrace/processor/grouped_table.h"
#include "tailrace/processor/ktable.h"
#include "tailrace/processor/printed.h"
#include "tailrace/processor/processor.h"
#include "tailrace/processor/suppressed.h"
#include "tailrace/processor/table_joins.h"

namespace tailrace::processor {
namespace detail {

// What an operator does to its records, for repartitioning and for the optimiser.
}  // namespace detail

// One arm of a Split.
template <class K, class V>
struct Branch {
  std::function<bool(const K*, const V*)> predicate;  // empty: takes everything that is left
  // The arm's key in the result is the split's name and this; without it, its place from 1, and 0 for what is left.
  std::string name;
};

// A cheap handle; the builder's graph holds the operators. Not thread-safe.
//
// User functions take (const K&, const V&), or (const V&), or (const K*, const V*) to see nulls. With references a null
// key is a default-constructed one, and a record with a null value does not reach the function: Filter drops it, MapValues
// passes the null on, Map and the flat ones drop it. A result of type std::optional<T> can be null.
// Functions are copied into each task and run on its thread; an exception goes to the processing error policy.
template <class K, class V>
class KStream {
 public:
  explicit KStream(detail::StreamHandle handle) : handle_(std::move(handle)) {}

  template <class F>
  KStream Filter(F predicate, Named named = {}) const {
    return Add<K, V, detail::FilterNode<K, V, F>>("KSTREAM-FILTER-", std::move(named), detail::Changes::kNothing, std::move(predicate), true);
  }
  template <class F>
  KStream FilterNot(F predicate, Named named = {}) const {
    return Add<K, V, detail::FilterNode<K, V, F>>("KSTREAM-FILTER-", std::move(named), detail::Changes::kNothing, std::move(predicate), false);
  }
  template <class F>
  auto MapValues(F mapper, Named named = {}) const {
    using VR = detail::NullableType<detail::KeyValueResult<F, K, V>>;
    return Add<K, VR, detail::MapValuesNode<K, V, VR, F>>("KSTREAM-MAPVALUES-", std::move(named),
                                                        detail::Changes::kValue, std::move(mapper));
  }
  // `mapper` returns a std::pair of the new key and value.
  template <class F>
  auto Map(F mapper, Named named = {}) const {
    using Pair = detail::KeyValueResult<F, K, V>;
    using KR = detail::NullableType<typename Pair::first_type>;
    using VR = detail::NullableType<typename Pair::second_type>;
    return Add<KR, VR, detail::MapNode<K, V, KR, VR, F>>("KSTREAM-MAP-", std::move(named), detail::Changes::kKey,
                                                        std::move(mapper));
  }
  // `mapper` returns a range of values.
  template <class F>
  auto FlatMapValues(F mapper, Named named = {}) const {
    using VR = detail::NullableType<typename detail::KeyValueResult<F, K, V>::value_type>;
    return Add<K, VR, detail::FlatMapValuesNode<K, V, VR, F>>("KSTREAM-FLATMAPVALUES-", std::move(named), detail::Changes::kValue,
                                                              std::move(mapper));
  }
  // `mapper` returns a range of std::pair.
  template <class F>
  auto FlatMap(F mapper, Named named = {}) const {
    using Pair = typename detail::KeyValueResult<F, K, V>::value_type;
    using KR = detail::NullableType<typename Pair::first_type>;
    using VR = detail::NullableType<typename Pair::second_type>;
    return Add<KR, VR, detail::FlatMapNode<K, V, KR, VR, F>>("KSTREAM-FLATMAP-", std::move(named), detail::Changes::kKey,
                                                            std::move(mapper));
  }
  template <class F>
  auto SelectKey(F selector, Named named = {}) const {
    using KR = detail::NullableType<detail::KeyValueResult<F, K, V>>;
    return Add<KR, V, detail::SelectKeyNode<K, V, KR, F>>("KSTREAM-KEY-SELECT-", std::move(named), detail::Changes::kKey,
                                                          std::move(selector));
  }
  template <class F>
  KStream Peek(F action, Named named = {}) const {
    return Add<K, V, detail::PeekNode<K, V, F>>("KSTREAM-PEEK-", std::move(named), detail::Changes::kNothing, std::move(action));
  }
  template <class F>
  void ForEach(F action, Named named = {}) const {
    Add<K, V, detail::PeekNode<K, V, F>>("KSTREAM-FOREACH-", std::move(named), detail::Changes::kNothing, std::move(action));
  }
  // Writes "[label]: key, value" per record, for looking at a stream while developing; see printed.h.
  template <class F>
  void Print(Printed<F> printed) const {
    const std::string name = handle_.graph->NameOr(printed.name, "KSTREAM-PRINTER-");
    if (printed.label.empty()) printed.label = handle_.node;
    detail::AddProcessor(handle_, name, false, [printed] {
      return detail::MakeNode<detail::PrintNode<K, V, F>>(printed.out, printed.label, printed.text_of);
    });
  }

  // Records of both streams, in no particular order between them.
  KStream Merge(const KStream& other, Named named = {}) const {
    const std::string name = handle_.graph->NameOr(std::move(named.name), "KSTREAM-MERGE-");
    return KStream(detail::AddMerge(handle_, other.handle_, name, detail::TypeTagOf<K, V>(),
                                    [] { return detail::MakeNode<detail::PassThroughNode<K, V>>(); }));
  }

  // Each record goes to the first arm whose predicate holds; without one it is dropped. Result by full name.
  std::map<std::string, KStream> Split(std::vector<Branch<K, V>> branches, Named named = {}) const {
    const std::string name = handle_.graph->NameOr(std::move(named.name), "KSTREAM-BRANCH-");
    std::vector<std::function<bool(const K*, const V*)>> predicates;
    for (const Branch<K, V>& branch : branches) predicates.push_back(branch.predicate);
    const detail::StreamHandle split = detail::AddProcessor(
        handle_, name, false, [predicates] { return detail::MakeNode<detail::BranchNode<K, V>>(predicates); });
    std::map<std::string, KStream> arms;
    for (size_t i = 0; i < branches.size(); ++i) {
      const std::string place = std::to_string(branches[i].predicate ? i + 1 : 0);
      const std::string arm = name + (branches[i].name.empty() ? place : branches[i].name);
      handle_.graph->NewProcessorName("");  // each arm takes a number, though its name does not show it
      arms.emplace(arm, KStream(split).template AddNamed<K, V, detail::PassThroughNode<K, V>>(arm, detail::Changes::kNothing));
    }
    return arms;
  }

  // `selector` computes the key to group by; records go through a repartition topic.
  template <class F, class GKS = UseDefaultSerde, class GVS = UseDefaultSerde>
  auto GroupBy(F selector, Grouped<GKS, GVS> grouped = {}) const {
    auto keyed = SelectKey(std::move(selector), grouped.name);
    return keyed.GroupByKey(std::move(grouped));
  }
  template <class GKS = UseDefaultSerde, class GVS = UseDefaultSerde>
  KGroupedStream<K, V, GKS, GVS> GroupByKey(Grouped<GKS, GVS> grouped = {}) const {
    return {handle_, std::move(grouped)};
  }

  // Through the topic "<application.id>-<name>-repartition", with as many partitions as you say.
  template <class KS = UseDefaultSerde, class VS = UseDefaultSerde, class P = DefaultPartitioner>
  KStream Repartition(Repartitioned<KS, VS, P> repartitioned = {}) const {
    const std::string prefix =
        repartitioned.name.empty() ? handle_.graph->NewProcessorName("KSTREAM-REPARTITION-") : repartitioned.name;
    return KStream(detail::Repartition<K, V>(handle_, prefix, repartitioned.partitions,
                                             detail::KeySerdeOf<K>(repartitioned.key_serde, handle_),
                                             detail::ResolveSerde<VS, V>::From(repartitioned.value_serde), false,
                                             std::move(repartitioned.partitioner)));
  }

  template <class KS = UseDefaultSerde, class VS = UseDefaultSerde, class P = DefaultPartitioner>
  void To(const std::string& topic, Produced<KS, VS, P> produced = {}) const {
    using Sink = detail::SinkNode<K, V, detail::KeySerdeType<KS, K>, detail::SerdeType<VS, V>, P>;
    detail::AddSink(handle_, {topic}, produced.name,
                    [topic, ks = detail::KeySerdeOf<K>(produced.key_serde, handle_),
                     vs = detail::ResolveSerde<VS, V>::From(produced.value_serde),
                     p = produced.partitioner] { return detail::MakeNode<Sink>(topic, ks, vs, p); });
  }
  // To the topic that `topic_of` names for each record: std::string(const K*, const V*, const RecordContext&). The topics
  // exist already (TopicNameExtractor).
  template <class F, class KS = UseDefaultSerde, class VS = UseDefaultSerde, class P = DefaultPartitioner>
    requires std::is_invocable_r_v<std::string, F&, const K*, const V*, const RecordContext&>
  void To(F topic_of, Produced<KS, VS, P> produced = {}) const {
    using Sink = detail::DynamicSinkNode<K, V, F, detail::KeySerdeType<KS, K>, detail::SerdeType<VS, V>, P>;
    detail::AddSink(handle_, {}, produced.name,
                    [topic_of, ks = detail::KeySerdeOf<K>(produced.key_serde, handle_),
                     vs = detail::ResolveSerde<VS, V>::From(produced.value_serde),
                     p = produced.partitioner] { return detail::MakeNode<Sink>(topic_of, ks, vs, p); });
  }

  // The latest value per key as a table: a null value is a delete, records with a null key are dropped.
  KTable<K, V> ToTable(Named named = {}) const { return ToTable(std::move(named), Materialized<>()); }
  template <class KS, class VS>
  KTable<K, V> ToTable(const Materialized<KS, VS>& materialized) const {
    return ToTable(Named(), materialized);
  }
  template <class KS, class VS>
  KTable<K, V> ToTable(Named named, const Materialized<KS, VS>& materialized) const;

  // With the records of `other` that have the same key and a near time. `joiner`: VR(const V&, const VO&), or with the key in
  // front. A record with a null key or value is dropped. The result carries the later of both times.
  template <class VO, class F, class KS = UseDefaultSerde, class VS = UseDefaultSerde, class VOS = UseDefaultSerde>
  auto Join(const KStream<K, VO>& other, F joiner, const JoinWindows& windows,
            const StreamJoined<KS, VS, VOS>& joined = {}) const {
    return JoinStream<detail::JoinKind::kInner, VO>(other, std::move(joiner), windows, joined);
  }
  // Also this stream's records that met nobody, once their window and grace are over, with a null pointer:
  // VR(const V&, const VO*). One with a null key is such a record at once.
  template <class VO, class F, class KS = UseDefaultSerde, class VS = UseDefaultSerde, class VOS = UseDefaultSerde>
  auto LeftJoin(const KStream<K, VO>& other, F joiner, const JoinWindows& windows,
                const StreamJoined<KS, VS, VOS>& joined = {}) const {
    return JoinStream<detail::JoinKind::kLeft, VO>(other, std::move(joiner), windows, joined);
  }
  // Also those of `other`: VR(const V*, const VO*).
  template <class VO, class F, class KS = UseDefaultSerde, class VS = UseDefaultSerde, class VOS = UseDefaultSerde>
  auto OuterJoin(const KStream<K, VO>& other, F joiner, const JoinWindows& windows,
                 const StreamJoined<KS, VS, VOS>& joined = {}) const {
    return JoinStream<detail::JoinKind::kOuter, VO>(other, std::move(joiner), windows, joined);
  }

  // With the row of the same key. `joiner`: VR(const V&, const VT&), or with the key in front. Records without a row in the
  // table are dropped, and those with a null key or value. The result carries this record's time.
  template <class VT, class F, class KS = UseDefaultSerde, class VS = UseDefaultSerde>
  auto Join(const KTable<K, VT>& table, F joiner, const Joined<KS, VS>& joined = {}) const {
    return JoinTable<detail::JoinKind::kInner, VT>(table, std::move(joiner), joined);
  }
  // `joiner`: VR(const V&, const VT*), or with the key in front; null when the table has no row or the key is null.
  template <class VT, class F, class KS = UseDefaultSerde, class VS = UseDefaultSerde>
  auto LeftJoin(const KTable<K, VT>& table, F joiner, const Joined<KS, VS>& joined = {}) const {
    return JoinTable<detail::JoinKind::kLeft, VT>(table, std::move(joiner), joined);
  }

  // With the row of a global table whose key `mapper` makes of the record: KG(const K&, const V&), or std::optional<KG>.
  // `joiner` as of a table; it gets this record's key. Records without a row, or without a table's key, are dropped.
  template <class KG, class VG, class M, class F>
  auto Join(const GlobalKTable<KG, VG>& table, M mapper, F joiner, Named named = {}) const {
    return JoinGlobal<detail::JoinKind::kInner>(table, std::move(mapper), std::move(joiner), std::move(named));
  }
  // They are joined with null.
  template <class KG, class VG, class M, class F>
  auto LeftJoin(const GlobalKTable<KG, VG>& table, M mapper, F joiner, Named named = {}) const {
    return JoinGlobal<detail::JoinKind::kLeft>(table, std::move(mapper), std::move(joiner), std::move(named));
  }

  // `supplier` makes one processor per task: std::unique_ptr<P>() for a P derived from Processor<K, V, KO, VO>.
  // The result may have another key, so state by key needs a repartition after it.
  template <class F>
  auto Process(F supplier, std::vector<std::string> stores = {}, Named named = {}) const {
    using P = typename std::invoke_result_t<F&>::element_type;
    return AddProcessor<typename P::OutputKey, typename P::OutputValue, detail::ProcessorNode<P>>(
        "KSTREAM-PROCESSOR-", std::move(supplier), std::move(stores), std::move(named), true);
  }
  // As Process for a P derived from FixedKeyProcessor<K, V, VO>, which cannot change the key: no repartition follows.
  template <class F>
  auto ProcessValues(F supplier, std::vector<std::string> stores = {}, Named named = {}) const {
    using P = typename std::invoke_result_t<F&>::element_type;
    return AddProcessor<K, typename P::OutputValue, detail::FixedKeyProcessorNode<P>>(
        "KSTREAM-PROCESSVALUES-", std::move(supplier), std::move(stores), std::move(named), false);
  }

  const detail::StreamHandle& handle() const { return handle_; }

 private:
  template <class, class>
  friend class KStream;

  template <class KO, class VO, class NodeType, class... Args>
  KStream<KO, VO> Add(const char* prefix, Named named, detail::Changes changes, Args... args) const {
    return AddNamed<KO, VO, NodeType>(handle_.graph->NameOr(std::move(named.name), prefix), changes, std::move(args)...);
  }
  template <class KO, class VO, class NodeType, class... Args>
  KStream<KO, VO> AddNamed(const std::string& name, detail::Changes changes, Args... args) const {
    return KStream<KO, VO>(detail::AddOperator(handle_, name, changes, detail::TypeTagOf<KO, VO>(),
                                               [=] { return detail::MakeNode<NodeType>(args...); }));
  }
  // A given name takes no number here (KStreamImpl.process).
  template <class KO, class VO, class NodeType, class F>
  KStream<KO, VO> AddProcessor(const char* prefix, F supplier, std::vector<std::string> stores, Named named, bool key_changes) const {
    const std::string name = named.name.empty() ? handle_.graph->NewProcessorName(prefix) : named.name;
    return KStream<KO, VO>(detail::AddProcessor(
        handle_, name, key_changes, [supplier] { return detail::MakeNode<NodeType>(supplier()); }, std::move(stores)));
  }

  template <detail::JoinKind kKind, class VO, class F, class KS, class VS, class VOS>
  auto JoinStream(const KStream<K, VO>& other, F joiner, const JoinWindows& windows,
                  const StreamJoined<KS, VS, VOS>& joined) const {
    using VR = detail::NullableType<detail::JoinResult<kKind, K, V, VO, F>>;
    return KStream<K, VR>(
        detail::JoinStreams<kKind, K, V, VO, VR>(handle_, other.handle(), std::move(joiner), windows, joined));
  }
  template <detail::JoinKind kKind, class KG, class VG, class M, class F>
  auto JoinGlobal(const GlobalKTable<KG, VG>& table, M mapper, F joiner, Named named) const {
    using VR = detail::NullableType<detail::JoinResult<kKind, K, V, VG, F>>;
    static_assert(std::is_same_v<detail::NullableType<detail::KeyValueResult<M, K, V>>, KG>,
                  "the mapper returns a key of the global table, or a std::optional of one");
    // The generated name is that of a left join for both kinds (KStreamImpl.doGlobalTableJoin).
    const std::string name = handle_.graph->NameOr(std::move(named.name), "KSTREAM-LEFTJOIN-");
    const detail::GlobalRows<KG, VG> rows(table.QueryableStoreName(), table.key_serde(), table.value_serde());
    return KStream<K, VR>(detail::AddGlobalJoin(handle_, name, kKind, [=] {
      return detail::MakeNode<detail::GlobalTableJoinNode<K, V, KG, VG, VR, M, F, kKind>>(rows, mapper, joiner);
    }));
  }
  template <detail::JoinKind kKind, class VT, class F, class KS, class VS>
  auto JoinTable(const KTable<K, VT>& table, F joiner, const Joined<KS, VS>& joined) const {
    using VR = detail::NullableType<detail::JoinResult<kKind, K, V, VT, F>>;
    return KStream<K, VR>(detail::JoinTable<kKind, K, V, VT, VR>(handle_, table, std::move(joiner), joined));
  }

  detail::StreamHandle handle_;
};

template <class K, class V>
KStream<K, V> KTable<K, V>::ToStream(Named named) const {
  const std::string name = handle_.graph->NameOr(std::move(named.name), "KTABLE-TOSTREAM-");
  detail::StreamHandle stream =
      detail::AddProcessor(handle_, name, [] { return detail::MakeNode<detail::TableToStreamNode<K, V>>(); });
  if constexpr (detail::kInheritsKeySerde<K, UseDefaultSerde>) stream.windowed_key_serde = key_serde_;
  return KStream<K, V>(std::move(stream));
}

template <class K, class V>
template <class F>
  requires(!std::convertible_to<F, Named>)
auto KTable<K, V>::ToStream(F selector, Named named) const {
  return ToStream(std::move(named)).SelectKey(std::move(selector));
}

template <class K, class V>
template <class KS, class VS>
KTable<K, V> KStream<K, V>::ToTable(Named named, const Materialized<KS, VS>& materialized) const {
  const std::string name = handle_.graph->NameOr(std::move(named.name), "KSTREAM-TOTABLE-");
  const bool store_named = !materialized.store_name.empty();
  auto store = detail::TableStoreOf<K, V>(
      materialized, store_named ? materialized.store_name : handle_.graph->NewStoreName("KSTREAM-TOTABLE-"),
      detail::InheritedKeySerde<K>(handle_));
  detail::StreamHandle stream = handle_;
  if (stream.repartition_required)
    stream = detail::Repartition<K, V>(stream, name, std::nullopt, store.key_serde, store.value_serde);
  return detail::AddTableSource<K, V>({stream.graph, 0, name, stream.sources, nullptr}, stream.id, std::move(store),
                                      store_named, [above = stream.node](Topology&) { return above; });
}

}  // namespace tailrace::processor
