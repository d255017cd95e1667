// Several grouped streams aggregated together.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tailrace/processor/detail/session_nodes.h"
#include "tailrace/processor/detail/sliding_nodes.h"
#include "tailrace/processor/grouped_stream.h"
#include "tailrace/processor/session_windowed_stream.h"

namespace tailrace::processor {
namespace detail {

// How one of the grouped streams is added to the common aggregate. What depends on the type of its values is behind functions.
template <class K, class VOut>
struct CogroupInput {
  using Initializer = std::function<VOut()>;
  using KeySerde = AnySerde<K>;
  using ValueSerde = AnySerde<VOut>;
  using Merger = AggregateMerger<VOut, Initializer, std::function<VOut(const K&, const VOut&, const VOut&)>>;

  explicit CogroupInput(const StreamHandle& s) : stream(s), grouping(s.shared_repartition.get()) {}

  StreamHandle stream;
  const void* grouping;  // the grouping that it is, which counts once
  std::function<StreamHandle(const std::string& store)> repartition;
  std::function<std::unique_ptr<Node>(Initializer, std::string store, KeySerde, ValueSerde)> make;
  std::function<std::unique_ptr<Node>(Initializer, TimeWindows, std::string store, KeySerde, ValueSerde)> make_time;
  std::function<std::unique_ptr<Node>(Initializer, SlidingWindows, std::string store, KeySerde, ValueSerde)> make_sliding;
  std::function<std::unique_ptr<Node>(Initializer, Merger, SessionWindows, std::string store, KeySerde, ValueSerde)>
      make_session;
  // Once it was needed; all aggregates of the cogroup share it (CogroupedStreamAggregateBuilder.parentNodes).
  std::shared_ptr<std::optional<StreamHandle>> repartitioned = std::make_shared<std::optional<StreamHandle>>();
};

template <class K, class V, class VOut, class F, class GKS, class GVS>
CogroupInput<K, VOut> MakeCogroupInput(const StreamHandle& stream, const Grouped<GKS, GVS>& grouped, F adder) {
  using Input = CogroupInput<K, VOut>;
  using Initializer = typename Input::Initializer;
  using KeySerde = typename Input::KeySerde;
  using ValueSerde = typename Input::ValueSerde;
  using Step = AggregateStep<VOut, Initializer, F>;
  Input input(stream);
  input.repartition = [stream, grouped](const std::string& store) {
    return Repartition<K, V>(stream, grouped.name.empty() ? store : grouped.name, std::nullopt,
                             KeySerdeOf<K>(grouped.key_serde, stream), ResolveSerde<GVS, V>::From(grouped.value_serde));
  };
  input.make = [adder](Initializer init, std::string store, KeySerde ks, ValueSerde vs) {
    return MakeNode<AggregateNode<K, V, VOut, Step, KeySerde, ValueSerde>>(
        Step{std::move(init), adder}, std::move(store), std::move(ks), std::move(vs));
  };
  input.make_time = [adder](Initializer init, TimeWindows windows, std::string store, KeySerde ks, ValueSerde vs) {
    return MakeNode<WindowAggregateNode<K, V, VOut, Step, KeySerde, ValueSerde>>(
        Step{std::move(init), adder}, windows, EmitStrategy::kOnWindowUpdate, std::move(store), std::move(ks), std::move(vs));
  };
  input.make_sliding = [adder](Initializer init, SlidingWindows windows, std::string store, KeySerde ks, ValueSerde vs) {
    return MakeNode<SlidingAggregateNode<K, V, VOut, Step, KeySerde, ValueSerde>>(
        Step{std::move(init), adder}, windows, EmitStrategy::kOnWindowUpdate, std::move(store), std::move(ks), std::move(vs));
  };
  input.make_session = [adder](Initializer init, typename Input::Merger merger, SessionWindows windows, std::string store,
                               KeySerde ks, ValueSerde vs) {
    return MakeNode<SessionAggregateNode<K, V, VOut, Step, typename Input::Merger, KeySerde, ValueSerde>>(
        Step{std::move(init), adder}, std::move(merger), windows, EmitStrategy::kOnWindowUpdate, std::move(store), std::move(ks),
        std::move(vs));
  };
  return input;
}

// The inputs of one cogroup, shared by its handles.
template <class K, class VOut>
struct Cogroup {
  std::shared_ptr<StreamGraph> graph;  // shared by all handles of one builder
  std::vector<CogroupInput<K, VOut>> inputs;

  // Writes one operator for each input and one behind them, over one store (CogroupedStreamAggregateBuilder.build).
  // `make(input)` gives the factory of an input's operator.
  template <class KOut, class Rows, class KS, class VS, class Make>
  KTable<KOut, VOut> Aggregate(state::StoreSpec spec, const Materialized<KS, VS>& materialized, const Named& named,
                               int64_t grace_ms, Make make) {
    const auto key_serde = AnySerde<K>::Of(KeySerdeOf<K>(materialized.key_serde, inputs.front().stream));
    const auto value_serde = AnySerde<VOut>::Of(ResolveSerde<VS, VOut>::From(materialized.value_serde));
    const bool store_named = !spec.name.empty();
    if (!store_named) spec.name = graph->NewStoreName(kPrefix);
    const auto origin = TableOrigin::Aggregate(spec.name, store_named);
    if (spec.schema == nullptr) spec.schema = MakeSchema<K, VOut>(key_serde, value_serde, Merging::kNone);
    std::vector<StreamHandle> streams;
    for (const CogroupInput<K, VOut>& input : inputs) streams.push_back(StreamOf(input, spec.name));
    std::vector<StreamGraph::NodeId> ids;
    std::vector<std::string> names;
    std::set<std::string> sources;
    std::vector<std::string> copartitioned;
    for (size_t i = 0; i < inputs.size(); ++i) {
      names.push_back(graph->SuffixedOr(named.name, absl::StrCat("-cogroup-agg-", i), kPrefix));
      const auto write = [=, name = names.back(), parent = streams[i].node, factory = make(inputs[i])](Topology& topology) {
        topology.AddNode({.name = name, .predecessors = {parent}, .factory = [=] {
                            return factory(spec.name, key_serde, value_serde);
                          }});
        // The first input's operator is written first.
        if (i > 0) {
          topology.ConnectProcessorAndStore(name, spec.name);
          return;
        }
        state::StoreSpec store = spec;
        store.keep_old_values = origin->sends_old_values();
        topology.AddStateStore(std::move(store), {name});
      };
      ids.push_back(graph->Add({streams[i].id}, write));
      if (grace_ms != kNoGrace) graph->SetWindowGrace(ids.back(), grace_ms);
      sources.insert(streams[i].sources.begin(), streams[i].sources.end());
    }
    const std::string merged = graph->SuffixedOr(named.name, "-cogroup-merge", "COGROUPKSTREAM-MERGE-");
    copartitioned.assign(sources.begin(), sources.end());
    const auto id = graph->Add(ids, [=](Topology& topology) {
      topology.AddNode({.name = merged, .predecessors = names, .factory = [] {
                          return MakeNode<PassThroughNode<KOut, Change<VOut>>>();
                        }});
      topology.AddCopartition(copartitioned);
    });
    return AggregateTable<K, VOut, KOut, Rows>({graph, id, merged, std::move(sources), origin}, spec, key_serde, value_serde);
  }

 private:
  static constexpr char kPrefix[] = "COGROUPKSTREAM-AGGREGATE-";

  StreamHandle StreamOf(const CogroupInput<K, VOut>& input, const std::string& store) {
    if (!input.stream.repartition_required) return input.stream;
    std::optional<StreamHandle>& repartitioned = *input.repartitioned;
    if (repartitioned.has_value()) UseRepartitionNumbers(*graph);
    else repartitioned = input.repartition(store);
    return *repartitioned;
  }
};

}  // namespace detail

// A cogroup with windows: one Aggregate. Made by CogroupedKStream::WindowedBy.
template <class K, class VOut>
class TimeWindowedCogroupedKStream {
 public:
  TimeWindowedCogroupedKStream(std::shared_ptr<detail::Cogroup<K, VOut>> cogroup, TimeWindows windows)
      : cogroup_(std::move(cogroup)), windows_(windows) {
    if (!windows_.valid())
      cogroup_->graph->Fail(base::UsageError("a window needs size > 0, 0 < advance <= size and grace >= 0"));
  }
  template <class I, class KS = UseDefaultSerde, class VS = UseDefaultSerde>
  KTable<Windowed<K>, VOut> Aggregate(I initializer, Materialized<KS, VS> materialized = {}, Named named = {}) const {
    state::StoreSpec spec = detail::SpecOf(materialized, materialized.store_name, state::StoreKind::kWindow);
    spec.window_size_ms = windows_.size_ms();
    spec.retention_ms =
        detail::RetentionOf(*cogroup_->graph, materialized, windows_.size_ms() + windows_.grace_ms(), "size + grace");
    return cogroup_->template Aggregate<Windowed<K>, detail::TimeWindowRows>(
        std::move(spec), materialized, named, windows_.grace_ms(), [&](const detail::CogroupInput<K, VOut>& input) {
          return [make = input.make_time, initializer, windows = windows_](const std::string& store, const auto& ks,
                                                                           const auto& vs) {
            return make(initializer, windows, store, ks, vs);
          };
        });
  }

 private:
  std::shared_ptr<detail::Cogroup<K, VOut>> cogroup_;  // shared by all handles of one cogroup
  TimeWindows windows_;
};

template <class K, class VOut>
class SlidingWindowedCogroupedKStream {
 public:
  SlidingWindowedCogroupedKStream(std::shared_ptr<detail::Cogroup<K, VOut>> cogroup, SlidingWindows windows)
      : cogroup_(std::move(cogroup)), windows_(windows) {
    if (!windows_.valid())
      cogroup_->graph->Fail(base::UsageError("a sliding window needs a time difference > 0 and grace >= 0"));
  }
  template <class I, class KS = UseDefaultSerde, class VS = UseDefaultSerde>
  KTable<Windowed<K>, VOut> Aggregate(I initializer, Materialized<KS, VS> materialized = {}, Named named = {}) const {
    state::StoreSpec spec = detail::SpecOf(materialized, materialized.store_name, state::StoreKind::kWindow);
    spec.window_size_ms = windows_.difference_ms();
    spec.retention_ms = detail::RetentionOf(*cogroup_->graph, materialized, 2 * windows_.difference_ms() + windows_.grace_ms(),
                                            "2 * time difference + grace");
    return cogroup_->template Aggregate<Windowed<K>, detail::TimeWindowRows>(
        std::move(spec), materialized, named, windows_.grace_ms(), [&](const detail::CogroupInput<K, VOut>& input) {
          return [make = input.make_sliding, initializer, windows = windows_](const std::string& store, const auto& ks,
                                                                              const auto& vs) {
            return make(initializer, windows, store, ks, vs);
          };
        });
  }

 private:
  std::shared_ptr<detail::Cogroup<K, VOut>> cogroup_;  // shared by all handles of one cogroup
  SlidingWindows windows_;
};

template <class K, class VOut>
class SessionWindowedCogroupedKStream {
 public:
  SessionWindowedCogroupedKStream(std::shared_ptr<detail::Cogroup<K, VOut>> cogroup, SessionWindows windows)
      : cogroup_(std::move(cogroup)), windows_(windows) {
    if (!windows_.valid())
      cogroup_->graph->Fail(base::UsageError("a session window needs an inactivity gap >= 0 and grace >= 0"));
  }
  // `merger`: VOut(const K&, const VOut&, const VOut&) makes one aggregate of those of two sessions.
  template <class I, class M, class KS = UseDefaultSerde, class VS = UseDefaultSerde>
  KTable<Windowed<K>, VOut> Aggregate(I initializer, M merger, Materialized<KS, VS> materialized = {}, Named named = {}) const {
    state::StoreSpec spec = detail::SpecOf(materialized, materialized.store_name, state::StoreKind::kSession);
    const int64_t needed_ms = windows_.gap_ms() + windows_.grace_ms();
    spec.retention_ms = detail::RetentionOf(*cogroup_->graph, materialized, needed_ms, "inactivity gap + grace");
    using Input = detail::CogroupInput<K, VOut>;
    return cogroup_->template Aggregate<Windowed<K>, detail::SessionRows>(
        std::move(spec), materialized, named, needed_ms, [&](const Input& input) {
          return [make = input.make_session, initializer, merger, windows = windows_](const std::string& store, const auto& ks,
                                                                                      const auto& vs) {
            return make(initializer, typename Input::Merger{initializer, merger}, windows, store, ks, vs);
          };
        });
  }

 private:
  std::shared_ptr<detail::Cogroup<K, VOut>> cogroup_;  // shared by all handles of one cogroup
  SessionWindows windows_;
};

// Grouped streams whose records are added to one aggregate, each in its own way (org.apache.kafka.streams.kstream.
// CogroupedKStream, KIP-150). As there, Cogroup changes the cogroup that all copies of this handle stand for.
//
//   orders.GroupByKey().Cogroup<Account>(AddOrder)
//       .Cogroup(payments.GroupByKey(), AddPayment)
//       .Aggregate([] { return Account(); }, Materialized("accounts"));
template <class K, class VOut>
class CogroupedKStream {
 public:
  explicit CogroupedKStream(std::shared_ptr<detail::Cogroup<K, VOut>> cogroup) : cogroup_(std::move(cogroup)) {}

  // Another stream, or another adder for one that is there: VOut(const K&, const V&, VOut), or with pointers to get null
  // values in windows, too.
  template <class V, class F, class GKS, class GVS>
  CogroupedKStream Cogroup(const KGroupedStream<K, V, GKS, GVS>& grouped, F adder) const {
    auto added = detail::MakeCogroupInput<K, V, VOut>(grouped.stream(), grouped.grouped(), std::move(adder));
    for (detail::CogroupInput<K, VOut>& input : cogroup_->inputs) {
      if (input.grouping != added.grouping || added.grouping == nullptr) continue;
      added.repartitioned = input.repartitioned;
      input = std::move(added);
      return *this;
    }
    cogroup_->inputs.push_back(std::move(added));
    return *this;
  }

  // `initializer`: VOut(). Records with a null key or value are dropped.
  template <class I, class KS = UseDefaultSerde, class VS = UseDefaultSerde>
  KTable<K, VOut> Aggregate(I initializer, Materialized<KS, VS> materialized = {}, Named named = {}) const {
    return cogroup_->template Aggregate<K, detail::TimeWindowRows>(
        detail::SpecOf(materialized, materialized.store_name, state::StoreKind::kKeyValue), materialized, named, detail::kNoGrace,
        [&](const detail::CogroupInput<K, VOut>& input) {
          return [make = input.make, initializer](const std::string& store, const auto& ks, const auto& vs) {
            return make(initializer, store, ks, vs);
          };
        });
  }

  TimeWindowedCogroupedKStream<K, VOut> WindowedBy(TimeWindows windows) const { return {cogroup_, windows}; }
  TimeWindowedCogroupedKStream<K, VOut> WindowedBy(UnlimitedWindows windows) const { return {cogroup_, windows}; }
  SlidingWindowedCogroupedKStream<K, VOut> WindowedBy(SlidingWindows windows) const { return {cogroup_, windows}; }
  SessionWindowedCogroupedKStream<K, VOut> WindowedBy(SessionWindows windows) const { return {cogroup_, windows}; }

 private:
  std::shared_ptr<detail::Cogroup<K, VOut>> cogroup_;  // shared by all handles of one cogroup
};

template <class K, class V, class GKS, class GVS>
template <class VOut, class F>
CogroupedKStream<K, VOut> KGroupedStream<K, V, GKS, GVS>::Cogroup(F adder) const {
  auto cogroup = std::make_shared<detail::Cogroup<K, VOut>>();
  cogroup->graph = stream_.graph;
  return CogroupedKStream<K, VOut>(std::move(cogroup)).Cogroup(*this, std::move(adder));
}

}  // namespace tailrace::processor
