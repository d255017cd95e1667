// Goal: joins with rows that are looked up - of versioned tables (KIP-889, KIP-914, KIP-923), of a stream itself, of global tables -
// follow the rules of Kafka Streams.
#include <gtest/gtest.h>

#include "tailrace/base/bytes.h"
#include "tailrace/base/limits.h"
#include "tailrace/processor/streams_builder.h"
#include "tailrace/processor/suppressed.h"
#include "tailrace/processor/topology_test_driver.h"

namespace tailrace::processor {
namespace {

using namespace std::chrono_literals;  // NOLINT
using std::string;
using Strings = std::vector<TopologyTestDriver::TypedRecord<string, string>>;

string Pair(const string& a, const string* b) { return a + "|" + (b == nullptr ? "null" : *b); }

// "table" (versioned) and "stream", left-joined into "out".
class Joining {
 public:
  explicit Joining(std::chrono::milliseconds history, std::optional<std::chrono::milliseconds> grace = std::nullopt) {
    StreamsBuilder builder;
    auto table = builder.Table<string, string>("table", Materialized("rows").Versioned(history));
    Joined<> joined("j");
    if (grace.has_value()) joined.WithGracePeriod(*grace);
    builder.Stream<string, string>("stream").LeftJoin(table, Pair, joined).To("out");
    table.ToStream().To("changes");
    auto topology = builder.Build();
    EXPECT_TRUE(topology.ok()) << topology.status();
    driver = TopologyTestDriver::Create(*std::move(topology)).value();
  }
  void Row(std::optional<string> value, int64_t time_ms) { Pipe("table", std::move(value), time_ms); }
  void Record(const string& value, int64_t time_ms) { Pipe("stream", value, time_ms); }
  void Pipe(const string& topic, std::optional<string> value, int64_t time_ms) {
    const absl::Status status = driver->InputTopic<string, string>(topic).Pipe("k", value, time_ms);
    EXPECT_TRUE(status.ok()) << status;
  }
  Strings Out(const string& topic = "out") { return driver->OutputTopic<string, string>(topic).ReadAll().value(); }
  std::unique_ptr<TopologyTestDriver> driver;
};

TEST(VersionedTable, AStreamRecordMeetsTheRowOfItsTime) {
  Joining join(100ms);
  join.Row("a", 10);
  join.Row("c", 30);
  join.Row("b", 20);
  join.Row(std::nullopt, 25);
  for (const int64_t time : {5, 10, 24, 27, 35}) join.Record("s", time);
  EXPECT_EQ(join.Out(), (Strings{{"k", "s|null", 5}, {"k", "s|a", 10}, {"k", "s|b", 24}, {"k", "s|null", 27}, {"k", "s|c", 35}}));
}

TEST(VersionedTable, AnUpdateOlderThanTheHistoryIsLoggedAndNotForwarded) {
  Joining join(10ms);
  join.Row("a", 100);
  join.Row("old", 90);
  join.Row("too old", 89);
  EXPECT_EQ(join.Out("changes"), (Strings{{"k", "a", 100}, {"k", "old", 90}}));
  EXPECT_EQ(join.driver->TakeProduced("test-rows-changelog").size(), 3u);
}

TEST(VersionedTable, QueriesSeeVersions) {
  Joining join(100ms);
  join.Row("a", 10);
  join.Row("b", 20);
  const auto view = join.driver->Store("rows");
  EXPECT_EQ(view->Get("rows", "k").value()->value, "b");
  EXPECT_EQ(view->GetAsOf("rows", "k", 19).value()->value, "a");
  EXPECT_FALSE(view->GetAsOf("rows", "k", 9).value().has_value());
}

TEST(VersionedTable, AMaterializedWithoutANameEndsTheVersionsAndMakesNoStore) {
  const auto build = [](bool materialized) {
    StreamsBuilder builder;
    const auto same = [](const string& v) { return v; };
    auto table = builder.Table<string, string>("table", Materialized("rows").Versioned(100ms));
    auto mapped = materialized ? table.MapValues(same, Materialized<>()) : table.MapValues(same);
    mapped.Suppress(Suppressed::UntilTimeLimit(10ms, BufferConfig::Unbounded()));
    return builder.Build().value().Compile("test");
  };
  EXPECT_TRUE(build(true).ok()) << build(true);
  EXPECT_NE(build(false).message().find("versioned"), absl::string_view::npos) << build(false);
}

TEST(StreamTableJoinGrace, ARecordWaitsForTheGraceAndMeetsALateRow) {
  Joining join(100ms, 10ms);
  join.Record("s", 20);
  join.Row("late", 15);
  EXPECT_EQ(join.Out(), Strings{});
  join.Record("next", 29);
  EXPECT_EQ(join.Out(), Strings{}) << "20 > 29 - 10";
  join.Record("last", 30);
  EXPECT_EQ(join.Out(), (Strings{{"k", "s|late", 20}}));
  join.Record("out of order", 19);
  EXPECT_EQ(join.Out(), (Strings{{"k", "out of order|late", 19}})) << "older than the newest by more than the grace: joined at once";
}

TEST(StreamTableJoinGrace, BufferBytes) {
  Joining join(100ms, 10ms);
  join.Record("sv", 20);
  join.Record("x", 40);
  const auto log = join.driver->TakeProduced("test-j-Buffer-changelog");
  ASSERT_EQ(log.size(), 3u);
  string key("\0", 1);
  base::AppendBigEndian(key, int64_t{20});
  key += "k";
  base::AppendBigEndian(key, int32_t{1});
  EXPECT_EQ(log[0].key, key);
  string value;
  base::AppendBigEndian(value, int64_t{20});  // time, offset, topic, partition and headers of the record
  base::AppendBigEndian(value, int64_t{0});
  base::AppendBigEndian(value, int32_t{6});
  value += "stream";
  base::AppendBigEndian(value, int32_t{0});
  base::AppendBigEndian(value, int32_t{0});
  for (const int32_t size : {-1, -1, 2}) base::AppendBigEndian(value, size);  // no prior and no old value
  value += "sv";
  base::AppendBigEndian(value, int64_t{0});
  EXPECT_EQ(log[0].value, value);
  EXPECT_EQ(log[2].key, key) << "it waits no longer";
  EXPECT_EQ(log[2].value, std::nullopt);
}

TEST(StreamTableJoinGrace, MoreRecordsThanAreKeptInMemoryLeaveByTime) {
  constexpr int64_t kRecords = 25'000;
  constexpr int64_t kFirstMs = 100;
  static_assert(kRecords > 2 * static_cast<int64_t>(base::limits::kJoinBufferKeysMax));
  Joining join(50s, 50s);
  join.Row("row", 0);
  // Each time once, in an order that mixes old and new.
  for (int64_t i = 0; i < kRecords; ++i) {
    const int64_t time_ms = kFirstMs + i * 7'919 % kRecords;
    join.Record(std::to_string(time_ms), time_ms);
  }
  EXPECT_EQ(join.Out(), Strings{});
  // Half of them leave, younger ones come between those that wait, and then all leave.
  join.Record("half", kFirstMs + kRecords / 2 + 50'000);
  Strings expected;
  for (int64_t time_ms = kFirstMs; time_ms <= kFirstMs + kRecords / 2; ++time_ms)
    expected.push_back({"k", std::to_string(time_ms) + "|row", time_ms});
  EXPECT_TRUE(join.Out() == expected);
  expected.clear();
  for (int64_t time_ms = kFirstMs + kRecords / 2 + 1; time_ms < kFirstMs + kRecords; ++time_ms) {
    expected.push_back({"k", std::to_string(time_ms) + "|row", time_ms});
    if (time_ms % 10 != 0) continue;
    join.Record("again", time_ms);
    expected.push_back({"k", "again|row", time_ms});
  }
  join.Record("end", kFirstMs + 3 * kRecords + 50'000);
  expected.push_back({"k", "half|row", kFirstMs + kRecords / 2 + 50'000});
  EXPECT_TRUE(join.Out() == expected);
}

TEST(StreamTableJoinGrace, NeedsAVersionedTableWithEnoughHistory) {
  for (const bool versioned : {false, true}) {
    StreamsBuilder builder;
    Materialized<> rows("rows");
    if (versioned) rows.Versioned(5ms);
    auto table = builder.Table<string, string>("table", rows);
    builder.Stream<string, string>("stream").LeftJoin(table, Pair, Joined("j").WithGracePeriod(10ms)).To("out");
    auto topology = builder.Build();
    const absl::Status status = topology.ok() ? topology->Compile("app") : topology.status();
    ASSERT_FALSE(status.ok());
    EXPECT_NE(status.message().find(versioned ? "history" : "must be versioned"), absl::string_view::npos) << status;
  }
}

TEST(StreamSelfJoin, WithOneStoreGivesTheSameInTheSameOrder) {
  const auto run = [](const TopologyOptimization& optimization) {
    StreamsBuilder builder;
    auto stream = builder.Stream<string, string>("in");
    stream.Join(stream, [](const string& a, const string& b) { return a + b; },
                JoinWindows::OfTimeDifferenceAndGrace(10ms, 5ms).Before(4ms)).To("out");
    auto topology = *builder.Build(optimization);
    const size_t stores = topology.Compile("test").ok() ? topology.whole().stores.size() : 0;
    auto driver = TopologyTestDriver::Create(std::move(topology)).value();
    auto input = driver->InputTopic<string, string>("in");
    int n = 0;
    for (const int64_t time : {10, 12, 8, 12, 20, 5, 60, 41, 44, 30})
      EXPECT_TRUE(input.Pipe("k", string(1, static_cast<char>('a' + n++)), time).ok());
    return std::pair(stores, driver->OutputTopic<string, string>("out").ReadAll().value());
  };
  const auto [two, plain] = run({});
  const auto [one, optimized] = run({.single_store_self_join = true});
  EXPECT_EQ(two, 2u);
  EXPECT_EQ(one, 1u);
  EXPECT_EQ(optimized, plain);
}

// Behind one merged repartition topic both sides come from the same source, but one of them through an operator.
TEST(StreamSelfJoin, IsNoneBehindOneRepartitionTopicWithAnOperatorOnOneSide) {
  StreamsBuilder builder;
  auto mapped = builder.Stream<string, string>("in").Map([](const string& key, const string& value) { return std::pair(value, key); });
  auto peeked = mapped.Peek([](const string&, const string&) {});
  peeked.Join(mapped, [](const string& a, const string& b) { return a + b; }, JoinWindows::OfTimeDifferenceAndGrace(10ms, 5ms)).To("out");
  auto topology = builder.Build(TopologyOptimization::All());
  ASSERT_TRUE(topology.ok()) << topology.status();
  ASSERT_TRUE(topology->Compile("test").ok());
  EXPECT_EQ(topology->whole().stores.size(), 2u);
}

TEST(GlobalTable, IsNoSubtopologyWithTasksAndTakesItsNumber) {
  StreamsBuilder builder;
  auto table = builder.GlobalTable<string, string>("rows", Materialized("store"));
  builder.Stream<string, string>("in").Join(table, [](const string&, const string& v) { return v; },
                                            [](const string& a, const string& b) { return a + b; }).To("out");
  auto topology = *builder.Build();
  EXPECT_EQ(topology.Describe().text,
            "Topologies:\n"
            "   Sub-topology: 0 for global store (will not generate tasks)\n"
            "    Source: KSTREAM-SOURCE-0000000000 (topics: [rows])\n"
            "      --> KTABLE-SOURCE-0000000001\n"
            "    Processor: KTABLE-SOURCE-0000000001 (stores: [store])\n"
            "      --> none\n"
            "      <-- KSTREAM-SOURCE-0000000000\n"
            "  Sub-topology: 1\n"
            "    Source: KSTREAM-SOURCE-0000000002 (topics: [in])\n"
            "      --> KSTREAM-LEFTJOIN-0000000003\n"
            "    Processor: KSTREAM-LEFTJOIN-0000000003 (stores: [])\n"
            "      --> KSTREAM-SINK-0000000004\n"
            "      <-- KSTREAM-SOURCE-0000000002\n"
            "    Sink: KSTREAM-SINK-0000000004 (topic: out)\n"
            "      <-- KSTREAM-LEFTJOIN-0000000003\n\n");
  ASSERT_TRUE(topology.Compile("app").ok());
  ASSERT_EQ(topology.subtopologies().size(), 1u);
  EXPECT_EQ(topology.subtopologies()[0].id, 1);
}

TEST(GlobalTable, MeetsRecordsByAMappedKey) {
  StreamsBuilder builder;
  auto table = builder.GlobalTable<string, string>("rows");
  auto stream = builder.Stream<string, string>("in");
  const auto by_value = [](const string*, const string* value) { return *value == "none" ? std::nullopt : std::optional(*value); };
  stream.Join(table, by_value, [](const string& a, const string& b) { return a + "|" + b; }).To("inner");
  stream.LeftJoin(table, by_value, Pair).To("left");
  auto driver = TopologyTestDriver::Create(*builder.Build()).value();
  auto rows = driver->InputTopic<string, string>("rows");
  auto in = driver->InputTopic<string, string>("in");
  ASSERT_TRUE(in.Pipe("k", "r", 1).ok());
  ASSERT_TRUE(rows.Pipe("r", "row", 99).ok());
  ASSERT_TRUE(rows.Pipe(std::nullopt, "no key", 100).ok());
  ASSERT_TRUE(in.Pipe(std::nullopt, "r", 2).ok());
  ASSERT_TRUE(in.Pipe("k", "none", 3).ok());
  ASSERT_TRUE(in.Pipe("k", std::nullopt, 4).ok());
  ASSERT_TRUE(rows.Pipe("r", std::nullopt, 101).ok());
  ASSERT_TRUE(in.Pipe("k", "r", 5).ok());
  EXPECT_EQ((driver->OutputTopic<string, string>("inner").ReadAll().value()), (Strings{{std::nullopt, "r|row", 2}}));
  EXPECT_EQ((driver->OutputTopic<string, string>("left").ReadAll().value()),
            (Strings{{"k", "r|null", 1}, {std::nullopt, "r|row", 2}, {"k", "none|null", 3}, {"k", "r|null", 5}}));
  EXPECT_FALSE(driver->Store("rows-STATE-STORE-0000000000")->Get("rows-STATE-STORE-0000000000", "r").value().has_value());
}

TEST(GlobalTable, CannotBeVersionedOrConnected) {
  StreamsBuilder versioned;
  versioned.GlobalTable<string, string>("rows", Materialized("store").Versioned(10ms));
  versioned.Stream<string, string>("in").To("out");
  const absl::Status first = versioned.Build()->Compile("app");
  EXPECT_NE(first.message().find("cannot be versioned"), absl::string_view::npos) << first;
  Topology topology;
  topology.AddSource<string, string>("in", {"in"});
  topology.AddGlobalStore({.name = "store"}, {.type = TopologyNode::Type::kSource, .name = "s", .topics = {"rows"}, .factory = nullptr},
                          {.name = "p", .predecessors = {"s"}, .factory = nullptr});
  topology.AddNode({.name = "reader", .predecessors = {"in"}, .stores = {"store"}, .factory = nullptr});
  const absl::Status second = topology.Compile("app");
  EXPECT_NE(second.message().find("do not connect it"), absl::string_view::npos) << second;
}

}  // namespace
}  // namespace tailrace::processor
