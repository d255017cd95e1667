// Goal: a record that cannot be read, processed or written is handled as the handler says, and each message and dead letter
// names operator, topic, partition and offset.
#include "tailrace/processor/error_handlers.h"

#include <stdexcept>

#include "gtest/gtest.h"
#include "tailrace/processor/streams_builder.h"
#include "tailrace/processor/topology_test_driver.h"

namespace tailrace::processor {
namespace {

using std::string;
using namespace std::literals;

ErrorHandler Always(ErrorResponse response) {
  return [response](const ErrorContext&, const absl::Status&) { return response; };
}

std::unique_ptr<TopologyTestDriver> Drive(const StreamsBuilder& builder, TestDriverOptions options) {
  auto driver = TopologyTestDriver::Create(*builder.Build(), std::move(options));
  EXPECT_TRUE(driver.ok()) << driver.status();
  return *std::move(driver);
}

// "bad" throws in the mapper; a second arm beside it sees every record.
StreamsBuilder Throwing() {
  StreamsBuilder builder;
  auto stream = builder.Stream<string, string>("in");
  stream.MapValues([](const string& v) { return v == "bad" ? throw std::runtime_error("no good") : v; }, "map").To("out");
  stream.To("all");
  return builder;
}

std::map<string, string> HeadersOf(const DriverRecord& record) {
  std::map<string, string> headers;
  for (const kafka::Header& header : record.headers) headers[header.name] = header.value.value_or("null");
  return headers;
}

TEST(ErrorHandlers, ARecordThatThrowsGoesToTheDeadLetterTopicAndItsSiblingsGoOn) {
  auto driver = Drive(Throwing(), {.dead_letter_topic = "dead"});
  ASSERT_TRUE(driver->Pipe("in", "k"sv, "good"sv, 5).ok());
  ASSERT_TRUE(driver->Pipe("in", "k"sv, "bad"sv, 7, {{"h", "kept"}}).ok());
  EXPECT_EQ(driver->TakeProduced("out").size(), 1u);
  EXPECT_EQ(driver->TakeProduced("all").size(), 2u);
  const auto dead = driver->TakeProduced("dead");
  ASSERT_EQ(dead.size(), 1u);
  EXPECT_EQ(dead[0].key, "k");
  EXPECT_EQ(dead[0].value, "bad");
  EXPECT_EQ(dead[0].timestamp_ms, 7);
  EXPECT_EQ(HeadersOf(dead[0]), (std::map<string, string>{{"h", "kept"},
                                                          {"__streams.errors.exception", "std::runtime_error"},
                                                          {"__streams.errors.message", "user code threw: no good"},
                                                          {"__streams.errors.stacktrace", "at operator map of task 0_0"},
                                                          {"__streams.errors.topic", "in"},
                                                          {"__streams.errors.partition", "0"},
                                                          {"__streams.errors.offset", "1"}}));
  EXPECT_EQ(driver->Dropped()["processing_error"], 1);
}

TEST(ErrorHandlers, FailStopsWithOperatorTopicPartitionAndOffset) {
  auto driver = Drive(Throwing(), {.handlers = {.processing = Always(ErrorResponse::kFail)}, .dead_letter_topic = "dead"});
  ASSERT_TRUE(driver->Pipe("in", "k"sv, "good"sv, 5).ok());
  const absl::Status status = driver->Pipe("in", "k"sv, "bad"sv, 7);
  EXPECT_EQ(status.message(), "task 0_0, operator map, record 1 of in-0: user code threw: no good");
  EXPECT_EQ(base::ReactionOf(status), base::Reaction::kFatal);
  EXPECT_TRUE(driver->TakeProduced("dead").empty());
}

TEST(ErrorHandlers, SkipCountsAndWritesNoDeadLetter) {
  auto driver = Drive(Throwing(), {.handlers = {.processing = Always(ErrorResponse::kSkip)}, .dead_letter_topic = "dead"});
  ASSERT_TRUE(driver->Pipe("in", "k"sv, "bad"sv, 7).ok());
  EXPECT_TRUE(driver->TakeProduced("dead").empty());
  EXPECT_EQ(driver->Dropped()["processing_error"], 1);
}

TEST(ErrorHandlers, AHandlerOfTheProgramSeesTheRecordAsItWasRead) {
  string seen;
  const ErrorHandler handler = [&](const ErrorContext& context, const absl::Status& error) {
    seen = string(context.operator_name) + " " + string(context.topic) + "-" + std::to_string(context.partition.value()) + "@" +
           std::to_string(context.offset.value()) + " " + string(context.key.view()) + "=" + string(context.value.view()) + " " +
           std::to_string(context.timestamp_ms) + " " + std::to_string(context.headers->size()) + " " + string(error.message());
    return ErrorResponse::kContinue;
  };
  auto driver = Drive(Throwing(), {.handlers = {.processing = handler}});
  ASSERT_TRUE(driver->Pipe("in", "k"sv, "bad"sv, 7, {{"h", "x"}}).ok());
  EXPECT_EQ(seen, "map in-0@0 k=bad 7 1 user code threw: no good");
}

TEST(ErrorHandlers, AFlatMapGoesOnAfterTheOutputThatFailed) {
  StreamsBuilder builder;
  builder.Stream<string, string>("in")
      .FlatMapValues([](const string& v) { return std::vector<string>{v + "1", "bad", v + "2"}; })
      .MapValues([](const string& v) { return v == "bad" ? throw 1 : v; })
      .To("out");
  auto driver = Drive(builder, {});
  ASSERT_TRUE(driver->Pipe("in", "k"sv, "v"sv, 1).ok());
  EXPECT_EQ(driver->TakeProduced("out").size(), 2u);
}

TEST(ErrorHandlers, UndecodableRecordsAskTheDeserializationHandler) {
  StreamsBuilder builder;
  builder.Stream<string, int64_t>("in", Consumed<>{.name = "numbers"}).To("out");
  auto lenient = Drive(builder, {.handlers = {.processing = Always(ErrorResponse::kFail)}, .dead_letter_topic = "dead"});
  ASSERT_TRUE(lenient->Pipe("in", "k"sv, "short"sv, 1).ok());
  EXPECT_EQ(HeadersOf(lenient->TakeProduced("dead").at(0))["__streams.errors.message"],
            "source numbers: the value of 5 bytes cannot be decoded by the source's serde");
  auto strict = Drive(builder, {.handlers = {.deserialization = Always(ErrorResponse::kFail)}});
  EXPECT_EQ(strict->Pipe("in", "k"sv, "short"sv, 1).message(),
            "task 0_0, operator numbers, record 0 of in-0: source numbers: the value of 5 bytes cannot be decoded by the source's serde");
}

struct ThrowingSerde {
  std::string_view Serialize(const string& value, string&) const { return value == "bad" ? throw std::runtime_error("no bytes") : value; }
  bool Deserialize(std::string_view bytes, string& value) const {
    value = bytes;
    return true;
  }
};

TEST(ErrorHandlers, ASerdeThatThrowsWhileWritingAsksTheProductionHandler) {
  StreamsBuilder builder;
  builder.Stream<string, string>("in").To("out", Produced<UseDefaultSerde, ThrowingSerde>{});
  auto lenient = Drive(builder, {.handlers = {.processing = Always(ErrorResponse::kFail)}, .dead_letter_topic = "dead"});
  ASSERT_TRUE(lenient->Pipe("in", "k"sv, "bad"sv, 1).ok());
  EXPECT_EQ(lenient->TakeProduced("dead").size(), 1u);
  auto strict = Drive(builder, {.handlers = {.production = Always(ErrorResponse::kFail)}});
  EXPECT_EQ(strict->Pipe("in", "k"sv, "bad"sv, 1).message(),
            "task 0_0, operator out, record 0 of in-0: a serde threw while a record for this topic was written: no bytes");
}

class Scheduler final : public Processor<string, string> {
 public:
  void Init(ProcessorContext<string, string>& context) override {
    schedule_ = context.Schedule(std::chrono::milliseconds(10), PunctuationType::kWallClockTime,
                                 [](int64_t) { throw std::runtime_error("tick"); });
  }
  void Process(const Record<string, string>&) override {}

 private:
  std::unique_ptr<PunctuationHandle> schedule_;
};

TEST(ErrorHandlers, APunctuationThatThrowsIsNamedByItsProcessor) {
  StreamsBuilder builder;
  builder.Stream<string, string>("in").Process([] { return std::make_unique<Scheduler>(); }, {}, "clock");
  auto lenient = Drive(builder, {});
  EXPECT_TRUE(lenient->AdvanceWallClock(10).ok());
  auto strict = Drive(builder, {.handlers = {.processing = Always(ErrorResponse::kFail)}});
  EXPECT_EQ(strict->AdvanceWallClock(10).message(), "task 0_0, operator clock: user code threw: tick");
}

TEST(ErrorHandlers, CodeBehindACachedStoreIsAskedAboutWhenTheStoreIsFlushed) {
  StreamsBuilder builder;
  builder.Stream<string, string>("in").GroupByKey().Count(Materialized("n")).ToStream()
      .MapValues([](int64_t n) { return n == 2 ? throw std::runtime_error("two") : n; }, "map")
      .To("out");
  auto lenient = Drive(builder, {});
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(lenient->Pipe("in", "k"sv, "v"sv, i).ok());
  EXPECT_EQ(lenient->TakeProduced("out").size(), 2u);
  auto strict = Drive(builder, {.handlers = {.processing = Always(ErrorResponse::kFail)}});
  ASSERT_TRUE(strict->Pipe("in", "k"sv, "v"sv, 0).ok());
  EXPECT_EQ(strict->Pipe("in", "k"sv, "v"sv, 0).message(), "task 0_0, operator map: user code threw: two");
}

}  // namespace
}  // namespace tailrace::processor
