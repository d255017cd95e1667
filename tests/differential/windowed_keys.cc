// Streams of windowed keys that go on: groupings, tables and repartition topics of them; twin of WindowedKeys.java.
#include <set>

#include "absl/strings/str_cat.h"
#include "grammar.h"

namespace tailrace::differential {
namespace {

using processor::Windowed;
using TimeKeySerde = processor::TimeWindowedSerde<processor::StringSerde>;
using SessionKeySerde = processor::SessionWindowedSerde<processor::StringSerde>;

// What a reader of a time window's key is told, since the key does not hold its end.
constexpr int64_t kReadSizeMs = 1000;
const TimeKeySerde kTimeKeys{.key_serde = {}, .window_size_ms = kReadSizeMs};

void DrawStored(Plan& plan, Op& op) {
  plan.MaybeName(op);
  plan.MaybeNulls(op);
  plan.Store(op);
}

// A count that was given no Materialized tells Kafka Streams no serde of its keys.
void NameStores(std::vector<Op>& ops, const Op& op) {
  std::set<int> above(op.inputs.begin(), op.inputs.end());
  for (auto other = ops.rbegin(); other != ops.rend(); ++other) {
    if (!above.contains(other->id)) continue;
    above.insert(other->inputs.begin(), other->inputs.end());
    other->arguments.erase("bare");
  }
}

void DrawGrouping(Plan& plan, Op& op) {
  DrawStored(plan, op);
  plan.Number(op, "n", 1, 3);
}

// The same window, another key.
Windowed<Text> Moved(const Functions& f, const Windowed<Text>* key, const Text* value) {
  Windowed<Text> moved = *key;
  moved.key = f.Selected(&key->key, value).value_or("none");
  return moved;
}

template <class G>
std::any Concatenated(const G& grouped, const Op& op) {
  return grouped
      .Reduce([f = Functions(op)](const Text* aggregate, const Text* v) { return f.Added(nullptr, v, aggregate); },
              MaterializedOf(op), NamedOf(op))
      .ToStream();
}

template <class KeySerde>
void AddKindsOf(Grammar& grammar, const std::string& name, Type type, const KeySerde& keys) {
  grammar.Add({name + ".groupByKey", {type}, type, DrawStored, [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<WindowedStream>(op)
                     .GroupByKey()
                     .Count(MaterializedOf(op), NamedOf(op))
                     .MapValues([](const int64_t& count) { return absl::StrCat("n", count); })
                     .ToStream();
               }, NameStores});
  grammar.Add({name + ".groupBy", {type}, type, DrawGrouping, [keys](Graph& graph, const Op& op) -> std::any {
                 return Concatenated(graph.Input<WindowedStream>(op).GroupBy(
                                         [f = Functions(op)](const Windowed<Text>* k, const Text* v) { return Moved(f, k, v); },
                                         processor::Grouped(std::string(), keys, processor::StringSerde())),
                                     op);
               }});
  // Kafka Streams' toTable and repartition forget the serde of the table (KStreamImpl), so both are always given theirs.
  grammar.Add({name + ".toTable", {type}, type, DrawStored, [keys](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<WindowedStream>(op)
                     .ToTable(NamedOf(op), MaterializedOf(op).WithSerdes(keys, processor::StringSerde()))
                     .ToStream();
               }});
  grammar.Add({name + ".repartition", {type}, type, [](Plan& plan, Op& op) { plan.MaybeName(op); },
               [keys](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<WindowedStream>(op).Repartition(
                     processor::Repartitioned<>(op.TextOr("name", "")).WithSerdes(keys, processor::StringSerde()));
               }});
}

}  // namespace

void AddWindowedKeys(Grammar& grammar) {
  AddKindsOf(grammar, "windowedStream", Type::kWindowedStream, kTimeKeys);
  AddKindsOf(grammar, "sessionStream", Type::kSessionStream, SessionKeySerde());
}

}  // namespace tailrace::differential
