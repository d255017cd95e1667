// Where operators decide by time: the distance between two records at which one answer turns into the other.
#pragma once

#include <cstdint>
#include <vector>

#include "case.h"

namespace tailrace::differential {

// Two records lie on an edge when the first one's time is `phase` modulo `step`, and the second one is older by `back`.
struct Edge {
  int64_t step = 1;
  int64_t phase = 0;
  int64_t back = 0;  // below zero: the second record is younger
};

// The edges of all operators of a case, by the arguments that they have.
std::vector<Edge> EdgesOf(const std::vector<Op>& ops);

}  // namespace tailrace::differential
