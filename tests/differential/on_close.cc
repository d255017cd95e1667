// Windows of all kinds that are shown when they close; twin of OnClose.java.
#include "grammar.h"
#include "windowed.h"

namespace tailrace::differential {
namespace {

constexpr auto kOnClose = processor::EmitStrategy::kOnWindowClose;

void DrawAggregate(Plan& plan, Op& op) {
  plan.MaybeName(op);
  plan.MaybeNulls(op);
  plan.Store(op);
  // Kafka Streams merges its cache and a store in memory in two different orders.
  if (op.Flag("memory")) op.arguments["cached"] = "0";
  // In memory it has forgotten most windows when they close; its cache shows what has left the retention.
  if (op.Flag("memory") || op.Flag("cached")) op.arguments["retention"] = "1000000";
  else if (plan.draw.Percent(30)) plan.Number(op, "retention", 120, 300);
}

processor::TimeWindows WindowsOf(const Op& op) {
  return processor::TimeWindows::OfSizeAndGrace(std::chrono::milliseconds(op.Number("size")),
                                                std::chrono::milliseconds(op.Number("grace")));
}

void DrawWindows(Plan& plan, Op& op) {
  plan.Number(op, "size", 1, 40);
  plan.Number(op, "grace", 0, 40);
}

}  // namespace

void AddOnClose(Grammar& grammar) {
  grammar.Add({"grouped.tumblingOnClose", {Type::kGrouped}, Type::kTimeOnClose, DrawWindows,
               [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Grouped>(op).WindowedBy(WindowsOf(op)).WithEmitStrategy(kOnClose);
               }});
  grammar.Add({"grouped.hoppingOnClose", {Type::kGrouped}, Type::kTimeOnClose,
               [](Plan& plan, Op& op) {
                 DrawWindows(plan, op);
                 plan.Number(op, "advance", 1, op.Number("size"));
               },
               [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Grouped>(op)
                     .WindowedBy(WindowsOf(op).AdvanceBy(std::chrono::milliseconds(op.Number("advance"))))
                     .WithEmitStrategy(kOnClose);
               }});
  grammar.Add({"grouped.slidingOnClose", {Type::kGrouped}, Type::kSlidingOnClose,
               [](Plan& plan, Op& op) {
                 plan.Number(op, "difference", 1, 30);
                 plan.Number(op, "grace", 0, 40);
               },
               [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Grouped>(op)
                     .WindowedBy(processor::SlidingWindows::OfTimeDifferenceAndGrace(
                         std::chrono::milliseconds(op.Number("difference")), std::chrono::milliseconds(op.Number("grace"))))
                     .WithEmitStrategy(kOnClose);
               }});
  grammar.Add({"grouped.sessionsOnClose", {Type::kGrouped}, Type::kSessionOnClose,
               [](Plan& plan, Op& op) {
                 plan.Number(op, "gap", 0, 20);
                 plan.Number(op, "grace", 0, 40);
               },
               [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Grouped>(op)
                     .WindowedBy(processor::SessionWindows::OfInactivityGapAndGrace(
                         std::chrono::milliseconds(op.Number("gap")), std::chrono::milliseconds(op.Number("grace"))))
                     .WithEmitStrategy(kOnClose);
               }});
  grammar.Add({"timeOnClose.count", {Type::kTimeOnClose}, Type::kWindowedTable, DrawAggregate, CountWindows<TimeWindowed>});
  grammar.Add({"timeOnClose.reduce", {Type::kTimeOnClose}, Type::kWindowedTable, DrawAggregate, ReduceWindows<TimeWindowed>});
  grammar.Add({"timeOnClose.aggregate", {Type::kTimeOnClose}, Type::kWindowedTable, DrawAggregate,
               AggregateWindows<TimeWindowed>});
  grammar.Add({"slidingOnClose.count", {Type::kSlidingOnClose}, Type::kWindowedTable, DrawAggregate,
               CountWindows<SlidingWindowed>});
  grammar.Add({"slidingOnClose.aggregate", {Type::kSlidingOnClose}, Type::kWindowedTable, DrawAggregate,
               AggregateWindows<SlidingWindowed>});
  grammar.Add({"sessionOnClose.count", {Type::kSessionOnClose}, Type::kSessionTable, DrawAggregate,
               CountWindows<SessionWindowed>});
  grammar.Add({"sessionOnClose.aggregate", {Type::kSessionOnClose}, Type::kSessionTable, DrawAggregate,
               AggregateWindows<SessionWindowed>});
}

}  // namespace tailrace::differential
