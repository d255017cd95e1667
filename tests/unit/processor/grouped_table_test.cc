// Goal: a grouped table is Kafka Streams' KGroupedTable: bytes of the repartition topic, order of subtracting and adding, names.
// Method: the byte format by itself, then small topologies on the TopologyTestDriver.
#include "gtest/gtest.h"
#include "tailrace/processor/detail/change_bytes.h"
#include "tailrace/processor/streams_builder.h"
#include "tailrace/processor/topology_test_driver.h"

namespace tailrace::processor {
namespace {

using std::string;
using std::string_view;
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

string Bytes(kafka::NullableBytes new_value, kafka::NullableBytes old_value) {
  string bytes;
  detail::AppendChange(bytes, new_value, old_value);
  return bytes;
}

TEST(GroupedTable, TheFlagOfAChangeIsItsLastByte) {
  EXPECT_EQ(Bytes({}, string_view("old")), string("old\0", 4));
  EXPECT_EQ(Bytes(string_view("new"), {}), "new\1");
  EXPECT_EQ(Bytes(string_view("new"), string_view("older")), "\6newolder\2");  // a zig-zag varint: 6 is 3
  EXPECT_EQ(Bytes(string_view(), {}), "\1") << "empty is not null";
}

TEST(GroupedTable, AReaderAcceptsChangesThatSayWhetherTheyAreTheLatest) {
  const auto old_value = detail::ParseChange(string("old\0\3", 5));
  ASSERT_TRUE(old_value.has_value());
  EXPECT_EQ(old_value->old_value.view(), "old");
  EXPECT_TRUE(old_value->new_value.is_null());
  EXPECT_FALSE(old_value->is_latest);
  const auto new_value = detail::ParseChange("new\1\4");
  ASSERT_TRUE(new_value.has_value());
  EXPECT_EQ(new_value->new_value.view(), "new");
  EXPECT_TRUE(new_value->is_latest);
  const auto both = detail::ParseChange(string("\6newolder\0\5", 11));
  ASSERT_TRUE(both.has_value());
  EXPECT_EQ(both->new_value.view(), "new");
  EXPECT_EQ(both->old_value.view(), "older");
  EXPECT_FALSE(both->is_latest);
}

TEST(GroupedTable, BytesThatAreNoChangeAreRefused) {
  EXPECT_FALSE(detail::ParseChange("").has_value());
  EXPECT_FALSE(detail::ParseChange("new\6").has_value()) << "no such flag";
  EXPECT_FALSE(detail::ParseChange("new\2\4").has_value()) << "latest is 0 or 1";
  EXPECT_FALSE(detail::ParseChange("\x20new\2").has_value()) << "a size above the rest";
  EXPECT_FALSE(detail::ParseChange("\1new\2").has_value()) << "a size below zero";
}

// Rows are "group:value"; without a colon they are in no group.
std::pair<std::optional<string>, string> ByGroup(const string&, const string& row) {
  const size_t colon = row.find(':');
  if (colon == string::npos) return {std::nullopt, row};
  return {row.substr(0, colon), row.substr(colon + 1)};
}
string Plus(const string&, const string& value, string aggregate) { return aggregate + "+" + value; }
string Minus(const string&, const string& value, string aggregate) { return aggregate + "-" + value; }

TEST(GroupedTable, AnOldRowIsSubtractedBeforeTheNewOneIsAdded) {
  StreamsBuilder builder;
  builder.Table<string, string>("t")
      .GroupBy(ByGroup)
      .Aggregate<string>([] { return string("0"); }, Plus, Minus, Materialized("s").WithCachingDisabled())
      .ToStream()
      .To("out");
  const auto driver = Drive(builder, {.caching = false});
  auto input = driver->InputTopic<string, string>("t");
  ASSERT_TRUE(input.Pipe("k", "a:1", 5).ok());
  ASSERT_TRUE(input.Pipe("k", "a:2", 3).ok());  // same group: one record, and the aggregate keeps the larger time
  ASSERT_TRUE(input.Pipe("k", "b:3", 9).ok());  // another group: out of the old one first
  ASSERT_TRUE(input.Pipe("k", "none", 10).ok());
  EXPECT_EQ(Out(*driver, "out"),
            (Strings{{"a", "0+1", 5}, {"a", "0+1-1+2", 5}, {"a", "0+1-1+2-2", 9}, {"b", "0+3", 9}, {"b", "0+3-3", 10}}));
  std::vector<string> sent;
  for (const DriverRecord& record : driver->TakeProduced("test-s-repartition")) sent.push_back(*record.key + *record.value);
  EXPECT_EQ(sent, (std::vector<string>{"a1\1", "a\0022" "1\2", string("a2\0", 3), "b3\1", string("b3\0", 3)}));
}

TEST(GroupedTable, AnOldRowOfAGroupWithoutAggregateIsIgnored) {
  // The adder keeps no aggregate, so the subtractor, which would be seen, has none to take a row out of.
  StreamsBuilder builder;
  builder.Table<string, string>("t")
      .GroupBy(ByGroup)
      .Aggregate<string>([] { return string("0"); },
                         [](const string&, const string&, const string&) { return std::optional<string>(); },
                         [](const string&, const string& value, const string& aggregate) { return std::optional(aggregate + value); },
                         Materialized("s").WithCachingDisabled())
      .ToStream()
      .To("out");
  const auto driver = Drive(builder, {.caching = false});
  auto input = driver->InputTopic<string, string>("t");
  ASSERT_TRUE(input.Pipe("k", "a:1", 5).ok());
  ASSERT_TRUE(input.Pipe("k", std::nullopt, 6).ok());
  EXPECT_EQ(Out(*driver, "out"), (Strings{{"a", std::nullopt, 5}, {"a", std::nullopt, 6}}));
}

TEST(GroupedTable, ACountGoesDownToZeroAndAReduceStartsWithItsFirstValue) {
  StreamsBuilder builder;
  const auto grouped = builder.Table<string, string>("t").GroupBy(ByGroup, Grouped("groups"));
  grouped.Count(Materialized("counts").WithCachingDisabled()).ToStream().To("counts");
  grouped
      .Reduce([](const string& a, const string& v) { return a + "+" + v; }, [](const string& a, const string& v) { return a + "-" + v; },
              Materialized("sums").WithCachingDisabled())
      .ToStream()
      .To("sums");
  const auto driver = Drive(builder, {.caching = false});
  auto input = driver->InputTopic<string, string>("t");
  ASSERT_TRUE(input.Pipe("k", "a:1", 5).ok());
  ASSERT_TRUE(input.Pipe("l", "a:2", 6).ok());
  ASSERT_TRUE(input.Pipe("k", std::nullopt, 7).ok());
  ASSERT_TRUE(input.Pipe("l", std::nullopt, 8).ok());
  EXPECT_EQ((driver->OutputTopic<string, int64_t>("counts").ReadAll().value()),
            (std::vector<Rec<string, int64_t>>{{"a", 1, 5}, {"a", 2, 6}, {"a", 1, 7}, {"a", 0, 8}}));
  EXPECT_EQ(Out(*driver, "sums"),
            (Strings{{"a", "1", 5}, {"a", "1+2", 6}, {"a", "1+2-1", 7}, {"a", "1+2-1-2", 8}}));
  EXPECT_EQ(driver->TakeProduced("test-groups-repartition").size(), 4u) << "named: both aggregates read one topic";
}

TEST(GroupedTable, TheStoreUsesItsNumberBeforeTheSinkAndTheSource) {
  StreamsBuilder builder;
  builder.Table<string, string>("t").GroupBy(ByGroup).Count().ToStream().To("out");
  EXPECT_EQ(builder.Build()->Describe().text,
            "Topologies:\n"
            "   Sub-topology: 0\n"
            "    Source: KSTREAM-SOURCE-0000000001 (topics: [t])\n"
            "      --> KTABLE-SOURCE-0000000002\n"
            "    Processor: KTABLE-SOURCE-0000000002 (stores: [t-STATE-STORE-0000000000])\n"
            "      --> KTABLE-SELECT-0000000003\n"
            "      <-- KSTREAM-SOURCE-0000000001\n"
            "    Processor: KTABLE-SELECT-0000000003 (stores: [])\n"
            "      --> KSTREAM-SINK-0000000005\n"
            "      <-- KTABLE-SOURCE-0000000002\n"
            "    Sink: KSTREAM-SINK-0000000005 (topic: KTABLE-AGGREGATE-STATE-STORE-0000000004-repartition)\n"
            "      <-- KTABLE-SELECT-0000000003\n"
            "\n"
            "  Sub-topology: 1\n"
            "    Source: KSTREAM-SOURCE-0000000006 (topics: [KTABLE-AGGREGATE-STATE-STORE-0000000004-repartition])\n"
            "      --> KTABLE-AGGREGATE-0000000007\n"
            "    Processor: KTABLE-AGGREGATE-0000000007 (stores: [KTABLE-AGGREGATE-STATE-STORE-0000000004])\n"
            "      --> KTABLE-TOSTREAM-0000000008\n"
            "      <-- KSTREAM-SOURCE-0000000006\n"
            "    Processor: KTABLE-TOSTREAM-0000000008 (stores: [])\n"
            "      --> KSTREAM-SINK-0000000009\n"
            "      <-- KTABLE-AGGREGATE-0000000007\n"
            "    Sink: KSTREAM-SINK-0000000009 (topic: out)\n"
            "      <-- KTABLE-TOSTREAM-0000000008\n\n");
}

}  // namespace
}  // namespace tailrace::processor
