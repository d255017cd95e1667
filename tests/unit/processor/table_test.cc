// Goal: a table is what Kafka Streams' KTable is: which operators have a store, who sends old values, and what is forwarded.
// Method: small topologies on the TopologyTestDriver; names and texts as the JVM prints them for the same calls.
#include "gtest/gtest.h"
#include "tailrace/processor/streams_builder.h"
#include "tailrace/processor/topology_test_driver.h"

namespace tailrace::processor {
namespace {

using std::string;
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

Strings Out(TopologyTestDriver& driver, const string& topic) {
  return driver.OutputTopic<string, string>(topic).ReadAll().value();
}

bool Long(const string& value) { return value.size() > 1; }

TEST(Table, ASourceHasAStoreOnlyWhenNamedOrNeeded) {
  StreamsBuilder builder;
  builder.Table<string, string>("t").Filter(Long).ToStream().To("out");
  EXPECT_EQ(builder.Build()->Describe().text,
            "Topologies:\n"
            "   Sub-topology: 0\n"
            "    Source: KSTREAM-SOURCE-0000000001 (topics: [t])\n"
            "      --> KTABLE-SOURCE-0000000002\n"
            "    Processor: KTABLE-SOURCE-0000000002 (stores: [])\n"
            "      --> KTABLE-FILTER-0000000003\n"
            "      <-- KSTREAM-SOURCE-0000000001\n"
            "    Processor: KTABLE-FILTER-0000000003 (stores: [])\n"
            "      --> KTABLE-TOSTREAM-0000000004\n"
            "      <-- KTABLE-SOURCE-0000000002\n"
            "    Processor: KTABLE-TOSTREAM-0000000004 (stores: [])\n"
            "      --> KSTREAM-SINK-0000000005\n"
            "      <-- KTABLE-FILTER-0000000003\n"
            "    Sink: KSTREAM-SINK-0000000005 (topic: out)\n"
            "      <-- KTABLE-TOSTREAM-0000000004\n\n");
}

TEST(Table, AFilterWithoutStoreForwardsEveryDeleteWhenNoOldValuesAreSent) {
  StreamsBuilder builder;
  builder.Table<string, string>("t").Filter(Long).ToStream().To("out");
  auto driver = Drive(builder);
  auto input = driver->InputTopic<string, string>("t");
  ASSERT_TRUE(input.Pipe("k", "a", 1).ok());
  ASSERT_TRUE(input.Pipe("k", "ab", 2).ok());
  ASSERT_TRUE(input.Pipe("k", std::nullopt, 3).ok());
  ASSERT_TRUE(input.Pipe(std::nullopt, "ab", 4).ok());
  EXPECT_EQ(Out(*driver, "out"), (Strings{{"k", std::nullopt, 1}, {"k", "ab", 2}, {"k", std::nullopt, 3}}));
  EXPECT_EQ(driver->Dropped(), (std::map<string, int64_t>{{"null_key", 1}}));
}

TEST(Table, AFilterOverAMaterializedSourceSkipsKeysThatNeitherPassedNorPass) {
  for (const bool caching : {true, false}) {
    StreamsBuilder builder;
    builder.Table<string, string>("t", Materialized("rows")).Filter(Long, Materialized("long")).ToStream().To("out");
    auto driver = Drive(builder, {.caching = caching});
    auto input = driver->InputTopic<string, string>("t");
    ASSERT_TRUE(input.Pipe("k", "a", 1).ok());
    ASSERT_TRUE(input.Pipe("k", "ab", 2).ok());
    ASSERT_TRUE(input.Pipe("k", "b", 3).ok());
    ASSERT_TRUE(input.Pipe("k", "c", 4).ok());
    EXPECT_EQ(Out(*driver, "out"), (Strings{{"k", "ab", 2}, {"k", std::nullopt, 3}})) << caching;
    EXPECT_EQ(driver->TakeProduced("test-long-changelog").size(), 2u);
    EXPECT_EQ(driver->TakeProduced("test-rows-changelog").size(), 4u);
  }
}

TEST(Table, MapValuesGivesDeletesOnAndMayDelete) {
  StreamsBuilder builder;
  auto mapped = builder.Table<string, string>("t").MapValues(
      [](const string& key, const string& value) { return value == "x" ? std::nullopt : std::optional<string>(key + value); },
      Named("m"), Materialized("mapped"));
  EXPECT_EQ(mapped.QueryableStoreName(), "mapped");
  mapped.ToStream().To("out");
  auto driver = Drive(builder);
  auto input = driver->InputTopic<string, string>("t");
  ASSERT_TRUE(input.Pipe("k", "a", 1).ok());
  ASSERT_TRUE(input.Pipe("k", "x", 2).ok());
  ASSERT_TRUE(input.Pipe("k", std::nullopt, 3).ok());
  // The cache forwards nothing for a key that had no value and has none.
  EXPECT_EQ(Out(*driver, "out"), (Strings{{"k", "ka", 1}, {"k", std::nullopt, 2}}));
}

TEST(Table, AnUnnamedMaterializedUsesANumberUpAndMakesNoStore) {
  StreamsBuilder builder;
  builder.Table<string, string>("t").Filter(Long, Materialized<>()).ToStream().To("out");
  const string text = builder.Build()->Describe().text;
  EXPECT_NE(text.find("KTABLE-FILTER-0000000004 (stores: [])"), string::npos) << text;
}

TEST(Table, AStreamTableJoinMaterializesTheSourceBelowDerivedTables) {
  StreamsBuilder builder;
  auto table = builder.Table<string, string>("t").MapValues([](const string& v) { return v + "!"; });
  builder.Stream<string, string>("s").Join(table, [](const string& a, const string& b) { return a + b; }).To("out");
  EXPECT_NE(builder.Build()->Describe().text.find("KTABLE-SOURCE-0000000002 (stores: [t-STATE-STORE-0000000000])"),
            string::npos);
  auto driver = Drive(builder);
  ASSERT_TRUE((driver->InputTopic<string, string>("t").Pipe("k", "a", 1)).ok());
  ASSERT_TRUE((driver->InputTopic<string, string>("s").Pipe("k", "s", 2)).ok());
  EXPECT_EQ(Out(*driver, "out"), (Strings{{"k", "sa!", 2}}));
}

TEST(Table, ToTableMakesATableOfAStreamAndRepartitionsAfterANewKey) {
  StreamsBuilder builder;
  builder.Stream<string, string>("in").SelectKey([](const string& v) { return v.substr(0, 1); }).ToTable(Materialized("tab"))
      .ToStream([](const string& k, const string&) { return k + k; }).To("out");
  const string text = builder.Build()->Describe().text;
  EXPECT_NE(text.find("KSTREAM-TOTABLE-0000000002-repartition"), string::npos) << text;
  auto driver = Drive(builder);
  auto input = driver->InputTopic<string, string>("in");
  ASSERT_TRUE(input.Pipe("k", "ab", 1).ok());
  ASSERT_TRUE(input.Pipe("k", "ac", 2).ok());
  EXPECT_EQ(Out(*driver, "out"), (Strings{{"aa", "ab", 1}, {"aa", "ac", 2}}));
  EXPECT_EQ(driver->TakeProduced("test-tab-changelog").size(), 2u);
}

class Suffixer final : public ValueTransformerWithKey<string, string, string> {
 public:
  void Init(const TransformerContext& context) override { store_ = &context.key_value_store("suffixes"); }
  std::optional<string> Transform(const string& key, const string* value) override {
    const auto row = store_->Get("suffix");
    const string suffix = row.ok() && row->has_value() ? string((*row)->value) : "-";
    return key + (value == nullptr ? "null" : *value) + suffix;
  }

 private:
  state::KeyValueStore* store_ = nullptr;
};

TEST(Table, TransformValuesSeesNullsAndItsStores) {
  StreamsBuilder builder;
  state::StoreSpec spec;
  spec.name = "suffixes";
  builder.AddStateStore(spec);
  auto transformed = builder.Table<string, string>("t").TransformValues([] { return std::make_unique<Suffixer>(); }, {},
                                                                        {"suffixes"});
  transformed.ToStream().To("out");
  auto driver = Drive(builder);
  auto input = driver->InputTopic<string, string>("t");
  ASSERT_TRUE(input.Pipe("k", "a", 1).ok());
  ASSERT_TRUE(input.Pipe("k", std::nullopt, 2).ok());
  EXPECT_EQ(Out(*driver, "out"), (Strings{{"k", "ka-", 1}, {"k", "knull-", 2}}));
}

TEST(Table, NamesUseNumbersUpAsOnTheJvm) {
  StreamsBuilder builder;
  builder.Table<string, string>("t", Consumed<>{.name = "users"}).ToStream(Named("stream")).To("out");
  const string text = builder.Build()->Describe().text;
  EXPECT_NE(text.find("Source: users-source (topics: [t])\n      --> users\n"), string::npos) << text;
  EXPECT_NE(text.find("KSTREAM-SINK-0000000004"), string::npos) << text;
}

}  // namespace
}  // namespace tailrace::processor
