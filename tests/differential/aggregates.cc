// Grouping, and aggregates per key; twin of Aggregates.java.
#include "absl/strings/str_cat.h"
#include "grammar.h"

namespace tailrace::differential {
namespace {

void DrawGrouping(Plan& plan, Op& op) {
  plan.MaybeName(op);
  plan.MaybeNulls(op);
  plan.Number(op, "n", 1, 4);
}

void DrawAggregate(Plan& plan, Op& op) {
  plan.MaybeName(op);
  plan.MaybeNulls(op);
  plan.MaybeThrows(op);
  // Kafka Streams numbers a count differently when it is given no Materialized at all.
  if (op.kind.ends_with(".count") && plan.draw.Percent(25)) op.arguments["bare"] = "1";
  else plan.Store(op);
}

}  // namespace

void AddAggregates(Grammar& grammar) {
  grammar.Add({"stream.groupByKey", {Type::kStream}, Type::kGrouped, DrawGrouping, [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Stream>(op).GroupByKey(processor::Grouped<>(op.TextOr("name", "")));
               }});
  grammar.Add({"stream.groupBy", {Type::kStream}, Type::kGrouped, DrawGrouping, [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Stream>(op).GroupBy(
                     [f = Functions(op)](const Text* k, const Text* v) { return f.Selected(k, v); },
                     processor::Grouped<>(op.TextOr("name", "")));
               }});
  grammar.Add({"grouped.count", {Type::kGrouped}, Type::kTable, DrawAggregate, [](Graph& graph, const Op& op) -> std::any {
                 const auto& in = graph.Input<Grouped>(op);
                 const auto counts = op.Flag("bare") ? in.Count(NamedOf(op)) : in.Count(MaterializedOf(op), NamedOf(op));
                 return counts.MapValues([](const int64_t& count) { return absl::StrCat("n", count); });
               }});
  grammar.Add({"grouped.reduce", {Type::kGrouped}, Type::kTable, DrawAggregate, [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Grouped>(op).Reduce(
                     [f = Functions(op)](const Text* aggregate, const Text* v) { return f.Added(nullptr, v, aggregate); },
                     MaterializedOf(op), NamedOf(op));
               }});
  grammar.Add({"grouped.aggregate", {Type::kGrouped}, Type::kTable, DrawAggregate, [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Grouped>(op).Aggregate<Text>(
                     [] { return Text("0"); },
                     [f = Functions(op)](const Text* k, const Text* v, const Text& a) { return f.Added(k, v, &a); },
                     MaterializedOf(op), NamedOf(op));
               }});
}

}  // namespace tailrace::differential
