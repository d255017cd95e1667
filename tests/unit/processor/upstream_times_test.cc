// Goal: the time of a repartition topic is that of the slowest task that writes it and still has something to say. Method: heartbeats
// by hand.
#include "upstream_times.h"

#include "gtest/gtest.h"
#include "tailrace/base/limits.h"

namespace tailrace::processor {
namespace {

constexpr base::TaskId kFirst{0, base::Partition(0)};
constexpr base::TaskId kSecond{0, base::Partition(1)};

TEST(UpstreamTimes, AHeartbeatSurvivesItsBytes) {
  const Heartbeat heartbeat{.task = {3, base::Partition(7)}, .stream_time_ms = 61'234, .wall_ms = 1'700'000'000'000, .idle = true};
  const auto decoded = DecodeHeartbeat({{"other", "x"}, EncodeHeartbeat(heartbeat)});
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->task, heartbeat.task);
  EXPECT_EQ(decoded->stream_time_ms, heartbeat.stream_time_ms);
  EXPECT_EQ(decoded->wall_ms, heartbeat.wall_ms);
  EXPECT_TRUE(decoded->idle);
  EXPECT_FALSE(DecodeHeartbeat({}).has_value());
  kafka::Header damaged = EncodeHeartbeat(heartbeat);
  damaged.value->pop_back();
  EXPECT_FALSE(DecodeHeartbeat({damaged}).has_value());
}

TEST(UpstreamTimes, TheSlowestCountsAndNothingIsKnownBeforeAllWereHeard) {
  UpstreamTimes times({kFirst, kSecond});
  EXPECT_EQ(times.Time(), -1);
  times.Take({.task = kFirst, .stream_time_ms = 500, .wall_ms = 1});
  EXPECT_EQ(times.Time(), -1);
  times.Take({.task = kSecond, .stream_time_ms = 100, .wall_ms = 2});
  EXPECT_EQ(times.Time(), 100);
  times.Take({.task = kSecond, .stream_time_ms = 900, .wall_ms = 3});
  EXPECT_EQ(times.Time(), 500);
  times.Take({.task = {9, base::Partition(0)}, .stream_time_ms = 1, .wall_ms = 4});
  EXPECT_EQ(times.Time(), 500) << "a task that does not write the topic says nothing";
}

TEST(UpstreamTimes, AnIdleTaskIsNotWaitedForAsLongAsItSaysSo) {
  UpstreamTimes times({kFirst, kSecond});
  times.Take({.task = kFirst, .stream_time_ms = 500, .wall_ms = 1'000});
  times.Take({.task = kSecond, .stream_time_ms = 100, .wall_ms = 1'000, .idle = true});
  EXPECT_EQ(times.Time(), 500);
  EXPECT_FALSE(times.all_idle());
  // It has stopped: it may come back with all that it has not read meanwhile.
  times.Take({.task = kFirst, .stream_time_ms = 600, .wall_ms = 1'001 + base::limits::kIdleHeartbeatMsMax});
  EXPECT_EQ(times.Time(), 100);
  times.Take({.task = kSecond, .stream_time_ms = 100, .wall_ms = 40'000, .idle = true});
  times.Take({.task = kFirst, .stream_time_ms = 600, .wall_ms = 40'000, .idle = true});
  EXPECT_EQ(times.Time(), 600) << "nobody has anything to say";
  EXPECT_TRUE(times.all_idle());
}

TEST(UpstreamTimes, ACommitRecordKeepsThem) {
  UpstreamTimes times({kFirst, kSecond});
  times.Take({.task = kFirst, .stream_time_ms = 500, .wall_ms = 1'000});
  times.Take({.task = kSecond, .stream_time_ms = 100, .wall_ms = 999, .idle = true});
  std::map<std::string, int64_t> saved;
  times.Save("topic", saved);
  times.Save("other", saved);
  UpstreamTimes restored({kFirst, kSecond});
  restored.Restore("topic", {saved.begin(), saved.end()});
  EXPECT_EQ(restored.Time(), 500);
  restored.Take({.task = kSecond, .stream_time_ms = 200, .wall_ms = 1'001});
  EXPECT_EQ(restored.Time(), 200);
}

}  // namespace
}  // namespace tailrace::processor
