// Aggregations of windows that are called in the same way, whatever the windows are.
#pragma once

#include "absl/strings/str_cat.h"
#include "graph.h"

namespace tailrace::differential {

template <class Windowed>
std::any CountWindows(Graph& graph, const Op& op) {
  return graph.Input<Windowed>(op).Count(MaterializedOf(op), NamedOf(op)).MapValues([](const int64_t& count) {
    return absl::StrCat("n", count);
  });
}

template <class Windowed>
std::any ReduceWindows(Graph& graph, const Op& op) {
  return graph.Input<Windowed>(op).Reduce(
      [f = Functions(op)](const Text* aggregate, const Text* v) { return f.Added(nullptr, v, aggregate); }, MaterializedOf(op),
      NamedOf(op));
}

template <class Windowed>
std::any AggregateWindows(Graph& graph, const Op& op) {
  const auto add = [f = Functions(op)](const Text* k, const Text* v, const Text& a) { return f.Added(k, v, &a); };
  const auto begin = [] { return Text("0"); };
  if constexpr (std::is_same_v<Windowed, SessionWindowed>) {
    return graph.Input<Windowed>(op).template Aggregate<Text>(
        begin, add, [](const Text&, const Text& a, const Text& b) { return Bounded(a + "&" + b); }, MaterializedOf(op),
        NamedOf(op));
  } else {
    return graph.Input<Windowed>(op).template Aggregate<Text>(begin, add, MaterializedOf(op), NamedOf(op));
  }
}

}  // namespace tailrace::differential
