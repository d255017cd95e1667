// Versioned tables, and joins of streams with them; twin of Versioned.java.
#include "grammar.h"

namespace tailrace::differential {
namespace {

using std::chrono::milliseconds;

void DrawVersions(Plan& plan, Op& op) {
  op.arguments["store"] = plan.Fresh("store");
  if (plan.draw.Percent(8)) op.arguments["logged"] = "0";
  plan.Number(op, "history", 0, 80);
  if (plan.draw.Percent(70)) plan.Number(op, "segment", 1, 40);
}

processor::Materialized<> VersionsOf(const Op& op) {
  processor::Materialized<> materialized(op.Text("store"));
  materialized.Versioned(milliseconds(op.Number("history")));
  if (op.Has("segment")) materialized.segment_interval = milliseconds(op.Number("segment"));
  if (op.TextOr("logged", "1") == "0") materialized.WithLoggingDisabled();
  return materialized;
}

void DrawJoin(Plan& plan, Op& op) {
  plan.MaybeName(op);
  plan.MaybeNulls(op);
  if (plan.draw.Percent(50)) plan.Number(op, "grace", 0, 30);
}

processor::Joined<> JoinedOf(const Op& op) {
  processor::Joined<> joined(op.TextOr("name", ""));
  if (op.Has("grace")) joined.WithGracePeriod(milliseconds(op.Number("grace")));
  return joined;
}

}  // namespace

void AddVersioned(Grammar& grammar) {
  grammar.Add({"versionedTable", {}, Type::kVersionedTable,
               [](Plan& plan, Op& op) {
                 plan.MaybeName(op);
                 DrawVersions(plan, op);
                 op.arguments["topic"] = plan.NewInputTopic();
               },
               [](Graph& graph, const Op& op) -> std::any {
                 processor::Consumed<> consumed;
                 consumed.name = op.TextOr("name", "");
                 return graph.builder.Table<Text, Text>(op.Text("topic"), consumed, VersionsOf(op));
               }});
  grammar.Add({"stream.toVersionedTable", {Type::kStream}, Type::kVersionedTable, DrawVersions,
               [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Stream>(op).ToTable(processor::Named(), VersionsOf(op));
               }});
  grammar.Add({"table.filterVersioned", {Type::kTable}, Type::kVersionedTable,
               [](Plan& plan, Op& op) {
                 DrawVersions(plan, op);
                 plan.Number(op, "n", 1, 3);
               },
               [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Table>(op).Filter([f = Functions(op)](const Text* k, const Text* v) { return f.Chosen(k, v); },
                                                      VersionsOf(op));
               }});
  grammar.Add({"table.mapValuesVersioned", {Type::kTable}, Type::kVersionedTable,
               [](Plan& plan, Op& op) {
                 DrawVersions(plan, op);
                 op.arguments["tag"] = plan.Fresh("m");
                 plan.MaybeNulls(op);
               },
               [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Table>(op).MapValues([f = Functions(op)](const Text* k, const Text* v) { return f.Mapped(k, v); },
                                                         VersionsOf(op));
               }});
  // The same table, for the operators that take any.
  grammar.Add({"versionedTable.asTable", {Type::kVersionedTable}, Type::kTable, nullptr,
               [](Graph& graph, const Op& op) -> std::any { return graph.Input<Table>(op); }});
  grammar.Add({"stream.joinVersionedTable", {Type::kStream, Type::kVersionedTable}, Type::kStream, DrawJoin,
               [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Stream>(op, 0).Join(graph.Input<Table>(op, 1),
                                                        [f = Functions(op)](const Text& v, const Text& t) { return f.Joined(&v, &t); },
                                                        JoinedOf(op));
               }});
  grammar.Add({"stream.leftJoinVersionedTable", {Type::kStream, Type::kVersionedTable}, Type::kStream, DrawJoin,
               [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Stream>(op, 0).LeftJoin(
                     graph.Input<Table>(op, 1), [f = Functions(op)](const Text& v, const Text* t) { return f.Joined(&v, t); },
                     JoinedOf(op));
               }});
}

}  // namespace tailrace::differential
