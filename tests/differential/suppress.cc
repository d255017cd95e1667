// Suppression; twin of Suppression.java.
#include "grammar.h"

namespace tailrace::differential {
namespace {

using processor::BufferConfig;
using processor::Suppressed;

void DrawBounds(Plan& plan, Op& op) {
  plan.MaybeName(op);
  if (plan.draw.Percent(15)) op.arguments["logged"] = "0";
  if (plan.draw.Percent(40)) plan.Number(op, "records", 0, 5);
  if (plan.draw.Percent(30)) plan.Number(op, "bytes", 40, 400);
  // A strict buffer that is full stops us, and is one more record for the processing handler of Kafka Streams: it never fills here.
  if (!plan.draw.Percent(10)) return;
  op.arguments["strict"] = "1";
  op.arguments.erase("records");
  op.arguments.erase("bytes");
}

void DrawTimeLimit(Plan& plan, Op& op) {
  DrawBounds(plan, op);
  plan.Number(op, "limit", 0, 40);
}

// One record may change many windows. A bound between one and all of them may let the same window go twice in one commit, and
// a cache of Kafka Streams below forwards keys in the order of their last change, ours in that of their first.
void DrawWindowedTimeLimit(Plan& plan, Op& op) {
  DrawTimeLimit(plan, op);
  if (op.Has("records")) op.arguments["records"] = plan.draw.Percent(50) ? "0" : "60";
  if (op.Has("bytes")) op.arguments["bytes"] = plan.draw.Percent(50) ? "1" : "8000";
}

// A count without a Materialized has no serde for its windowed keys on the JVM, which fails at the first record.
void WithSerdesAbove(std::vector<Op>& ops, const Op& op) {
  for (const int input : op.inputs) {
    Op& above = ops.at(static_cast<size_t>(input));
    above.arguments.erase("bare");
    WithSerdesAbove(ops, above);
  }
}

template <class Config>
Config Bounded(Config config, const Op& op) {
  if (op.Has("records")) config.WithMaxRecords(op.Number("records"));
  if (op.Has("bytes")) config.WithMaxBytes(op.Number("bytes"));
  if (op.TextOr("logged", "1") == "0") config.WithLoggingDisabled();
  return config;
}

Suppressed Named(Suppressed suppressed, const Op& op) {
  return op.Has("name") ? suppressed.WithName(op.Text("name")) : suppressed;
}

Suppressed UntilTimeLimit(const Op& op) {
  const auto eager = Bounded(BufferConfig::MaxRecords(INT64_MAX), op);
  const std::chrono::milliseconds limit(op.Number("limit"));
  return Named(op.Flag("strict") ? Suppressed::UntilTimeLimit(limit, eager.ShutDownWhenFull())
                                 : Suppressed::UntilTimeLimit(limit, eager),
               op);
}

}  // namespace

void AddSuppression(Grammar& grammar) {
  grammar.Add({"table.suppress", {Type::kTable}, Type::kTable, DrawTimeLimit, [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Table>(op).Suppress(UntilTimeLimit(op));
               }});
  grammar.Add({"windowedTable.suppressUntilTimeLimit", {Type::kWindowedTable}, Type::kWindowedTable, DrawWindowedTimeLimit,
               [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<WindowedTable>(op).Suppress(UntilTimeLimit(op));
               },
               WithSerdesAbove});
  grammar.Add({"windowedTable.suppressUntilWindowCloses", {Type::kWindowedTable}, Type::kWindowedTable,
               [](Plan& plan, Op& op) {
                 DrawBounds(plan, op);
                 // Its buffer is always strict.
                 if (!op.Flag("strict")) {
                   op.arguments.erase("records");
                   op.arguments.erase("bytes");
                 }
               },
               [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<WindowedTable>(op).Suppress(
                     Named(Suppressed::UntilWindowCloses(Bounded(BufferConfig::Unbounded(), op)), op));
               },
               WithSerdesAbove});
}

}  // namespace tailrace::differential
