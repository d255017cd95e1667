// Goal: how topics are read and written: timestamp extractors, partitioners, repartitioning, topics named per record, headers,
// printing.
#include <sstream>

#include "gtest/gtest.h"
#include "tailrace/processor/streams_builder.h"
#include "tailrace/processor/topology_test_driver.h"

namespace tailrace::processor {
namespace {

using std::string;
using namespace std::literals;

std::unique_ptr<TopologyTestDriver> Drive(const StreamsBuilder& builder, TestDriverOptions options = {}) {
  auto driver = TopologyTestDriver::Create(*builder.Build(), std::move(options));
  EXPECT_TRUE(driver.ok()) << driver.status();
  return *std::move(driver);
}

std::vector<int64_t> Times(TopologyTestDriver& driver, const char* topic = "out") {
  std::vector<int64_t> times;
  for (const DriverRecord& record : driver.TakeProduced(topic)) times.push_back(record.timestamp_ms);
  return times;
}
std::vector<string> Values(TopologyTestDriver& driver, const char* topic = "out") {
  std::vector<string> values;
  for (const DriverRecord& record : driver.TakeProduced(topic)) values.push_back(record.value.value_or("null"));
  return values;
}

std::unique_ptr<TopologyTestDriver> Extracting(TimestampExtractor extractor) {
  StreamsBuilder builder;
  builder.Stream<string, string>("in", Consumed<>{.timestamp_extractor = extractor}).To("out");
  return Drive(builder, {.wall_time_ms = 500});
}

TEST(TimestampExtractors, FailOnInvalidTimestampIsAnErrorOfTheRecord) {
  StreamsBuilder builder;
  builder.Stream<string, string>("in").To("out");
  auto driver = Drive(builder, {.handlers = {.deserialization = [](const ErrorContext&, const absl::Status&) { return ErrorResponse::kFail; }}});
  EXPECT_NE(driver->Pipe("in", "k"sv, "v"sv, -1).message().find("timestamp -1 is below zero"), absl::string_view::npos);
}

TEST(TimestampExtractors, LogAndSkipOnInvalidTimestampDropsAndCounts) {
  auto driver = Extracting(TimestampExtractor::kLogAndSkipOnInvalidTimestamp);
  ASSERT_TRUE(driver->Pipe("in", "k"sv, "v"sv, -1).ok());
  ASSERT_TRUE(driver->Pipe("in", "k"sv, "v"sv, 3).ok());
  EXPECT_EQ(Times(*driver), (std::vector<int64_t>{3}));
  EXPECT_EQ(driver->Dropped()["invalid_timestamp"], 1);
}

TEST(TimestampExtractors, UsePartitionTimeOnInvalidTimestampTakesTheLargestBefore) {
  auto driver = Extracting(TimestampExtractor::kUsePartitionTimeOnInvalidTimestamp);
  for (const int64_t time : {4, 9, 2, -1}) ASSERT_TRUE(driver->Pipe("in", "k"sv, "v"sv, time).ok());
  EXPECT_EQ(Times(*driver), (std::vector<int64_t>{4, 9, 2, 9}));
  auto first = Extracting(TimestampExtractor::kUsePartitionTimeOnInvalidTimestamp);
  EXPECT_NE(first->Pipe("in", "k"sv, "v"sv, -1).message().find("choose another timestamp extractor"), absl::string_view::npos);
}

TEST(TimestampExtractors, WallclockIgnoresTheRecord) {
  auto driver = Extracting(TimestampExtractor::kWallclockTimestamp);
  for (const int64_t time : {4, -1}) ASSERT_TRUE(driver->Pipe("in", "k"sv, "v"sv, time).ok());
  EXPECT_EQ(Times(*driver), (std::vector<int64_t>{500, 500}));
}

TEST(TimestampExtractors, AFunctionSeesTheDecodedRecordAndThePartitionTime) {
  StreamsBuilder builder;
  builder
      .Stream<string, int64_t>("in", Consumed<>().WithTimestampExtractor([](const Record<string, int64_t>& record, int64_t partition_time) {
        return *record.value == 0 ? partition_time : *record.value;
      }))
      .To("out");
  auto driver = Drive(builder);
  auto input = driver->InputTopic<string, int64_t>("in");
  for (const int64_t value : {7, 0, -5, 6}) ASSERT_TRUE(input.Pipe("k", value, 1).ok());
  EXPECT_EQ(Times(*driver), (std::vector<int64_t>{7, 7, 6}));
  EXPECT_EQ(driver->Dropped()["invalid_timestamp"], 1);
}

TEST(Partitioners, AnEmptyListDropsSeveralMulticastAndNulloptAsksTheDefault) {
  StreamsBuilder builder;
  const auto partitioner = [](std::string_view topic, const string*, const string* value,
                              int32_t count) -> std::optional<std::vector<int32_t>> {
    EXPECT_EQ(topic, "out");
    EXPECT_EQ(count, 1);
    if (*value == "drop") return std::vector<int32_t>{};
    if (*value == "twice") return std::vector<int32_t>{0, 0};
    return std::nullopt;
  };
  builder.Stream<string, string>("in").To("out", Produced<>().WithPartitioner(partitioner));
  auto driver = Drive(builder);
  for (const char* value : {"drop", "twice", "plain"}) ASSERT_TRUE(driver->Pipe("in", "k"sv, std::string_view(value), 1).ok());
  EXPECT_EQ(Values(*driver), (std::vector<string>{"twice", "twice", "plain"}));
  EXPECT_EQ(driver->Dropped()["no_partition"], 1);
}

TEST(Partitioners, APartitionThatTheTopicDoesNotHaveStopsWithItsName) {
  StreamsBuilder builder;
  builder.Stream<string, string>("in")
      .Repartition(Repartitioned("spread").WithPartitioner([](std::string_view, const string*, const string*, int32_t) { return 3; }))
      .To("out");
  auto driver = Drive(builder);
  const absl::Status status = driver->Pipe("in", "k"sv, "v"sv, 1);
  EXPECT_NE(status.message().find("topic spread-repartition: the partitioner chose partition 3 of 1"), absl::string_view::npos) << status;
}

TEST(Repartitioned, HasItsOwnPartitionsAndDropsNullKeysUnlessALeftJoinFollows) {
  StreamsBuilder builder;
  auto table = builder.Table<string, string>("t", Materialized("t-store"));
  auto wide = builder.Stream<string, string>("in").Repartition(Repartitioned("wide").WithNumberOfPartitions(8));
  wide.To("out");
  builder.Stream<string, string>("in")
      .Repartition(Repartitioned("joined"))
      .LeftJoin(table, [](const string& v, const string*) { return v; })
      .To("joined-out");
  auto topology = builder.Build();
  ASSERT_TRUE(topology->Compile("app").ok());
  EXPECT_EQ(topology->repartition_topics().at("app-wide-repartition").partition_count, 8);
  auto driver = *TopologyTestDriver::Create(*std::move(topology));
  ASSERT_TRUE(driver->Pipe("in", {}, "v"sv, 1).ok());
  EXPECT_TRUE(Values(*driver).empty());
  EXPECT_EQ(Values(*driver, "joined-out"), (std::vector<string>{"v"}));
}

TEST(DynamicTopics, EachRecordGoesWhereTheFunctionSays) {
  StreamsBuilder builder;
  builder.Stream<string, string>("in").To(
      [](const string*, const string* value, const RecordContext& from) { return *value + "-of-" + string(from.topic); });
  auto driver = Drive(builder);
  for (const char* value : {"a", "b", "a"}) ASSERT_TRUE(driver->Pipe("in", "k"sv, std::string_view(value), 1).ok());
  EXPECT_EQ(driver->TakeProduced("a-of-in").size(), 2u);
  EXPECT_EQ(driver->TakeProduced("b-of-in").size(), 1u);
}

class Tag final : public FixedKeyProcessor<string, string> {
 public:
  void Init(FixedKeyProcessorContext<string, string>& context) override { context_ = &context; }
  void Process(const FixedKeyRecord<string, string>& record) override {
    kafka::Headers headers = context_->headers(record);
    headers.push_back({"seen", std::to_string(headers.size())});
    context_->Forward(record.WithHeaders(&headers));
  }

 private:
  FixedKeyProcessorContext<string, string>* context_ = nullptr;
};

TEST(Headers, AreSeenAndChangedByProcessorsAndTravelOn) {
  StreamsBuilder builder;
  const auto tag = [] { return std::make_unique<Tag>(); };
  builder.Stream<string, string>("in").ProcessValues(tag).MapValues([](const string& v) { return v; }).ProcessValues(tag).To("out");
  auto driver = Drive(builder);
  ASSERT_TRUE(driver->Pipe("in", "k"sv, "v"sv, 1, {{"h", std::nullopt}}).ok());
  EXPECT_EQ(driver->TakeProduced("out").at(0).headers, (kafka::Headers{{"h", std::nullopt}, {"seen", "1"}, {"seen", "2"}}));
}

TEST(Print, WritesLabelKeyAndValue) {
  StreamsBuilder builder;
  std::ostringstream out;
  auto stream = builder.Stream<string, double>("in", Consumed<>{.name = "numbers"});
  stream.Print(Printed<>::To(out));
  stream.Print(Printed<>::To(out).WithLabel("mine").WithKeyValueMapper([](const string* k, const double*) { return "<" + *k + ">"; }));
  auto driver = Drive(builder);
  auto input = driver->InputTopic<string, double>("in");
  ASSERT_TRUE(input.Pipe("k", 1.0, 1).ok());
  ASSERT_TRUE(input.Pipe("k", std::nullopt, 1).ok());
  EXPECT_EQ(out.str(), "[numbers]: k, 1.0\n[mine]: <k>\n[numbers]: k, null\n[mine]: <k>\n");
}

TEST(Print, NumbersLookAsInJava) {
  using detail::TextOf;
  EXPECT_EQ(TextOf(0.0), "0.0");
  EXPECT_EQ(TextOf(-3.25), "-3.25");
  EXPECT_EQ(TextOf(1e7), "1.0E7");
  EXPECT_EQ(TextOf(123456.789), "123456.789");
  EXPECT_EQ(TextOf(2.5e-7), "2.5E-7");
  EXPECT_EQ(TextOf(9.999e-4), "9.999E-4");
  EXPECT_EQ(TextOf(true), "true");
  EXPECT_EQ(TextOf(Windowed<string>{"a", 0, 10}), "[a@0/10]");
}

}  // namespace
}  // namespace tailrace::processor
