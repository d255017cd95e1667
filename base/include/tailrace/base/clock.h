// The only way to read a clock. Tests and simulation replace it.
#pragma once

#include <atomic>
#include <cstdint>

namespace tailrace::base {

// Thread-safe. A Clock outlives everything that was given it.
class Clock {
 public:
  virtual ~Clock() = default;
  // Milliseconds since the epoch. May jump in either direction: never use it for a deadline.
  virtual int64_t WallMs() const = 0;
  // Nanoseconds since an arbitrary start; never goes back. For deadlines and durations.
  virtual int64_t SteadyNs() const = 0;
  int64_t SteadyMs() const { return SteadyNs() / 1'000'000; }
};

// The process's clock.
const Clock& SystemClock();

// A clock that moves only when told. Thread-safe.
class ManualClock : public Clock {
 public:
  explicit ManualClock(int64_t wall_ms = 0) : wall_ms_(wall_ms) {}
  int64_t WallMs() const override { return wall_ms_.load(); }
  int64_t SteadyNs() const override { return steady_ns_.load(); }
  void AdvanceMs(int64_t ms) {
    wall_ms_ += ms;
    steady_ns_ += ms * 1'000'000;
  }

 private:
  std::atomic<int64_t> wall_ms_;
  std::atomic<int64_t> steady_ns_{0};
};

}  // namespace tailrace::base
