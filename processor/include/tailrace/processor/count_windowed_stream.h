// Aggregation per key and count window.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "tailrace/processor/count_windows.h"
#include "tailrace/processor/detail/count_nodes.h"
#include "tailrace/processor/grouped_stream.h"

namespace tailrace::processor {

// Aggregates each so many records of a key into a table with windowed keys: a window's start is the number of its first record among
// those of the key, from 0, and its end is start + size. Null keys and values are dropped; the time of a result is the largest of its
// records. A new window replaces the one before it in the store, which has one row per key; with WithTimeToLive, keys that are
// not seen any more go, and begin anew.
//
//   readings.GroupByKey().WindowedBy(CountWindows::Of(100)).Aggregate<Mean>([] { return Mean(); }, Add, Materialized("means"))
template <class K, class V, class GKS = UseDefaultSerde, class GVS = UseDefaultSerde>
class CountWindowedKStream {
 public:
  CountWindowedKStream(detail::StreamHandle stream, Grouped<GKS, GVS> grouped, CountWindows windows)
      : stream_(std::move(stream)), grouped_(std::move(grouped)), windows_(windows) {
    if (!windows_.valid()) stream_.graph->Fail(base::UsageError("a count window needs at least one record"));
  }

  // Results on update (the default), or on window close: when a window is full.
  CountWindowedKStream WithEmitStrategy(EmitStrategy emit) const {
    CountWindowedKStream other = *this;
    other.emit_ = emit;
    return other;
  }

  // The number of records so far: of a full window, its size.
  KTable<Windowed<K>, int64_t> Count(Named named = {}) const {
    return Count(Materialized<>(), std::move(named));
  }
  template <class KS, class VS>
  KTable<Windowed<K>, int64_t> Count(Materialized<KS, VS> materialized, Named named = {}) const {
    return Build<int64_t>(detail::CountStep{}, std::move(materialized), std::move(named), "KSTREAM-AGGREGATE-");
  }
  // `reducer`: V(const V& aggregate, const V& value).
  template <class F, class KS = UseDefaultSerde, class VS = UseDefaultSerde>
  KTable<Windowed<K>, V> Reduce(F reducer, Materialized<KS, VS> materialized = {}, Named named = {}) const {
    return Build<V>(detail::ReduceStep<V, F>{std::move(reducer)}, std::move(materialized), std::move(named), "KSTREAM-REDUCE-");
  }
  // `initializer`: VR(); `adder`: VR(const K&, const V&, VR).
  template <class VR, class I, class F, class KS = UseDefaultSerde, class VS = UseDefaultSerde>
  KTable<Windowed<K>, VR> Aggregate(I initializer, F adder, Materialized<KS, VS> materialized = {}, Named named = {}) const {
    return Build<VR>(detail::AggregateStep<VR, I, F>{std::move(initializer), std::move(adder)}, std::move(materialized),
                     std::move(named), "KSTREAM-AGGREGATE-");
  }

 private:
  template <class VR, class Step, class KS, class VS>
  KTable<Windowed<K>, VR> Build(Step step, Materialized<KS, VS> materialized, Named named, const char* prefix) const {
    using KeySerde = detail::KeySerdeType<KS, K>;
    using ValueSerde = detail::SerdeType<VS, VR>;
    state::StoreSpec spec = detail::SpecOf(materialized, materialized.store_name, state::StoreKind::kKeyValue);
    spec.caching = false;
    spec.window_size_ms = windows_.records();
    if (spec.schema == nullptr)
      spec.schema = detail::CountWindowSchema(
          detail::MakeSchema<K, VR>(detail::KeySerdeOf<K>(materialized.key_serde, stream_),
                                    detail::ResolveSerde<VS, VR>::From(materialized.value_serde), detail::Merging::kNone));
    return detail::BuildAggregate<K, V, VR, Windowed<K>, detail::CountWindowRows>(
        stream_, grouped_, std::move(spec), materialized, std::move(named), prefix, detail::Merging::kNone, detail::kNoGrace,
        [step, windows = windows_, only_full = emit_ == EmitStrategy::kOnWindowClose](const std::string& store, const KeySerde& ks,
                                                                                     const ValueSerde& vs) {
          return detail::MakeNode<detail::CountWindowNode<K, V, VR, Step, KeySerde, ValueSerde>>(step, windows, only_full, store, ks,
                                                                                                 vs);
        });
  }

  detail::StreamHandle stream_;
  Grouped<GKS, GVS> grouped_;
  CountWindows windows_;
  EmitStrategy emit_ = EmitStrategy::kOnWindowUpdate;
};

}  // namespace tailrace::processor
