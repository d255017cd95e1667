// Goal: each DSL operator does to records what Kafka Streams' operator of that name does, and builds the same topology.
// Method: small topologies on the TopologyTestDriver, and Kafka Streams' own text form.
#include <sstream>

#include "gtest/gtest.h"
#include "tailrace/processor/streams_builder.h"
#include "tailrace/processor/topology_test_driver.h"

namespace tailrace::processor {
namespace {

using std::string;
template <class K, class V>
using Rec = TopologyTestDriver::TypedRecord<K, V>;

std::unique_ptr<TopologyTestDriver> Drive(const StreamsBuilder& builder, TestDriverOptions options = {}) {
  auto topology = builder.Build();
  EXPECT_TRUE(topology.ok()) << topology.status();
  auto driver = TopologyTestDriver::Create(*std::move(topology), std::move(options));
  EXPECT_TRUE(driver.ok()) << driver.status();
  return *std::move(driver);
}

std::vector<string> Words(const string& line) {
  std::istringstream in(line);
  std::vector<string> words;
  for (string word; in >> word;) words.push_back(word);
  return words;
}

StreamsBuilder WordCount() {
  StreamsBuilder builder;
  builder.Stream<string, string>("text")
      .FlatMapValues(Words)
      .GroupBy([](const string&, const string& word) { return word; })
      .Count(Materialized("counts-store"))
      .ToStream()
      .To("counts");
  return builder;
}

TEST(Dsl, WordCountHasTheTopologyThatKafkaStreamsPrints) {
  EXPECT_EQ(WordCount().Build()->Describe().text,
            "Topologies:\n"
            "   Sub-topology: 0\n"
            "    Source: KSTREAM-SOURCE-0000000000 (topics: [text])\n"
            "      --> KSTREAM-FLATMAPVALUES-0000000001\n"
            "    Processor: KSTREAM-FLATMAPVALUES-0000000001 (stores: [])\n"
            "      --> KSTREAM-KEY-SELECT-0000000002\n"
            "      <-- KSTREAM-SOURCE-0000000000\n"
            "    Processor: KSTREAM-KEY-SELECT-0000000002 (stores: [])\n"
            "      --> counts-store-repartition-filter\n"
            "      <-- KSTREAM-FLATMAPVALUES-0000000001\n"
            "    Processor: counts-store-repartition-filter (stores: [])\n"
            "      --> counts-store-repartition-sink\n"
            "      <-- KSTREAM-KEY-SELECT-0000000002\n"
            "    Sink: counts-store-repartition-sink (topic: counts-store-repartition)\n"
            "      <-- counts-store-repartition-filter\n"
            "\n"
            "  Sub-topology: 1\n"
            "    Source: counts-store-repartition-source (topics: [counts-store-repartition])\n"
            "      --> KSTREAM-AGGREGATE-0000000003\n"
            "    Processor: KSTREAM-AGGREGATE-0000000003 (stores: [counts-store])\n"
            "      --> KTABLE-TOSTREAM-0000000007\n"
            "      <-- counts-store-repartition-source\n"
            "    Processor: KTABLE-TOSTREAM-0000000007 (stores: [])\n"
            "      --> KSTREAM-SINK-0000000008\n"
            "      <-- KSTREAM-AGGREGATE-0000000003\n"
            "    Sink: KSTREAM-SINK-0000000008 (topic: counts)\n"
            "      <-- KTABLE-TOSTREAM-0000000007\n"
            "\n");
}

TEST(Dsl, WordCountCountsThroughItsRepartitionTopic) {
  auto driver = Drive(WordCount());
  auto input = driver->InputTopic<string, string>("text");
  ASSERT_TRUE(input.Pipe(std::nullopt, "a b a", 5).ok());
  ASSERT_TRUE(input.Pipe(std::nullopt, "b", 7).ok());
  auto output = driver->OutputTopic<string, int64_t>("counts");
  EXPECT_EQ(output.ReadAll().value(),
            (std::vector<Rec<string, int64_t>>{{"a", 1, 5}, {"b", 1, 5}, {"a", 2, 5}, {"b", 2, 7}}));
  EXPECT_EQ(driver->TakeProduced("test-counts-store-repartition").size(), 4u);
  EXPECT_EQ(driver->TakeProduced("test-counts-store-changelog").size(), 4u);
  const auto view = driver->Store("counts-store");
  const auto value = view->Get("counts-store", "a");
  ASSERT_TRUE(value.ok() && value->has_value());
  EXPECT_EQ(base::LoadBigEndian<int64_t>((*value)->value.data()), 2);
}

TEST(Dsl, StatelessOperatorsDoWhatTheirNamesSay) {
  StreamsBuilder builder;
  std::vector<string> peeked;
  auto stream = builder.Stream<string, string>("in")
                    .Filter([](const string&, const string& v) { return v != "drop"; })
                    .FilterNot([](const string& v) { return v == "not"; })
                    .MapValues([](const string& v) { return v + "!"; })
                    .Map([](const string& k, const string& v) { return std::pair(k + k, static_cast<int64_t>(v.size())); })
                    .SelectKey([](const string& k, int64_t v) { return k + std::to_string(v); })
                    .Peek([&](const string& k, int64_t) { peeked.push_back(k); });
  stream.FlatMap([](const string& k, int64_t v) {
          return std::vector<std::pair<string, int64_t>>{{k, v}, {k, v * 10}};
        }).To("out");
  auto driver = Drive(builder);
  auto input = driver->InputTopic<string, string>("in");
  for (const char* value : {"one", "drop", "not", "three"}) ASSERT_TRUE(input.Pipe("k", value, 1).ok());
  EXPECT_EQ((driver->OutputTopic<string, int64_t>("out").ReadAll().value()),
            (std::vector<Rec<string, int64_t>>{{"kk4", 4, 1}, {"kk4", 40, 1}, {"kk6", 6, 1}, {"kk6", 60, 1}}));
  EXPECT_EQ(peeked, (std::vector<string>{"kk4", "kk6"}));
}

TEST(Dsl, NullsReachFunctionsThatTakePointersAndSkipThoseThatTakeReferences) {
  StreamsBuilder builder;
  auto stream = builder.Stream<string, string>("in");
  stream.MapValues([](const string& v) { return v + "!"; }).To("by-reference");
  stream.MapValues([](const string*, const string* v) { return v == nullptr ? string("null") : *v; }).To("by-pointer");
  stream.MapValues([](const string& v) { return v.empty() ? std::nullopt : std::optional(v); }).To("to-null");
  auto driver = Drive(builder);
  auto input = driver->InputTopic<string, string>("in");
  ASSERT_TRUE(input.Pipe("k", std::nullopt, 1).ok());
  ASSERT_TRUE(input.Pipe("k", "", 2).ok());
  using R = Rec<string, string>;
  EXPECT_EQ((driver->OutputTopic<string, string>("by-reference").ReadAll().value()),
            (std::vector<R>{{"k", std::nullopt, 1}, {"k", "!", 2}}));
  EXPECT_EQ((driver->OutputTopic<string, string>("by-pointer").ReadAll().value()),
            (std::vector<R>{{"k", "null", 1}, {"k", "", 2}}));
  EXPECT_EQ((driver->OutputTopic<string, string>("to-null").ReadAll().value()),
            (std::vector<R>{{"k", std::nullopt, 1}, {"k", std::nullopt, 2}}));
}

TEST(Dsl, SplitSendsARecordToTheFirstArmThatHoldsAndMergeJoinsStreams) {
  StreamsBuilder builder;
  auto arms = builder.Stream<string, string>("in").Split(
      {{[](const string*, const string* v) { return v->starts_with("a"); }, "a"},
       {[](const string*, const string* v) { return v->size() > 1; }, "long"},
       {{}, "rest"}},
      Named("split-"));
  arms.at("split-a").Merge(arms.at("split-rest")).To("a-and-rest");
  arms.at("split-long").To("long");
  auto driver = Drive(builder);
  auto input = driver->InputTopic<string, string>("in");
  for (const char* value : {"apple", "bee", "c"}) ASSERT_TRUE(input.Pipe("k", value, 1).ok());
  using R = Rec<string, string>;
  EXPECT_EQ((driver->OutputTopic<string, string>("a-and-rest").ReadAll().value()),
            (std::vector<R>{{"k", "apple", 1}, {"k", "c", 1}}));
  EXPECT_EQ((driver->OutputTopic<string, string>("long").ReadAll().value()), (std::vector<R>{{"k", "bee", 1}}));
}

TEST(Dsl, StreamTableJoinLooksUpTheRowOfThatMoment) {
  StreamsBuilder builder;
  auto table = builder.Table<string, string>("users", Materialized("users"))
                   .Filter([](const string& v) { return v != "hidden"; })
                   .MapValues([](const string& v) { return "<" + v + ">"; });
  auto stream = builder.Stream<string, string>("clicks");
  stream.Join(table, [](const string& click, const string& user) { return click + user; }).To("inner");
  stream.LeftJoin(table, [](const string& click, const string* user) { return click + (user ? *user : "-"); }).To("left");
  auto driver = Drive(builder);
  auto users = driver->InputTopic<string, string>("users");
  auto clicks = driver->InputTopic<string, string>("clicks");
  ASSERT_TRUE(clicks.Pipe("u", "1", 1).ok());
  ASSERT_TRUE(users.Pipe("u", "ann", 5).ok());
  ASSERT_TRUE(clicks.Pipe("u", "2", 3).ok());
  ASSERT_TRUE(users.Pipe("u", "hidden", 6).ok());
  ASSERT_TRUE(clicks.Pipe("u", "3", 7).ok());
  ASSERT_TRUE(users.Pipe("u", std::nullopt, 8).ok());
  ASSERT_TRUE(clicks.Pipe("u", "4", 9).ok());
  using R = Rec<string, string>;
  EXPECT_EQ((driver->OutputTopic<string, string>("inner").ReadAll().value()), (std::vector<R>{{"u", "2<ann>", 3}}));
  EXPECT_EQ((driver->OutputTopic<string, string>("left").ReadAll().value()),
            (std::vector<R>{{"u", "1-", 1}, {"u", "2<ann>", 3}, {"u", "3-", 7}, {"u", "4-", 9}}));
}

TEST(Dsl, ReduceAndAggregateKeepTheLargestTimestamp) {
  StreamsBuilder builder;
  auto grouped = builder.Stream<string, int64_t>("in").GroupByKey();
  grouped.Reduce([](int64_t a, int64_t b) { return a > b ? a : b; }, Materialized("max")).ToStream().To("max");
  grouped.Aggregate<string>([] { return string(); },
                            [](const string&, int64_t v, string all) { return all + std::to_string(v) + ";"; },
                            Materialized("all")).ToStream().To("all");
  auto driver = Drive(builder);
  auto input = driver->InputTopic<string, int64_t>("in");
  for (const auto& [value, time] : {std::pair<int64_t, int64_t>{3, 10}, {9, 30}, {5, 20}})
    ASSERT_TRUE(input.Pipe("k", value, time).ok());
  EXPECT_EQ((driver->OutputTopic<string, int64_t>("max").ReadAll().value()),
            (std::vector<Rec<string, int64_t>>{{"k", 3, 10}, {"k", 9, 30}, {"k", 9, 30}}));
  EXPECT_EQ((driver->OutputTopic<string, string>("all").ReadAll().value()),
            (std::vector<Rec<string, string>>{{"k", "3;", 10}, {"k", "3;9;", 30}, {"k", "3;9;5;", 30}}));
}

TEST(Dsl, WithCachingChangesAreForwardedOncePerCommitInTheOrderOfTheLastUpdates) {
  StreamsBuilder builder;
  builder.Stream<string, string>("in").GroupByKey().Count(Materialized("n")).ToStream().To("out");
  auto driver = Drive(builder, {.commit_every_record = false});
  auto input = driver->InputTopic<string, string>("in");
  for (const char* key : {"b", "a", "b", "b"}) ASSERT_TRUE(input.Pipe(key, "v", 1).ok());
  auto output = driver->OutputTopic<string, int64_t>("out");
  EXPECT_TRUE(output.ReadAll()->empty());
  ASSERT_TRUE(driver->Commit().ok());
  EXPECT_EQ(output.ReadAll().value(), (std::vector<Rec<string, int64_t>>{{"a", 1, 1}, {"b", 3, 1}}));
}

TEST(Dsl, WithoutCachingEveryUpdateIsForwarded) {
  StreamsBuilder builder;
  builder.Stream<string, string>("in").GroupByKey().Count(Materialized("n")).ToStream().To("out");
  auto driver = Drive(builder, {.caching = false, .commit_every_record = false});
  auto input = driver->InputTopic<string, string>("in");
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(input.Pipe("k", "v", i).ok());
  EXPECT_EQ((driver->OutputTopic<string, int64_t>("out").ReadAll().value()),
            (std::vector<Rec<string, int64_t>>{{"k", 1, 0}, {"k", 2, 1}, {"k", 3, 2}}));
  EXPECT_EQ(driver->TakeProduced("test-n-changelog").size(), 3u);
}

TEST(Dsl, ANegativeTimestampAndAnUndecodableValueAreCountedAndStopNothing) {
  StreamsBuilder builder;
  builder.Stream<string, int64_t>("in").To("out");
  auto driver = Drive(builder);
  EXPECT_TRUE(driver->Pipe("in", {"k", 1}, {"short", 5}, 1).ok());
  EXPECT_TRUE(driver->Pipe("in", {"k", 1}, {"\0\0\0\0\0\0\0\x01", 8}, -1).ok());
  EXPECT_TRUE(driver->Pipe("in", {"k", 1}, {"\0\0\0\0\0\0\0\x01", 8}, 1).ok());
  EXPECT_EQ(driver->TakeProduced("out").size(), 1u);
  EXPECT_EQ(driver->Dropped(), (std::map<string, int64_t>{{"invalid_timestamp", 1}, {"undecodable", 1}}));
}

TEST(Dsl, AnExceptionOfUserCodeIsCountedAndTheNextRecordGoesOn) {
  StreamsBuilder builder;
  builder.Stream<string, string>("in")
      .MapValues([](const string& v) { return v == "bad" ? throw std::runtime_error("no") : v; })
      .To("out");
  auto driver = Drive(builder);
  auto input = driver->InputTopic<string, string>("in");
  EXPECT_TRUE(input.Pipe("k", "bad", 1).ok());
  EXPECT_TRUE(input.Pipe("k", "good", 2).ok());
  EXPECT_EQ(driver->TakeProduced("out").size(), 1u);
  EXPECT_EQ(driver->Dropped()["processing_error"], 1);
}

TEST(Dsl, ATopicStreamedTwiceIsReadOnce) {
  StreamsBuilder builder;
  builder.Stream<string, string>("in").To("a");
  builder.Stream<string, string>("in").To("b");
  auto driver = Drive(builder);
  ASSERT_TRUE((driver->InputTopic<string, string>("in").Pipe("k", "v", 1).ok()));
  EXPECT_EQ(driver->TakeProduced("a").size(), 1u);
  EXPECT_EQ(driver->TakeProduced("b").size(), 1u);
}

}  // namespace
}  // namespace tailrace::processor
