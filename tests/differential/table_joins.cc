// Joins of tables by key; twin of TableJoins.java.
#include "grammar.h"

namespace tailrace::differential {
namespace {

void DrawNamedJoin(Plan& plan, Op& op) {
  plan.MaybeName(op);
  plan.MaybeNulls(op);
}

void DrawJoin(Plan& plan, Op& op) {
  DrawNamedJoin(plan, op);
  if (!plan.draw.Percent(50)) return;
  op.arguments["materialized"] = "1";
  plan.Store(op);
}

auto Inner(const Op& op) {
  return [f = Functions(op)](const Text& v, const Text& o) { return f.Joined(&v, &o); };
}
auto Left(const Op& op) {
  return [f = Functions(op)](const Text& v, const Text* o) { return f.Joined(&v, o); };
}
auto Outer(const Op& op) {
  return [f = Functions(op)](const Text* v, const Text* o) { return f.Joined(v, o); };
}

// A join looks rows up. Windows that have left the retention are seen there for as long as a cache of Kafka Streams happens to
// hold them, so no store of windows above is cached.
void WithoutCachesAbove(std::vector<Op>& ops, const Op& op) {
  for (const int input : op.inputs) {
    Op& above = ops.at(static_cast<size_t>(input));
    if (above.Has("cached")) above.arguments["cached"] = "0";
    WithoutCachesAbove(ops, above);
  }
}

}  // namespace

void AddTableJoins(Grammar& grammar) {
  const std::vector<Type> tables{Type::kTable, Type::kTable};
  grammar.Add({"table.join", tables, Type::kTable, DrawJoin, [](Graph& graph, const Op& op) -> std::any {
                 const Table& left = graph.Input<Table>(op, 0);
                 const Table& right = graph.Input<Table>(op, 1);
                 return op.Flag("materialized") ? left.Join(right, Inner(op), MaterializedOf(op), NamedOf(op))
                                                : left.Join(right, Inner(op), NamedOf(op));
               }});
  grammar.Add({"table.leftJoin", tables, Type::kTable, DrawJoin, [](Graph& graph, const Op& op) -> std::any {
                 const Table& left = graph.Input<Table>(op, 0);
                 const Table& right = graph.Input<Table>(op, 1);
                 return op.Flag("materialized") ? left.LeftJoin(right, Left(op), MaterializedOf(op), NamedOf(op))
                                                : left.LeftJoin(right, Left(op), NamedOf(op));
               }});
  grammar.Add({"table.outerJoin", tables, Type::kTable, DrawJoin, [](Graph& graph, const Op& op) -> std::any {
                 const Table& left = graph.Input<Table>(op, 0);
                 const Table& right = graph.Input<Table>(op, 1);
                 return op.Flag("materialized") ? left.OuterJoin(right, Outer(op), MaterializedOf(op), NamedOf(op))
                                                : left.OuterJoin(right, Outer(op), NamedOf(op));
               }});
  // Tables of windows, whose rows are looked up in window stores.
  const std::vector<Type> windowed{Type::kWindowedTable, Type::kWindowedTable};
  grammar.Add({"windowedTable.join", windowed, Type::kWindowedTable, DrawNamedJoin, [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<WindowedTable>(op, 0).Join(graph.Input<WindowedTable>(op, 1), Inner(op), NamedOf(op));
               },
               WithoutCachesAbove});
  grammar.Add({"windowedTable.outerJoin", windowed, Type::kWindowedTable, DrawNamedJoin,
               [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<WindowedTable>(op, 0).OuterJoin(graph.Input<WindowedTable>(op, 1), Outer(op), NamedOf(op));
               },
               WithoutCachesAbove});
}

}  // namespace tailrace::differential
