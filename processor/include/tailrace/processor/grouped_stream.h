// A stream grouped by key, ready to be aggregated, per key or per key and window.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <utility>

#include "tailrace/processor/count_windows.h"
#include "tailrace/processor/detail/aggregate_nodes.h"
#include "tailrace/processor/detail/dsl_operators.h"
#include "tailrace/processor/detail/key_serde.h"
#include "tailrace/processor/detail/late_records.h"
#include "tailrace/processor/detail/stateless_nodes.h"
#include "tailrace/processor/detail/stream_graph.h"
#include "tailrace/processor/detail/stream_handle.h"
#include "tailrace/processor/detail/topic_nodes.h"
#include "tailrace/processor/detail/typed_schema.h"
#include "tailrace/processor/emit_strategy.h"
#include "tailrace/processor/ktable.h"
#include "tailrace/processor/options.h"
#include "tailrace/processor/session_windows.h"
#include "tailrace/processor/sliding_windows.h"
#include "tailrace/processor/windows.h"

namespace tailrace::processor {
namespace detail {

// Sends the stream through the topic "<prefix>-repartition" so that equal keys meet in one task.
template <class K, class V, class KS, class VS, class P = DefaultPartitioner>
StreamHandle Repartition(const StreamHandle& stream, const std::string& prefix, std::optional<int32_t> partitions,
                         KS key_serde, VS value_serde, bool may_merge = true, P partitioner = {}) {
  RepartitionTraits traits{.partition_count = partitions, .may_merge = may_merge, .type = TypeTagOf<K, V>()};
  traits.make_filter = [](bool drop_null_keys) { return MakeNode<NonNullKeyNode<K, V>>(drop_null_keys); };
  traits.make_sink = [=](const std::string& topic) {
    using SinkKeySerde = std::conditional_t<kIsWindowed<K>, WholeKeySerde<KS>, KS>;
    return MakeNode<SinkNode<K, V, SinkKeySerde, VS, P>>(topic, SinkKeySerde{key_serde}, value_serde, partitioner);
  };
  traits.make_source = [=] { return MakeNode<SourceNode<K, V, KS, VS>>(key_serde, value_serde); };
  StreamHandle repartitioned = AddRepartition(stream, prefix, std::move(traits));
  if constexpr (kIsWindowed<K>) repartitioned.windowed_key_serde = AnySerde<K>::Of(std::move(key_serde));
  return repartitioned;
}

// The repartition in front of an aggregate. Aggregates of one grouping share it when the grouping has a name.
template <class K, class V, class GKS, class GVS>
StreamHandle RepartitionGroup(const StreamHandle& stream, const Grouped<GKS, GVS>& grouped, const std::string& store) {
  if (const StreamHandle* const shared = SharedRepartition(stream, grouped.name)) return *shared;
  StreamHandle repartitioned =
      Repartition<K, V>(stream, grouped.name.empty() ? store : grouped.name, std::nullopt,
                        KeySerdeOf<K>(grouped.key_serde, stream), ResolveSerde<GVS, V>::From(grouped.value_serde));
  if (stream.shared_repartition != nullptr) *stream.shared_repartition = repartitioned;
  return repartitioned;
}

}  // namespace detail

// Windowed aggregation; a table with windowed keys.
template <class K, class V, class GKS = UseDefaultSerde, class GVS = UseDefaultSerde>
class TimeWindowedKStream {
 public:
  TimeWindowedKStream(detail::StreamHandle stream, Grouped<GKS, GVS> grouped, TimeWindows windows)
      : stream_(std::move(stream)), grouped_(std::move(grouped)), windows_(windows) {
    if (!windows_.valid())
      stream_.graph->Fail(base::UsageError("a window needs size > 0, 0 < advance <= size and grace >= 0"));
  }

  // The same windows, with results shown on update (the default) or on window close.
  TimeWindowedKStream WithEmitStrategy(EmitStrategy emit) const {
    TimeWindowedKStream other = *this;
    other.emit_ = emit;
    return other;
  }

  // Records that come too late for all or some of their windows go to this topic, once each and as they came, with headers that
  // say why (docs/dsl.md). Serdes that `produced` does not give are those of the grouping. Otherwise they are dropped.
  template <class KS = UseDefaultSerde, class VS = UseDefaultSerde, class P = DefaultPartitioner>
  TimeWindowedKStream LateTo(const std::string& topic, Produced<KS, VS, P> produced = {}) const {
    TimeWindowedKStream other = *this;
    other.late_ = detail::LateRecords<K, V>::ToTopic(topic, stream_, grouped_, produced);
    return other;
  }
  // The same as a stream, which `use` gets when the aggregation is made: void(KStream<K, V> late).
  template <class F>
  TimeWindowedKStream WithLateRecords(F use) const {
    TimeWindowedKStream other = *this;
    other.late_ = detail::LateRecords<K, V>::ToStream(std::move(use));
    return other;
  }

  // Counts records, also those with a null value.
  KTable<Windowed<K>, int64_t> Count(Named named = {}) const {
    return Build<int64_t>(detail::CountStep{}, Materialized<>(), std::move(named), "KSTREAM-AGGREGATE-", detail::Merging::kSum);
  }
  template <class KS, class VS>
  KTable<Windowed<K>, int64_t> Count(Materialized<KS, VS> materialized, Named named = {}) const {
    // A Materialized without a name uses up one number more here than elsewhere (KGroupedStreamImpl.count).
    if (materialized.store_name.empty()) stream_.graph->NewStoreName("");
    return Build<int64_t>(detail::CountStep{}, std::move(materialized), std::move(named), "KSTREAM-AGGREGATE-",
                          detail::Merging::kSum);
  }
  // `reducer`: V(const V& aggregate, const V& value). Null values are dropped.
  template <class F, class KS = UseDefaultSerde, class VS = UseDefaultSerde>
  KTable<Windowed<K>, V> Reduce(F reducer, Materialized<KS, VS> materialized = {}, Named named = {}) const {
    return Build<V>(detail::ReduceStep<V, F>{std::move(reducer)}, std::move(materialized), std::move(named),
                    "KSTREAM-REDUCE-", detail::Merging::kNone);
  }
  // `initializer`: VR(); `adder`: VR(const K&, const V&, VR). An adder of pointers also gets null values.
  template <class VR, class I, class F, class KS = UseDefaultSerde, class VS = UseDefaultSerde>
  KTable<Windowed<K>, VR> Aggregate(I initializer, F adder, Materialized<KS, VS> materialized = {},
                                    Named named = {}) const {
    return Build<VR>(detail::AggregateStep<VR, I, F>{std::move(initializer), std::move(adder)}, std::move(materialized),
                     std::move(named), "KSTREAM-AGGREGATE-", detail::Merging::kNone);
  }

 private:
  template <class VR, class Step, class KS, class VS>
  KTable<Windowed<K>, VR> Build(Step step, Materialized<KS, VS> materialized, Named named, const char* prefix,
                                detail::Merging merging) const;

  detail::StreamHandle stream_;
  Grouped<GKS, GVS> grouped_;
  TimeWindows windows_;
  EmitStrategy emit_ = EmitStrategy::kOnWindowUpdate;
  detail::LateRecords<K, V> late_;
};

template <class K, class V, class GKS, class GVS>
class SessionWindowedKStream;  // session_windowed_stream.h
template <class K, class V, class GKS, class GVS>
class SlidingWindowedKStream;  // sliding_windowed_stream.h
template <class K, class V, class GKS, class GVS>
class CountWindowedKStream;  // count_windowed_stream.h

template <class K, class VOut>
class CogroupedKStream;  // cogrouped_stream.h

// Aggregation per key.
template <class K, class V, class GKS = UseDefaultSerde, class GVS = UseDefaultSerde>
class KGroupedStream {
 public:
  KGroupedStream(detail::StreamHandle stream, Grouped<GKS, GVS> grouped)
      : stream_(std::move(stream)), grouped_(std::move(grouped)) {
    stream_.shared_repartition = std::make_shared<std::optional<detail::StreamHandle>>();
    if constexpr (detail::kIsWindowed<K> && !std::is_same_v<GKS, UseDefaultSerde>)
      stream_.windowed_key_serde = detail::AnySerde<K>::Of(detail::ResolveSerde<GKS, K>::From(grouped_.key_serde));
  }

  TimeWindowedKStream<K, V, GKS, GVS> WindowedBy(TimeWindows windows) const { return {stream_, grouped_, windows}; }
  TimeWindowedKStream<K, V, GKS, GVS> WindowedBy(UnlimitedWindows windows) const { return {stream_, grouped_, windows}; }
  SlidingWindowedKStream<K, V, GKS, GVS> WindowedBy(SlidingWindows windows) const { return {stream_, grouped_, windows}; }
  SessionWindowedKStream<K, V, GKS, GVS> WindowedBy(SessionWindows windows) const { return {stream_, grouped_, windows}; }
  CountWindowedKStream<K, V, GKS, GVS> WindowedBy(CountWindows windows) const { return {stream_, grouped_, windows}; }

  // Records with a null key or value are dropped by all of these.
  KTable<K, int64_t> Count(Named named = {}) const {
    return Build<int64_t>(detail::CountStep{}, Materialized<>(), std::move(named), "KSTREAM-AGGREGATE-", detail::Merging::kSum);
  }
  template <class KS, class VS>
  KTable<K, int64_t> Count(Materialized<KS, VS> materialized, Named named = {}) const {
    // A Materialized without a name uses up one number more here than elsewhere (KGroupedStreamImpl.count).
    if (materialized.store_name.empty()) stream_.graph->NewStoreName("");
    return Build<int64_t>(detail::CountStep{}, std::move(materialized), std::move(named), "KSTREAM-AGGREGATE-",
                          detail::Merging::kSum);
  }
  template <class F, class KS = UseDefaultSerde, class VS = UseDefaultSerde>
  KTable<K, V> Reduce(F reducer, Materialized<KS, VS> materialized = {}, Named named = {}) const {
    return Build<V>(detail::ReduceStep<V, F>{std::move(reducer)}, std::move(materialized), std::move(named),
                    "KSTREAM-REDUCE-", detail::Merging::kNone);
  }
  template <class VR, class I, class F, class KS = UseDefaultSerde, class VS = UseDefaultSerde>
  KTable<K, VR> Aggregate(I initializer, F adder, Materialized<KS, VS> materialized = {}, Named named = {}) const {
    return Build<VR>(detail::AggregateStep<VR, I, F>{std::move(initializer), std::move(adder)}, std::move(materialized),
                     std::move(named), "KSTREAM-AGGREGATE-", detail::Merging::kNone);
  }

  // Begins a cogroup: other grouped streams may be added to the same aggregate. `adder`: VOut(const K&, const V&, VOut).
  template <class VOut, class F>
  CogroupedKStream<K, VOut> Cogroup(F adder) const;

  // For other operators.
  const detail::StreamHandle& stream() const { return stream_; }
  const Grouped<GKS, GVS>& grouped() const { return grouped_; }

 private:
  template <class VR, class Step, class KS, class VS>
  KTable<K, VR> Build(Step step, Materialized<KS, VS> materialized, Named named, const char* prefix,
                      detail::Merging merging) const;

  detail::StreamHandle stream_;
  Grouped<GKS, GVS> grouped_;
};

namespace detail {

// The rows of a table of time windows, for readers that look them up.
struct TimeWindowRows {
  template <class K, class V>
  using Getter = WindowStoreGetter<K, V>;
  template <class KS>
  static auto KeySerde(const KS& serde, const state::StoreSpec& spec) {
    return TimeWindowedSerde<KS>{serde, spec.window_size_ms};
  }
};

// The table that an aggregation makes; its rows are looked up in the store. `Rows` matters with windows only.
template <class K, class VR, class KOut, class Rows, class KS, class VS>
KTable<KOut, VR> AggregateTable(TableHandle handle, const state::StoreSpec& spec, const KS& key_serde, const VS& value_serde) {
  const auto any_key = AnySerde<K>::Of(key_serde);
  const auto any_value = AnySerde<VR>::Of(value_serde);
  if constexpr (std::is_same_v<K, KOut>) {
    return KTable<K, VR>(
        std::move(handle), StoreRows<K, VR>(spec.name, any_key, any_value), any_key, any_value);
  } else {
    return KTable<KOut, VR>(
        std::move(handle),
        [store = spec.name, any_key, any_value] {
          return std::make_unique<typename Rows::template Getter<K, VR>>(store, any_key, any_value);
        },
        AnySerde<KOut>::Of(Rows::KeySerde(key_serde, spec)), any_value);
  }
}

// What all kinds of aggregation share: names, the repartition in front when the key has changed, the store and the node.
// `make_node(store, key_serde, value_serde)` makes the operator of one task. `Rows` matters with windows only.
template <class K, class V, class VR, class KOut, class Rows = TimeWindowRows, class GKS, class GVS, class KS, class VS,
          class MakeNode>
KTable<KOut, VR> BuildAggregate(const StreamHandle& input, const Grouped<GKS, GVS>& grouped, state::StoreSpec spec,
                                const Materialized<KS, VS>& materialized, Named named, const char* prefix,
                                Merging merging, int64_t grace_ms, MakeNode make_node) {
  StreamGraph& graph = *input.graph;
  const auto key_serde = KeySerdeOf<K>(materialized.key_serde, input);
  const auto value_serde = ResolveSerde<VS, VR>::From(materialized.value_serde);
  const auto origin = NameAggregate(graph, materialized, prefix, spec);
  if (spec.schema == nullptr) spec.schema = MakeSchema<K, VR>(key_serde, value_serde, merging);
  const std::string name = graph.NameOr(std::move(named.name), prefix);
  const StreamHandle stream = input.repartition_required ? RepartitionGroup<K, V>(input, grouped, spec.name) : input;
  return AggregateTable<K, VR, KOut, Rows>(
      AddAggregate(stream, name, spec, origin, grace_ms, [=, store = spec.name] { return make_node(store, key_serde, value_serde); }),
      spec, key_serde, value_serde);
}

}  // namespace detail

template <class K, class V, class GKS, class GVS>
template <class VR, class Step, class KS, class VS>
KTable<K, VR> KGroupedStream<K, V, GKS, GVS>::Build(Step step, Materialized<KS, VS> materialized, Named named,
                                                    const char* prefix, detail::Merging merging) const {
  using KeySerde = detail::KeySerdeType<KS, K>;
  using ValueSerde = detail::SerdeType<VS, VR>;
  return detail::BuildAggregate<K, V, VR, K>(
      stream_, grouped_, detail::SpecOf(materialized, materialized.store_name, state::StoreKind::kKeyValue), materialized,
      std::move(named), prefix, merging, detail::kNoGrace, [step](const std::string& store, const KeySerde& ks, const ValueSerde& vs) {
        return detail::MakeNode<detail::AggregateNode<K, V, VR, Step, KeySerde, ValueSerde>>(step, store, ks, vs);
      });
}

template <class K, class V, class GKS, class GVS>
template <class VR, class Step, class KS, class VS>
KTable<Windowed<K>, VR> TimeWindowedKStream<K, V, GKS, GVS>::Build(Step step, Materialized<KS, VS> materialized,
                                                                   Named named, const char* prefix,
                                                                   detail::Merging merging) const {
  using KeySerde = detail::KeySerdeType<KS, K>;
  using ValueSerde = detail::SerdeType<VS, VR>;
  state::StoreSpec spec = detail::SpecOf(materialized, materialized.store_name, state::StoreKind::kWindow);
  spec.window_size_ms = windows_.size_ms();
  spec.emits_on_close = emit_ == EmitStrategy::kOnWindowClose;
  if (spec.emits_on_close && windows_.unlimited())
    stream_.graph->Fail(base::UsageError("an unlimited window never closes, so its results cannot be emitted on window close"));
  spec.retention_ms =
      detail::RetentionOf(*stream_.graph, materialized, windows_.size_ms() + windows_.grace_ms(), "size + grace");
  auto table = detail::BuildAggregate<K, V, VR, Windowed<K>>(
      stream_, grouped_, std::move(spec), materialized, std::move(named), prefix, merging, windows_.grace_ms(),
      [step, windows = windows_, emit = emit_](const std::string& store, const KeySerde& ks, const ValueSerde& vs) {
        return detail::MakeNode<detail::WindowAggregateNode<K, V, VR, Step, KeySerde, ValueSerde>>(step, windows, emit,
                                                                                                  store, ks, vs);
      });
  late_.AttachTo(table.handle(), stream_);
  return table;
}

}  // namespace tailrace::processor

#include "tailrace/processor/cogrouped_stream.h"
#include "tailrace/processor/count_windowed_stream.h"
#include "tailrace/processor/session_windowed_stream.h"
#include "tailrace/processor/sliding_windowed_stream.h"
