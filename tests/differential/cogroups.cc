// Several grouped streams in one aggregate; twin of Cogroups.java.
#include <chrono>

#include "grammar.h"

namespace tailrace::differential {
namespace {

using std::chrono::milliseconds;

// Of the operator that adds a stream, whose tag it shows.
auto AdderOf(const Op& op) {
  return [f = Functions(op), tag = op.TextOr("tag", "")](const Text* k, const Text* v, const Text& a) -> MaybeText {
    const Text tagged = tag + Shown(v);
    return f.Added(k, &tagged, &a);
  };
}

Text Begin() { return "0"; }

void DrawAdder(Plan& plan, Op& op) {
  op.arguments["tag"] = plan.Fresh("c");
  plan.MaybeNulls(op);
}

void DrawStore(Plan& plan, Op& op) {
  plan.MaybeName(op);
  plan.Store(op);
}

void DrawWindowedStore(Plan& plan, Op& op) {
  DrawStore(plan, op);
  plan.Number(op, "grace", 0, 40);
  // Kafka Streams' cache shows windows that have left the retention for as long as it happens to hold them.
  if (op.Flag("cached")) op.arguments["retention"] = "1000000";
  else if (plan.draw.Percent(30)) plan.Number(op, "retention", 100, 200);
}

// Going through its cache Kafka Streams meets sliding windows that an update of the same record has deleted, and fails the record.
void WithoutNullsAbove(std::vector<Op>& ops, const Op& op) {
  if (!op.Flag("cached") && op.kind == "cogrouped.sliding") return;
  for (const int input : op.inputs) {
    Op& above = ops.at(static_cast<size_t>(input));
    if (!above.kind.ends_with(".cogroup")) continue;
    above.arguments.erase("nulls");
    WithoutNullsAbove(ops, above);
  }
}

}  // namespace

void AddCogroups(Grammar& grammar) {
  grammar.Add({"grouped.cogroup", {Type::kGrouped}, Type::kCogrouped, DrawAdder, [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Grouped>(op).Cogroup<Text>(AdderOf(op));
               }});
  grammar.Add({"cogrouped.cogroup", {Type::kCogrouped, Type::kGrouped}, Type::kCogrouped, DrawAdder,
               [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Cogrouped>(op, 0).Cogroup(graph.Input<Grouped>(op, 1), AdderOf(op));
               }});
  grammar.Add({"cogrouped.aggregate", {Type::kCogrouped}, Type::kTable, DrawStore, [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Cogrouped>(op).Aggregate(Begin, MaterializedOf(op), NamedOf(op));
               }});
  grammar.Add({"cogrouped.windows", {Type::kCogrouped}, Type::kWindowedTable,
               [](Plan& plan, Op& op) {
                 DrawWindowedStore(plan, op);
                 plan.Number(op, "size", 1, 40);
                 plan.Number(op, "advance", 1, op.Number("size"));
               },
               [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Cogrouped>(op)
                     .WindowedBy(processor::TimeWindows::OfSizeAndGrace(milliseconds(op.Number("size")),
                                                                        milliseconds(op.Number("grace")))
                                     .AdvanceBy(milliseconds(op.Number("advance"))))
                     .Aggregate(Begin, MaterializedOf(op), NamedOf(op));
               }});
  grammar.Add({"cogrouped.sliding", {Type::kCogrouped}, Type::kWindowedTable,
               [](Plan& plan, Op& op) {
                 DrawWindowedStore(plan, op);
                 plan.Number(op, "difference", 1, 30);
               },
               [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Cogrouped>(op)
                     .WindowedBy(processor::SlidingWindows::OfTimeDifferenceAndGrace(milliseconds(op.Number("difference")),
                                                                                     milliseconds(op.Number("grace"))))
                     .Aggregate(Begin, MaterializedOf(op), NamedOf(op));
               },
               WithoutNullsAbove});
  grammar.Add({"cogrouped.sessions", {Type::kCogrouped}, Type::kSessionTable,
               [](Plan& plan, Op& op) {
                 DrawWindowedStore(plan, op);
                 plan.Number(op, "gap", 0, 20);
               },
               [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Cogrouped>(op)
                     .WindowedBy(processor::SessionWindows::OfInactivityGapAndGrace(milliseconds(op.Number("gap")),
                                                                                    milliseconds(op.Number("grace"))))
                     .Aggregate(Begin, [](const Text&, const Text& a, const Text& b) { return Bounded(a + "&" + b); },
                                MaterializedOf(op), NamedOf(op));
               }});
}

}  // namespace tailrace::differential
