#include "tailrace/ingest/pacer.h"

#include <gtest/gtest.h>

#include <thread>

#include "tailrace/ingest/stop_signal.h"

namespace tailrace::ingest {
namespace {

// Waits on a clock that moves only by waiting.
struct FakeTime {
  base::ManualClock clock;
  int waits = 0;
  std::function<bool(int64_t)> Wait() {
    return [this](int64_t ns) {
      ++waits;
      clock.AdvanceMs((ns + 999'999) / 1'000'000);
      return waits < 100'000;
    };
  }
};

TEST(Pacer, HoldsTheRate) {
  FakeTime time;
  Pacer pacer(100, time.clock, time.Wait());
  for (int i = 0; i <= 1'000; ++i) {
    ASSERT_TRUE(pacer.WaitFor(i));
    ASSERT_GE(time.clock.SteadyMs(), i * 10);
    ASSERT_LE(time.clock.SteadyMs(), i * 10 + 3) << i;
  }
}

TEST(Pacer, HighRatesGoInBursts) {
  FakeTime time;
  Pacer pacer(1'000'000, time.clock, time.Wait());
  for (int i = 0; i < 1'000'000; ++i) ASSERT_TRUE(pacer.WaitFor(i));
  EXPECT_NEAR(static_cast<double>(time.clock.SteadyMs()), 1'000, 5);
  EXPECT_LE(time.waits, 501) << "2 ms each";
}

TEST(Pacer, CatchesUpAfterAPause) {
  FakeTime time;
  Pacer pacer(100, time.clock, time.Wait());
  ASSERT_TRUE(pacer.WaitFor(0));
  time.clock.AdvanceMs(1'000);
  for (int i = 1; i <= 100; ++i) EXPECT_FALSE(pacer.IsAhead(i)) << i;
  EXPECT_TRUE(pacer.IsAhead(101));
  EXPECT_EQ(time.waits, 0);
}

TEST(Pacer, WhatWasDueBeforeItWasMadeDoesNotWait) {
  FakeTime time;
  Pacer pacer(100, time.clock, time.Wait(), 2'000'000'000);
  for (int i = 0; i <= 200; ++i) EXPECT_FALSE(pacer.IsAhead(i)) << i;
  EXPECT_TRUE(pacer.IsAhead(201));
  ASSERT_TRUE(pacer.WaitFor(300));
  EXPECT_NEAR(static_cast<double>(time.clock.SteadyMs()), 1'000, 3);
}

TEST(Pacer, WithoutARateNothingWaits) {
  FakeTime time;
  Pacer pacer(0, time.clock, time.Wait());
  EXPECT_TRUE(pacer.WaitFor(1'000'000'000));
  EXPECT_EQ(time.waits, 0);
}

TEST(Pacer, AStopEndsTheWaitAtOnce) {
  StopSignal stop;
  Pacer pacer(1, base::SystemClock(), [&](int64_t ns) { return !stop.WaitNs(ns); });
  const int64_t start_ms = base::SystemClock().SteadyMs();
  std::thread stopper([&] { stop.Request(); });
  EXPECT_FALSE(pacer.WaitFor(3'600));
  stopper.join();
  EXPECT_LT(base::SystemClock().SteadyMs() - start_ms, 5'000);
  EXPECT_TRUE(stop.requested());
}

}  // namespace
}  // namespace tailrace::ingest
