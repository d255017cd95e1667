// Tables grouped by another key, and their aggregates; twin of GroupedTables.java.
#include "absl/strings/str_cat.h"
#include "grammar.h"

namespace tailrace::differential {
namespace {

using processor::Windowed;

void DrawGrouping(Plan& plan, Op& op) {
  plan.MaybeName(op);
  plan.MaybeNulls(op);
  plan.Number(op, "n", 1, 4);
  op.arguments["tag"] = plan.Fresh("m");
}

void DrawAggregate(Plan& plan, Op& op) {
  plan.MaybeName(op);
  plan.MaybeNulls(op);
  plan.Store(op);
}

std::pair<MaybeText, MaybeText> PairOf(const Functions& f, const Text* key, const Text* value) {
  return {f.Selected(key, value), f.Mapped(value, key)};
}

}  // namespace

void AddGroupedTables(Grammar& grammar) {
  grammar.Add({"table.groupBy", {Type::kTable}, Type::kGroupedTable, DrawGrouping, [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Table>(op).GroupBy(
                     [f = Functions(op)](const Text* k, const Text* v) { return PairOf(f, k, v); },
                     processor::Grouped<>(op.TextOr("name", "")));
               }});
  grammar.Add({"windowedTable.groupBy", {Type::kWindowedTable}, Type::kGroupedTable, DrawGrouping,
               [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<WindowedTable>(op).GroupBy(
                     [f = Functions(op)](const Windowed<Text>* k, const Text* v) {
                       const Text key = absl::StrCat(k->key, "@", k->start_ms);
                       return PairOf(f, &key, v);
                     },
                     processor::Grouped<>(op.TextOr("name", "")));
               }});
  grammar.Add({"groupedTable.count", {Type::kGroupedTable}, Type::kTable, DrawAggregate, [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<GroupedTable>(op).Count(MaterializedOf(op), NamedOf(op)).MapValues([](const int64_t& count) {
                   return absl::StrCat("n", count);
                 });
               }});
  grammar.Add({"groupedTable.reduce", {Type::kGroupedTable}, Type::kTable, DrawAggregate, [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<GroupedTable>(op).Reduce(
                     [f = Functions(op)](const Text& a, const Text& v) { return f.Added(nullptr, &v, &a); },
                     [f = Functions(op)](const Text& a, const Text& v) { return f.Removed(nullptr, &v, &a); },
                     MaterializedOf(op), NamedOf(op));
               }});
  grammar.Add({"groupedTable.aggregate", {Type::kGroupedTable}, Type::kTable, DrawAggregate,
               [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<GroupedTable>(op).Aggregate<Text>(
                     [] { return Text("0"); },
                     [f = Functions(op)](const Text& k, const Text& v, const Text& a) { return f.Added(&k, &v, &a); },
                     [f = Functions(op)](const Text& k, const Text& v, const Text& a) { return f.Removed(&k, &v, &a); },
                     MaterializedOf(op), NamedOf(op));
               }});
}

}  // namespace tailrace::differential
