// Joins of tables over a foreign key; twin of ForeignKeys.java.
#include "grammar.h"

namespace tailrace::differential {
namespace {

void DrawJoin(Plan& plan, Op& op) {
  plan.MaybeName(op);
  plan.MaybeNulls(op);
  plan.Number(op, "n", 1, 5);
  if (plan.draw.Percent(50)) op.arguments["of"] = "value";
  if (!plan.draw.Percent(50)) return;
  op.arguments["materialized"] = "1";
  plan.Store(op);
}

// The key of the other table that a row points to.
auto Extractor(const Op& op) {
  return [f = Functions(op), of_value = op.TextOr("of", "") == "value"](const Text& k, const Text& v) {
    return f.Selected(of_value ? nullptr : &k, &v);
  };
}

processor::TableJoined<Text, Text> JoinedOf(const Op& op) { return op.TextOr("name", ""); }

}  // namespace

void AddForeignKeys(Grammar& grammar) {
  const std::vector<Type> tables{Type::kTable, Type::kTable};
  grammar.Add({"table.foreignJoin", tables, Type::kTable, DrawJoin, [](Graph& graph, const Op& op) -> std::any {
                 const auto joiner = [f = Functions(op)](const Text& v, const Text& o) { return f.Joined(&v, &o); };
                 const Table& left = graph.Input<Table>(op, 0);
                 const Table& right = graph.Input<Table>(op, 1);
                 return op.Flag("materialized") ? left.Join(right, Extractor(op), joiner, JoinedOf(op), MaterializedOf(op))
                                                : left.Join(right, Extractor(op), joiner, JoinedOf(op));
               }});
  grammar.Add({"table.foreignLeftJoin", tables, Type::kTable, DrawJoin, [](Graph& graph, const Op& op) -> std::any {
                 const auto joiner = [f = Functions(op)](const Text& v, const Text* o) { return f.Joined(&v, o); };
                 const Table& left = graph.Input<Table>(op, 0);
                 const Table& right = graph.Input<Table>(op, 1);
                 return op.Flag("materialized") ? left.LeftJoin(right, Extractor(op), joiner, JoinedOf(op), MaterializedOf(op))
                                                : left.LeftJoin(right, Extractor(op), joiner, JoinedOf(op));
               }});
}

}  // namespace tailrace::differential
