// Goal: names, numbers, subtopologies and optimisations are those of Kafka Streams.
// Method: tests/fixtures/topologies holds what Kafka Streams 4.3.1 prints for the same calls; the optimised ones were built
// there with topology.optimization=all.
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "gtest/gtest.h"
#include "tailrace/processor/stores.h"
#include "tailrace/processor/streams_builder.h"

namespace tailrace::processor {
namespace {

using std::string;

string JvmTopology(const string& name) {
  const char* const top = std::getenv("TAILRACE_SOURCE_DIR");
  std::ifstream in(string(top == nullptr ? "." : top) + "/tests/fixtures/topologies/" + name);
  EXPECT_TRUE(in) << name;
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

string TextOf(const StreamsBuilder& builder, TopologyOptimization optimization = {}) {
  const auto topology = builder.Build(optimization);
  EXPECT_TRUE(topology.ok()) << topology.status();
  return topology.ok() ? topology->Describe().text : "";
}

const auto kAny = [](const string&, const string&) { return true; };
const auto kValue = [](const string&, const string& v) { return v; };
const auto kFirst = [](const string& a, const string&) { return a; };

StreamsBuilder Repartitions() {
  StreamsBuilder builder;
  auto mapped = builder.Stream<string, string>("in").Map([](const string& k, const string& v) { return std::pair(v, k); });
  mapped.GroupByKey().Count(Materialized<>()).ToStream().To("a");
  mapped.Filter(kAny).GroupByKey().Reduce(kFirst).ToStream().To("b");
  mapped.MapValues(kValue).GroupByKey(Grouped("named")).Count(Materialized("c-store")).ToStream().To("c");
  return builder;
}

TEST(TopologyNames, RepartitionsAreNamedAsOnTheJvm) {
  EXPECT_EQ(TextOf(Repartitions()), JvmTopology("repartitions.txt"));
}

TEST(TopologyNames, MergeRepartitionTopicsKeepsOnePerKeyChange) {
  EXPECT_EQ(TextOf(Repartitions(), TopologyOptimization::All()), JvmTopology("repartitions_optimized.txt"));
}

TEST(TopologyNames, MergeRepartitionTopicsGoesBelowAMergeOfKeyChanges) {
  StreamsBuilder builder;
  auto x = builder.Stream<string, string>("x").SelectKey(kValue);
  auto y = builder.Stream<string, string>("y").SelectKey(kValue);
  auto merged = x.Merge(y);
  merged.GroupByKey(Grouped("g1")).Count(Materialized("s1"));
  merged.GroupByKey(Grouped("g2")).Reduce(kFirst, Materialized("s2"));
  EXPECT_EQ(TextOf(builder, TopologyOptimization::All()), JvmTopology("merge_optimized.txt"));
}

TEST(TopologyNames, SourcesOfOneTopicBecomeOneAndTablesReuseTheirTopics) {
  StreamsBuilder builder;
  const auto join = [](const string& v, const string*) { return v; };
  auto table = builder.Table<string, string>("t", Materialized("ts"));
  builder.Table<string, string>("u", Consumed<>{.name = "named-table"}, Materialized("us")).ToStream().To("ub");
  builder.Stream<string, string>("in").LeftJoin(table, join).To("out");
  builder.Stream<string, string>("in").Repartition(Repartitioned("rep")).LeftJoin(table, join).To("out2");
  builder.Stream<string, string>("in").Repartition().To("out3");
  auto topology = builder.Build(TopologyOptimization::All());
  ASSERT_TRUE(topology.ok()) << topology.status();
  EXPECT_EQ(topology->Describe().text, JvmTopology("tables_optimized.txt"));
  ASSERT_TRUE(topology->Compile("app").ok());
  EXPECT_EQ(topology->subtopologies()[0].stores[0].changelog_topic, "t");
}

class Echo final : public Processor<string, string> {
 public:
  void Init(ProcessorContext<string, string>&) override {}
  void Process(const Record<string, string>&) override {}
};
class EchoValues final : public FixedKeyProcessor<string, string> {
 public:
  void Init(FixedKeyProcessorContext<string, string>&) override {}
  void Process(const FixedKeyRecord<string, string>&) override {}
};

TEST(TopologyNames, SubtopologiesAreNumberedByTheirFirstOperatorAndAStoreUnitesThem) {
  class Nothing final : public Processor<string, string> {
   public:
    void Init(ProcessorContext<string, string>&) override {}
    void Process(const Record<string, string>&) override {}
  };
  const auto build = [](bool shared) {
    StreamsBuilder builder;
    builder.AddStateStore(Stores::InMemoryKeyValueStore("one"));
    builder.AddStateStore(Stores::InMemoryKeyValueStore("two"));
    const auto nothing = [] { return std::make_unique<Nothing>(); };
    builder.Stream<string, string>("a").Process(nothing, {"one"}, "p-a");
    builder.Stream<string, string>("b").To("out");
    builder.Stream<string, string>("c").Process(nothing, {shared ? "one" : "two"}, "p-c");
    if (shared) builder.Stream<string, string>("d").Process(nothing, {"two"}, "p-d");
    auto topology = *builder.Build();
    EXPECT_TRUE(topology.Compile("app").ok());
    std::vector<std::vector<string>> sources;
    for (const auto& subtopology : topology.subtopologies()) {
      EXPECT_EQ(subtopology.id, static_cast<int32_t>(sources.size()));
      sources.push_back(subtopology.source_topics);
    }
    return sources;
  };
  using Sources = std::vector<std::vector<string>>;
  EXPECT_EQ(build(false), (Sources{{"a"}, {"b"}, {"c"}}));
  EXPECT_EQ(build(true), (Sources{{"a", "c"}, {"b"}, {"d"}}));
}

TEST(TopologyNames, AGivenNameTakesANumberToo) {
  StreamsBuilder builder;
  auto stream = builder.Stream<string, string>("in", Consumed<>{.name = "src"}).Filter(kAny, "keep").MapValues(kValue);
  const auto any = [](const string*, const string*) { return true; };
  auto arms = stream.Split({{any, ""}, {any, "two"}, {{}, ""}}, "br-");
  for (const char* arm : {"br-0", "br-1", "br-two"}) arms.at(arm).To("o");
  stream.Split({{any, ""}, {{}, ""}});
  stream.ProcessValues([] { return std::make_unique<EchoValues>(); }).To("pv");
  std::ostringstream out;
  stream.Process([] { return std::make_unique<Echo>(); }, {}, "named-proc")
      .Peek([](const string&, const string&) {})
      .Print(Printed<>::To(out));
  stream.GroupBy(kValue, Grouped("by")).Count(Materialized("cs")).ToStream("ts").To("z", Produced<>{.name = "snk"});
  stream.To([](const string*, const string*, const RecordContext&) { return string("dyn"); });
  EXPECT_EQ(TextOf(builder), JvmTopology("names.txt"));
}

TEST(TopologyNames, GeneratedNamesOfInternalResourcesAreListedWithTheCallThatNamesThem) {
  const auto topology = Repartitions().Build();
  ASSERT_TRUE(topology.ok());
  const absl::Status status = topology->CheckNames();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  for (const char* part :
       {"state store KSTREAM-AGGREGATE-STATE-STORE-0000000003 and its changelog topic "
        "KSTREAM-AGGREGATE-STATE-STORE-0000000003-changelog, of operator KSTREAM-AGGREGATE-0000000004: give Count, Reduce or "
        "Aggregate a Materialized(\"name\")",
        "repartition topic KSTREAM-REDUCE-STATE-STORE-0000000011-repartition: give GroupBy or GroupByKey a Grouped(\"name\")",
        "ensure.explicit.internal.resource.naming=false"})
    EXPECT_NE(status.message().find(part), absl::string_view::npos) << status;
  EXPECT_EQ(status.message().find("c-store"), absl::string_view::npos) << status;
}

TEST(TopologyNames, NamedResourcesPassAndOperatorsNeedNoName) {
  StreamsBuilder builder;
  builder.Stream<string, string>("in").Filter(kAny).GroupBy(kValue, Grouped("by")).Count(Materialized("n")).ToStream().To("out");
  EXPECT_TRUE(builder.Build()->CheckNames().ok());
}

TEST(TopologyOptimization, TheKeyTakesNoneAllOrAListAndNothingElse) {
  EXPECT_EQ(TopologyOptimization::Parse("none").value(), TopologyOptimization{});
  EXPECT_EQ(TopologyOptimization::Parse("all").value(), TopologyOptimization::All());
  EXPECT_EQ(TopologyOptimization::Parse("merge.repartition.topics, single.store.self.join").value(),
            (TopologyOptimization{.merge_repartition_topics = true, .single_store_self_join = true}));
  EXPECT_FALSE(TopologyOptimization::Parse("all,merge.repartition.topics").ok());
  EXPECT_FALSE(TopologyOptimization::Parse("fast").ok());
}

}  // namespace
}  // namespace tailrace::processor
