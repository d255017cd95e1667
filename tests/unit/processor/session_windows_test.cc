// Goal: session windows merge, drop, log and stamp as Kafka Streams does. Method: the worked examples of its rules, driven
// record by record.
#include <chrono>

#include "gtest/gtest.h"
#include "tailrace/processor/streams_builder.h"
#include "tailrace/processor/topology_test_driver.h"

namespace tailrace::processor {
namespace {

using std::chrono::milliseconds;
using Counts = TopologyTestDriver::TypedRecord<Windowed<std::string>, int64_t>;
using Texts = TopologyTestDriver::TypedRecord<Windowed<std::string>, std::string>;
using SessionSerde = SessionWindowedSerde<StringSerde>;

std::unique_ptr<TopologyTestDriver> DriverOf(StreamsBuilder& builder) {
  auto topology = builder.Build();
  EXPECT_TRUE(topology.ok()) << topology.status();
  auto driver = TopologyTestDriver::Create(*std::move(topology));
  EXPECT_TRUE(driver.ok()) << driver.status();
  return *std::move(driver);
}

std::unique_ptr<TopologyTestDriver> CountDriver(SessionWindows windows, Materialized<> materialized = Materialized("counts")) {
  StreamsBuilder builder;
  builder.Stream<std::string, std::string>("in")
      .GroupByKey()
      .WindowedBy(windows)
      .Count(std::move(materialized))
      .ToStream()
      .To("out", Produced<SessionSerde>());
  return DriverOf(builder);
}

std::vector<Counts> RunCounts(TopologyTestDriver& driver, const std::vector<int64_t>& times) {
  auto input = driver.InputTopic<std::string, std::string>("in");
  auto output = driver.OutputTopic<Windowed<std::string>, int64_t>("out", SessionSerde{});
  for (const int64_t time : times) EXPECT_TRUE(input.Pipe("k", "v", time).ok());
  return output.ReadAll().value();
}

Counts Session(int64_t start, int64_t end, std::optional<int64_t> count) {
  return {Windowed<std::string>{"k", start, end}, count, end};
}

// The third record lies exactly one gap from both sessions; the fifth and the seventh would belong to sessions that are closed.
TEST(SessionWindows, MergeAtTheGapTombstonesFirstAndDropByTheMergedEnd) {
  for (const bool cached : {false, true}) {
    // With the default retention the first session is forgotten when the second begins.
    Materialized<> materialized = Materialized("counts").WithRetention(milliseconds(1000));
    if (!cached) materialized.WithCachingDisabled();
    auto driver = CountDriver(SessionWindows::OfInactivityGapWithNoGrace(milliseconds(5)), materialized);
    EXPECT_EQ(RunCounts(*driver, {0, 10, 5, 16, 3, 30, 12}),
              (std::vector{Session(0, 0, 1), Session(10, 10, 1), Session(0, 0, std::nullopt), Session(10, 10, std::nullopt),
                           Session(0, 10, 3), Session(16, 16, 1), Session(30, 30, 1)})) << cached;
    EXPECT_EQ(driver->Dropped()["late"], 2);
  }
}

TEST(SessionWindows, AnOldRecordThatExtendsALivingSessionIsTaken) {
  auto driver = CountDriver(SessionWindows::OfInactivityGapWithNoGrace(milliseconds(5)),
                            Materialized("counts").WithCachingDisabled().WithRetention(milliseconds(100)));
  EXPECT_EQ(RunCounts(*driver, {20, 24, 28, 16}).back(), Session(16, 28, 4));
  EXPECT_EQ(driver->Dropped()["late"], 0);
}

TEST(SessionWindows, GraceKeepsAClosedSessionOpen) {
  auto driver = CountDriver(SessionWindows::OfInactivityGapAndGrace(milliseconds(5), milliseconds(10)));
  // Stream time 30: a session that ends at 15 is taken, one that ends at 14 is not.
  EXPECT_EQ(RunCounts(*driver, {30, 15, 9}), (std::vector{Session(30, 30, 1), Session(15, 15, 1)}));
  EXPECT_EQ(driver->Dropped()["late"], 1);
}

TEST(SessionWindows, TopicsHoldTheEndBeforeTheStartAndTheChangelogTheTimeOfTheRecord) {
  auto driver = CountDriver(SessionWindows::OfInactivityGapWithNoGrace(milliseconds(30'000)));
  auto input = driver->InputTopic<std::string, std::string>("in");
  ASSERT_TRUE(input.Pipe("alice", "v", 60'000).ok());
  ASSERT_TRUE(input.Pipe("alice", "v", 90'000).ok());
  const auto changelog = driver->TakeProduced("test-counts-changelog");
  ASSERT_EQ(changelog.size(), 3u);
  EXPECT_EQ(base::HexEncode(*changelog[1].key), "616c696365000000000000ea60000000000000ea60");
  EXPECT_FALSE(changelog[1].value.has_value());
  EXPECT_EQ(changelog[1].timestamp_ms, 90'000);
  EXPECT_EQ(base::HexEncode(*changelog[2].key), "616c6963650000000000015f90000000000000ea60");
  EXPECT_EQ(base::HexEncode(*changelog[2].value), "0000000000000002");
  const auto out = driver->TakeProduced("out");
  ASSERT_EQ(out.size(), 3u);
  EXPECT_EQ(base::HexEncode(*out[2].key), "616c6963650000000000015f90000000000000ea60");
  EXPECT_EQ(out[2].timestamp_ms, 90'000);
}

TEST(SessionWindows, ASinkWithoutASerdeWritesKeysAsTheTableHasThem) {
  StreamsBuilder builder;
  const auto stream = builder.Stream<std::string, std::string>("in")
                          .GroupByKey()
                          .WindowedBy(SessionWindows::OfInactivityGapWithNoGrace(milliseconds(30'000)))
                          .Count(Materialized("counts").WithCachingDisabled())
                          .MapValues([](int64_t count) { return std::to_string(count); })
                          .ToStream();
  stream.To("plain");
  stream.Filter([](const Windowed<std::string>&, const std::string&) { return true; })
      .To([](const Windowed<std::string>*, const std::string*, const RecordContext&) { return std::string("dynamic"); });
  stream.SelectKey([](const Windowed<std::string>* key, const std::string*) { return Windowed<std::string>{key->key, 1, 2}; })
      .To("new-keys");
  auto driver = DriverOf(builder);
  auto input = driver->InputTopic<std::string, std::string>("in");
  ASSERT_TRUE(input.Pipe("alice", "v", 60'000).ok());
  ASSERT_TRUE(input.Pipe("alice", "v", 90'000).ok());
  for (const char* const topic : {"plain", "dynamic"}) {
    const auto out = driver->TakeProduced(topic);
    ASSERT_FALSE(out.empty()) << topic;
    EXPECT_EQ(base::HexEncode(*out.back().key), "616c6963650000000000015f90000000000000ea60") << topic;
  }
  EXPECT_EQ(base::HexEncode(*driver->TakeProduced("new-keys").back().key), "616c6963650000000000000001") << "as time windows";
}

// Behind a new grouping, a repartition topic and a table that is made of the stream.
TEST(SessionWindows, OperatorsWithoutASerdeKeepKeysAsTheTableHasThem) {
  StreamsBuilder builder;
  const auto sessions = builder.Stream<std::string, std::string>("in")
                            .GroupByKey()
                            .WindowedBy(SessionWindows::OfInactivityGapWithNoGrace(milliseconds(5)))
                            .Count(Materialized("counts"))
                            .ToStream();
  sessions.Repartition(Repartitioned("again")).GroupByKey().Count(Materialized("updates")).ToStream().To("out");
  sessions.ToTable(Materialized("rows"));
  sessions.GroupByKey(Grouped("as-time", TimeWindowedSerde<StringSerde>{}, DefaultSerde<int64_t>{}))
      .Count(Materialized("given"));
  auto driver = DriverOf(builder);
  auto input = driver->InputTopic<std::string, std::string>("in");
  for (const int64_t time_ms : {1, 3}) ASSERT_TRUE(input.Pipe("k", "v", time_ms).ok());
  const std::string start(7, '\0');
  const std::string first = "k" + start + "\x01" + start + "\x01";  // key, end, start
  const std::string second = "k" + start + "\x03" + start + "\x01";
  const auto keys = [&](const std::string& topic) {
    std::vector<std::string> found;
    for (const DriverRecord& record : driver->TakeProduced(topic)) found.push_back(record.key.value_or("null"));
    return found;
  };
  using Keys = std::vector<std::string>;
  EXPECT_EQ(keys("test-again-repartition"), (Keys{first, first, second})) << "the first is deleted when it grows";
  EXPECT_EQ(keys("test-updates-changelog"), (Keys{first, second}));
  EXPECT_EQ(keys("out"), (Keys{first, second}));
  EXPECT_EQ(keys("test-rows-changelog"), (Keys{first, first, second}));
  EXPECT_EQ(keys("test-given-changelog"), (Keys{"k" + start + "\x01", "k" + start + "\x01"}));
}

TEST(SessionWindows, ARowIsLookedUpByItsKeyAndBothEnds) {
  StreamsBuilder builder;
  const auto counts = [&](const std::string& topic) {
    return builder.Stream<std::string, std::string>(topic)
        .GroupByKey()
        .WindowedBy(SessionWindows::OfInactivityGapWithNoGrace(milliseconds(5)))
        .Count(Materialized(topic + "-counts"));
  };
  counts("in")
      .Join(counts("other"), [](const int64_t& a, const int64_t& b) { return 10 * a + b; })
      .ToStream()
      .To("out");
  auto driver = DriverOf(builder);
  for (const int64_t time_ms : {1, 3})
    for (const char* topic : {"in", "other"})
      ASSERT_TRUE((driver->InputTopic<std::string, std::string>(topic).Pipe("k", "v", time_ms).ok()));
  auto output = driver->OutputTopic<Windowed<std::string>, int64_t>("out", SessionSerde{});
  const auto out = output.ReadAll().value();
  ASSERT_EQ(out.size(), 3u);
  EXPECT_EQ(out[0], Session(1, 1, 11));
  EXPECT_EQ(out[1].value, std::nullopt) << "the first sessions are gone as soon as one of them is";
  EXPECT_EQ(out[2], Session(1, 3, 22));
}

TEST(SessionWindows, ANullKeyIsDroppedAndANullValueIsCounted) {
  auto driver = CountDriver(SessionWindows::OfInactivityGapWithNoGrace(milliseconds(5)));
  auto input = driver->InputTopic<std::string, std::string>("in");
  ASSERT_TRUE(input.Pipe(std::nullopt, "v", 1).ok());
  ASSERT_TRUE(input.Pipe("k", std::nullopt, 2).ok());
  auto output = driver->OutputTopic<Windowed<std::string>, int64_t>("out", SessionSerde{});
  EXPECT_EQ(output.ReadAll().value(), (std::vector{Session(2, 2, 1)}));
  EXPECT_EQ(driver->Dropped()["null_key"], 1);
}

TEST(SessionWindows, AggregatesOfSessionsAreMergedByEndThenTheRecordIsAdded) {
  StreamsBuilder builder;
  const auto grouped = builder.Stream<std::string, std::string>("in").GroupByKey();
  const auto windowed = grouped.WindowedBy(SessionWindows::OfInactivityGapAndGrace(milliseconds(5), milliseconds(10)));
  windowed
      .Aggregate<std::string>([] { return std::string("0"); },
                              [](const std::string&, const std::string& v, const std::string& a) { return a + v; },
                              [](const std::string&, const std::string& a, const std::string& b) { return a + "&" + b; },
                              Materialized("texts").WithCachingDisabled().WithRetention(milliseconds(1000)))
      .ToStream()
      .To("aggregates", Produced<SessionSerde>());
  windowed
      .Reduce([](const std::string& a, const std::string& b) { return a + b; },
              Materialized("reduced").WithCachingDisabled().WithRetention(milliseconds(1000)))
      .ToStream()
      .To("reductions", Produced<SessionSerde>());
  auto driver = DriverOf(builder);
  auto input = driver->InputTopic<std::string, std::string>("in");
  ASSERT_TRUE(input.Pipe("k", "a", 10).ok());
  ASSERT_TRUE(input.Pipe("k", "b", 2).ok());
  ASSERT_TRUE(input.Pipe("k", "c", 6).ok());
  auto aggregates = driver->OutputTopic<Windowed<std::string>, std::string>("aggregates", SessionSerde{});
  EXPECT_EQ(aggregates.ReadAll().value().back(), (Texts{Windowed<std::string>{"k", 2, 10}, "0&0b&0ac", 10}));
  auto reductions = driver->OutputTopic<Windowed<std::string>, std::string>("reductions", SessionSerde{});
  EXPECT_EQ(reductions.ReadAll().value().back(), (Texts{Windowed<std::string>{"k", 2, 10}, "bac", 10}));
}

TEST(SessionWindows, RetentionShorterThanGapAndGraceIsRefused) {
  StreamsBuilder builder;
  builder.Stream<std::string, std::string>("in")
      .GroupByKey()
      .WindowedBy(SessionWindows::OfInactivityGapAndGrace(milliseconds(10), milliseconds(5)))
      .Count(Materialized("counts").WithRetention(milliseconds(14)));
  const auto topology = builder.Build();
  ASSERT_FALSE(topology.ok());
  EXPECT_NE(topology.status().message().find("counts"), absl::string_view::npos);
}

}  // namespace
}  // namespace tailrace::processor
