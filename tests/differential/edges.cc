#include "edges.h"

namespace tailrace::differential {
namespace {

void AddEdges(const Op& op, std::vector<Edge>& edges) {
  const auto number = [&](const char* name) { return op.Has(name) ? op.Number(name) : 0; };
  const int64_t grace = number("grace");
  const auto apart = [&](int64_t back) { edges.push_back({.back = back}); };
  if (op.Has("size")) {
    // The first record closes a window: stream time less the grace is its end. The second one would be its last.
    const int64_t advance = op.Has("advance") ? op.Number("advance") : op.Number("size");
    edges.push_back({.step = advance, .phase = (op.Number("size") + grace) % advance, .back = grace + 1});
  }
  if (op.Has("difference")) {
    apart(op.Number("difference"));
    apart(op.Number("difference") + grace);
  }
  if (op.Has("gap")) {
    apart(op.Number("gap"));
    apart(-op.Number("gap"));
    apart(op.Number("gap") + grace);
  }
  if (op.Has("before")) {
    const int64_t before = op.Number("before");
    const int64_t after = op.Number("after");
    for (const int64_t reach : {before, after}) {
      apart(reach);
      apart(-reach);
      apart(reach + grace);
      apart(-reach - grace);
    }
    apart(before + after + grace);
  }
  if (op.Has("history")) apart(op.Number("history"));
  if (op.kind.ends_with("oinVersionedTable") && op.Has("grace")) apart(grace);
  if (op.Has("limit")) apart(-op.Number("limit"));
  if (op.Has("retention") && op.Number("retention") < 1000) apart(op.Number("retention"));
  if (op.Has("every")) edges.push_back({.step = op.Number("every")});
}

}  // namespace

std::vector<Edge> EdgesOf(const std::vector<Op>& ops) {
  std::vector<Edge> edges;
  for (const Op& op : ops) AddEdges(op, edges);
  return edges;
}

}  // namespace tailrace::differential
