#include "tailrace/state/trend_score.h"

#include <algorithm>
#include <cmath>

#include "tailrace/base/check.h"

namespace tailrace::state {

SlopeScore::SlopeScore(int64_t period_ms) : period_ms_(period_ms) { TAILRACE_CHECK(period_ms > 0, "windows have a size"); }

void SlopeScore::Add(int64_t start_ms, double count) {
  if (last_) {
    TAILRACE_CHECK(start_ms > last_->start_ms, "the windows of a series come by growing start");
    const double periods = static_cast<double>(start_ms - last_->start_ms) / static_cast<double>(period_ms_);
    score_ = (count - last_->count) / periods;
  }
  last_ = Window{.start_ms = start_ms, .count = count};
}

DecayScore::DecayScore(int64_t as_of_ms, int64_t half_life_ms) : as_of_ms_(as_of_ms), half_life_ms_(static_cast<double>(half_life_ms)) {
  TAILRACE_CHECK(half_life_ms > 0, "the caller checks the half-life");
}

void DecayScore::Add(int64_t start_ms, double count) {
  const auto age_ms = static_cast<double>(std::max<int64_t>(as_of_ms_ - start_ms, 0));
  score_ += count * std::exp2(-age_ms / half_life_ms_);
}

}  // namespace tailrace::state
