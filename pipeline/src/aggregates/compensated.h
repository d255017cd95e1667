// Neumaier's compensated sum: double sum, double compensation. It keeps what plain addition rounds away, so that results
// hardly depend on the order of events.
#pragma once

#include <cmath>

#include "aggregates/raw.h"

namespace tailrace::pipeline::aggregates {

inline void AddCompensated(char* at, double value) {
  const auto sum = Load<double>(at);
  const double next = sum + value;
  const double lost = std::abs(sum) >= std::abs(value) ? (sum - next) + value : (value - next) + sum;
  Store(at, next);
  Store(at + 8, Load<double>(at + 8) + lost);
}

inline double CompensatedSum(const char* at) { return Load<double>(at) + Load<double>(at + 8); }

}  // namespace tailrace::pipeline::aggregates
