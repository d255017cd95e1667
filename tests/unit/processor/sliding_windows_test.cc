// Goal: sliding and unlimited windows, windows that are shown when they close, and cogroups do what Kafka Streams does.
// Method: the worked examples of its rules, driven record by record.
#include <chrono>

#include "gtest/gtest.h"
#include "tailrace/processor/streams_builder.h"
#include "tailrace/processor/topology_test_driver.h"

namespace tailrace::processor {
namespace {

using std::chrono::milliseconds;
using Counts = TopologyTestDriver::TypedRecord<Windowed<std::string>, int64_t>;

std::unique_ptr<TopologyTestDriver> DriverOf(StreamsBuilder& builder, TestDriverOptions options = {}) {
  auto topology = builder.Build();
  EXPECT_TRUE(topology.ok()) << topology.status();
  auto driver = TopologyTestDriver::Create(*std::move(topology), options);
  EXPECT_TRUE(driver.ok()) << driver.status();
  return *std::move(driver);
}

auto GroupedInput(StreamsBuilder& builder) { return builder.Stream<std::string, std::string>("in").GroupByKey(); }

void PipeAll(TopologyTestDriver& driver, const std::vector<int64_t>& times) {
  auto input = driver.InputTopic<std::string, std::string>("in");
  for (const int64_t time : times) EXPECT_TRUE(input.Pipe("k", "v", time).ok());
}

std::vector<Counts> Read(TopologyTestDriver& driver, int64_t size) {
  return driver.OutputTopic<Windowed<std::string>, int64_t>("out", TimeWindowedSerde<StringSerde>{{}, size}).ReadAll().value();
}

Counts Count(int64_t start, int64_t end, int64_t count, int64_t timestamp) {
  return {Windowed<std::string>{"k", start, end}, count, timestamp};
}

TEST(SlidingWindows, AnOutOfOrderRecordUpdatesTheWindowsAroundItNewestFirst) {
  StreamsBuilder builder;
  GroupedInput(builder)
      .WindowedBy(SlidingWindows::OfTimeDifferenceAndGrace(milliseconds(10), milliseconds(50)))
      .Count(Materialized("counts").WithCachingDisabled())
      .ToStream()
      .To("out");
  auto driver = DriverOf(builder);
  PipeAll(*driver, {20});
  EXPECT_EQ(Read(*driver, 10), (std::vector{Count(10, 20, 1, 20)}));
  PipeAll(*driver, {25});
  EXPECT_EQ(Read(*driver, 10), (std::vector{Count(21, 31, 1, 25), Count(15, 25, 2, 25)}));
  PipeAll(*driver, {22});
  EXPECT_EQ(Read(*driver, 10),
            (std::vector{Count(21, 31, 2, 25), Count(15, 25, 3, 25), Count(12, 22, 2, 22), Count(23, 33, 1, 25)}));
}

TEST(SlidingWindows, EarlyRecordsShareTheFirstWindow) {
  StreamsBuilder builder;
  GroupedInput(builder)
      .WindowedBy(SlidingWindows::OfTimeDifferenceAndGrace(milliseconds(10), milliseconds(50)))
      .Count(Materialized("counts").WithCachingDisabled())
      .ToStream()
      .To("out");
  auto driver = DriverOf(builder);
  PipeAll(*driver, {3, 7});
  EXPECT_EQ(Read(*driver, 10), (std::vector{Count(0, 10, 1, 3), Count(4, 14, 1, 7), Count(0, 10, 2, 7)}));
}

TEST(SlidingWindows, ARecordWhoseLastWindowIsClosedIsDropped) {
  StreamsBuilder builder;
  GroupedInput(builder)
      .WindowedBy(SlidingWindows::OfTimeDifferenceAndGrace(milliseconds(10), milliseconds(5)))
      .Count(Materialized("counts").WithCachingDisabled())
      .ToStream()
      .To("out");
  auto driver = DriverOf(builder);
  PipeAll(*driver, {100, 85});
  EXPECT_EQ(driver->Dropped()["late"], 1) << "its left window";
  PipeAll(*driver, {84});
  EXPECT_EQ(driver->Dropped()["late"], 2) << "all of it";
}

TEST(UnlimitedWindows, TakeAllRecordsSinceTheirStart) {
  StreamsBuilder builder;
  GroupedInput(builder).WindowedBy(UnlimitedWindows::Of().StartOn(10)).Count(Materialized("counts")).ToStream().To("out");
  auto driver = DriverOf(builder);
  PipeAll(*driver, {9, 10, 5'000'000, 11});
  constexpr int64_t kNever = INT64_MAX;
  EXPECT_EQ(Read(*driver, kNever),
            (std::vector{Count(10, kNever, 1, 10), Count(10, kNever, 2, 5'000'000), Count(10, kNever, 3, 5'000'000)}));
  EXPECT_EQ(driver->Dropped()["late"], 0);
}

TEST(UnlimitedWindows, NeverCloseSoTheyCannotBeEmittedThen) {
  StreamsBuilder builder;
  GroupedInput(builder)
      .WindowedBy(UnlimitedWindows::Of())
      .WithEmitStrategy(EmitStrategy::kOnWindowClose)
      .Count(Materialized("counts"));
  EXPECT_FALSE(builder.Build().ok());
}

TEST(EmitOnWindowClose, ATimeWindowIsShownOnceWhenItsEndPlusGraceHasPassed) {
  StreamsBuilder builder;
  GroupedInput(builder)
      .WindowedBy(TimeWindows::OfSizeAndGrace(milliseconds(10), milliseconds(5)))
      .WithEmitStrategy(EmitStrategy::kOnWindowClose)
      .Count(Materialized("counts").WithRetention(milliseconds(1000)))
      .ToStream()
      .To("out");
  auto driver = DriverOf(builder, {.emit_interval_ms = 1000});
  PipeAll(*driver, {0, 9, 14});
  EXPECT_EQ(Read(*driver, 10), std::vector<Counts>{});
  ASSERT_TRUE(driver->AdvanceWallClock(1000).ok());
  PipeAll(*driver, {15});  // stream time - grace = 10: [0, 10) is closed
  EXPECT_EQ(Read(*driver, 10), (std::vector{Count(0, 10, 2, 9)}));
  PipeAll(*driver, {40});
  EXPECT_EQ(Read(*driver, 10), std::vector<Counts>{}) << "at most once a second";
  ASSERT_TRUE(driver->AdvanceWallClock(1000).ok());
  PipeAll(*driver, {41});
  EXPECT_EQ(Read(*driver, 10), (std::vector{Count(10, 20, 2, 15)}));
}

TEST(EmitOnWindowClose, ASessionIsShownOnceWhenGapAndGraceHavePassed) {
  StreamsBuilder builder;
  GroupedInput(builder)
      .WindowedBy(SessionWindows::OfInactivityGapAndGrace(milliseconds(5), milliseconds(2)))
      .WithEmitStrategy(EmitStrategy::kOnWindowClose)
      .Count(Materialized("counts"))
      .ToStream()
      .To("out", Produced<SessionWindowedSerde<StringSerde>>());
  auto driver = DriverOf(builder);
  PipeAll(*driver, {10, 12, 19, 20});  // only the last record is later than 12 + 5 + 2
  auto output = driver->OutputTopic<Windowed<std::string>, int64_t>("out", SessionWindowedSerde<StringSerde>{});
  EXPECT_EQ(output.ReadAll().value(), (std::vector{Count(10, 12, 2, 12)}));
}

TEST(Cogroup, StreamsOfDifferentTypesAreAddedToOneAggregate) {
  StreamsBuilder builder;
  const auto words = builder.Stream<std::string, std::string>("in").GroupByKey();
  const auto numbers = builder.Stream<std::string, int64_t>("numbers").GroupByKey();
  words
      .Cogroup<std::string>([](const std::string&, const std::string& word, std::string a) { return a + word; })
      .Cogroup(numbers, [](const std::string&, const int64_t& number, std::string a) { return a + std::to_string(number); })
      .Aggregate([] { return std::string(); }, Materialized("all").WithCachingDisabled(), "joint")
      .ToStream()
      .To("out");
  auto driver = DriverOf(builder);
  ASSERT_TRUE((driver->InputTopic<std::string, std::string>("in").Pipe("k", "a", 1).ok()));
  ASSERT_TRUE((driver->InputTopic<std::string, int64_t>("numbers").Pipe("k", 7, 2).ok()));
  auto output = driver->OutputTopic<std::string, std::string>("out");
  const auto records = output.ReadAll().value();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[1].value, "a7");
  EXPECT_EQ(records[1].timestamp_ms, 2);
}

}  // namespace
}  // namespace tailrace::processor
