// Aggregation per key and sliding window.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "tailrace/processor/detail/sliding_nodes.h"
#include "tailrace/processor/grouped_stream.h"
#include "tailrace/processor/sliding_windows.h"

namespace tailrace::processor {

// Aggregates sliding windows into a table with windowed keys. Null keys and null values are dropped; the time of a result is
// that of the latest record in its window.
//
//   logins.GroupByKey().WindowedBy(SlidingWindows::OfTimeDifferenceAndGrace(10s, 30s)).Count()
template <class K, class V, class GKS = UseDefaultSerde, class GVS = UseDefaultSerde>
class SlidingWindowedKStream {
 public:
  SlidingWindowedKStream(detail::StreamHandle stream, Grouped<GKS, GVS> grouped, SlidingWindows windows)
      : stream_(std::move(stream)), grouped_(std::move(grouped)), windows_(windows) {
    if (!windows_.valid()) stream_.graph->Fail(base::UsageError("a sliding window needs a time difference > 0 and grace >= 0"));
  }

  // The same windows, with results shown on update (the default) or on window close.
  SlidingWindowedKStream WithEmitStrategy(EmitStrategy emit) const {
    SlidingWindowedKStream other = *this;
    other.emit_ = emit;
    return other;
  }

  // Records that come too late for all or some of their windows go to this topic, once each and as they came, with headers that
  // say why (docs/dsl.md). Serdes that `produced` does not give are those of the grouping. Otherwise they are dropped.
  template <class KS = UseDefaultSerde, class VS = UseDefaultSerde, class P = DefaultPartitioner>
  SlidingWindowedKStream LateTo(const std::string& topic, Produced<KS, VS, P> produced = {}) const {
    SlidingWindowedKStream other = *this;
    other.late_ = detail::LateRecords<K, V>::ToTopic(topic, stream_, grouped_, produced);
    return other;
  }
  // The same as a stream, which `use` gets when the aggregation is made: void(KStream<K, V> late).
  template <class F>
  SlidingWindowedKStream WithLateRecords(F use) const {
    SlidingWindowedKStream other = *this;
    other.late_ = detail::LateRecords<K, V>::ToStream(std::move(use));
    return other;
  }

  KTable<Windowed<K>, int64_t> Count(Named named = {}) const {
    return Count(Materialized<>(), std::move(named));
  }
  template <class KS, class VS>
  KTable<Windowed<K>, int64_t> Count(Materialized<KS, VS> materialized, Named named = {}) const {
    return Build<int64_t>(detail::CountStep{}, std::move(materialized), std::move(named), "KSTREAM-AGGREGATE-",
                          detail::Merging::kNone);
  }
  // `reducer`: V(const V& aggregate, const V& value).
  template <class F, class KS = UseDefaultSerde, class VS = UseDefaultSerde>
  KTable<Windowed<K>, V> Reduce(F reducer, Materialized<KS, VS> materialized = {}, Named named = {}) const {
    return Build<V>(detail::ReduceStep<V, F>{std::move(reducer)}, std::move(materialized), std::move(named),
                    "KSTREAM-REDUCE-", detail::Merging::kNone);
  }
  // `initializer`: VR(); `adder`: VR(const K&, const V&, VR).
  template <class VR, class I, class F, class KS = UseDefaultSerde, class VS = UseDefaultSerde>
  KTable<Windowed<K>, VR> Aggregate(I initializer, F adder, Materialized<KS, VS> materialized = {}, Named named = {}) const {
    return Build<VR>(detail::AggregateStep<VR, I, F>{std::move(initializer), std::move(adder)}, std::move(materialized),
                     std::move(named), "KSTREAM-AGGREGATE-", detail::Merging::kNone);
  }

 private:
  template <class VR, class Step, class KS, class VS>
  KTable<Windowed<K>, VR> Build(Step step, Materialized<KS, VS> materialized, Named named, const char* prefix,
                                detail::Merging merging) const {
    using KeySerde = detail::KeySerdeType<KS, K>;
    using ValueSerde = detail::SerdeType<VS, VR>;
    state::StoreSpec spec = detail::SpecOf(materialized, materialized.store_name, state::StoreKind::kWindow);
    spec.window_size_ms = windows_.difference_ms();
    spec.emits_on_close = emit_ == EmitStrategy::kOnWindowClose;
    if (spec.emits_on_close) spec.caching = false;
    // A late record looks two differences back for what its left window begins with.
    const int64_t needed_ms = 2 * windows_.difference_ms() + windows_.grace_ms();
    spec.retention_ms = detail::RetentionOf(*stream_.graph, materialized, needed_ms, "2 * time difference + grace");
    auto table = detail::BuildAggregate<K, V, VR, Windowed<K>>(
        stream_, grouped_, std::move(spec), materialized, std::move(named), prefix, merging, windows_.grace_ms(),
        [step, windows = windows_, emit = emit_](const std::string& store, const KeySerde& ks, const ValueSerde& vs) {
          return detail::MakeNode<detail::SlidingAggregateNode<K, V, VR, Step, KeySerde, ValueSerde>>(step, windows, emit, store,
                                                                                                     ks, vs);
        });
    late_.AttachTo(table.handle(), stream_);
    return table;
  }

  detail::StreamHandle stream_;
  Grouped<GKS, GVS> grouped_;
  SlidingWindows windows_;
  EmitStrategy emit_ = EmitStrategy::kOnWindowUpdate;
  detail::LateRecords<K, V> late_;
};

}  // namespace tailrace::processor
