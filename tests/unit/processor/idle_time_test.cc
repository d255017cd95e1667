// Goal: windows close when input stops, if that was asked for. Method: small topologies on the TopologyTestDriver, whose wall clock
// moves only when told.
#include <chrono>

#include "committed_metadata.h"
#include "gtest/gtest.h"
#include "tailrace/processor/streams_builder.h"
#include "tailrace/processor/topology_test_driver.h"

namespace tailrace::processor {
namespace {

using std::string;
using std::chrono::milliseconds;

constexpr int64_t kTimeoutMs = 100;

std::unique_ptr<TopologyTestDriver> Drive(const StreamsBuilder& builder, TestDriverOptions options = {.idle_timeout_ms = kTimeoutMs}) {
  auto topology = builder.Build();
  EXPECT_TRUE(topology.ok()) << topology.status();
  auto driver = TopologyTestDriver::Create(*std::move(topology), std::move(options));
  EXPECT_TRUE(driver.ok()) << driver.status();
  return *std::move(driver);
}

void Pipe(TopologyTestDriver& driver, int64_t time_ms, const string& topic = "in") {
  ASSERT_TRUE((driver.InputTopic<string, string>(topic).Pipe("k", "v", time_ms).ok()));
}

// "value@timestamp", and the stream time in the header of those that time alone has caused.
std::vector<string> Out(TopologyTestDriver& driver) {
  std::vector<string> lines;
  for (const DriverRecord& record : driver.TakeProduced("out")) {
    string line = record.value.value_or("null") + "@" + std::to_string(record.timestamp_ms);
    for (const kafka::Header& header : record.headers)
      if (header.name == "__idle.stream.time") line += " idle " + header.value.value_or("");
    lines.push_back(line);
  }
  return lines;
}
using Lines = std::vector<string>;

constexpr auto kText = [](const Windowed<string>& key, const int64_t& count) {
  return std::to_string(key.start_ms) + "-" + std::to_string(key.end_ms) + ":" + std::to_string(count);
};

TEST(IdleTime, AWindowThatIsEmittedOnCloseClosesByTheWallClock) {
  StreamsBuilder builder;
  builder.Stream<string, string>("in")
      .GroupByKey()
      .WindowedBy(TimeWindows::OfSizeAndGrace(milliseconds(10), milliseconds(5)))
      .WithEmitStrategy(EmitStrategy::kOnWindowClose)
      .Count(Materialized("counts").WithRetention(milliseconds(1000)))
      .ToStream()
      .MapValues(kText)
      .To("out");
  auto driver = Drive(builder);
  Pipe(*driver, 1);
  Pipe(*driver, 3);
  ASSERT_TRUE(driver->AdvanceWallClock(kTimeoutMs - 1).ok());
  EXPECT_EQ(Out(*driver), Lines{});
  ASSERT_TRUE(driver->AdvanceWallClock(1).ok());
  EXPECT_EQ(Out(*driver), (Lines{"0-10:2@3 idle 103"}));
  // The late rule has seen that time, too.
  Pipe(*driver, 87);
  EXPECT_EQ(driver->Dropped()["late"], 1);
  Pipe(*driver, 99);
  EXPECT_EQ(driver->Dropped()["late"], 1) << "[90, 100) is open until 105";
  // A record ends the silence; time goes on from where it is.
  ASSERT_TRUE(driver->AdvanceWallClock(kTimeoutMs - 1).ok());
  EXPECT_EQ(Out(*driver), Lines{});
  ASSERT_TRUE(driver->AdvanceWallClock(1).ok());
  EXPECT_EQ(Out(*driver), (Lines{"90-100:1@99 idle 203"}));
  const CommittedMetadata committed = DecodeCommittedMetadata(driver->CommittedMetadata().at("in"));
  EXPECT_EQ(committed.operator_times_ms.at(kStreamTimeName), 203);
  EXPECT_EQ(committed.partition_time_ms, 99) << "the records' own time is theirs";
}

TEST(IdleTime, SlidingWindowsAndSessionsCloseToo) {
  StreamsBuilder builder;
  auto grouped = builder.Stream<string, string>("in").GroupByKey();
  grouped.WindowedBy(SlidingWindows::OfTimeDifferenceAndGrace(milliseconds(10), milliseconds(5)))
      .WithEmitStrategy(EmitStrategy::kOnWindowClose)
      .Count(Materialized("sliding").WithRetention(milliseconds(1000)))
      .ToStream()
      .MapValues(kText)
      .To("out");
  grouped.WindowedBy(SessionWindows::OfInactivityGapAndGrace(milliseconds(20), milliseconds(5)))
      .WithEmitStrategy(EmitStrategy::kOnWindowClose)
      .Count(Materialized("sessions").WithRetention(milliseconds(1000)))
      .ToStream()
      .MapValues(kText)
      .To("out");
  auto driver = Drive(builder);
  Pipe(*driver, 20);
  ASSERT_TRUE(driver->AdvanceWallClock(kTimeoutMs).ok());
  EXPECT_EQ(Out(*driver), (Lines{"10-20:1@20 idle 120", "20-20:1@20 idle 120"}));
}

TEST(IdleTime, ASuppressionLetsFinalResultsGoOnceWithAllThatWasCached) {
  StreamsBuilder builder;
  builder.Stream<string, string>("in")
      .GroupByKey()
      .WindowedBy(TimeWindows::OfSizeWithNoGrace(milliseconds(10)))
      .Count(Materialized("counts"))
      .Suppress(Suppressed::UntilWindowCloses(BufferConfig::Unbounded()).WithName("final"))
      .ToStream()
      .MapValues(kText)
      .To("out");
  // Nothing is committed before the clock moves: the counts are in the cache, and go to the suppression with the commit.
  auto driver = Drive(builder, {.commit_every_record = false, .idle_timeout_ms = kTimeoutMs});
  Pipe(*driver, 1);
  Pipe(*driver, 2);
  ASSERT_TRUE(driver->AdvanceWallClock(kTimeoutMs).ok());
  EXPECT_EQ(Out(*driver), (Lines{"0-10:2@2 idle 102"}));
  ASSERT_TRUE(driver->AdvanceWallClock(kTimeoutMs).ok());
  EXPECT_EQ(Out(*driver), Lines{});
}

TEST(IdleTime, ARecordThatMetNobodyIsJoinedWithNull) {
  StreamsBuilder builder;
  builder.Stream<string, string>("in")
      .LeftJoin(builder.Stream<string, string>("other"),
                [](const string& left, const string* right) { return left + "+" + (right == nullptr ? "null" : *right); },
                JoinWindows::OfTimeDifferenceWithNoGrace(milliseconds(10)), StreamJoined("j"))
      .To("out");
  auto driver = Drive(builder);
  Pipe(*driver, 5);
  ASSERT_TRUE(driver->AdvanceWallClock(kTimeoutMs).ok());
  EXPECT_EQ(Out(*driver), (Lines{"v+null@5 idle 105"}));
}

TEST(FutureTime, ARecordBeyondTheBoundClosesNothing) {
  StreamsBuilder builder;
  builder.Stream<string, string>("in")
      .GroupByKey()
      .WindowedBy(TimeWindows::OfSizeWithNoGrace(milliseconds(10)))
      .Count(Materialized("counts"))
      .ToStream()
      .MapValues(kText)
      .To("out");
  auto driver = Drive(builder, {.wall_time_ms = 10'000, .max_future_skew_ms = 1'000});
  Pipe(*driver, 9'000);
  Pipe(*driver, 11'001);
  EXPECT_EQ(driver->Dropped()["future_timestamp"], 1);
  Pipe(*driver, 9'001);
  EXPECT_EQ(driver->Dropped()["late"], 0);
  EXPECT_EQ(Out(*driver), (Lines{"9000-9010:1@9000", "9000-9010:2@9001"}));
  ASSERT_TRUE(driver->AdvanceWallClock(1).ok());
  Pipe(*driver, 11'001);
  EXPECT_EQ(driver->Dropped()["future_timestamp"], 1) << "now it is near enough";
  Pipe(*driver, 9'002);
  EXPECT_EQ(driver->Dropped()["late"], 1);
}

TEST(IdleTime, StandsStillUnlessAskedForAndBeforeTheFirstRecord) {
  StreamsBuilder builder;
  builder.Stream<string, string>("in")
      .GroupByKey()
      .WindowedBy(TimeWindows::OfSizeWithNoGrace(milliseconds(10)))
      .WithEmitStrategy(EmitStrategy::kOnWindowClose)
      .Count(Materialized("counts"))
      .ToStream()
      .MapValues(kText)
      .To("out");
  auto driver = Drive(builder, {});
  Pipe(*driver, 1);
  ASSERT_TRUE(driver->AdvanceWallClock(1'000'000).ok());
  EXPECT_EQ(Out(*driver), Lines{});
  EXPECT_FALSE(DecodeCommittedMetadata(driver->CommittedMetadata().at("in")).operator_times_ms.contains(kStreamTimeName));
  auto asked = Drive(builder);
  ASSERT_TRUE(asked->AdvanceWallClock(1'000'000).ok());
  Pipe(*asked, 1);
  EXPECT_EQ(asked->Dropped()["late"], 0) << "there was no time to advance";
}

}  // namespace
}  // namespace tailrace::processor
