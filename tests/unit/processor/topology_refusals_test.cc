// Goal: a topology that cannot work is refused before it starts, naming the operator, what is wrong and what to change.
#include "gtest/gtest.h"
#include "tailrace/processor/stores.h"
#include "tailrace/processor/streams_builder.h"
#include "tailrace/processor/topology_test_driver.h"

namespace tailrace::processor {
namespace {

using std::string;
using namespace std::literals;

class Nothing final : public Processor<string, string> {
 public:
  void Init(ProcessorContext<string, string>&) override {}
  void Process(const Record<string, string>&) override {}
};
const auto kNothing = [] { return std::make_unique<Nothing>(); };

void ExpectRefused(Topology& topology, const string& part) {
  const absl::Status status = topology.Compile("app");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << part;
  EXPECT_NE(string(status.message()).find(part), string::npos) << status;
}
Topology WithSource() {
  Topology topology;
  topology.AddSource<string, string>("in", {"topic"});
  return topology;
}

TEST(TopologyRefusals, TwoOperatorsOfOneName) {
  Topology topology = WithSource();
  topology.AddProcessor("p", {"in"}, kNothing).AddProcessor("p", {"in"}, kNothing);
  ExpectRefused(topology, "operator p: the name is used twice; name one of them differently");
}

TEST(TopologyRefusals, APredecessorThatDoesNotExist) {
  Topology topology = WithSource();
  topology.AddProcessor("p", {"other"}, kNothing);
  ExpectRefused(topology, "operator p: predecessor other does not exist; add it first");
}

TEST(TopologyRefusals, ACycle) {
  Topology itself = WithSource();
  itself.AddProcessor("p", {"in", "p"}, kNothing);
  ExpectRefused(itself, "operator p is its own predecessor: operators form no cycle");
  Topology two = WithSource();
  two.AddProcessor("a", {"in", "b"}, kNothing).AddProcessor("b", {"a"}, kNothing);
  ExpectRefused(two, "operator a: predecessor b does not exist; add it first (operators are added from the sources down");
}

TEST(TopologyRefusals, ATopologyThatFeedsItselfWithoutEnd) {
  Topology topology = WithSource();
  topology.AddSink<string, string>("out", "topic", {"in"});
  auto driver = TopologyTestDriver::Create(std::move(topology));
  ASSERT_TRUE(driver.ok());
  EXPECT_NE((*driver)->Pipe("topic", "k"sv, "v"sv, 1).message().find("the topology writes topic topic from what it reads there"),
            absl::string_view::npos);
}

TEST(TopologyRefusals, ASinkAsPredecessor) {
  Topology topology = WithSource();
  topology.AddSink<string, string>("out", "o", {"in"}).AddProcessor("p", {"out"}, kNothing);
  ExpectRefused(topology, "operator p: predecessor out is a sink, which forwards nothing");
}

TEST(TopologyRefusals, AProcessorWithoutPredecessorAndASourceWithoutTopic) {
  Topology topology = WithSource();
  topology.AddProcessor("p", {}, kNothing);
  ExpectRefused(topology, "operator p has no predecessor: name the source or processor");
  Topology source;
  source.AddSource<string, string>("in", {});
  ExpectRefused(source, "source in has no topic: name at least one");
  Topology empty;
  ExpectRefused(empty, "the topology is empty: add at least one source");
}

TEST(TopologyRefusals, ATopicReadByTwoSources) {
  Topology topology = WithSource();
  topology.AddSource<string, string>("again", {"topic"});
  ExpectRefused(topology, "source again: topic topic is already read by source in");
}

TEST(TopologyRefusals, AStoreOfTwoOwners) {
  Topology topology = WithSource();
  topology.AddProcessor("p", {"in"}, kNothing).AddProcessor("q", {"in"}, kNothing);
  topology.AddStateStore(Stores::PersistentKeyValueStore("s"), {"p"}).AddStateStore(Stores::PersistentKeyValueStore("s"), {"q"});
  ExpectRefused(topology, "state store s has two owners: it was added for p and again for q; name one of the stores differently");
}

TEST(TopologyRefusals, AStoreThatDoesNotExistOrThatNobodyUses) {
  Topology missing = WithSource();
  missing.AddProcessor("p", {"in"}, kNothing, {"s"});
  ExpectRefused(missing, "cannot connect processor p and state store s: the store does not exist; add it with AddStateStore first");
  Topology unused = WithSource();
  unused.AddStateStore(Stores::PersistentKeyValueStore("s"), {});
  ExpectRefused(unused, "state store s is connected to no processor");
  Topology on_source = WithSource();
  on_source.AddStateStore(Stores::PersistentKeyValueStore("s"), {"in"});
  ExpectRefused(on_source, "operator in is a source or sink and cannot use state store s: connect the store to a processor");
}

TEST(TopologyRefusals, SourcesOfTheDslThatCannotBecomeOne) {
  const auto refused = [](StreamsBuilder& builder, const string& part) {
    const auto topology = builder.Build();
    EXPECT_NE(string(topology.status().message()).find(part), string::npos) << topology.status();
  };
  StreamsBuilder types;
  types.Stream<string, string>("t");
  types.Stream<string, int64_t>("t");
  refused(types, "sources KSTREAM-SOURCE-0000000000 and KSTREAM-SOURCE-0000000001 both read topic t with different types or serdes");
  StreamsBuilder topics;
  topics.Stream<string, string>("t");
  topics.Stream<string, string>(std::vector<string>{"t", "u"});
  refused(topics, "but not the same topics: [t] and [t, u]; read the topic once and use that stream twice");
  StreamsBuilder resets;
  resets.Stream<string, string>("t");
  resets.Stream<string, string>("t", Consumed<>{.offset_reset = OffsetReset::kLatest});
  refused(resets, "with different offset resets; give both the same");
}

TEST(TopologyRefusals, AChildThatDoesNotExistIsNamedWithThoseThatDo) {
  class Lost final : public Processor<string, string> {
   public:
    void Init(ProcessorContext<string, string>& context) override { context.Child("left"); }
    void Process(const Record<string, string>&) override {}
  };
  Topology topology = WithSource();
  topology.AddProcessor("p", {"in"}, [] { return std::make_unique<Lost>(); }).AddSink<string, string>("right", "r", {"p"});
  const auto driver = TopologyTestDriver::Create(std::move(topology));
  EXPECT_NE(driver.status().message().find("processor p has no child left; its children are right"), absl::string_view::npos)
      << driver.status();
}

TEST(TopologyRefusals, GeneratedNamesWhenTheDriverAsksForNames) {
  StreamsBuilder builder;
  builder.Stream<string, string>("in").GroupByKey().Count().ToStream().To("out");
  EXPECT_FALSE(TopologyTestDriver::Create(*builder.Build(), {.explicit_names = true}).ok());
  EXPECT_TRUE(TopologyTestDriver::Create(*builder.Build()).ok());
}

}  // namespace
}  // namespace tailrace::processor
