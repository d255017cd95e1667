// How long to wait before a source is tried again.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

namespace tailrace::ingest {

// What X asks of clients of its stream; scaled down in tests.
struct ReconnectTimes {
  // Broken connections: the wait grows by this, up to the most.
  int64_t network_step_ms = 250;
  int64_t network_max_ms = 16'000;
  // Errors of HTTP: it doubles.
  int64_t http_first_ms = 5'000;
  int64_t http_max_ms = 320'000;
  // Too many requests: it doubles, unless the answer says when to come again.
  int64_t rate_first_ms = 60'000;
  int64_t rate_max_ms = 960'000;
};

enum class ReconnectReason { kNetwork, kHttp, kRateLimit };

// Not thread-safe.
class Reconnect {
 public:
  explicit Reconnect(const ReconnectTimes& times) : times_(times) {}

  // The wait after one more failure. `told_ms` is what the server asked for; a wait that it tells is kept within the most.
  int64_t NextMs(ReconnectReason reason, std::optional<int64_t> told_ms = std::nullopt) {
    if (reason != reason_) failures_ = 0;
    reason_ = reason;
    ++failures_;
    switch (reason) {
      case ReconnectReason::kNetwork: return std::min(times_.network_max_ms, times_.network_step_ms * failures_);
      case ReconnectReason::kHttp: return Doubled(times_.http_first_ms, times_.http_max_ms);
      case ReconnectReason::kRateLimit: break;
    }
    if (told_ms) return std::clamp<int64_t>(*told_ms, 0, times_.rate_max_ms);
    return Doubled(times_.rate_first_ms, times_.rate_max_ms);
  }
  // It works again.
  void Reset() { failures_ = 0; }

 private:
  int64_t Doubled(int64_t first_ms, int64_t max_ms) const {
    constexpr int64_t kDoublingsMax = 30;
    return std::min(max_ms, first_ms << std::min(failures_ - 1, kDoublingsMax));
  }

  const ReconnectTimes times_;
  ReconnectReason reason_ = ReconnectReason::kNetwork;
  int64_t failures_ = 0;
};

}  // namespace tailrace::ingest
