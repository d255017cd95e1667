// Aggregation per key and session.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "tailrace/processor/detail/session_nodes.h"
#include "tailrace/processor/grouped_stream.h"
#include "tailrace/processor/session_windows.h"

namespace tailrace::processor {
namespace detail {

struct SessionRows {
  template <class K, class V>
  using Getter = SessionStoreGetter<K, V>;
  template <class KS>
  static auto KeySerde(const KS& serde, const state::StoreSpec&) {
    return SessionWindowedSerde<KS>{serde};
  }
};

}  // namespace detail

// Aggregates sessions into a table with windowed keys, whose start and end are both inclusive. A record that joins sessions
// deletes them from the table before it adds the one that they become. Null keys are dropped; the time of a result is the end
// of its session. Read what is written of them with a SessionWindowedSerde.
//
//   clicks.GroupByKey().WindowedBy(SessionWindows::OfInactivityGapWithNoGrace(30min)).Count()
template <class K, class V, class GKS = UseDefaultSerde, class GVS = UseDefaultSerde>
class SessionWindowedKStream {
 public:
  SessionWindowedKStream(detail::StreamHandle stream, Grouped<GKS, GVS> grouped, SessionWindows windows)
      : stream_(std::move(stream)), grouped_(std::move(grouped)), windows_(windows) {
    if (!windows_.valid()) stream_.graph->Fail(base::UsageError("a session window needs an inactivity gap >= 0 and grace >= 0"));
  }

  // The same windows, with results shown on update (the default) or on window close.
  SessionWindowedKStream WithEmitStrategy(EmitStrategy emit) const {
    SessionWindowedKStream other = *this;
    other.emit_ = emit;
    return other;
  }

  // Records that come too late for all or some of their windows go to this topic, once each and as they came, with headers that
  // say why (docs/dsl.md). Serdes that `produced` does not give are those of the grouping. Otherwise they are dropped.
  template <class KS = UseDefaultSerde, class VS = UseDefaultSerde, class P = DefaultPartitioner>
  SessionWindowedKStream LateTo(const std::string& topic, Produced<KS, VS, P> produced = {}) const {
    SessionWindowedKStream other = *this;
    other.late_ = detail::LateRecords<K, V>::ToTopic(topic, stream_, grouped_, produced);
    return other;
  }
  // The same as a stream, which `use` gets when the aggregation is made: void(KStream<K, V> late).
  template <class F>
  SessionWindowedKStream WithLateRecords(F use) const {
    SessionWindowedKStream other = *this;
    other.late_ = detail::LateRecords<K, V>::ToStream(std::move(use));
    return other;
  }

  // Counts records, also those with a null value.
  KTable<Windowed<K>, int64_t> Count(Named named = {}) const {
    return Build<int64_t>(detail::CountStep{}, detail::CountMerger{}, Materialized<>(), std::move(named), "KSTREAM-AGGREGATE-",
                          detail::Merging::kSum);
  }
  template <class KS, class VS>
  KTable<Windowed<K>, int64_t> Count(Materialized<KS, VS> materialized, Named named = {}) const {
    // A Materialized without a name uses up one number more here than elsewhere (SessionWindowedKStreamImpl.count).
    if (materialized.store_name.empty()) stream_.graph->NewStoreName("");
    return Build<int64_t>(detail::CountStep{}, detail::CountMerger{}, std::move(materialized), std::move(named),
                          "KSTREAM-AGGREGATE-", detail::Merging::kSum);
  }
  // `reducer`: V(const V& aggregate, const V& value), which also makes one session of two. Null values are dropped, unless it
  // takes (const V*, const V*).
  template <class F, class KS = UseDefaultSerde, class VS = UseDefaultSerde>
  KTable<Windowed<K>, V> Reduce(F reducer, Materialized<KS, VS> materialized = {}, Named named = {}) const {
    using Step = detail::ReduceStep<V, F>;
    return Build<V>(Step{reducer}, detail::ReduceMerger<V, F>{Step{reducer}}, std::move(materialized), std::move(named),
                    "KSTREAM-REDUCE-", detail::Merging::kNone);
  }
  // `initializer`: VR(); `adder`: VR(const K&, const V&, VR), or with pointers to get null values, too;
  // `merger`: VR(const K&, const VR&, const VR&).
  template <class VR, class I, class F, class M, class KS = UseDefaultSerde, class VS = UseDefaultSerde>
  KTable<Windowed<K>, VR> Aggregate(I initializer, F adder, M merger, Materialized<KS, VS> materialized = {},
                                    Named named = {}) const {
    return Build<VR>(detail::AggregateStep<VR, I, F>{initializer, std::move(adder)},
                     detail::AggregateMerger<VR, I, M>{std::move(initializer), std::move(merger)}, std::move(materialized),
                     std::move(named), "KSTREAM-AGGREGATE-", detail::Merging::kNone);
  }

 private:
  template <class VR, class Step, class Merger, class KS, class VS>
  KTable<Windowed<K>, VR> Build(Step step, Merger merger, Materialized<KS, VS> materialized, Named named, const char* prefix,
                                detail::Merging merging) const {
    using KeySerde = detail::KeySerdeType<KS, K>;
    using ValueSerde = detail::SerdeType<VS, VR>;
    state::StoreSpec spec = detail::SpecOf(materialized, materialized.store_name, state::StoreKind::kSession);
    spec.emits_on_close = emit_ == EmitStrategy::kOnWindowClose;
    if (spec.emits_on_close) spec.caching = false;
    const int64_t needed_ms = windows_.gap_ms() + windows_.grace_ms();
    spec.retention_ms = detail::RetentionOf(*stream_.graph, materialized, needed_ms, "inactivity gap + grace");
    auto table = detail::BuildAggregate<K, V, VR, Windowed<K>, detail::SessionRows>(
        stream_, grouped_, std::move(spec), materialized, std::move(named), prefix, merging, needed_ms,
        [step, merger, windows = windows_, emit = emit_](const std::string& store, const KeySerde& ks, const ValueSerde& vs) {
          return detail::MakeNode<detail::SessionAggregateNode<K, V, VR, Step, Merger, KeySerde, ValueSerde>>(
              step, merger, windows, emit, store, ks, vs);
        });
    late_.AttachTo(table.handle(), stream_);
    return table;
  }

  detail::StreamHandle stream_;
  Grouped<GKS, GVS> grouped_;
  SessionWindows windows_;
  EmitStrategy emit_ = EmitStrategy::kOnWindowUpdate;
  detail::LateRecords<K, V> late_;
};

}  // namespace tailrace::processor
