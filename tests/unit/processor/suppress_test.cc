// Goal: a suppression holds back, lets go, logs and refuses as Kafka Streams' does. Method: small topologies on the
// TopologyTestDriver, whose every record is a commit.
#include "gtest/gtest.h"
#include "tailrace/base/bytes.h"
#include "tailrace/processor/streams_builder.h"
#include "tailrace/processor/topology_test_driver.h"

namespace tailrace::processor {
namespace {

using std::string;
using std::chrono::milliseconds;
template <class K, class V>
using Rec = TopologyTestDriver::TypedRecord<K, V>;
using Strings = std::vector<Rec<string, string>>;

std::unique_ptr<TopologyTestDriver> Drive(const StreamsBuilder& builder, TestDriverOptions options = {}) {
  auto topology = builder.Build();
  EXPECT_TRUE(topology.ok()) << topology.status();
  auto driver = TopologyTestDriver::Create(*std::move(topology), std::move(options));
  EXPECT_TRUE(driver.ok()) << driver.status();
  return *std::move(driver);
}

Strings Out(TopologyTestDriver& driver) { return driver.OutputTopic<string, string>("out").ReadAll().value(); }

// A table from the topic "t" with this suppression, to "out".
class Suppressing {
 public:
  explicit Suppressing(const Suppressed& suppressed) {
    StreamsBuilder builder;
    builder.Table<string, string>("t").Suppress(suppressed).ToStream().To("out");
    driver_ = Drive(builder, {.caching = false});
  }
  Strings After(const string& key, std::optional<string> value, int64_t time_ms) {
    EXPECT_TRUE((driver_->InputTopic<string, string>("t").Pipe(key, std::move(value), time_ms).ok()));
    return Out(*driver_);
  }
  TopologyTestDriver& driver() { return *driver_; }

 private:
  std::unique_ptr<TopologyTestDriver> driver_;
};

const Strings kNothing;

TEST(Suppress, ATimeLimitCountsFromAKeysFirstChangeWhichLaterOnesDoNotReset) {
  Suppressing table(Suppressed::UntilTimeLimit(milliseconds(10), BufferConfig::Unbounded()));
  EXPECT_EQ(table.After("a", "1", 0), kNothing);
  EXPECT_EQ(table.After("a", "2", 9), kNothing);
  EXPECT_EQ(table.After("b", "3", 9), kNothing);
  EXPECT_EQ(table.After("b", "4", 10), (Strings{{"a", "2", 9}})) << "with the time of its last change";
  EXPECT_EQ(table.After("c", "5", 19), (Strings{{"b", "4", 10}}));
}

TEST(Suppress, ATimeLimitKeepsDeletes) {
  Suppressing table(Suppressed::UntilTimeLimit(milliseconds(5), BufferConfig::Unbounded()));
  EXPECT_EQ(table.After("a", "1", 0), kNothing);
  EXPECT_EQ(table.After("a", std::nullopt, 1), kNothing);
  EXPECT_EQ(table.After("b", "2", 5), (Strings{{"a", std::nullopt, 1}}));
}

TEST(Suppress, WhatIsDueTogetherLeavesByTimeThenByKey) {
  Suppressing table(Suppressed::UntilTimeLimit(milliseconds(5), BufferConfig::Unbounded()));
  for (const auto& [key, time_ms] : std::vector<std::pair<string, int64_t>>{{"d", 3}, {"b", 2}, {"c", 2}, {"a", 3}})
    EXPECT_EQ(table.After(key, key, time_ms), kNothing);
  EXPECT_EQ(table.After("z", "z", 20), (Strings{{"b", "b", 2}, {"c", "c", 2}, {"a", "a", 3}, {"d", "d", 3}}));
}

TEST(Suppress, ABufferThatIsFullEmitsItsOldestEarly) {
  Suppressing table(Suppressed::UntilTimeLimit(milliseconds(1000), BufferConfig::MaxRecords(2)));
  EXPECT_EQ(table.After("a", "1", 5), kNothing);
  EXPECT_EQ(table.After("b", "2", 3), kNothing);
  EXPECT_EQ(table.After("a", "3", 6), kNothing);
  EXPECT_EQ(table.After("c", "4", 9), (Strings{{"b", "2", 3}}));
  // 31 bytes each: time, timestamp, offset, partition, key, topic and value.
  Suppressing small(Suppressed::UntilTimeLimit(milliseconds(1000), BufferConfig::MaxBytes(64)));
  EXPECT_EQ(small.After("a", "1", 5), kNothing);
  EXPECT_EQ(small.After("b", "2", 6), kNothing);
  EXPECT_EQ(small.After("c", "3", 7), (Strings{{"a", "1", 5}}));
}

TEST(Suppress, ABufferThatIsFullAndStrictStopsTheApplication) {
  Suppressing table(Suppressed::UntilTimeLimit(milliseconds(1000), BufferConfig::MaxRecords(1).ShutDownWhenFull()));
  EXPECT_EQ(table.After("a", "1", 5), kNothing);
  const absl::Status status = table.driver().InputTopic<string, string>("t").Pipe("b", "2", 6);
  EXPECT_EQ(base::ReactionOf(status), base::Reaction::kFatal);
  EXPECT_NE(status.message().find("KTABLE-SUPPRESS-0000000003"), absl::string_view::npos) << status;
  EXPECT_NE(status.message().find("2 of 1 records"), absl::string_view::npos) << status;
}

// Counts in windows of 10 ms with 5 ms of grace, final results only.
TEST(Suppress, AFinalResultWaitsForTheWindowsEndAndGrace) {
  StreamsBuilder builder;
  builder.Stream<string, string>("in")
      .GroupByKey()
      .WindowedBy(TimeWindows::OfSizeAndGrace(milliseconds(10), milliseconds(5)))
      .Count()
      .Suppress(Suppressed::UntilWindowCloses(BufferConfig::Unbounded()).WithName("final"))
      .ToStream([](const Windowed<string>& key, const int64_t&) { return key.key + "@" + std::to_string(key.start_ms) + "-" + std::to_string(key.end_ms); })
      .To("out");
  for (const bool caching : {true, false}) {
    auto driver = Drive(builder, {.caching = caching});
    auto input = driver->InputTopic<string, string>("in");
    const auto out = [&] { return driver->OutputTopic<string, int64_t>("out").ReadAll().value(); };
    const std::vector<Rec<string, int64_t>> nothing;
    ASSERT_TRUE(input.Pipe("b", "x", 1).ok());
    ASSERT_TRUE(input.Pipe("a", "x", 2).ok());
    ASSERT_TRUE(input.Pipe("a", "x", 14).ok());
    ASSERT_TRUE(input.Pipe("a", "x", 3).ok());
    EXPECT_EQ(out(), nothing) << "the window [0, 10) closes at 15";
    ASSERT_TRUE(input.Pipe("c", "x", 15).ok());
    EXPECT_EQ(out(), (std::vector<Rec<string, int64_t>>{{"a@0-10", 2, 3}, {"b@0-10", 1, 1}})) << "by key, with the time of the last change";
    ASSERT_TRUE(input.Pipe("a", "x", 4).ok());
    EXPECT_EQ(out(), nothing) << "late";
    ASSERT_TRUE(input.Pipe("a", "x", 25).ok());
    EXPECT_EQ(out(), (std::vector<Rec<string, int64_t>>{{"a@10-20", 1, 14}, {"c@10-20", 1, 15}}));
  }
}

TEST(Suppress, AFinalResultThatIsADeleteIsNoResult) {
  StreamsBuilder builder;
  builder.Stream<string, string>("in")
      .GroupByKey()
      .WindowedBy(TimeWindows::OfSizeWithNoGrace(milliseconds(10)))
      .Reduce([](const string&, const string&) { return std::optional<string>(); }, Materialized("s").WithCachingDisabled())
      .Suppress(Suppressed::UntilWindowCloses(BufferConfig::Unbounded()))
      .ToStream()
      .To("out");
  auto driver = Drive(builder, {.caching = false});
  auto input = driver->InputTopic<string, string>("in");
  ASSERT_TRUE(input.Pipe("a", "x", 1).ok());
  ASSERT_TRUE(input.Pipe("a", "y", 2).ok());
  ASSERT_TRUE(input.Pipe("b", "z", 11).ok());
  EXPECT_TRUE(driver->TakeProduced("out").empty());
}

TEST(Suppress, TheChangelogHoldsWhereTheChangeCameFrom) {
  StreamsBuilder builder;
  builder.Table<string, string>("t").Suppress(Suppressed::UntilTimeLimit(milliseconds(5), BufferConfig::Unbounded()).WithName("s"));
  auto driver = Drive(builder, {.caching = false});
  ASSERT_TRUE(driver->Pipe("t", std::string_view("k"), std::string_view("v"), 3, {{"h", "x"}}).ok());
  ASSERT_TRUE(driver->Pipe("t", std::string_view("z"), std::string_view("v"), 9).ok());
  const auto records = driver->TakeProduced("test-s-store-changelog");
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[0].key, "k");
  // timestamp ‖ offset ‖ topic ‖ partition ‖ headers ‖ prior ‖ old ‖ new ‖ time
  EXPECT_EQ(records[0].value, string("\0\0\0\0\0\0\0\3" "\0\0\0\0\0\0\0\0" "\0\0\0\1t" "\0\0\0\0" "\0\0\0\1" "\0\0\0\1h" "\0\0\0\1x"
                                     "\377\377\377\377" "\377\377\377\377" "\0\0\0\1v" "\0\0\0\0\0\0\0\3", 60));
  EXPECT_EQ(records[0].headers, (kafka::Headers{{"v", "\3"}}));
  EXPECT_EQ(records[0].timestamp_ms, -1) << "the producer takes the time of sending";
  std::optional<DriverRecord> tombstone;
  for (const DriverRecord& record : records)
    if (!record.value.has_value()) tombstone = record;
  ASSERT_TRUE(tombstone.has_value());
  EXPECT_EQ(tombstone->key, "k");
  EXPECT_TRUE(tombstone->headers.empty());
}

TEST(Suppress, ACachedStoreAboveKeepsTheRecordOfItsLastUpdate) {
  StreamsBuilder builder;
  builder.Stream<string, string>("in").GroupByKey().Count(Materialized("counts")).Suppress(
      Suppressed::UntilTimeLimit(milliseconds(100), BufferConfig::Unbounded()).WithName("s"));
  auto driver = Drive(builder, {.commit_every_record = false});
  const kafka::Headers headers{{"h", "x"}};
  ASSERT_TRUE(driver->Pipe("in", std::string_view("a"), std::string_view("v"), 3).ok());
  ASSERT_TRUE(driver->Pipe("in", std::string_view("a"), std::string_view("v"), 4, headers).ok());
  ASSERT_TRUE(driver->Pipe("in", std::string_view("b"), std::string_view("v"), 5).ok());
  ASSERT_TRUE(driver->Commit().ok());
  std::map<string, string> logged;
  for (const DriverRecord& record : driver->TakeProduced("test-s-store-changelog")) logged[*record.key] = *record.value;
  ASSERT_EQ(logged.size(), 2u);
  EXPECT_EQ(base::LoadBigEndian<int64_t>(logged["a"].data()), 4) << "timestamp";
  EXPECT_EQ(base::LoadBigEndian<int64_t>(logged["a"].data() + 8), 1) << "offset";
  EXPECT_EQ(logged["a"].substr(16, 6), string("\0\0\0\2in", 6));
  EXPECT_EQ(base::LoadBigEndian<int32_t>(logged["a"].data() + 26), 1) << "headers";
  EXPECT_EQ(base::LoadBigEndian<int64_t>(logged["b"].data() + 8), 2);
}

TEST(Suppress, WhatIsLetGoCarriesTheHeadersThatItCameWith) {
  Suppressing table(Suppressed::UntilTimeLimit(milliseconds(5), BufferConfig::Unbounded()));
  const kafka::Headers headers{{"h", "x"}};
  ASSERT_TRUE(table.driver().Pipe("t", std::string_view("k"), std::string_view("v"), 3, headers).ok());
  ASSERT_TRUE(table.driver().Pipe("t", std::string_view("z"), std::string_view("v"), 9, {{"other", "y"}}).ok());
  const auto records = table.driver().TakeProduced("out");
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].headers, headers);
}

TEST(Suppress, ALookupSeesWhatWasLetGo) {
  StreamsBuilder builder;
  const auto suppressed = builder.Table<string, string>("t", Materialized("rows").WithCachingDisabled())
                              .Suppress(Suppressed::UntilTimeLimit(milliseconds(10), BufferConfig::Unbounded()));
  builder.Stream<string, string>("in")
      .LeftJoin(suppressed, [](const string& v, const string* row) { return v + (row == nullptr ? "~" : *row); })
      .To("out");
  auto driver = Drive(builder, {.caching = false});
  auto table = driver->InputTopic<string, string>("t");
  auto input = driver->InputTopic<string, string>("in");
  ASSERT_TRUE(table.Pipe("k", "1", 0).ok());
  ASSERT_TRUE(input.Pipe("k", "held:", 1).ok());
  ASSERT_TRUE(table.Pipe("other", "x", 10).ok());
  ASSERT_TRUE(input.Pipe("k", "gone:", 11).ok());
  ASSERT_TRUE(table.Pipe("k", "2", 12).ok());
  ASSERT_TRUE(input.Pipe("k", "held:", 13).ok());
  EXPECT_EQ(Out(*driver), (Strings{{"k", "held:~", 1}, {"k", "gone:1", 11}, {"k", "held:1", 13}}));
}

TEST(Suppress, ATableWithoutWindowsAboveHasNoCloseTime) {
  StreamsBuilder builder;
  builder.Table<Windowed<string>, string>("t").Suppress(Suppressed::UntilWindowCloses(BufferConfig::Unbounded())).ToStream().To("out");
  const auto topology = builder.Build();
  ASSERT_FALSE(topology.ok());
  EXPECT_NE(topology.status().message().find("UntilTimeLimit"), absl::string_view::npos) << topology.status();
}

TEST(Suppress, AGivenNameUsesNoNumber) {
  StreamsBuilder builder;
  builder.Table<string, string>("t")
      .Suppress(Suppressed::UntilTimeLimit(milliseconds(1), BufferConfig::Unbounded()).WithName("mine"))
      .Suppress(Suppressed::UntilTimeLimit(milliseconds(1), BufferConfig::Unbounded()))
      .ToStream()
      .To("out");
  EXPECT_EQ(builder.Build()->Describe().text,
            "Topologies:\n"
            "   Sub-topology: 0\n"
            "    Source: KSTREAM-SOURCE-0000000001 (topics: [t])\n"
            "      --> KTABLE-SOURCE-0000000002\n"
            "    Processor: KTABLE-SOURCE-0000000002 (stores: [t-STATE-STORE-0000000000])\n"
            "      --> mine\n"
            "      <-- KSTREAM-SOURCE-0000000001\n"
            "    Processor: mine (stores: [mine-store])\n"
            "      --> KTABLE-SUPPRESS-0000000003\n"
            "      <-- KTABLE-SOURCE-0000000002\n"
            "    Processor: KTABLE-SUPPRESS-0000000003 (stores: [KTABLE-SUPPRESS-STATE-STORE-0000000004])\n"
            "      --> KTABLE-TOSTREAM-0000000005\n"
            "      <-- mine\n"
            "    Processor: KTABLE-TOSTREAM-0000000005 (stores: [])\n"
            "      --> KSTREAM-SINK-0000000006\n"
            "      <-- KTABLE-SUPPRESS-0000000003\n"
            "    Sink: KSTREAM-SINK-0000000006 (topic: out)\n"
            "      <-- KTABLE-TOSTREAM-0000000005\n\n");
}

}  // namespace
}  // namespace tailrace::processor
