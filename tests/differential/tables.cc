// Tables without stores of their own, and the stream-table join; twin of Tables.java.
#include "grammar.h"

namespace tailrace::differential {
namespace {

void DrawPredicate(Plan& plan, Op& op) {
  plan.MaybeName(op);
  plan.Number(op, "n", 1, 3);
}

void DrawMapping(Plan& plan, Op& op) {
  plan.MaybeName(op);
  plan.MaybeNulls(op);
  op.arguments["tag"] = plan.Fresh("m");
}

void DrawJoin(Plan& plan, Op& op) {
  plan.MaybeName(op);
  plan.MaybeNulls(op);
}

}  // namespace

void AddTables(Grammar& grammar) {
  grammar.Add({"table", {}, Type::kTable,
               [](Plan& plan, Op& op) {
                 plan.MaybeName(op);
                 plan.Store(op);
                 op.arguments["topic"] = plan.NewInputTopic();
               },
               [](Graph& graph, const Op& op) -> std::any {
                 processor::Consumed<> consumed;
                 consumed.name = op.TextOr("name", "");
                 return graph.builder.Table<Text, Text>(op.Text("topic"), consumed, MaterializedOf(op));
               }});
  grammar.Add({"table.filter", {Type::kTable}, Type::kTable, DrawPredicate, [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Table>(op).Filter(
                     [f = Functions(op)](const Text* k, const Text* v) { return f.Chosen(k, v); }, NamedOf(op));
               }});
  grammar.Add({"table.filterNot", {Type::kTable}, Type::kTable, DrawPredicate, [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Table>(op).FilterNot(
                     [f = Functions(op)](const Text* k, const Text* v) { return f.Chosen(k, v); }, NamedOf(op));
               }});
  grammar.Add({"table.mapValues", {Type::kTable}, Type::kTable, DrawMapping, [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Table>(op).MapValues(
                     [f = Functions(op)](const Text* k, const Text* v) { return f.Mapped(k, v); }, NamedOf(op));
               }});
  grammar.Add({"table.toStream", {Type::kTable}, Type::kStream, [](Plan& plan, Op& op) { plan.MaybeName(op); },
               [](Graph& graph, const Op& op) -> std::any { return graph.Input<Table>(op).ToStream(NamedOf(op)); }});
  grammar.Add({"stream.joinTable", {Type::kStream, Type::kTable}, Type::kStream, DrawJoin,
               [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Stream>(op, 0).Join(
                     graph.Input<Table>(op, 1),
                     [f = Functions(op)](const Text& v, const Text& t) { return f.Joined(&v, &t); },
                     processor::Joined<>(op.TextOr("name", "")));
               }});
  grammar.Add({"stream.leftJoinTable", {Type::kStream, Type::kTable}, Type::kStream, DrawJoin,
               [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Stream>(op, 0).LeftJoin(
                     graph.Input<Table>(op, 1),
                     [f = Functions(op)](const Text& v, const Text* t) { return f.Joined(&v, t); },
                     processor::Joined<>(op.TextOr("name", "")));
               }});
}

}  // namespace tailrace::differential
