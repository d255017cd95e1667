// Goal: what comes too late for its windows can be had as a stream, as it came and with the reason. Method: the worked examples of
// the late rules on the TopologyTestDriver.
#include <chrono>

#include "gtest/gtest.h"
#include "tailrace/processor/streams_builder.h"
#include "tailrace/processor/topology_test_driver.h"

namespace tailrace::processor {
namespace {

using std::string;
using std::chrono::milliseconds;

std::unique_ptr<TopologyTestDriver> Drive(const StreamsBuilder& builder) {
  auto topology = builder.Build();
  EXPECT_TRUE(topology.ok()) << topology.status();
  auto driver = TopologyTestDriver::Create(*std::move(topology));
  EXPECT_TRUE(driver.ok()) << driver.status();
  return *std::move(driver);
}

// The values are the times, so that a record can be told.
void PipeAll(TopologyTestDriver& driver, const std::vector<int64_t>& times) {
  for (const int64_t time : times)
    ASSERT_TRUE(driver.Pipe("in", std::string_view("k"), std::to_string(time), time, {{"h", "x"}}).ok());
}

// "value@timestamp window start-end, stream time, grace" of each late record.
std::vector<string> Late(TopologyTestDriver& driver, const string& topic = "late") {
  std::vector<string> lines;
  for (const DriverRecord& record : driver.TakeProduced(topic)) {
    std::map<string, string> headers;
    for (const kafka::Header& header : record.headers) headers[header.name] = header.value.value_or("null");
    EXPECT_EQ(record.key, "k");
    EXPECT_EQ(headers["h"], "x") << "its own headers stay";
    EXPECT_EQ(headers["__late.reason"], "window closed");
    lines.push_back(record.value.value_or("null") + "@" + std::to_string(record.timestamp_ms) + " window " +
                    headers["__late.window.start"] + "-" + headers["__late.window.end"] + ", " + headers["__late.stream.time"] +
                    ", " + headers["__late.grace"]);
  }
  return lines;
}

TEST(LateRecords, GoToTheirTopicAsTheyCameWithTheReason) {
  StreamsBuilder builder;
  builder.Stream<string, string>("in")
      .GroupByKey()
      .WindowedBy(TimeWindows::OfSizeAndGrace(milliseconds(10), milliseconds(5)))
      .LateTo("late")
      .Count(Materialized("counts"))
      .ToStream()
      .To("out");
  auto driver = Drive(builder);
  PipeAll(*driver, {0, 9, 12, 3, 15, 4, 14});
  EXPECT_EQ(Late(*driver), (std::vector<string>{"4@4 window 0-10, 15, 5"}));
  EXPECT_EQ(driver->Dropped()["late"], 1) << "they are still counted";
  EXPECT_EQ(driver->TakeProduced("out").size(), 6u) << "the result is what it is without";
}

TEST(LateRecords, ATableOfThemKeepsTheReasonInItsCache) {
  StreamsBuilder builder;
  builder.Stream<string, string>("in")
      .GroupByKey()
      .WindowedBy(TimeWindows::OfSizeWithNoGrace(milliseconds(10)))
      .WithLateRecords([](const KStream<string, string>& late) { late.ToTable(Materialized("rows")).ToStream().To("late"); })
      .Count(Materialized("counts"));
  auto driver = Drive(builder);
  PipeAll(*driver, {3, 12, 4});
  EXPECT_EQ(Late(*driver), (std::vector<string>{"4@4 window 0-10, 12, 0"}));
}

TEST(LateRecords, ARecordOfSeveralClosedWindowsIsLateOnceForTheLast) {
  StreamsBuilder builder;
  builder.Stream<string, string>("in")
      .GroupByKey()
      .WindowedBy(TimeWindows::OfSizeWithNoGrace(milliseconds(10)).AdvanceBy(milliseconds(5)))
      .LateTo("late")
      .Count(Materialized("counts"));
  auto driver = Drive(builder);
  PipeAll(*driver, {3, 7, 12, 8});
  EXPECT_EQ(Late(*driver), (std::vector<string>{"8@8 window 0-10, 12, 0"})) << "[5, 15) took it";
  PipeAll(*driver, {100, 8});
  EXPECT_EQ(Late(*driver), (std::vector<string>{"8@8 window 5-15, 100, 0"}));
  EXPECT_EQ(driver->Dropped()["late"], 3) << "once per window";
}

TEST(LateRecords, ASessionsWindowIsTheOneThatTheRecordWouldMake) {
  StreamsBuilder builder;
  builder.Stream<string, string>("in")
      .GroupByKey()
      .WindowedBy(SessionWindows::OfInactivityGapWithNoGrace(milliseconds(5)))
      .LateTo("late")
      .Count(Materialized("counts").WithRetention(milliseconds(1000)));  // so that the sessions are still there
  auto driver = Drive(builder);
  PipeAll(*driver, {0, 10, 5, 16, 3, 30, 12});
  EXPECT_EQ(Late(*driver), (std::vector<string>{"3@3 window 0-10, 16, 0", "12@12 window 0-16, 30, 0"}));
}

TEST(LateRecords, ASlidingWindowBeginsWithTheRecord) {
  StreamsBuilder builder;
  builder.Stream<string, string>("in")
      .GroupByKey()
      .WindowedBy(SlidingWindows::OfTimeDifferenceAndGrace(milliseconds(10), milliseconds(5)))
      .LateTo("late")
      .Count(Materialized("counts"));
  auto driver = Drive(builder);
  PipeAll(*driver, {20, 50, 34});
  EXPECT_EQ(Late(*driver), (std::vector<string>{"34@34 window 34-44, 50, 5"}));
}

TEST(LateRecords, CanGoOnAsAStream) {
  StreamsBuilder builder;
  builder.Stream<string, string>("in")
      .GroupByKey()
      .WindowedBy(TimeWindows::OfSizeWithNoGrace(milliseconds(10)))
      .WithLateRecords([](const KStream<string, string>& late) {
        late.MapValues([](const string& value) { return "late " + value; }).To("mapped");
      })
      .Count(Materialized("counts"));
  auto driver = Drive(builder);
  PipeAll(*driver, {1, 20, 2});
  EXPECT_EQ(Late(*driver, "mapped"), (std::vector<string>{"late 2@2 window 0-10, 20, 0"}));
}

TEST(LateRecords, NothingElseGetsAnotherName) {
  const auto text = [](bool late) {
    StreamsBuilder builder;
    auto windows = builder.Stream<string, string>("in")
                       .SelectKey([](const string&, const string& v) { return v; })
                       .GroupByKey(Grouped("g"))
                       .WindowedBy(TimeWindows::OfSizeWithNoGrace(milliseconds(10)));
    if (late) windows = windows.LateTo("late");
    windows.Count().ToStream().To("out");
    return builder.Build().value().Describe().text;
  };
  const string without = text(false);
  string with = text(true);
  EXPECT_EQ(without.find("late"), string::npos);
  // What was added, line by line, is the only difference.
  const auto cut = [&](const string& piece) {
    const size_t at = with.find(piece);
    ASSERT_NE(at, string::npos) << piece << " in\n" << with;
    with.erase(at, piece.size());
  };
  cut("    Processor: KSTREAM-AGGREGATE-0000000003-late (stores: [])\n      --> KSTREAM-AGGREGATE-0000000003-late-sink\n"
      "      <-- KSTREAM-AGGREGATE-0000000003\n");
  cut("    Sink: KSTREAM-AGGREGATE-0000000003-late-sink (topic: late)\n      <-- KSTREAM-AGGREGATE-0000000003-late\n");
  cut("KSTREAM-AGGREGATE-0000000003-late, ");
  EXPECT_EQ(with, without);
}

}  // namespace
}  // namespace tailrace::processor
