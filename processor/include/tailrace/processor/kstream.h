// A stream of independent records, and what can be done with it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tailrace/processor/grouped_stream.h"
#include "tailrace/processor/ktable.h"
#include "tailrace/processor/processor.h"

namespace tailrace::processor {

// One arm of a Split.
template <class K, class V>
struct Branch {
  std::function<bool(const K*, const V*)> predicate;  // empty: takes everything that is left
  std::string name;                                    // the arm's key in the result is the split's name + this
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
    return Add<K, V, detail::FilterNode<K, V, F>>("KSTREAM-FILTER-", std::move(named), false, std::move(predicate), true);
  }
  template <class F>
  KStream FilterNot(F predicate, Named named = {}) const {
    return Add<K, V, detail::FilterNode<K, V, F>>("KSTREAM-FILTER-", std::move(named), false, std::move(predicate), false);
  }
  template <class F>
  auto MapValues(F mapper, Named named = {}) const {
    using VR = detail::NullableType<detail::KeyValueResult<F, K, V>>;
    return Add<K, VR, detail::MapValuesNode<K, V, VR, F>>("KSTREAM-MAPVALUES-", std::move(named), false, std::move(mapper));
  }
  // `mapper` returns a std::pair of the new key and value.
  template <class F>
  auto Map(F mapper, Named named = {}) const {
    using Pair = detail::KeyValueResult<F, K, V>;
    using KR = detail::NullableType<typename Pair::first_type>;
    using VR = detail::NullableType<typename Pair::second_type>;
    return Add<KR, VR, detail::MapNode<K, V, KR, VR, F>>("KSTREAM-MAP-", std::move(named), true, std::move(mapper));
  }
  // `mapper` returns a range of values.
  template <class F>
  auto FlatMapValues(F mapper, Named named = {}) const {
    using VR = detail::NullableType<typename detail::KeyValueResult<F, K, V>::value_type>;
    return Add<K, VR, detail::FlatMapValuesNode<K, V, VR, F>>("KSTREAM-FLATMAPVALUES-", std::move(named), false,
                                                              std::move(mapper));
  }
  // `mapper` returns a range of std::pair.
  template <class F>
  auto FlatMap(F mapper, Named named = {}) const {
    using Pair = typename detail::KeyValueResult<F, K, V>::value_type;
    using KR = detail::NullableType<typename Pair::first_type>;
    using VR = detail::NullableType<typename Pair::second_type>;
    return Add<KR, VR, detail::FlatMapNode<K, V, KR, VR, F>>("KSTREAM-FLATMAP-", std::move(named), true, std::move(mapper));
  }
  template <class F>
  auto SelectKey(F selector, Named named = {}) const {
    using KR = detail::NullableType<detail::KeyValueResult<F, K, V>>;
    return Add<KR, V, detail::SelectKeyNode<K, V, KR, F>>("KSTREAM-KEY-SELECT-", std::move(named), true,
                                                          std::move(selector));
  }
  template <class F>
  KStream Peek(F action, Named named = {}) const {
    return Add<K, V, detail::PeekNode<K, V, F>>("KSTREAM-PEEK-", std::move(named), false, std::move(action));
  }
  template <class F>
  void ForEach(F action, Named named = {}) const {
    Add<K, V, detail::PeekNode<K, V, F>>("KSTREAM-FOREACH-", std::move(named), false, std::move(action));
  }

  // Records of both streams, in no particular order between them.
  KStream Merge(const KStream& other, Named named = {}) const {
    const std::string name = handle_.graph->NameOr(std::move(named.name), "KSTREAM-MERGE-");
    detail::StreamHandle merged = handle_;
    merged.sources.insert(other.handle_.sources.begin(), other.handle_.sources.end());
    merged.repartition_required |= other.handle_.repartition_required;
    merged.node = name;
    std::vector<std::string> parents{handle_.node};
    if (other.handle_.node != handle_.node) parents.push_back(other.handle_.node);  // with itself it passes once, as in Kafka Streams
    merged.id = handle_.graph->Add({handle_.id, other.handle_.id},
                                   [name, parents = std::move(parents)](Topology& topology) {
                                     topology.AddNode({.name = name, .predecessors = parents, .factory = [] {
                                                         return std::make_unique<detail::PassThroughNode<K, V>>();
                                                       }});
                                   });
    return KStream(std::move(merged));
  }

  // Each record goes to the first arm whose predicate holds; without one it is dropped. Result by full name.
  std::map<std::string, KStream> Split(std::vector<Branch<K, V>> branches, Named named = {}) const {
    const std::string name = handle_.graph->NameOr(std::move(named.name), "KSTREAM-BRANCH-");
    std::vector<std::function<bool(const K*, const V*)>> predicates;
    for (const Branch<K, V>& branch : branches) predicates.push_back(branch.predicate);
    detail::StreamHandle split = handle_;
    split.node = name;
    split.id = handle_.graph->Add({handle_.id}, [name, predicates, parent = handle_.node](Topology& topology) {
      topology.AddNode({.name = name, .predecessors = {parent}, .factory = [predicates] {
                          return std::make_unique<detail::BranchNode<K, V>>(predicates);
                        }});
    });
    std::map<std::string, KStream> arms;
    for (size_t i = 0; i < branches.size(); ++i) {
      const std::string arm = name + (branches[i].name.empty() ? std::to_string(i + 1) : branches[i].name);
      arms.emplace(arm, KStream(split).template AddNamed<K, V, detail::PassThroughNode<K, V>>(arm, false));
    }
    return arms;
  }

  // `selector` computes the key to group by; records go through a repartition topic.
  template <class F, class GKS = UseDefaultSerde, class GVS = UseDefaultSerde>
  auto GroupBy(F selector, Grouped<GKS, GVS> grouped = {}) const {
    auto keyed = SelectKey(std::move(selector));
    return keyed.GroupByKey(std::move(grouped));
  }
  template <class GKS = UseDefaultSerde, class GVS = UseDefaultSerde>
  KGroupedStream<K, V, GKS, GVS> GroupByKey(Grouped<GKS, GVS> grouped = {}) const {
    return {handle_, std::move(grouped)};
  }

  // Through the topic "<application.id>-<name>-repartition".
  KStream Repartition(Named named = {}, std::optional<int32_t> partitions = std::nullopt) const {
    const std::string prefix = handle_.graph->NameOr(std::move(named.name), "KSTREAM-REPARTITION-");
    return KStream(detail::Repartition<K, V>(handle_, prefix, partitions, DefaultSerde<K>{}, DefaultSerde<V>{}, false));
  }

  template <class KS = UseDefaultSerde, class VS = UseDefaultSerde>
  void To(const std::string& topic, Produced<KS, VS> produced = {}) const {
    const std::string name = handle_.graph->NameOr(std::move(produced.name), "KSTREAM-SINK-");
    const auto key_serde = detail::ResolveSerde<KS, K>::From(produced.key_serde);
    const auto value_serde = detail::ResolveSerde<VS, V>::From(produced.value_serde);
    handle_.graph->Add({handle_.id}, [=, parent = handle_.node](Topology& topology) {
      topology.AddNode({.type = TopologyNode::Type::kSink, .name = name, .predecessors = {parent}, .topics = {topic},
                        .factory = [=] {
                          return std::make_unique<
                              detail::SinkNode<K, V, detail::SerdeType<KS, K>, detail::SerdeType<VS, V>>>(topic, key_serde,
                                                                                                        value_serde);
                        }});
    });
  }

  // The latest value per key as a table: a null value is a delete, records with a null key are dropped.
  KTable<K, V> ToTable(Named named = {}) const { return ToTable(std::move(named), Materialized<>()); }
  template <class KS, class VS>
  KTable<K, V> ToTable(const Materialized<KS, VS>& materialized) const {
    return ToTable(Named(), materialized);
  }
  template <class KS, class VS>
  KTable<K, V> ToTable(Named named, const Materialized<KS, VS>& materialized) const;

  // `joiner`: VR(const V&, const VT&). Records without a row in the table are dropped.
  template <class VT, class F>
  auto Join(const KTable<K, VT>& table, F joiner, Named named = {}) const {
    using VR = detail::NullableType<std::invoke_result_t<F&, const V&, const VT&>>;
    return JoinTable<VT, VR, F, false>(table, std::move(joiner), std::move(named));
  }
  // `joiner`: VR(const V&, const VT*); null when the table has no row.
  template <class VT, class F>
  auto LeftJoin(const KTable<K, VT>& table, F joiner, Named named = {}) const {
    using VR = detail::NullableType<std::invoke_result_t<F&, const V&, const VT*>>;
    return JoinTable<VT, VR, F, true>(table, std::move(joiner), std::move(named));
  }

  // `supplier` makes one processor per task: std::unique_ptr<P>() for a P derived from Processor<K, V, KO, VO>.
  // The result may have another key, so state by key needs a repartition after it.
  template <class F>
  auto Process(F supplier, std::vector<std::string> stores = {}, Named named = {}) const {
    using P = typename std::invoke_result_t<F&>::element_type;
    const std::string name = handle_.graph->NameOr(std::move(named.name), "KSTREAM-PROCESSOR-");
    detail::StreamHandle processed = handle_;
    processed.node = name;
    processed.repartition_required = true;
    processed.id = handle_.graph->Add({handle_.id}, [=, parent = handle_.node](Topology& topology) {
      topology.AddNode({.name = name, .predecessors = {parent}, .stores = stores, .factory = [supplier] {
                          return std::make_unique<detail::ProcessorNode<P>>(supplier());
                        }});
    });
    return KStream<typename P::OutputKey, typename P::OutputValue>(std::move(processed));
  }

  const detail::StreamHandle& handle() const { return handle_; }

 private:
  template <class, class>
  friend class KStream;

  template <class KO, class VO, class NodeType, class... Args>
  KStream<KO, VO> Add(const char* prefix, Named named, bool key_changes, Args... args) const {
    return AddNamed<KO, VO, NodeType>(handle_.graph->NameOr(std::move(named.name), prefix), key_changes,
                                      std::move(args)...);
  }
  template <class KO, class VO, class NodeType, class... Args>
  KStream<KO, VO> AddNamed(const std::string& name, bool key_changes, Args... args) const {
    detail::StreamHandle next = handle_;
    next.node = name;
    next.repartition_required |= key_changes;
    next.id = handle_.graph->Add({handle_.id}, [=, parent = handle_.node](Topology& topology) {
      topology.AddNode({.name = name, .predecessors = {parent}, .factory = [=] {
                          return std::make_unique<NodeType>(args...);
                        }});
    });
    return KStream<KO, VO>(std::move(next));
  }

  template <class VT, class VR, class F, bool kLeft>
  KStream<K, VR> JoinTable(const KTable<K, VT>& table, F joiner, Named named) const {
    const std::string name =
        handle_.graph->NameOr(std::move(named.name), kLeft ? "KSTREAM-LEFTJOIN-" : "KSTREAM-JOIN-");
    detail::StreamHandle stream = handle_;
    if (stream.repartition_required)
      stream = detail::Repartition<K, V>(stream, name, std::nullopt, DefaultSerde<K>{}, DefaultSerde<V>{}, !kLeft);
    const auto id = stream.graph->Add({stream.id, table.handle().id}, [=, parent = stream.node, sources = stream.sources,
                                                                       table_sources = table.handle().sources,
                                                                       view = table.View()](Topology& topology) {
      topology.AddNode({.name = name, .predecessors = {parent}, .stores = view.stores, .factory = [=] {
                          return std::make_unique<detail::StreamTableJoinNode<K, V, VT, VR, F, kLeft>>(view.getter(), joiner);
                        }});
      std::vector<std::string> group(sources.begin(), sources.end());
      group.insert(group.end(), table_sources.begin(), table_sources.end());
      topology.AddCopartition(std::move(group));
    });
    stream.id = id;
    stream.node = name;
    stream.sources.insert(table.handle().sources.begin(), table.handle().sources.end());
    return KStream<K, VR>(std::move(stream));
  }

  detail::StreamHandle handle_;
};

template <class K, class V>
KStream<K, V> KTable<K, V>::ToStream(Named named) const {
  const std::string name = handle_.graph->NameOr(std::move(named.name), "KTABLE-TOSTREAM-");
  const auto id = handle_.graph->Add({handle_.id}, [name, parent = handle_.node](Topology& topology) {
    topology.AddNode({.name = name, .predecessors = {parent}, .factory = [] {
                        return std::make_unique<detail::TableToStreamNode<K, V>>();
                      }});
  });
  return KStream<K, V>({handle_.graph, id, name, handle_.sources, false});
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
      materialized, store_named ? materialized.store_name : handle_.graph->NewStoreName("KSTREAM-TOTABLE-"));
  detail::StreamHandle stream = handle_;
  if (stream.repartition_required)
    stream = detail::Repartition<K, V>(stream, name, std::nullopt, store.key_serde, store.value_serde);
  return detail::AddTableSource<K, V>({stream.graph, 0, name, stream.sources, nullptr}, stream.id, std::move(store),
                                      store_named, [above = stream.node](Topology&) { return above; });
}

}  // namespace tailrace::processor
