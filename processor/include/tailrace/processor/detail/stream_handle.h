// A stream as other operators continue it.
#pragma once

#include <any>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "tailrace/processor/detail/stream_graph.h"

namespace tailrace::processor::detail {

struct StreamHandle {
  StreamHandle(std::shared_ptr<StreamGraph> graph, StreamGraph::NodeId id, std::string node, std::set<std::string> sources);
  StreamHandle(const StreamHandle&);
  StreamHandle(StreamHandle&&) noexcept;
  StreamHandle& operator=(const StreamHandle&);
  StreamHandle& operator=(StreamHandle&&) noexcept;
  ~StreamHandle();

  std::shared_ptr<StreamGraph> graph;  // shared by all handles of one builder
  StreamGraph::NodeId id = StreamGraph::kRoot;
  std::string node;
  std::set<std::string> sources;
  // The key has changed since the source: before state is kept by key, records go through a repartition topic.
  bool repartition_required = false;
  // The repartition that the aggregates of one grouping share when its name was given; null outside of groupings.
  std::shared_ptr<std::optional<StreamHandle>> shared_repartition = nullptr;
  // Of windowed keys that come from a table: AnySerde<K> of that table's keys. Operators without a serde of their own use it,
  // so that sessions are written with their end (key_serde.h). Empty otherwise, and when the key has changed.
  std::any windowed_key_serde = {};
};

}  // namespace tailrace::processor::detail
