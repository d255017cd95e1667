// Goal: keys that are sessions keep their end through every operator that writes them and was given no serde: late records, joins
// of two streams, joins with a table and a grace period. A time window's bytes would lose it. Method: what comes out is read with
// the serde of sessions.
#include <chrono>
#include <set>

#include "gtest/gtest.h"
#include "tailrace/processor/streams_builder.h"
#include "tailrace/processor/topology_test_driver.h"

namespace tailrace::processor {
namespace {

using std::string;
using std::chrono::milliseconds;
using Key = Windowed<string>;

// The sessions of a topic with their counts, each update at once.
KStream<Key, int64_t> Sessions(StreamsBuilder& builder, const string& topic) {
  return builder.Stream<string, string>(topic)
      .GroupByKey()
      .WindowedBy(SessionWindows::OfInactivityGapAndGrace(milliseconds(5), milliseconds(1'000)))
      .Count(Materialized("sessions-of-" + topic).WithCachingDisabled())
      .ToStream();
}

std::unique_ptr<TopologyTestDriver> Drive(const StreamsBuilder& builder) {
  auto topology = builder.Build();
  EXPECT_TRUE(topology.ok()) << topology.status();
  auto driver = TopologyTestDriver::Create(*std::move(topology));
  EXPECT_TRUE(driver.ok()) << driver.status();
  return *std::move(driver);
}

void PipeAll(TopologyTestDriver& driver, const string& topic, const std::vector<int64_t>& times) {
  for (const int64_t time : times) ASSERT_TRUE((driver.InputTopic<string, string>(topic).Pipe("k", "v", time).ok()));
}

// "start-end" of each key.
std::set<string> SessionsIn(TopologyTestDriver& driver, const string& topic) {
  std::set<string> sessions;
  for (const DriverRecord& record : driver.TakeProduced(topic)) {
    Key key;
    EXPECT_TRUE(SessionWindowedSerde<StringSerde>().Deserialize(record.key.value_or(""), key)) << topic << " holds other keys";
    EXPECT_EQ(key.key, "k");
    sessions.insert(std::to_string(key.start_ms) + "-" + std::to_string(key.end_ms));
  }
  return sessions;
}

TEST(SessionKeys, OfLateRecords) {
  StreamsBuilder builder;
  const auto windowed = Sessions(builder, "in").GroupByKey().WindowedBy(TimeWindows::OfSizeAndGrace(milliseconds(10), milliseconds(0)));
  windowed.LateTo("late").Count(Materialized("counts"));
  windowed.WithLateRecords([](const auto& late) { late.To("late-stream"); }).Count(Materialized("more-counts"));
  auto driver = Drive(builder);
  PipeAll(*driver, "in", {100, 50, 52});
  EXPECT_EQ(SessionsIn(*driver, "late"), (std::set<string>{"50-50", "50-52"}));
  EXPECT_EQ(SessionsIn(*driver, "late-stream"), (std::set<string>{"50-50", "50-52"}));
}

TEST(SessionKeys, OfTwoStreamsThatAreJoined) {
  StreamsBuilder builder;
  Sessions(builder, "left")
      .Join(Sessions(builder, "right"), [](int64_t a, int64_t b) { return a + b; },
            JoinWindows::OfTimeDifferenceAndGrace(milliseconds(100), milliseconds(0)), StreamJoined("join").WithStoreName("join"))
      .To("out");
  auto driver = Drive(builder);
  PipeAll(*driver, "left", {50, 52});
  PipeAll(*driver, "right", {50, 52});
  EXPECT_EQ(SessionsIn(*driver, "out"), (std::set<string>{"50-50", "50-52"}));
}

TEST(SessionKeys, OfAStreamThatWaitsForATable) {
  StreamsBuilder builder;
  const auto table = Sessions(builder, "right").ToTable(Materialized("table").Versioned(milliseconds(1'000)));
  Sessions(builder, "left")
      .Join(table, [](int64_t a, int64_t b) { return a + b; }, Joined("join").WithGracePeriod(milliseconds(10)))
      .To("out");
  auto driver = Drive(builder);
  PipeAll(*driver, "right", {50, 52});
  PipeAll(*driver, "left", {50, 52, 200});
  EXPECT_TRUE(SessionsIn(*driver, "out").contains("50-52"));
}

}  // namespace
}  // namespace tailrace::processor
