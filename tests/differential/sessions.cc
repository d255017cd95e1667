// Session windows, and streams and tables of their keys; twin of Sessions.java.
#include "absl/strings/str_cat.h"
#include "grammar.h"
#include "windowed.h"

namespace tailrace::differential {
namespace {

using processor::Windowed;

Text ShownKey(const Windowed<Text>* key) { return absl::StrCat(key->key, "@", key->start_ms, "/", key->end_ms); }

void DrawAggregate(Plan& plan, Op& op) {
  plan.MaybeName(op);
  plan.MaybeNulls(op);
  plan.Store(op);
  // Kafka Streams' cache shows sessions that have left the retention for as long as it happens to hold them.
  if (op.Flag("cached")) op.arguments["retention"] = "1000000";
  else if (plan.draw.Percent(30)) plan.Number(op, "retention", 60, 200);
}

void DrawMapping(Plan& plan, Op& op) {
  plan.MaybeName(op);
  plan.MaybeNulls(op);
  plan.Number(op, "n", 1, 3);
  op.arguments["tag"] = plan.Fresh("m");
}

}  // namespace

void AddSessions(Grammar& grammar) {
  grammar.Add({"grouped.sessions", {Type::kGrouped}, Type::kSessionWindowed,
               [](Plan& plan, Op& op) {
                 plan.Number(op, "gap", 0, 20);
                 plan.Number(op, "grace", 0, 40);
               },
               [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Grouped>(op).WindowedBy(processor::SessionWindows::OfInactivityGapAndGrace(
                     std::chrono::milliseconds(op.Number("gap")), std::chrono::milliseconds(op.Number("grace"))));
               }});
  grammar.Add({"sessionWindowed.count", {Type::kSessionWindowed}, Type::kSessionTable, DrawAggregate,
               CountWindows<SessionWindowed>});
  grammar.Add({"sessionWindowed.reduce", {Type::kSessionWindowed}, Type::kSessionTable, DrawAggregate,
               ReduceWindows<SessionWindowed>});
  grammar.Add({"sessionWindowed.aggregate", {Type::kSessionWindowed}, Type::kSessionTable, DrawAggregate,
               AggregateWindows<SessionWindowed>});
  grammar.Add({"sessionTable.filter", {Type::kSessionTable}, Type::kSessionTable, DrawMapping,
               [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<WindowedTable>(op).Filter(
                     [f = Functions(op)](const Windowed<Text>* k, const Text* v) {
                       const Text key = ShownKey(k);
                       return f.Chosen(&key, v);
                     },
                     NamedOf(op));
               }});
  grammar.Add({"sessionTable.mapValues", {Type::kSessionTable}, Type::kSessionTable, DrawMapping,
               [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<WindowedTable>(op).MapValues(
                     [f = Functions(op)](const Windowed<Text>* k, const Text* v) {
                       const Text key = ShownKey(k);
                       return f.Mapped(&key, v);
                     },
                     NamedOf(op));
               }});
  grammar.Add({"sessionTable.toStream", {Type::kSessionTable}, Type::kSessionStream,
               [](Plan& plan, Op& op) { plan.MaybeName(op); }, [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<WindowedTable>(op).ToStream(NamedOf(op));
               }});
  grammar.Add({"sessionStream.selectKey", {Type::kSessionStream}, Type::kStream,
               [](Plan& plan, Op& op) { plan.MaybeName(op); }, [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<WindowedStream>(op).SelectKey(
                     [](const Windowed<Text>* k, const Text*) { return ShownKey(k); }, NamedOf(op));
               }});
  grammar.Add({"sessionStream.to", {Type::kSessionStream}, Type::kNone,
               [](Plan& plan, Op& op) {
                 op.arguments["topic"] = plan.Fresh("out");
                 if (plan.draw.Percent(50)) op.arguments["inherited"] = "1";  // the serde of the table
               },
               [](Graph& graph, const Op& op) -> std::any {
                 if (op.Flag("inherited")) {
                   graph.Input<WindowedStream>(op).To(op.Text("topic"));
                   return {};
                 }
                 processor::Produced<processor::SessionWindowedSerde<processor::StringSerde>> produced;
                 graph.Input<WindowedStream>(op).To(op.Text("topic"), produced);
                 return {};
               }});
}

}  // namespace tailrace::differential
