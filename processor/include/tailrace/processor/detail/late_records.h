// How LateTo and WithLateRecords of windowed streams become operators.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "tailrace/processor/detail/dsl_operators.h"
#include "tailrace/processor/detail/key_serde.h"
#include "tailrace/processor/detail/late_output.h"
#include "tailrace/processor/detail/stream_handle.h"
#include "tailrace/processor/detail/table_origin.h"
#include "tailrace/processor/detail/topic_nodes.h"
#include "tailrace/processor/options.h"

namespace tailrace::processor {

template <class K, class V>
class KStream;

namespace detail {

// The serde that was given, else the one that `fallback` says.
template <class T, class Given, class Fallback>
auto GivenSerdeOr(const Given& given, const Fallback& fallback) {
  if constexpr (std::is_same_v<Given, UseDefaultSerde>) return ResolveSerde<Fallback, T>::From(fallback);
  else return ResolveSerde<Given, T>::From(given);
}

// What is to become of records that come too late for their windows; when nothing was said they are dropped and counted.
template <class K, class V>
class LateRecords {
 public:
  LateRecords() = default;

  // To a topic; `stream` is the one whose records are late. The sink uses no number up, as the operator above it: an application
  // that begins to keep its late records keeps its generated names, too.
  template <class GKS, class GVS, class KS, class VS, class P>
  static LateRecords ToTopic(const std::string& topic, const StreamHandle& stream, const Grouped<GKS, GVS>& grouped,
                             const Produced<KS, VS, P>& produced) {
    return LateRecords([=, ks = KeysOf(stream, grouped, produced),
                        vs = GivenSerdeOr<V>(produced.value_serde, grouped.value_serde)](const StreamHandle& late) {
      using Sink = SinkNode<K, V, std::remove_cvref_t<decltype(ks)>, std::remove_cvref_t<decltype(vs)>, P>;
      const std::string name = produced.name.empty() ? late.node + "-sink" : produced.name;
      AddNumberlessSink(late, topic, name, [=, partitioner = produced.partitioner] { return MakeNode<Sink>(topic, ks, vs, partitioner); });
    });
  }
  // `use`: void(KStream<K, V> late).
  template <class F>
  static LateRecords ToStream(F use) {
    return LateRecords([use = std::move(use)](const StreamHandle& late) { use(KStream<K, V>(late)); });
  }

  // Adds the operators below the aggregation that makes `table` of `stream`.
  void AttachTo(const TableHandle& table, const StreamHandle& stream) const {
    if (!use_) return;
    const std::string name = table.node + "-late";
    StreamHandle late = AddProcessor(table, name, [] { return MakeNode<LateRecordsNode<K, V>>(); });
    late.windowed_key_serde = stream.windowed_key_serde;  // they are its records
    use_(late);
  }

 private:
  // Windowed keys have the serde of the grouping in the handle of its stream, whether it was given or is that of the table above.
  template <class GKS, class GVS, class KS, class VS, class P>
  static auto KeysOf(const StreamHandle& stream, const Grouped<GKS, GVS>& grouped, const Produced<KS, VS, P>& produced) {
    if constexpr (kInheritsKeySerde<K, KS>) return KeySerdeOf<K>(produced.key_serde, stream);
    else return GivenSerdeOr<K>(produced.key_serde, grouped.key_serde);
  }

  explicit LateRecords(std::function<void(const StreamHandle&)> use) : use_(std::move(use)) {}

  std::function<void(const StreamHandle&)> use_;
};

}  // namespace detail
}  // namespace tailrace::processor
