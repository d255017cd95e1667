// Joins of two streams; twin of Joins.java.
#include <algorithm>

#include "grammar.h"

namespace tailrace::differential {
namespace {

using processor::JoinWindows;
using std::chrono::milliseconds;

void DrawJoin(Plan& plan, Op& op) {
  plan.MaybeName(op);
  plan.MaybeNulls(op);
  if (plan.draw.Percent(40)) op.arguments["store"] = plan.Fresh("store");
  if (plan.draw.Percent(8)) op.arguments["logged"] = "0";
  if (plan.draw.Percent(30)) op.arguments["memory"] = "1";
  if (plan.draw.Percent(30)) op.arguments["keyed"] = "1";
  plan.Number(op, "before", 0, 30);
  if (plan.draw.Percent(15)) plan.Number(op, "before", -10, 0);
  plan.Number(op, "after", std::max<int64_t>(0, -op.Number("before")), 30);
  plan.Number(op, "grace", 0, 30);
  // The deprecated form, whose records without a partner do not wait.
  if (plan.draw.Percent(10)) op.arguments["eager"] = "1";
}

JoinWindows WindowsOf(const Op& op) {
  const milliseconds zero(0);
  const milliseconds grace(op.Number("grace"));
  return (op.Flag("eager") ? JoinWindows::Of(zero).Grace(grace) : JoinWindows::OfTimeDifferenceAndGrace(zero, grace))
      .After(milliseconds(op.Number("after")))
      .Before(milliseconds(op.Number("before")));
}

processor::StreamJoined<> JoinedOf(const Op& op) {
  processor::StreamJoined<> joined(op.TextOr("name", ""));
  joined.WithStoreName(op.TextOr("store", ""));
  if (op.Flag("memory")) joined.InMemory();
  if (op.TextOr("logged", "1") == "0") joined.WithLoggingDisabled();
  return joined;
}

// The key is shown where the joiner gets it.
MaybeText JoinedWithKey(const Functions& f, const Text* key, const Text* a, const Text* b) {
  const Text first = Shown(key) + ":" + Shown(a);
  return f.Joined(&first, b);
}

}  // namespace

void AddJoins(Grammar& grammar) {
  grammar.Add({"stream.join", {Type::kStream, Type::kStream}, Type::kStream, DrawJoin, [](Graph& graph, const Op& op) -> std::any {
                 const Stream& left = graph.Input<Stream>(op, 0);
                 const Stream& right = graph.Input<Stream>(op, 1);
                 if (op.Flag("keyed"))
                   return left.Join(right, [f = Functions(op)](const Text& k, const Text& a, const Text& b) {
                     return JoinedWithKey(f, &k, &a, &b);
                   }, WindowsOf(op), JoinedOf(op));
                 return left.Join(right, [f = Functions(op)](const Text& a, const Text& b) { return f.Joined(&a, &b); },
                                  WindowsOf(op), JoinedOf(op));
               }});
  grammar.Add({"stream.leftJoin", {Type::kStream, Type::kStream}, Type::kStream, DrawJoin,
               [](Graph& graph, const Op& op) -> std::any {
                 const Stream& left = graph.Input<Stream>(op, 0);
                 const Stream& right = graph.Input<Stream>(op, 1);
                 if (op.Flag("keyed"))
                   return left.LeftJoin(right, [f = Functions(op)](const Text* k, const Text& a, const Text* b) {
                     return JoinedWithKey(f, k, &a, b);
                   }, WindowsOf(op), JoinedOf(op));
                 return left.LeftJoin(right, [f = Functions(op)](const Text& a, const Text* b) { return f.Joined(&a, b); },
                                      WindowsOf(op), JoinedOf(op));
               }});
  grammar.Add({"stream.outerJoin", {Type::kStream, Type::kStream}, Type::kStream, DrawJoin,
               [](Graph& graph, const Op& op) -> std::any {
                 const Stream& left = graph.Input<Stream>(op, 0);
                 const Stream& right = graph.Input<Stream>(op, 1);
                 if (op.Flag("keyed"))
                   return left.OuterJoin(right, [f = Functions(op)](const Text* k, const Text* a, const Text* b) {
                     return JoinedWithKey(f, k, a, b);
                   }, WindowsOf(op), JoinedOf(op));
                 return left.OuterJoin(right, [f = Functions(op)](const Text* a, const Text* b) { return f.Joined(a, b); },
                                       WindowsOf(op), JoinedOf(op));
               }});
}

}  // namespace tailrace::differential
