// Sliding windows; twin of Sliding.java.
#include "grammar.h"
#include "windowed.h"

namespace tailrace::differential {
namespace {

void DrawAggregate(Plan& plan, Op& op) {
  plan.MaybeName(op);
  plan.MaybeNulls(op);
  plan.Store(op);
  // Going through its cache Kafka Streams meets windows that an update of the same record has deleted, and fails the record.
  if (op.Flag("cached")) op.arguments.erase("nulls");
  // Kafka Streams' cache shows windows that have left the retention for as long as it happens to hold them.
  if (op.Flag("cached")) op.arguments["retention"] = "1000000";
  else if (plan.draw.Percent(30)) plan.Number(op, "retention", 100, 200);
}

}  // namespace

void AddSliding(Grammar& grammar) {
  grammar.Add({"grouped.sliding", {Type::kGrouped}, Type::kSlidingWindowed,
               [](Plan& plan, Op& op) {
                 plan.Number(op, "difference", 1, 30);
                 plan.Number(op, "grace", 0, 40);
               },
               [](Graph& graph, const Op& op) -> std::any {
                 return graph.Input<Grouped>(op).WindowedBy(processor::SlidingWindows::OfTimeDifferenceAndGrace(
                     std::chrono::milliseconds(op.Number("difference")), std::chrono::milliseconds(op.Number("grace"))));
               }});
  grammar.Add({"slidingWindowed.count", {Type::kSlidingWindowed}, Type::kWindowedTable, DrawAggregate,
               CountWindows<SlidingWindowed>});
  grammar.Add({"slidingWindowed.reduce", {Type::kSlidingWindowed}, Type::kWindowedTable, DrawAggregate,
               ReduceWindows<SlidingWindowed>});
  grammar.Add({"slidingWindowed.aggregate", {Type::kSlidingWindowed}, Type::kWindowedTable, DrawAggregate,
               AggregateWindows<SlidingWindowed>});
}

}  // namespace tailrace::differential
