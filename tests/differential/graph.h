// The C++ topology of a case while it is built.
#pragma once

#include <any>
#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "case.h"
#include "functions.h"
#include "tailrace/base/check.h"
#include "tailrace/processor/stores.h"
#include "tailrace/processor/streams_builder.h"
#include "tailrace/processor/typed_store.h"

namespace tailrace::differential {

using Stream = processor::KStream<Text, Text>;
using WindowedStream = processor::KStream<processor::Windowed<Text>, Text>;
using Table = processor::KTable<Text, Text>;
using GlobalTable = processor::GlobalKTable<Text, Text>;
using WindowedTable = processor::KTable<processor::Windowed<Text>, Text>;
using Branches = std::vector<Stream>;
using Grouped = processor::KGroupedStream<Text, Text>;
using TimeWindowed = processor::TimeWindowedKStream<Text, Text>;
using Cogrouped = processor::CogroupedKStream<Text, Text>;
using SlidingWindowed = processor::SlidingWindowedKStream<Text, Text>;
using SessionWindowed = processor::SessionWindowedKStream<Text, Text>;
using GroupedTable = processor::KGroupedTable<Text, Text>;

struct Graph {
  processor::StreamsBuilder builder;
  std::map<int, std::any> made;  // by operator

  template <class T>
  const T& Input(const Op& op, size_t index = 0) const {
    const T* const handle = std::any_cast<T>(&made.at(op.inputs.at(index)));
    TAILRACE_CHECK(handle != nullptr, "op " + std::to_string(op.id) + " " + op.kind + ": an input of another type");
    return *handle;
  }
};

// Empty when the operator has no name of its own.
inline processor::Named NamedOf(const Op& op) { return op.TextOr("name", ""); }

// The arguments store=, cached=, logged=, memory= and retention= of an operator with a store.
inline processor::Materialized<> MaterializedOf(const Op& op) {
  processor::Materialized<> materialized(op.TextOr("store", ""));
  if (!op.Flag("cached")) materialized.WithCachingDisabled();
  if (op.TextOr("logged", "1") == "0") materialized.WithLoggingDisabled();
  if (op.Flag("memory")) materialized.InMemory();
  if (op.Has("retention")) materialized.WithRetention(std::chrono::milliseconds(op.Number("retention")));
  return materialized;
}

// A store for processors, of the same arguments.
inline state::StoreSpec StoreOf(const Op& op) {
  state::StoreSpec store;
  store.name = op.Text("store");
  store.caching = op.Flag("cached");
  store.logging = op.TextOr("logged", "1") == "1";
  store.in_memory = op.Flag("memory");
  return store;
}

}  // namespace tailrace::differential
