// Goal: joins of tables by key are Kafka Streams': which changes give a result, with which time, and how deletes go on.
// Method: small topologies on the TopologyTestDriver.
#include "gtest/gtest.h"
#include "tailrace/processor/streams_builder.h"
#include "tailrace/processor/topology_test_driver.h"

namespace tailrace::processor {
namespace {

using std::string;
using Strings = std::vector<TopologyTestDriver::TypedRecord<string, string>>;

Strings Out(TopologyTestDriver& driver, const string& topic) {
  return driver.OutputTopic<string, string>(topic).ReadAll().value();
}

string Both(const string& left, const string& right) { return left + "+" + right; }
string LeftOf(const string& left, const string* right) { return left + "+" + (right == nullptr ? "~" : *right); }
string OneOf(const string* left, const string* right) {
  return (left == nullptr ? "~" : *left) + "+" + (right == nullptr ? "~" : *right);
}

enum class Kind { kInner, kLeft, kOuter };

// left and right, joined without a store or with one.
class Joined {
 public:
  explicit Joined(Kind kind, bool materialized = false) {
    StreamsBuilder builder;
    const auto left = builder.Table<string, string>("left");
    const auto right = builder.Table<string, string>("right");
    const auto join = [&](auto... more) {
      switch (kind) {
        case Kind::kInner: return left.Join(right, Both, more...);
        case Kind::kLeft: return left.LeftJoin(right, LeftOf, more...);
        case Kind::kOuter: break;
      }
      return left.OuterJoin(right, OneOf, more...);
    };
    (materialized ? join(Materialized("joined")) : join()).ToStream().To("out");
    auto topology = builder.Build();
    EXPECT_TRUE(topology.ok()) << topology.status();
    auto driver = TopologyTestDriver::Create(*std::move(topology), {.caching = false});
    EXPECT_TRUE(driver.ok()) << driver.status();
    driver_ = *std::move(driver);
  }

  // What a change of one side gives.
  Strings After(const string& topic, std::optional<string> value, int64_t time_ms) {
    EXPECT_TRUE((driver_->InputTopic<string, string>(topic).Pipe("k", std::move(value), time_ms).ok()));
    return Out(*driver_, "out");
  }
  TopologyTestDriver& driver() { return *driver_; }

 private:
  std::unique_ptr<TopologyTestDriver> driver_;
};

const Strings kNothing;

TEST(TableJoin, AnInnerJoinNeedsBothSidesAndTakesTheLargerTime) {
  for (const bool materialized : {false, true}) {
    Joined join(Kind::kInner, materialized);
    EXPECT_EQ(join.After("left", "a", 5), kNothing);
    EXPECT_EQ(join.After("right", "b", 3), (Strings{{"k", "a+b", 5}}));
    EXPECT_EQ(join.After("left", "c", 4), (Strings{{"k", "c+b", 4}})) << "the change's time and the other row's";
    EXPECT_EQ(join.After("right", std::nullopt, 9), (Strings{{"k", std::nullopt, 9}}));
    EXPECT_EQ(join.After("right", std::nullopt, 10), (Strings{{"k", std::nullopt, 10}})) << "no old values are asked for";
    EXPECT_EQ(join.After("left", "d", 11), kNothing);
  }
}

TEST(TableJoin, ALeftJoinHasARowForEachLeftRow) {
  Joined join(Kind::kLeft);
  EXPECT_EQ(join.After("right", "b", 9), kNothing);
  EXPECT_EQ(join.After("right", std::nullopt, 3), kNothing);
  EXPECT_EQ(join.After("left", "a", 5), (Strings{{"k", "a+~", 5}}));
  EXPECT_EQ(join.After("right", "b", 3), (Strings{{"k", "a+b", 5}}));
  EXPECT_EQ(join.After("right", std::nullopt, 4), (Strings{{"k", "a+~", 5}}));
  EXPECT_EQ(join.After("left", std::nullopt, 6), (Strings{{"k", std::nullopt, 6}}));
  EXPECT_EQ(join.After("left", std::nullopt, 7), kNothing) << "nothing became nothing";
}

TEST(TableJoin, AnOuterJoinHasARowWhileOneSideHasOne) {
  Joined join(Kind::kOuter);
  EXPECT_EQ(join.After("right", "b", 9), (Strings{{"k", "~+b", 9}}));
  EXPECT_EQ(join.After("left", "a", 5), (Strings{{"k", "a+b", 9}}));
  EXPECT_EQ(join.After("right", std::nullopt, 4), (Strings{{"k", "a+~", 5}}));
  EXPECT_EQ(join.After("left", std::nullopt, 6), (Strings{{"k", std::nullopt, 6}}));
  EXPECT_EQ(join.After("left", std::nullopt, 7), kNothing);
}

TEST(TableJoin, AnOlderChangeOfATableWithoutVersionsIsApplied) {
  Joined join(Kind::kInner);
  EXPECT_EQ(join.After("right", "b", 1), kNothing);
  EXPECT_EQ(join.After("left", "new", 9), (Strings{{"k", "new+b", 9}}));
  EXPECT_EQ(join.After("left", "old", 2), (Strings{{"k", "old+b", 2}}));
}

TEST(TableJoin, AResultWithAStoreKeepsItsRows) {
  Joined join(Kind::kLeft, true);
  EXPECT_EQ(join.After("left", "a", 5), (Strings{{"k", "a+~", 5}}));
  const auto rows = join.driver().TakeProduced("test-joined-changelog");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].value, "a+~");
  EXPECT_EQ(rows[0].timestamp_ms, 5);
}

TEST(TableJoin, ARowOfAJoinWithoutAStoreIsJoinedWhenItIsLookedUp) {
  StreamsBuilder builder;
  const auto joined = builder.Table<string, string>("left").OuterJoin(builder.Table<string, string>("right"), OneOf);
  joined.Join(builder.Table<string, string>("third"), Both).ToStream().To("out");
  auto driver = *TopologyTestDriver::Create(*builder.Build(), {.caching = false});
  const auto pipe = [&](const string& topic, std::optional<string> value, int64_t time_ms) {
    ASSERT_TRUE((driver->InputTopic<string, string>(topic).Pipe("k", std::move(value), time_ms).ok()));
  };
  pipe("right", "b", 7);
  pipe("third", "c", 2);
  pipe("left", "a", 3);
  pipe("third", "d", 1);
  EXPECT_EQ(Out(*driver, "out"), (Strings{{"k", "~+b+c", 7}, {"k", "a+b+c", 7}, {"k", "a+b+d", 7}}));
}

TEST(TableJoin, AnUnnamedStoreUsesItsNumberBeforeTheOperators) {
  StreamsBuilder builder;
  const auto left = builder.Table<string, string>("left");
  const auto right = builder.Table<string, string>("right");
  left.Join(right, Both, Materialized<>());
  EXPECT_EQ(builder.Build()->Describe().text,
            "Topologies:\n"
            "   Sub-topology: 0\n"
            "    Source: KSTREAM-SOURCE-0000000001 (topics: [left])\n"
            "      --> KTABLE-SOURCE-0000000002\n"
            "    Source: KSTREAM-SOURCE-0000000004 (topics: [right])\n"
            "      --> KTABLE-SOURCE-0000000005\n"
            "    Processor: KTABLE-SOURCE-0000000002 (stores: [left-STATE-STORE-0000000000])\n"
            "      --> KTABLE-JOINTHIS-0000000008\n"
            "      <-- KSTREAM-SOURCE-0000000001\n"
            "    Processor: KTABLE-SOURCE-0000000005 (stores: [right-STATE-STORE-0000000003])\n"
            "      --> KTABLE-JOINOTHER-0000000009\n"
            "      <-- KSTREAM-SOURCE-0000000004\n"
            "    Processor: KTABLE-JOINOTHER-0000000009 (stores: [left-STATE-STORE-0000000000])\n"
            "      --> KTABLE-MERGE-0000000007\n"
            "      <-- KTABLE-SOURCE-0000000005\n"
            "    Processor: KTABLE-JOINTHIS-0000000008 (stores: [right-STATE-STORE-0000000003])\n"
            "      --> KTABLE-MERGE-0000000007\n"
            "      <-- KTABLE-SOURCE-0000000002\n"
            "    Processor: KTABLE-MERGE-0000000007 (stores: [KTABLE-MERGE-STATE-STORE-0000000006])\n"
            "      --> none\n"
            "      <-- KTABLE-JOINTHIS-0000000008, KTABLE-JOINOTHER-0000000009\n\n");
}

}  // namespace
}  // namespace tailrace::processor
