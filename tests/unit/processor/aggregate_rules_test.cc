// Goal: the rules of aggregation that show in headers, times and deletes. Method: small topologies on the test driver, with
// what Kafka Streams' own driver gives for them.
#include <gtest/gtest.h>

#include "tailrace/processor/streams_builder.h"
#include "tailrace/processor/topology_test_driver.h"

namespace tailrace::processor {
namespace {

using std::chrono::milliseconds;

std::unique_ptr<TopologyTestDriver> Driver(const StreamsBuilder& builder) {
  auto topology = builder.Build();
  EXPECT_TRUE(topology.ok()) << topology.status();
  auto driver = TopologyTestDriver::Create(std::move(*topology), {.application_id = "app"});
  EXPECT_TRUE(driver.ok()) << driver.status();
  return std::move(*driver);
}

std::optional<std::string> Concatenated(const std::string* aggregate, const std::string* value) {
  if (value != nullptr && *value == "delete") return std::nullopt;
  return *aggregate + "," + (value == nullptr ? "~" : *value);
}

TEST(AggregateRulesTest, WhatAFlushForwardsHasTheHeadersOfTheLastUpdate) {
  StreamsBuilder builder;
  builder.Stream<std::string, std::string>("in").GroupByKey().Count(Materialized("counts")).ToStream().To("out");
  const auto driver = Driver(builder);
  const kafka::Headers headers{{"h", "1"}, {"empty", std::nullopt}};
  ASSERT_TRUE(driver->Pipe("in", std::string_view("k"), std::string_view("v"), 1, headers).ok());
  ASSERT_TRUE(driver->Pipe("in", std::string_view("k"), std::string_view("v"), 2).ok());
  const auto records = driver->TakeProduced("out");
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].headers, headers);
  EXPECT_TRUE(records[1].headers.empty());
  for (const DriverRecord& record : driver->TakeProduced("app-counts-changelog")) EXPECT_TRUE(record.headers.empty());
}

// A session has no headers (KStreamSessionWindowAggregate.maybeForwardUpdate), so neither have the tables that follow it.
TEST(AggregateRulesTest, ACachedTableBehindSessionsHasNoHeadersOfTheRecordEither) {
  StreamsBuilder builder;
  builder.Stream<std::string, std::string>("in")
      .GroupByKey()
      .WindowedBy(SessionWindows::OfInactivityGapWithNoGrace(std::chrono::milliseconds(5)))
      .Count(Materialized("sessions").WithCachingDisabled())
      .ToStream()
      .ToTable(Materialized("updates"))
      .ToStream()
      .To("out");
  const auto driver = Driver(builder);
  ASSERT_TRUE(driver->Pipe("in", std::string_view("k"), std::string_view("v"), 1, {{"h", "1"}}).ok());
  const auto records = driver->TakeProduced("out");
  ASSERT_EQ(records.size(), 1u);
  EXPECT_TRUE(records[0].headers.empty());
}

TEST(AggregateRulesTest, ADeleteIsLoggedWithTheTimeOfItsRecord) {
  StreamsBuilder builder;
  builder.Stream<std::string, std::string>("in").GroupByKey().Reduce(
      [](const std::string& a, const std::string& v) { return Concatenated(&a, &v); },
      Materialized("s").WithCachingDisabled());
  const auto driver = Driver(builder);
  const auto input = [&](std::string_view value, int64_t time) { return driver->Pipe("in", std::string_view("k"), value, time); };
  ASSERT_TRUE(input("a", 10).ok());
  ASSERT_TRUE(input("b", 5).ok());
  ASSERT_TRUE(input("delete", 7).ok());
  const auto records = driver->TakeProduced("app-s-changelog");
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[1].timestamp_ms, 10);
  EXPECT_FALSE(records[2].value.has_value());
  EXPECT_EQ(records[2].timestamp_ms, 7);
}

TEST(AggregateRulesTest, AWindowedReducerOfPointersSeesNullValues) {
  StreamsBuilder builder;
  builder.Stream<std::string, std::string>("in")
      .GroupByKey()
      .WindowedBy(TimeWindows::OfSizeWithNoGrace(milliseconds(10)))
      .Reduce(Concatenated, Materialized("s").WithCachingDisabled());
  const auto driver = Driver(builder);
  ASSERT_TRUE(driver->Pipe("in", std::string_view("k"), {}, 1).ok());
  ASSERT_TRUE(driver->Pipe("in", std::string_view("k"), std::string_view("a"), 2).ok());
  ASSERT_TRUE(driver->Pipe("in", std::string_view("k"), {}, 3).ok());
  const auto records = driver->TakeProduced("app-s-changelog");
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[0].value, std::nullopt);
  EXPECT_EQ(records[1].value, "a");
  EXPECT_EQ(records[2].value, "a,~");
}

TEST(AggregateRulesTest, AWindowStoreForgetsByTheStartsThatWerePut) {
  // Retention 11: the record at 19 starts its window at 10, so the window [0, 10) is still there; the one at 20 ends it.
  StreamsBuilder builder;
  builder.Stream<std::string, std::string>("in")
      .GroupByKey()
      .WindowedBy(TimeWindows::OfSizeWithNoGrace(milliseconds(10)))
      .Count(Materialized("s").WithRetention(milliseconds(11)));
  const auto driver = Driver(builder);
  const auto windows = [&] {
    int count = 0;
    EXPECT_TRUE(driver->Store("s")->FetchAll("s", 0, INT64_MAX, std::nullopt, [&](const state::Row&) { return ++count > 0; }).ok());
    return count;
  };
  ASSERT_TRUE(driver->Pipe("in", std::string_view("k"), std::string_view("v"), 9).ok());
  ASSERT_TRUE(driver->Pipe("in", std::string_view("k"), std::string_view("v"), 19).ok());
  EXPECT_EQ(windows(), 2);
  ASSERT_TRUE(driver->Pipe("in", std::string_view("k"), std::string_view("v"), 20).ok());
  EXPECT_EQ(windows(), 2);
}

}  // namespace
}  // namespace tailrace::processor
