// Pipelines as topologies: what the operators are called, what goes to topics, and that the way through a repartition topic
// changes nothing.
#include "tailrace/pipeline/compile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>

#include "tailrace/base/bytes.h"
#include "tailrace/pipeline/load.h"
#include "tailrace/processor/topology_test_driver.h"

namespace tailrace::pipeline {
namespace {

using nlohmann::json;
using processor::TopologyTestDriver;
using testing::HasSubstr;
using namespace std::string_view_literals;

PipelineSpec Parse(const std::string& text, const ParameterValues& values = {}) {
  auto spec = ParsePipeline(text, "p.yaml", values);
  EXPECT_TRUE(spec.ok()) << spec.status();
  return *std::move(spec);
}

PipelineSpec CityMetrics(const ParameterValues& values = {}) {
  auto spec = LoadPipeline(std::string(std::getenv("TAILRACE_SOURCE_DIR")) + "/pipelines/city-metrics.yaml", values);
  EXPECT_TRUE(spec.ok()) << spec.status();
  return *std::move(spec);
}

std::unique_ptr<TopologyTestDriver> Drive(const PipelineSpec& spec, processor::TestDriverOptions options = {}, CompileOptions compile = {}) {
  auto topology = CompilePipeline(spec, compile);
  EXPECT_TRUE(topology.ok()) << topology.status();
  options.application_id = spec.application_id;
  auto driver = TopologyTestDriver::Create(*std::move(topology), options);
  EXPECT_TRUE(driver.ok()) << driver.status();
  return *std::move(driver);
}

std::string Post(int64_t created_at, const char* city, const char* author, const char* kind = "original") {
  return json{{"id", "1"}, {"author_id", author}, {"created_at", created_at}, {"kind", kind}, {"place", {{"full_name", city}, {"type", "city"}}}}.dump();
}

// "key@start": value of every record of a topic, later ones over earlier ones.
std::map<std::string, std::string> Latest(TopologyTestDriver& driver, const std::string& topic) {
  std::map<std::string, std::string> latest;
  for (const processor::DriverRecord& record : driver.TakeProduced(topic)) {
    const std::string& key = *record.key;
    const auto start = base::LoadBigEndian<int64_t>(key.data() + key.size() - 8);
    latest[key.substr(0, key.size() - 8) + "@" + std::to_string(start)] = *record.value;
  }
  return latest;
}

TEST(CompileTest, DescribesTheOperatorsByName) {
  const auto topology = CompilePipeline(CityMetrics());
  ASSERT_TRUE(topology.ok()) << topology.status();
  EXPECT_EQ(topology->Describe().text,
            "Topologies:\n"
            "   Sub-topology: 0\n"
            "    Source: source-posts (topics: [posts])\n"
            "      --> filter-1\n"
            "    Processor: filter-1 (stores: [])\n"
            "      --> key-2\n"
            "      <-- source-posts\n"
            "    Processor: key-2 (stores: [])\n"
            "      --> aggregate-city-metrics\n"
            "      <-- filter-1\n"
            "    Processor: aggregate-city-metrics (stores: [city-metrics])\n"
            "      --> sink-city-metrics\n"
            "      <-- key-2\n"
            "    Sink: sink-city-metrics (topic: city-metrics)\n"
            "      <-- aggregate-city-metrics\n\n");
}

TEST(CompileTest, WritesTheWindowedKeyAndJson) {
  const auto driver = Drive(CityMetrics());
  ASSERT_TRUE(driver->Pipe("posts", {}, Post(300'000, "Montréal, Québec", "1", "retweet"), 5).ok());
  ASSERT_TRUE(driver->Pipe("posts", {}, Post(300'001, "Montréal, Québec", "2"), 5).ok());
  const auto records = driver->TakeProduced("city-metrics");
  ASSERT_EQ(records.size(), 2u);
  std::string key = "Montréal, Québec";
  base::AppendBigEndian(key, int64_t{300'000});
  EXPECT_EQ(records[1].key, key);
  EXPECT_EQ(records[1].value, R"({"posts":2,"retweets":1,"active_users":2,"active_users_exact":true})");
  EXPECT_EQ(records[1].timestamp_ms, 300'001);
  // The changelog has Kafka Streams' window key and this room's state.
  const auto changes = driver->TakeProduced("city-metrics-city-metrics-changelog");
  ASSERT_EQ(changes.size(), 2u);
  base::AppendBigEndian(key, int32_t{0});
  EXPECT_EQ(changes[1].key, key);
}

TEST(CompileTest, WithoutAKnownPartitioningEventsGoThroughARepartitionTopic) {
  const PipelineSpec direct = CityMetrics();
  const PipelineSpec indirect = CityMetrics({{"keyed_by", "none"}});
  const auto topology = CompilePipeline(indirect);
  ASSERT_TRUE(topology.ok()) << topology.status();
  EXPECT_THAT(topology->Describe().text, HasSubstr("Sub-topology: 1"));
  const auto a = Drive(direct), b = Drive(indirect);
  for (int64_t i = 0; i < 500; ++i) {
    const std::string post = Post(i * 7'919 % 2'000'000, i % 3 == 0 ? "London, Ontario" : "London, England", std::to_string(i % 40).c_str(),
                                  i % 4 == 0 ? "retweet" : "original");
    ASSERT_TRUE(a->Pipe("posts", {}, post, 0).ok());
    ASSERT_TRUE(b->Pipe("posts", {}, post, 0).ok());
  }
  EXPECT_FALSE(b->TakeProduced("city-metrics-city-metrics-repartition").empty());
  const auto expected = Latest(*a, "city-metrics");
  EXPECT_EQ(Latest(*b, "city-metrics"), expected);
  EXPECT_GT(expected.size(), 10u);
  EXPECT_EQ(a->Dropped(), b->Dropped());
}

TEST(CompileTest, BadRecordsAreReportedAndStopNothing) {
  std::map<std::string, int> skipped;
  const auto driver = Drive(CityMetrics(), {}, {.on_skip = [&](const SkippedInput& input) { ++skipped[std::string(SkipReasonName(input.reason))]; }});
  ASSERT_TRUE(driver->Pipe("posts", {}, "{"sv, 0).ok());
  ASSERT_TRUE(driver->Pipe("posts", {}, {}, 0).ok());
  ASSERT_TRUE(driver->Pipe("posts", {}, R"({"delete":{}})"sv, 0).ok());
  ASSERT_TRUE(driver->Pipe("posts", {}, R"({"created_at":1,"place":{"type":"city"}})"sv, 0).ok());
  ASSERT_TRUE(driver->Pipe("posts", {}, Post(1, "A", "1"), 0).ok());
  EXPECT_EQ(skipped, (std::map<std::string, int>{{"malformed_json", 1}, {"null_value", 1}, {"delete_notice", 1}}));
  EXPECT_EQ(Latest(*driver, "city-metrics").size(), 1u);
}

constexpr const char* kHopping = R"(application.id: app
source: {topic: posts, format: post}
steps:
  - set: {lang: {default: unknown}}
  - key: lang
  - window: {hopping: {size: 10ms, advance: 5ms}}
  - aggregate: {store: langs, fields: {n: count, last: {last: kind}}}
sink: {topic: out}
)";

TEST(CompileTest, HoppingWindowsAndFallbacks) {
  const auto driver = Drive(Parse(kHopping));
  // The vector of Kafka Streams' hopping windows: size 10, advance 5, no grace.
  for (const int64_t timestamp : {3, 7, 12, 8}) {
    ASSERT_TRUE(driver->Pipe("posts", {}, json{{"created_at", timestamp}, {"kind", "k" + std::to_string(timestamp)}}.dump(), 0).ok());
  }
  EXPECT_EQ(Latest(*driver, "out"), (std::map<std::string, std::string>{{"unknown@0", R"({"n":2,"last":"k7"})"},
                                                                       {"unknown@5", R"({"n":3,"last":"k12"})"},
                                                                       {"unknown@10", R"({"n":1,"last":"k12"})"}}));
  EXPECT_EQ(driver->Dropped()["late"] + driver->Dropped()["LATE"], 1) << json(driver->Dropped()).dump();
}

TEST(CompileTest, EmitOnCloseWritesEachWindowOnce) {
  const auto driver = Drive(Parse(R"(application.id: app
source: {topic: posts, format: post}
steps:
  - key: lang
  - window: {tumbling: 10ms, grace: 5ms, emit: close}
  - aggregate: {store: s, fields: {n: count}}
sink: {topic: out}
)"));
  const auto pipe = [&](int64_t timestamp, const char* lang) {
    ASSERT_TRUE(driver->Pipe("posts", {}, json{{"created_at", timestamp}, {"lang", lang}}.dump(), 0).ok());
  };
  pipe(1, "b");
  pipe(2, "a");
  pipe(3, "b");
  pipe(14, "a");
  EXPECT_TRUE(driver->TakeProduced("out").empty());  // [0, 10) is open until 15.
  pipe(15, "a");
  std::vector<std::string> values;
  for (const auto& record : driver->TakeProduced("out")) values.push_back(record.key->substr(0, 1) + *record.value);
  EXPECT_EQ(values, (std::vector<std::string>{R"(a{"n":1})", R"(b{"n":2})"}));
  pipe(16, "a");
  EXPECT_TRUE(driver->TakeProduced("out").empty());
  pipe(60, "c");
  values.clear();
  for (const auto& record : driver->TakeProduced("out")) values.push_back(record.key->substr(0, 1) + *record.value);
  EXPECT_EQ(values, (std::vector<std::string>{R"(a{"n":3})"}));
}

TEST(CompileTest, WithoutAWindowThereIsOneStatePerKey) {
  const auto driver = Drive(Parse(R"(application.id: app
source: {topic: posts, format: post}
steps:
  - key: [author_id, lang]
  - aggregate: {store: users, fields: {posts: count, likes: {max: favorite_count}}}
sink: {topic: out}
)"));
  ASSERT_TRUE(driver->Pipe("posts", {}, R"({"created_at":1,"author_id":"7","lang":"en","favorite_count":3})"sv, 0).ok());
  ASSERT_TRUE(driver->Pipe("posts", {}, R"({"created_at":2,"author_id":"7","lang":"en","favorite_count":2})"sv, 0).ok());
  const auto records = driver->TakeProduced("out");
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[1].key, "7|en");
  EXPECT_EQ(records[1].value, R"({"posts":2,"likes":3})");
}

TEST(CompileTest, AFrameGivesManyEventsAndABrokenPieceTakesNoneWithIt) {
  std::map<std::string, int> skipped;
  const auto driver = Drive(Parse(R"(application.id: app
source: {topic: trades, format: finnhub-trades}
steps:
  - key: symbol
  - window: {tumbling: 1m}
  - aggregate: {store: s, fields: {open: {first: price}, close: {last: price}, n: count}}
sink: {topic: out}
)"), {}, {.on_skip = [&](const SkippedInput& input) { ++skipped[std::string(SkipReasonName(input.reason))]; }});
  // The last two share their millisecond: the order in the frame decides.
  ASSERT_TRUE(driver->Pipe("trades", {}, R"({"type":"trade","data":[{"s":"A","p":"x"},{"s":"A","p":3,"v":1,"t":1000},)"
                                         R"({"s":"A","p":0,"v":1,"t":1},{"s":"A","p":2,"v":1,"t":2000},{"s":"A","p":1,"v":1,"t":2000}]})"sv, 0).ok());
  ASSERT_TRUE(driver->Pipe("trades", {}, R"({"type":"ping"})"sv, 0).ok());
  ASSERT_TRUE(driver->Pipe("trades", {}, R"({"type":"trade","data":[7]})"sv, 0).ok());
  EXPECT_EQ(Latest(*driver, "out"), (std::map<std::string, std::string>{{"A@0", R"({"open":3,"close":1,"n":3})"}}));
  EXPECT_EQ(skipped, (std::map<std::string, int>{{"wrong_type", 1}, {"number_out_of_range", 1}, {"control_frame", 1}, {"not_an_object", 1}}));
}

TEST(CompileTest, ProcessingTimeIsTheClocksAndNeverGoesBack) {
  const auto driver = Drive(Parse(R"(application.id: app
source: {topic: visa, format: visa, timestamp: processing}
steps:
  - key: jobTitle
  - window: {tumbling: 1m}
  - aggregate: {store: s, fields: {n: count, w: {sum: wageRangeFrom}}}
sink: {topic: out}
)"), {.wall_time_ms = 119'000});
  const std::string visa = R"({"jobTitle":"x","wageRangeFrom":2,"receivedDate":"no date at all"})";
  ASSERT_TRUE(driver->Pipe("visa", {}, visa, 5).ok());
  ASSERT_TRUE(driver->AdvanceWallClock(1'000).ok());
  ASSERT_TRUE(driver->Pipe("visa", {}, visa, 5).ok());
  ASSERT_TRUE(driver->Pipe("visa", {}, visa, 5).ok());
  EXPECT_EQ(Latest(*driver, "out"), (std::map<std::string, std::string>{{"x@60000", R"({"n":1,"w":2})"}, {"x@120000", R"({"n":2,"w":4})"}}));
}

TEST(CompileTest, WithoutAnAggregateEventsPassThrough) {
  const auto driver = Drive(Parse(R"(application.id: app
source: {topic: posts, format: post}
steps:
  - filter: {field: lang, equals: en}
  - key: author_id
sink: {topic: out}
)"));
  const std::string english = R"({"created_at":1,"author_id":"7","lang":"en","extra":true})";
  ASSERT_TRUE(driver->Pipe("posts", {}, english, 0).ok());
  ASSERT_TRUE(driver->Pipe("posts", {}, R"({"created_at":1,"author_id":"7","lang":"fr"})"sv, 0).ok());
  const auto records = driver->TakeProduced("out");
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].key, "7");
  EXPECT_EQ(records[0].value, english);
  EXPECT_EQ(records[0].timestamp_ms, 1);
}

}  // namespace
}  // namespace tailrace::pipeline
