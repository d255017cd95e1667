// Tables with stores of their own, and the ways from streams to tables and back; twin of StoredTables.java.
#include <memory>

#include "grammar.h"

namespace tailrace::differential {
namespace {

void DrawFilter(Plan& plan, Op& op) {
  plan.MaybeName(op);
  plan.Number(op, "n", 1, 3);
  plan.Store(op);
}

void DrawMapping(Plan& plan, Op& op) {
  plan.MaybeName(op);
  plan.MaybeNulls(op);
  plan.Store(op);
  op.arguments["tag"] = plan.Fresh("m");
}

class Mapping final : public processor::ValueTransformerWithKey<Text, Text, Text> {
 public:
  explicit Mapping(const Op& op) : functions_(op) {}
  MaybeText Transform(const Text& key, const Text* value) override { return functions_.Mapped(&key, value); }

 private:
  const Functions functions_;
};

}  // namespace

void AddStoredTables(Grammar& grammar) {
  grammar.Add({"table.filterStored", {Type::kTable}, Type::kTable, DrawFilter, [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Table>(op).Filter([f = Functions(op)](const Text* k, const Text* v) { return f.Chosen(k, v); },
                                                      NamedOf(op), MaterializedOf(op));
               }});
  grammar.Add({"table.filterNotStored", {Type::kTable}, Type::kTable, DrawFilter, [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Table>(op).FilterNot(
                     [f = Functions(op)](const Text* k, const Text* v) { return f.Chosen(k, v); }, NamedOf(op),
                     MaterializedOf(op));
               }});
  grammar.Add({"table.mapValuesStored", {Type::kTable}, Type::kTable, DrawMapping, [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Table>(op).MapValues([f = Functions(op)](const Text* k, const Text* v) { return f.Mapped(k, v); },
                                                         NamedOf(op), MaterializedOf(op));
               }});
  grammar.Add({"table.transformValues", {Type::kTable}, Type::kTable,
               [](Plan& plan, Op& op) {
                 DrawMapping(plan, op);
                 op.arguments["stored"] = plan.draw.Percent(50) ? "1" : "0";
               },
               [](Graph& graph, const Op& op) -> std::any {
                 const auto supplier = [op] { return std::make_unique<Mapping>(op); };
                 const auto& in = graph.Input<Table>(op);
                 if (op.Flag("stored")) return in.TransformValues(supplier, MaterializedOf(op), NamedOf(op));
                 return in.TransformValues(supplier, NamedOf(op));
               }});
  grammar.Add({"table.toStreamByKey", {Type::kTable}, Type::kStream,
               [](Plan& plan, Op& op) {
                 plan.MaybeName(op);
                 plan.Number(op, "n", 1, 3);
               },
               [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Table>(op).ToStream(
                     [f = Functions(op)](const Text* k, const Text* v) { return *f.Selected(k, v); }, NamedOf(op));
               }});
  grammar.Add({"stream.toTable", {Type::kStream}, Type::kTable,
               [](Plan& plan, Op& op) {
                 plan.MaybeName(op);
                 plan.Store(op);
               },
               [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Stream>(op).ToTable(NamedOf(op), MaterializedOf(op));
               }});
}

}  // namespace tailrace::differential
