// Goal: two streams are joined as Kafka Streams joins them: what meets what, when a record is emitted alone, and the bytes,
// names and numbers of what is written on the way.
// Method: small topologies on the TopologyTestDriver; the docs' table is the one of Kafka Streams' DSL guide.
#include "gtest/gtest.h"
#include "tailrace/base/bytes.h"
#include "tailrace/processor/streams_builder.h"
#include "tailrace/processor/topology_test_driver.h"

namespace tailrace::processor {
namespace {

using std::string;
using namespace std::chrono_literals;
using Strings = std::vector<TopologyTestDriver::TypedRecord<string, string>>;
using Kind = detail::JoinKind;

string Pair(const string& a, const string& b) { return "[" + a + "," + b + "]"; }
string OrNull(const string* text) { return text == nullptr ? "null" : *text; }
string Both(const string& a, const string& b) { return Pair(a, b); }
string LeftOrBoth(const string& a, const string* b) { return Pair(a, OrNull(b)); }
string EitherOrBoth(const string* a, const string* b) { return Pair(OrNull(a), OrNull(b)); }

// Topics "left" and "right", joined into "out".
class Joining {
 public:
  Joining(Kind kind, const JoinWindows& windows, const StreamJoined<>& joined = {}, TestDriverOptions options = {}) {
    StreamsBuilder builder;
    auto left = builder.Stream<string, string>("left");
    auto right = builder.Stream<string, string>("right");
    if (kind == Kind::kInner) left.Join(right, Both, windows, joined).To("out");
    else if (kind == Kind::kLeft) left.LeftJoin(right, LeftOrBoth, windows, joined).To("out");
    else left.OuterJoin(right, EitherOrBoth, windows, joined).To("out");
    auto topology = builder.Build();
    EXPECT_TRUE(topology.ok()) << topology.status();
    text = topology->Describe().text;
    driver = TopologyTestDriver::Create(*std::move(topology), std::move(options)).value();
  }
  void Pipe(const string& topic, std::optional<string> key, std::optional<string> value, int64_t timestamp_ms) {
    const absl::Status status = driver->InputTopic<string, string>(topic).Pipe(key, value, timestamp_ms);
    EXPECT_TRUE(status.ok()) << status;
  }
  void Left(std::optional<string> value, int64_t timestamp_ms) { Pipe("left", "k", std::move(value), timestamp_ms); }
  void Right(std::optional<string> value, int64_t timestamp_ms) { Pipe("right", "k", std::move(value), timestamp_ms); }
  Strings Out() { return driver->OutputTopic<string, string>("out").ReadAll().value(); }

  string text;
  std::unique_ptr<TopologyTestDriver> driver;
};

// The script of the DSL guide: windows of 15 s, grace of 5 s; times in seconds.
void PipeDocsTable(Joining& join) {
  const auto left = [&](std::optional<string> value, int64_t second) { join.Left(std::move(value), second * 1000); };
  const auto right = [&](std::optional<string> value, int64_t second) { join.Right(std::move(value), second * 1000); };
  left(std::nullopt, 1);
  right(std::nullopt, 2);
  left("A", 3);
  right("a", 4);
  left("B", 5);
  right("b", 6);
  left(std::nullopt, 7);
  right(std::nullopt, 8);
  left("C", 9);
  right("c", 10);
  right(std::nullopt, 11);
  left(std::nullopt, 12);
  right(std::nullopt, 13);
  right("d", 14);
  left("D", 15);
  left("E", 40);
  left("F", 60);
  right("f", 80);
  left("G", 100);
}

Strings DocsTableMatches() {
  return {{"k", "[A,a]", 4000},  {"k", "[B,a]", 5000},  {"k", "[A,b]", 6000},  {"k", "[B,b]", 6000},  {"k", "[C,a]", 9000},
          {"k", "[C,b]", 9000},  {"k", "[A,c]", 10000}, {"k", "[B,c]", 10000}, {"k", "[C,c]", 10000}, {"k", "[A,d]", 14000},
          {"k", "[B,d]", 14000}, {"k", "[C,d]", 14000}, {"k", "[D,a]", 15000}, {"k", "[D,b]", 15000}, {"k", "[D,c]", 15000},
          {"k", "[D,d]", 15000}};
}

TEST(StreamJoin, DocsTableInner) {
  Joining join(Kind::kInner, JoinWindows::OfTimeDifferenceAndGrace(15s, 5s));
  PipeDocsTable(join);
  EXPECT_EQ(join.Out(), DocsTableMatches());
}

TEST(StreamJoin, DocsTableLeft) {
  Joining join(Kind::kLeft, JoinWindows::OfTimeDifferenceAndGrace(15s, 5s));
  PipeDocsTable(join);
  Strings expected = DocsTableMatches();
  expected.push_back({"k", "[E,null]", 40000});
  expected.push_back({"k", "[F,null]", 60000});
  EXPECT_EQ(join.Out(), expected);
}

TEST(StreamJoin, DocsTableOuter) {
  Joining join(Kind::kOuter, JoinWindows::OfTimeDifferenceAndGrace(15s, 5s));
  PipeDocsTable(join);
  Strings expected = DocsTableMatches();
  // A window is closed when stream time is later than its end and grace: E goes with f at 80 s, F with G at 100 s, and f waits
  // for a record after 100 s. The guide shows each one record earlier; Kafka Streams 4.3.1 does it so.
  expected.push_back({"k", "[E,null]", 40000});
  expected.push_back({"k", "[F,null]", 60000});
  EXPECT_EQ(join.Out(), expected);
  join.Left("H", 100'001);
  EXPECT_EQ(join.Out(), (Strings{{"k", "[null,f]", 80000}}));
}

TEST(StreamJoin, BothBoundsAreInclusiveAndMayDiffer) {
  Joining join(Kind::kInner, JoinWindows::OfTimeDifferenceAndGrace(0ms, 1s).Before(5ms).After(10ms));
  join.Left("L", 100);
  for (const int64_t time : {94, 95, 110, 111}) join.Right(std::to_string(time), time);
  EXPECT_EQ(join.Out(), (Strings{{"k", "[L,95]", 100}, {"k", "[L,110]", 110}}));
}

TEST(StreamJoin, ARecordOutOfRetentionMeetsNobody) {
  Joining join(Kind::kInner, JoinWindows::OfTimeDifferenceWithNoGrace(10ms));
  join.Left("old", 100);
  join.Left("new", 121);  // retention 20: what is older than 102 is gone
  join.Right("r", 105);
  EXPECT_EQ(join.Out(), Strings{});
}

TEST(StreamJoin, NullKeysAndValues) {
  Joining inner(Kind::kInner, JoinWindows::OfTimeDifferenceWithNoGrace(10ms));
  inner.Pipe("left", std::nullopt, "v", 1);
  inner.Pipe("left", "k", std::nullopt, 2);
  EXPECT_EQ(inner.driver->Dropped(), (std::map<string, int64_t>{{"null_key", 1}, {"null_value", 1}}));
  EXPECT_EQ(inner.Out(), Strings{});
}

TEST(StreamJoin, Kip962ALeftRecordWithoutAKeyIsEmittedAloneAtOnce) {
  Joining left(Kind::kLeft, JoinWindows::OfTimeDifferenceWithNoGrace(10ms));
  left.Pipe("left", std::nullopt, "L", 1);
  left.Pipe("right", std::nullopt, "R", 2);
  EXPECT_EQ(left.Out(), (Strings{{std::nullopt, "[L,null]", 1}}));
  EXPECT_EQ(left.driver->Dropped(), (std::map<string, int64_t>{{"null_key", 1}}));
  Joining outer(Kind::kOuter, JoinWindows::OfTimeDifferenceWithNoGrace(10ms));
  outer.Pipe("left", std::nullopt, "L", 1);
  outer.Pipe("right", std::nullopt, "R", 2);
  outer.Pipe("right", std::nullopt, std::nullopt, 3);
  EXPECT_EQ(outer.Out(), (Strings{{std::nullopt, "[L,null]", 1}, {std::nullopt, "[null,R]", 2}}));
  EXPECT_EQ(outer.driver->Dropped(), (std::map<string, int64_t>{{"null_key", 1}}));
}

TEST(StreamJoin, ALateRecordWhoseWindowIsClosedIsEmittedAloneAtOnce) {
  Joining join(Kind::kLeft, JoinWindows::OfTimeDifferenceAndGrace(10ms, 1s));
  join.Right("r", 100);
  join.Left("late", 89);
  join.Left("waits", 90);  // meets r
  EXPECT_EQ(join.Out(), (Strings{{"k", "[late,null]", 89}, {"k", "[waits,r]", 100}}));
}

TEST(StreamJoin, LookingForClosedWindowsIsThrottledByTheWallClock) {
  Joining join(Kind::kLeft, JoinWindows::OfTimeDifferenceWithNoGrace(10ms), {}, {.emit_interval_ms = 1000});
  join.Pipe("left", "a", "1", 100);  // the first look finds nothing, and takes the second
  join.Pipe("left", "b", "2", 200);
  EXPECT_EQ(join.Out(), Strings{});
  ASSERT_TRUE(join.driver->AdvanceWallClock(999).ok());
  join.Pipe("left", "c", "3", 300);
  EXPECT_EQ(join.Out(), Strings{});
  ASSERT_TRUE(join.driver->AdvanceWallClock(1).ok());
  join.Pipe("left", "d", "4", 400);
  EXPECT_EQ(join.Out(), (Strings{{"a", "[1,null]", 100}, {"b", "[2,null]", 200}, {"c", "[3,null]", 300}}));
}

TEST(StreamJoin, WithoutTheFixARecordIsEmittedAloneAtOnce) {
  Joining join(Kind::kLeft, JoinWindows::Of(10ms).Grace(0ms));
  join.Left("L", 100);
  join.Right("r", 101);
  EXPECT_EQ(join.Out(), (Strings{{"k", "[L,null]", 100}, {"k", "[L,r]", 101}}));
  EXPECT_EQ(join.text.find("OUTERSHARED"), string::npos);
}

TEST(StreamJoin, ChangelogOfAWindowStoreHasEveryPut) {
  Joining join(Kind::kInner, JoinWindows::OfTimeDifferenceWithNoGrace(10ms));
  join.Pipe("left", "k", "a", 100);
  join.Pipe("left", "k", std::nullopt, 101);
  join.Pipe("left", "k", "c", 200);
  join.Pipe("left", "k", "late", 150);
  const auto log = join.driver->TakeProduced("test-KSTREAM-JOINTHIS-0000000004-store-changelog");
  ASSERT_EQ(log.size(), 4u);
  const auto key = [](int64_t start, int32_t sequence) {
    string bytes = "k";
    base::AppendBigEndian(bytes, start);
    base::AppendBigEndian(bytes, sequence);
    return bytes;
  };
  EXPECT_EQ(log[0].key, key(100, 1));
  EXPECT_EQ(log[0].value, "a");
  EXPECT_EQ(log[0].timestamp_ms, 100);
  EXPECT_EQ(log[1].key, key(101, 2));
  EXPECT_EQ(log[1].value, std::nullopt);
  EXPECT_EQ(log[3].key, key(150, 4)) << "a put out of retention is logged all the same";
  EXPECT_EQ(log[3].value, "late");
}

TEST(StreamJoin, OuterJoinBufferBytes) {
  Joining join(Kind::kOuter, JoinWindows::OfTimeDifferenceAndGrace(10ms, 0ms));
  join.Left("a", 100);
  join.Left("bc", 100);
  join.Right("r", 109);
  const auto log = join.driver->TakeProduced("test-KSTREAM-OUTERSHARED-0000000004-store-changelog");
  ASSERT_EQ(log.size(), 3u);
  const string key = string("\0\0\0\0\0\0\0\x64\x01k", 10);
  EXPECT_EQ(log[0].key, key);
  EXPECT_EQ(log[0].value, string("\x01\0\0\0\x01\0\0\0\x02\x01" "a", 11));
  EXPECT_EQ(log[1].key, key);
  EXPECT_EQ(log[1].value, string("\x01\0\0\0\x02\0\0\0\x02\x01" "a\0\0\0\x03\x01" "bc", 18));
  EXPECT_EQ(log[2].key, key) << "both have met somebody";
  EXPECT_EQ(log[2].value, std::nullopt);
  EXPECT_EQ(log[2].timestamp_ms, 109);
}

TEST(StreamJoin, NamesAndNumbersOfAnInnerJoin) {
  const Joining join(Kind::kInner, JoinWindows::OfTimeDifferenceWithNoGrace(10ms));
  EXPECT_EQ(join.text,
            "Topologies:\n"
            "   Sub-topology: 0\n"
            "    Source: KSTREAM-SOURCE-0000000000 (topics: [left])\n"
            "      --> KSTREAM-WINDOWED-0000000002\n"
            "    Source: KSTREAM-SOURCE-0000000001 (topics: [right])\n"
            "      --> KSTREAM-WINDOWED-0000000003\n"
            "    Processor: KSTREAM-WINDOWED-0000000002 (stores: [KSTREAM-JOINTHIS-0000000004-store])\n"
            "      --> KSTREAM-JOINTHIS-0000000004\n"
            "      <-- KSTREAM-SOURCE-0000000000\n"
            "    Processor: KSTREAM-WINDOWED-0000000003 (stores: [KSTREAM-JOINOTHER-0000000005-store])\n"
            "      --> KSTREAM-JOINOTHER-0000000005\n"
            "      <-- KSTREAM-SOURCE-0000000001\n"
            "    Processor: KSTREAM-JOINOTHER-0000000005 (stores: [KSTREAM-JOINTHIS-0000000004-store])\n"
            "      --> KSTREAM-MERGE-0000000006\n"
            "      <-- KSTREAM-WINDOWED-0000000003\n"
            "    Processor: KSTREAM-JOINTHIS-0000000004 (stores: [KSTREAM-JOINOTHER-0000000005-store])\n"
            "      --> KSTREAM-MERGE-0000000006\n"
            "      <-- KSTREAM-WINDOWED-0000000002\n"
            "    Processor: KSTREAM-MERGE-0000000006 (stores: [])\n"
            "      --> KSTREAM-SINK-0000000007\n"
            "      <-- KSTREAM-JOINTHIS-0000000004, KSTREAM-JOINOTHER-0000000005\n"
            "    Sink: KSTREAM-SINK-0000000007 (topic: out)\n"
            "      <-- KSTREAM-MERGE-0000000006\n\n");
}

TEST(StreamJoin, NamesOfTheOtherKinds) {
  const Joining left(Kind::kLeft, JoinWindows::OfTimeDifferenceWithNoGrace(10ms));
  for (const char* name : {"KSTREAM-JOINTHIS-0000000004-store", "KSTREAM-OUTEROTHER-0000000005-store",
                           "KSTREAM-OUTERSHARED-0000000004-store"})
    EXPECT_NE(left.text.find(name), string::npos) << name << left.text;
  const Joining outer(Kind::kOuter, JoinWindows::OfTimeDifferenceWithNoGrace(10ms), StreamJoined<>("j").WithStoreName("s"));
  for (const char* name : {"j-this-windowed", "j-other-windowed", "j-outer-this-join", "j-outer-other-join", "j-merge",
                           "s-outer-this-join-store", "s-outer-other-join-store", "s-outer-shared-join-store",
                           "KSTREAM-SINK-0000000007"})
    EXPECT_NE(outer.text.find(name), string::npos) << name << outer.text;
}

TEST(StreamJoin, AStreamMeetsItselfOnce) {
  StreamsBuilder builder;
  auto stream = builder.Stream<string, string>("in");
  stream.Join(stream, Both, JoinWindows::OfTimeDifferenceAndGrace(10ms, 0ms)).To("out");
  auto driver = TopologyTestDriver::Create(*builder.Build()).value();
  auto input = driver->InputTopic<string, string>("in");
  ASSERT_TRUE(input.Pipe("k", "a", 1).ok());
  ASSERT_TRUE(input.Pipe("k", "b", 2).ok());
  EXPECT_EQ((driver->OutputTopic<string, string>("out").ReadAll().value()),
            (Strings{{"k", "[a,a]", 1}, {"k", "[b,a]", 2}, {"k", "[a,b]", 2}, {"k", "[b,b]", 2}}));
}

TEST(StreamJoin, AChangedKeyGoesThroughARepartitionTopicOfEachSide) {
  StreamsBuilder builder;
  const auto upper = [](const string&, const string& value) { return value; };
  auto left = builder.Stream<string, string>("left").SelectKey(upper);
  auto right = builder.Stream<string, string>("right").SelectKey(upper);
  left.Join(right, Both, JoinWindows::OfTimeDifferenceWithNoGrace(10ms), StreamJoined("j")).To("out");
  left.Join(right, Both, JoinWindows::OfTimeDifferenceWithNoGrace(10ms)).To("out2");
  auto topology = *builder.Build();
  ASSERT_TRUE(topology.Compile("app").ok());
  std::vector<string> topics;
  for (const auto& [name, topic] : topology.repartition_topics()) topics.push_back(name);
  EXPECT_EQ(topics, (std::vector<string>{"app-j-left-repartition", "app-j-right-repartition"}))
      << "a join without a name uses the topic that the stream has already";
}

TEST(StreamJoin, AStoreOfYourOwnMustFit) {
  StreamsBuilder builder;
  auto left = builder.Stream<string, string>("left");
  auto right = builder.Stream<string, string>("right");
  left.Join(right, Both, JoinWindows::OfTimeDifferenceWithNoGrace(10ms),
            StreamJoined("j").WithThisStoreSupplier({.name = "mine", .kind = state::StoreKind::kWindow, .window_size_ms = 20,
                                                     .retention_ms = 30, .retain_duplicates = true}));
  const auto topology = builder.Build();
  ASSERT_FALSE(topology.ok());
  EXPECT_NE(topology.status().message().find("mine"), absl::string_view::npos) << topology.status();
}

TEST(StreamJoin, StoresOfYourOwnAreUsedUnderTheirNames) {
  StreamsBuilder builder;
  auto left = builder.Stream<string, string>("left");
  auto right = builder.Stream<string, string>("right");
  const auto store = [](string name) -> state::StoreSpec {
    return {.name = std::move(name), .kind = state::StoreKind::kWindow, .window_size_ms = 20, .retention_ms = 20,
            .retain_duplicates = true, .in_memory = true};
  };
  left.Join(right, Both, JoinWindows::OfTimeDifferenceWithNoGrace(10ms),
            StreamJoined("j").WithThisStoreSupplier(store("mine")).WithOtherStoreSupplier(store("yours")))
      .To("out");
  auto driver = TopologyTestDriver::Create(*builder.Build()).value();
  std::set<string> names;
  for (const state::StoreSpec& spec : driver->Stores()) names.insert(spec.name);
  EXPECT_EQ(names, (std::set<string>{"mine", "yours"}));
  ASSERT_TRUE((driver->InputTopic<string, string>("left").Pipe("k", "a", 5).ok()));
  ASSERT_TRUE((driver->InputTopic<string, string>("right").Pipe("k", "b", 9).ok()));
  EXPECT_EQ((driver->OutputTopic<string, string>("out").ReadAll().value()).size(), 1u);
}

TEST(StreamTableJoin, Kip962ALeftJoinKeepsRecordsWithoutAKey) {
  StreamsBuilder builder;
  auto table = builder.Table<string, string>("table");
  builder.Stream<string, string>("s").LeftJoin(table, [](const string* key, const string& a, const string* b) {
    return OrNull(key) + Pair(a, OrNull(b));
  }).To("out");
  auto driver = TopologyTestDriver::Create(*builder.Build()).value();
  auto input = driver->InputTopic<string, string>("s");
  ASSERT_TRUE((driver->InputTopic<string, string>("table").Pipe("k", "row", 9).ok()));
  ASSERT_TRUE(input.Pipe("k", "a", 1).ok());
  ASSERT_TRUE(input.Pipe(std::nullopt, "b", 2).ok());
  ASSERT_TRUE(input.Pipe(std::nullopt, std::nullopt, 3).ok());
  ASSERT_TRUE(input.Pipe("k", std::nullopt, 4).ok());
  EXPECT_EQ((driver->OutputTopic<string, string>("out").ReadAll().value()),
            (Strings{{"k", "k[a,row]", 1}, {std::nullopt, "null[b,null]", 2}}));
}

}  // namespace
}  // namespace tailrace::processor
