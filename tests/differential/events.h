// Records with the times and keys that make operators decide: ties, disorder, gaps, edges, below zero, nulls, tombstones.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "case.h"
#include "draw.h"
#include "edges.h"

namespace tailrace::differential {

class EventMaker {
 public:
  // `draw` and `topics` outlive it.
  EventMaker(Draw& draw, const std::vector<std::string>& topics, std::vector<Edge> edges);

  Event Next();

 private:
  // The second record of an edge whose first one was just made.
  struct Second {
    std::string topic;
    std::string key;
    int64_t timestamp_ms = 0;
  };

  Event Record(std::string topic, std::optional<std::string> key, int64_t timestamp_ms);
  Event FirstOfEdge();
  int64_t Time();
  std::string Key();

  Draw& draw_;
  const std::vector<std::string>& topics_;
  const std::vector<Edge> edges_;
  int64_t keys_;
  int disorder_percent_;
  int step_max_;
  int null_percent_;
  int header_percent_;
  int edge_percent_;
  int64_t now_ms_ = 0;
  std::optional<Second> second_;
};

}  // namespace tailrace::differential
