#include "tailrace/ingest/pacer.h"

#include <algorithm>

#include "tailrace/base/check.h"

namespace tailrace::ingest {
namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;
// At high rates records go in small bursts, since a wait per record would cost more than the record.
constexpr int64_t kShortestWaitNs = 2'000'000;

}  // namespace

Pacer::Pacer(int64_t rate, const base::Clock& clock, std::function<bool(int64_t)> wait, int64_t begun_ns_ago)
    : rate_(rate), clock_(clock), wait_(std::move(wait)), start_ns_(clock.SteadyNs() - begun_ns_ago) {
  TAILRACE_CHECK(rate >= 0 && begun_ns_ago >= 0, "a rate is not negative, and a beginning not in the future");
}

int64_t Pacer::Due() const {
  // 128 bits: years of nanoseconds times a rate of millions.
  const auto elapsed_ns = static_cast<__int128>(clock_.SteadyNs() - start_ns_);
  return static_cast<int64_t>(elapsed_ns * rate_ / kNsPerSecond) + 1;
}

bool Pacer::IsAhead(int64_t index) {
  if (rate_ == 0 || index < due_) return false;
  due_ = Due();
  return index >= due_;
}

bool Pacer::WaitFor(int64_t index) {
  while (IsAhead(index)) {
    // The first nanosecond at which it is due.
    const auto due_ns = static_cast<int64_t>((static_cast<__int128>(index) * kNsPerSecond + rate_ - 1) / rate_);
    if (!wait_(std::max(due_ns - (clock_.SteadyNs() - start_ns_), kShortestWaitNs))) return false;
  }
  return true;
}

}  // namespace tailrace::ingest
