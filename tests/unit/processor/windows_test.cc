// Goal: windowed aggregations accept, drop and stamp records as Kafka Streams does. Method: the worked examples of
// its rules, driven record by record.
#include <chrono>

#include "gtest/gtest.h"
#include "tailrace/processor/streams_builder.h"
#include "tailrace/processor/topology_test_driver.h"

namespace tailrace::processor {
namespace {

using std::chrono::milliseconds;
using Counts = TopologyTestDriver::TypedRecord<Windowed<std::string>, int64_t>;

std::unique_ptr<TopologyTestDriver> CountDriver(TimeWindows windows) {
  StreamsBuilder builder;
  builder.Stream<std::string, std::string>("in")
      .GroupByKey()
      .WindowedBy(windows)
      .Count(Materialized("counts"))
      .ToStream()
      .To("out");
  auto topology = builder.Build();
  EXPECT_TRUE(topology.ok()) << topology.status();
  auto driver = TopologyTestDriver::Create(*std::move(topology));
  EXPECT_TRUE(driver.ok()) << driver.status();
  return *std::move(driver);
}

std::vector<Counts> RunCounts(TopologyTestDriver& driver, const std::vector<int64_t>& times) {
  auto input = driver.InputTopic<std::string, std::string>("in");
  auto output = driver.OutputTopic<Windowed<std::string>, int64_t>("out", TimeWindowedSerde<StringSerde>{{}, 10});
  for (const int64_t time : times) EXPECT_TRUE(input.Pipe("k", "v", time).ok());
  return output.ReadAll().value();
}

Counts Count(int64_t start, int64_t count, int64_t timestamp) {
  return {Windowed<std::string>{"k", start, start + 10}, count, timestamp};
}

TEST(TimeWindows, LateRecordsUpdateTheirWindowUntilItsEndPlusGrace) {
  auto driver = CountDriver(TimeWindows::OfSizeAndGrace(milliseconds(10), milliseconds(5)));
  EXPECT_EQ(RunCounts(*driver, {0, 9, 12, 3, 15, 4, 14}),
            (std::vector{Count(0, 1, 0), Count(0, 2, 9), Count(10, 1, 12), Count(0, 3, 9), Count(10, 2, 15),
                         Count(10, 3, 15)}));
  EXPECT_EQ(driver->Dropped()["late"], 1);
}

TEST(TimeWindows, AHoppingRecordUpdatesSomeWindowsAndIsDroppedForOthers) {
  auto driver = CountDriver(TimeWindows::OfSizeWithNoGrace(milliseconds(10)).AdvanceBy(milliseconds(5)));
  EXPECT_EQ(RunCounts(*driver, {3, 7, 12, 8}),
            (std::vector{Count(0, 1, 3), Count(0, 2, 7), Count(5, 1, 7), Count(5, 2, 12), Count(10, 1, 12),
                         Count(5, 3, 12)}));
  EXPECT_EQ(driver->Dropped()["late"], 1);
}

TEST(TimeWindows, ChangelogHoldsKeyStartAndSequenceWithTheBareValue) {
  auto driver = CountDriver(TimeWindows::OfSizeWithNoGrace(std::chrono::minutes(1)));
  auto input = driver->InputTopic<std::string, std::string>("in");
  ASSERT_TRUE(input.Pipe("alice", "v", 61'234).ok());
  const auto changelog = driver->TakeProduced("test-counts-changelog");
  ASSERT_EQ(changelog.size(), 1u);
  EXPECT_EQ(base::HexEncode(*changelog[0].key), "616c696365000000000000ea6000000000");
  EXPECT_EQ(base::HexEncode(*changelog[0].value), "0000000000000001");
  EXPECT_EQ(changelog[0].timestamp_ms, 61'234);
  const auto out = driver->TakeProduced("out");
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(base::HexEncode(*out[0].key), "616c696365000000000000ea60");
}

TEST(TimeWindows, ANullKeyIsDroppedAndANullValueIsCounted) {
  auto driver = CountDriver(TimeWindows::OfSizeWithNoGrace(milliseconds(10)));
  auto input = driver->InputTopic<std::string, std::string>("in");
  ASSERT_TRUE(input.Pipe(std::nullopt, "v", 1).ok());
  ASSERT_TRUE(input.Pipe("k", std::nullopt, 2).ok());
  auto output = driver->OutputTopic<Windowed<std::string>, int64_t>("out", TimeWindowedSerde<StringSerde>{{}, 10});
  EXPECT_EQ(output.ReadAll().value(), (std::vector{Count(0, 1, 2)}));
  EXPECT_EQ(driver->Dropped()["null_key"], 1);
}

TEST(TimeWindows, RetentionShorterThanSizeAndGraceIsRefused) {
  StreamsBuilder builder;
  builder.Stream<std::string, std::string>("in")
      .GroupByKey()
      .WindowedBy(TimeWindows::OfSizeAndGrace(milliseconds(10), milliseconds(5)))
      .Count(Materialized("counts").WithRetention(milliseconds(14)));
  const auto topology = builder.Build();
  ASSERT_FALSE(topology.ok());
  EXPECT_NE(topology.status().message().find("counts"), absl::string_view::npos);
}

}  // namespace
}  // namespace tailrace::processor
