// Goal: count windows hold so many records of each key, whatever their times. Method: records of two keys in turn, counted by hand.
#include <chrono>

#include "gtest/gtest.h"
#include "tailrace/processor/streams_builder.h"
#include "tailrace/processor/topology_test_driver.h"

namespace tailrace::processor {
namespace {

using std::string;
using Rec = TopologyTestDriver::TypedRecord<string, string>;
using Recs = std::vector<Rec>;

std::unique_ptr<TopologyTestDriver> Joining(EmitStrategy emit, bool caching) {
  StreamsBuilder builder;
  builder.Stream<string, string>("in")
      .GroupByKey()
      .WindowedBy(CountWindows::Of(3))
      .WithEmitStrategy(emit)
      .Reduce([](const string& all, const string& value) { return all + value; }, Materialized("threes"))
      .ToStream([](const Windowed<string>& key, const string&) {
        return key.key + " " + std::to_string(key.start_ms) + "-" + std::to_string(key.end_ms);
      })
      .To("out");
  auto topology = builder.Build();
  EXPECT_TRUE(topology.ok()) << topology.status();
  auto driver = TopologyTestDriver::Create(*std::move(topology), {.caching = caching, .commit_every_record = false});
  EXPECT_TRUE(driver.ok()) << driver.status();
  return *std::move(driver);
}

void PipeSix(TopologyTestDriver& driver) {
  auto input = driver.InputTopic<string, string>("in");
  for (const auto& [key, value, time_ms] : std::vector<std::tuple<string, string, int64_t>>{
           {"a", "1", 50}, {"b", "x", 10}, {"a", "2", 5}, {"a", "3", 40}, {"a", "4", 7}, {"b", "y", 9}})
    EXPECT_TRUE(input.Pipe(key, value, time_ms).ok());
  EXPECT_TRUE(driver.Commit().ok());
}

Recs PipeAndRead(TopologyTestDriver& driver) {
  PipeSix(driver);
  return driver.OutputTopic<string, string>("out").ReadAll().value();
}

TEST(CountWindows, HoldSoManyRecordsOfAKeyInTheirOrder) {
  for (const bool caching : {true, false}) {
    auto driver = Joining(EmitStrategy::kOnWindowUpdate, caching);
    EXPECT_EQ(PipeAndRead(*driver), (Recs{{"a 0-3", "1", 50}, {"b 0-3", "x", 10}, {"a 0-3", "12", 50}, {"a 0-3", "123", 50}, {"a 3-6", "4", 7},
                                  {"b 0-3", "xy", 10}}));
    EXPECT_EQ(driver->Dropped()["late"], 0);
  }
}

TEST(CountWindows, CanBeShownWhenTheyAreFull) {
  for (const bool caching : {true, false}) {
    auto driver = Joining(EmitStrategy::kOnWindowClose, caching);
    EXPECT_EQ(PipeAndRead(*driver), (Recs{{"a 0-3", "123", 50}}));
  }
}

TEST(CountWindows, CountTheirRecordsWithoutNulls) {
  for (const bool caching : {true, false}) {
    StreamsBuilder builder;
    builder.Stream<string, string>("in")
        .GroupByKey()
        .WindowedBy(CountWindows::Of(2))
        .Count(Materialized("pairs"))
        .ToStream([](const Windowed<string>& key, const int64_t&) { return key.key + " " + std::to_string(key.start_ms); })
        .To("out");
    auto topology = builder.Build();
    ASSERT_TRUE(topology.ok()) << topology.status();
    auto driver = TopologyTestDriver::Create(*std::move(topology), {.caching = caching});
    ASSERT_TRUE(driver.ok()) << driver.status();
    ASSERT_TRUE(((*driver)->InputTopic<string, string>("in").Pipe("a", std::nullopt, 1).ok()));
    PipeSix(**driver);
    using Count = TopologyTestDriver::TypedRecord<string, int64_t>;
    EXPECT_EQ(((*driver)->OutputTopic<string, int64_t>("out").ReadAll().value()),
              (std::vector<Count>{{"a 0", 1, 50}, {"b 0", 1, 10}, {"a 0", 2, 50}, {"a 2", 1, 40}, {"a 2", 2, 40}, {"b 0", 2, 10}}));
    EXPECT_EQ((*driver)->Dropped()["null_value"], 1);
  }
}

TEST(CountWindows, OnlyTheLatestOfAKeyIsLookedUp) {
  StreamsBuilder builder;
  const auto counts = [&](const string& topic) {
    return builder.Stream<string, string>(topic).GroupByKey().WindowedBy(CountWindows::Of(2)).Count(Materialized(topic + "-pairs"));
  };
  counts("in")
      .Join(counts("other"), [](const int64_t& a, const int64_t& b) { return 10 * a + b; })
      .ToStream([](const Windowed<string>& key, const int64_t&) { return key.key + " " + std::to_string(key.start_ms); })
      .To("out");
  auto topology = builder.Build();
  ASSERT_TRUE(topology.ok()) << topology.status();
  auto driver = TopologyTestDriver::Create(*std::move(topology));
  ASSERT_TRUE(driver.ok()) << driver.status();
  // The fourth begins a window of which "other" knows nothing; the fifth ends one that "in" knows no more.
  for (const char* topic : {"in", "other", "in", "in", "other", "other"})
    ASSERT_TRUE(((*driver)->InputTopic<string, string>(topic).Pipe("a", "v", 1).ok()));
  using Count = TopologyTestDriver::TypedRecord<string, int64_t>;
  EXPECT_EQ(((*driver)->OutputTopic<string, int64_t>("out").ReadAll().value()),
            (std::vector<Count>{{"a 0", 11, 1}, {"a 0", 21, 1}, {"a 2", 11, 1}}));
}

TEST(CountWindows, AreLoggedWithTheirNumberOfRecordsAndShownToQueriesWithout) {
  auto driver = Joining(EmitStrategy::kOnWindowUpdate, true);
  PipeAndRead(*driver);
  const auto log = driver->TakeProduced("test-threes-changelog");
  ASSERT_EQ(log.size(), 6u) << "one per record, also with caching";
  EXPECT_EQ(base::HexEncode(*log[4].value), "00000000000000040134");
  const auto row = driver->Store("threes")->Get("threes", "b");
  ASSERT_TRUE(row.ok() && row->has_value());
  for (const state::StoreSpec& spec : driver->Stores()) {
    EXPECT_EQ(spec.schema->ValueToJson((*row)->value), "\"xy\"");
    EXPECT_EQ(spec.schema->ValueToJson("damaged"), std::nullopt);
  }
}

TEST(CountWindows, OfNoRecordsAndSuppressedAreRefused) {
  StreamsBuilder none;
  none.Stream<string, string>("in").GroupByKey().WindowedBy(CountWindows::Of(0)).Reduce(
      [](const string& all, const string&) { return all; });
  EXPECT_NE(none.Build().status().message().find("at least one record"), absl::string_view::npos);
  StreamsBuilder suppressed;
  suppressed.Stream<string, string>("in")
      .GroupByKey()
      .WindowedBy(CountWindows::Of(3))
      .Reduce([](const string& all, const string&) { return all; }, Materialized("s"))
      .Suppress(Suppressed::UntilWindowCloses(BufferConfig::Unbounded()));
  EXPECT_FALSE(suppressed.Build().ok()) << "a number of records is no time";
}

}  // namespace
}  // namespace tailrace::processor
