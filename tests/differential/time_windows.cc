// Tumbling and hopping windows, and streams and tables of windowed keys; twin of TimeWindowed.java.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "grammar.h"

namespace tailrace::differential {
namespace {

using processor::Windowed;

Text ShownKey(const Windowed<Text>* key) { return absl::StrCat(key->key, "@", key->start_ms, "/", key->end_ms); }

processor::TimeWindows WindowsOf(const Op& op) {
  return processor::TimeWindows::OfSizeAndGrace(std::chrono::milliseconds(op.Number("size")),
                                                std::chrono::milliseconds(op.Number("grace")));
}

void DrawWindows(Plan& plan, Op& op) {
  plan.Number(op, "size", 1, 40);
  plan.Number(op, "grace", 0, 40);
}

void DrawAggregate(Plan& plan, Op& op) {
  plan.MaybeName(op);
  plan.MaybeNulls(op);
  // Kafka Streams numbers a count differently when it is given no Materialized at all.
  if (op.kind.ends_with(".count") && plan.draw.Percent(25)) op.arguments["bare"] = "1";
  else plan.Store(op);
  if (plan.draw.Percent(20)) plan.Number(op, "retention", 80, 200);
}

void DrawMapping(Plan& plan, Op& op) {
  plan.MaybeName(op);
  plan.MaybeNulls(op);
  plan.Number(op, "n", 1, 3);
  op.arguments["tag"] = plan.Fresh("m");
}

}  // namespace

void AddTimeWindows(Grammar& grammar) {
  grammar.Add({"grouped.tumbling", {Type::kGrouped}, Type::kTimeWindowed, DrawWindows,
               [](Graph& graph, const Op& op) -> std::any { return graph.Input<Grouped>(op).WindowedBy(WindowsOf(op)); }});
  grammar.Add({"grouped.hopping", {Type::kGrouped}, Type::kTimeWindowed,
               [](Plan& plan, Op& op) {
                 DrawWindows(plan, op);
                 plan.Number(op, "advance", 1, op.Number("size"));
               },
               [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Grouped>(op).WindowedBy(
                     WindowsOf(op).AdvanceBy(std::chrono::milliseconds(op.Number("advance"))));
               }});
  grammar.Add({"grouped.unlimited", {Type::kGrouped}, Type::kTimeWindowed,
               [](Plan& plan, Op& op) { plan.Number(op, "start", 0, 40); }, [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Grouped>(op).WindowedBy(processor::UnlimitedWindows::Of().StartOn(op.Number("start")));
               }});
  grammar.Add({"timeWindowed.count", {Type::kTimeWindowed}, Type::kWindowedTable, DrawAggregate,
               [](Graph& graph, const Op& op) -> std::any {
                 const auto& in = graph.Input<TimeWindowed>(op);
                 const auto counts = op.Flag("bare") ? in.Count(NamedOf(op)) : in.Count(MaterializedOf(op), NamedOf(op));
                 return counts.MapValues([](const int64_t& count) { return absl::StrCat("n", count); });
               }});
  grammar.Add({"timeWindowed.reduce", {Type::kTimeWindowed}, Type::kWindowedTable, DrawAggregate,
               [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<TimeWindowed>(op).Reduce(
                     [f = Functions(op)](const Text* aggregate, const Text* v) { return f.Added(nullptr, v, aggregate); },
                     MaterializedOf(op), NamedOf(op));
               }});
  grammar.Add({"timeWindowed.aggregate", {Type::kTimeWindowed}, Type::kWindowedTable, DrawAggregate,
               [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<TimeWindowed>(op).Aggregate<Text>(
                     [] { return Text("0"); },
                     [f = Functions(op)](const Text* k, const Text* v, const Text& a) { return f.Added(k, v, &a); },
                     MaterializedOf(op), NamedOf(op));
               }});
  grammar.Add({"windowedTable.filter", {Type::kWindowedTable}, Type::kWindowedTable, DrawMapping,
               [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<WindowedTable>(op).Filter(
                     [f = Functions(op)](const Windowed<Text>* k, const Text* v) {
                       const Text key = ShownKey(k);
                       return f.Chosen(&key, v);
                     },
                     NamedOf(op));
               }});
  grammar.Add({"windowedTable.mapValues", {Type::kWindowedTable}, Type::kWindowedTable, DrawMapping,
               [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<WindowedTable>(op).MapValues(
                     [f = Functions(op)](const Windowed<Text>* k, const Text* v) {
                       const Text key = ShownKey(k);
                       return f.Mapped(&key, v);
                     },
                     NamedOf(op));
               }});
  grammar.Add({"windowedTable.toStream", {Type::kWindowedTable}, Type::kWindowedStream,
               [](Plan& plan, Op& op) { plan.MaybeName(op); }, [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<WindowedTable>(op).ToStream(NamedOf(op));
               }});
  grammar.Add({"windowedStream.selectKey", {Type::kWindowedStream}, Type::kStream,
               [](Plan& plan, Op& op) { plan.MaybeName(op); }, [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<WindowedStream>(op).SelectKey(
                     [](const Windowed<Text>* k, const Text*) { return ShownKey(k); }, NamedOf(op));
               }});
  grammar.Add({"windowedStream.to", {Type::kWindowedStream}, Type::kNone,
               [](Plan& plan, Op& op) { op.arguments["topic"] = plan.Fresh("out"); },
               [](Graph& graph, const Op& op) -> std::any {
                 graph.Input<WindowedStream>(op).To(op.Text("topic"));
                 return {};
               }});
}

}  // namespace tailrace::differential
