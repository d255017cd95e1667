// Goal: branches share a source and do not touch each other; steps that make several events of one give each its own field.
// Method: pipelines on the test driver, all branches at once and one by one in batch runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tailrace/pipeline/batch.h"
#include "tailrace/pipeline/compile.h"
#include "tailrace/pipeline/load.h"
#include "tailrace/processor/topology_test_driver.h"

namespace tailrace::pipeline {
namespace {

using nlohmann::json;
using processor::TopologyTestDriver;
using testing::HasSubstr;
using Rows = std::map<std::string, std::string>;

constexpr const char* kPipeline = R"(application.id: app
parameters: {groups: ["press:ANNA", "press:17", "night:anna"]}
source: {topic: posts, format: post}
steps:
  - words: {field: text, longer_than: 2, languages: [en]}
branches:
  - steps:
      - key: word
      - aggregate: {store: words, fields: {n: count}}
    sink: {topic: words}
  - steps:
      - filter: {field: lang, equals: en}
      - group: {fields: [author_id, author_name], members: $groups}
      - key: [group, word]
      - aggregate: {store: by-group, fields: {n: count, first: {first: word}}}
    sink: {topic: by-group}
  - steps:
      - set: {source: {default: unknown}}
      - set: {who: {field: author_name, or: author_id, convert: upper}, day: {field: created_at, convert: date}}
      - key: [source, who, day]
      - aggregate: {store: by-source, fields: {n: count, words: {distinct: word}}}
    sink: {topic: by-source}
)";

PipelineSpec Parse(const std::string& text) {
  auto spec = ParsePipeline(text, "p.yaml", {});
  EXPECT_TRUE(spec.ok()) << spec.status();
  return *std::move(spec);
}

std::unique_ptr<TopologyTestDriver> Drive(const PipelineSpec& spec) {
  auto topology = CompilePipeline(spec);
  EXPECT_TRUE(topology.ok()) << topology.status();
  auto driver = TopologyTestDriver::Create(*std::move(topology), {.application_id = spec.application_id});
  EXPECT_TRUE(driver.ok()) << driver.status();
  return *std::move(driver);
}

Rows Latest(TopologyTestDriver& driver, const std::string& topic) {
  Rows latest;
  for (const processor::DriverRecord& record : driver.TakeProduced(topic)) latest[*record.key] = *record.value;
  return latest;
}

const std::vector<std::string> kPosts = {
    R"({"created_at":0,"id":"1","author_id":"17","author_name":"Anna","lang":"en","text":"Snow, snow and the bridge","source":"web"})",
    R"({"created_at":86400000,"id":"2","author_id":"17","lang":"en","text":"bridge"})",
    R"({"created_at":1,"id":"3","author_id":"18","author_name":"anna","lang":"fr","text":"bridge"})",
    R"({"created_at":1,"id":"4","author_id":"19","author_name":"bob","lang":"en","text":"SNOW"})",
    R"({"created_at":1,"id":"5","author_id":"19","author_name":"bob","lang":"en"})",
};
const Rows kWords = {{"snow", R"({"n":3})"}, {"bridge", R"({"n":3})"}};
const Rows kByGroup = {{"press|snow", R"({"n":2,"first":"snow"})"},
                       {"press|bridge", R"({"n":2,"first":"bridge"})"},
                       {"night|snow", R"({"n":2,"first":"snow"})"},
                       {"night|bridge", R"({"n":1,"first":"bridge"})"}};
const Rows kBySource = {{"web|ANNA|1970-01-01", R"({"n":3,"words":2,"words_exact":true})"},
                        {"unknown|17|1970-01-02", R"({"n":1,"words":1,"words_exact":true})"},
                        {"unknown|ANNA|1970-01-01", R"({"n":1,"words":1,"words_exact":true})"},
                        {"unknown|BOB|1970-01-01", R"({"n":1,"words":1,"words_exact":true})"}};

TEST(CompiledBranchesTest, AllBranchesAtOnce) {
  const auto driver = Drive(Parse(kPipeline));
  for (const std::string& post : kPosts) ASSERT_TRUE(driver->Pipe("posts", {}, std::string_view(post), 0).ok());
  // Only what the aggregate reads goes through the topic in front of it: of `words` nothing.
  for (const auto& record : driver->TakeProduced("app-words-repartition")) {
    EXPECT_EQ(record.value->find("Snow"), std::string::npos);
    EXPECT_LT(record.value->size(), 12u);
  }
  EXPECT_EQ(Latest(*driver, "words"), kWords);
  EXPECT_EQ(Latest(*driver, "by-group"), kByGroup);
  EXPECT_EQ(Latest(*driver, "by-source"), kBySource);
}

Rows Batch(const PipelineSpec& spec, const std::string& store) {
  const std::string file = testing::TempDir() + "/branches_posts.jsonl";
  {
    std::ofstream out(file);
    for (const std::string& post : kPosts) out << post << "\n";
  }
  std::ostringstream out;
  const auto summary = RunBatch(spec, {.inputs = {file}, .store = store}, out);
  EXPECT_TRUE(summary.ok()) << summary.status();
  Rows rows;
  std::istringstream lines(out.str());
  for (std::string line; std::getline(lines, line);) {
    const auto row = nlohmann::ordered_json::parse(line);
    EXPECT_EQ(row["store"], store);
    rows[row["key"]] = row["value"].dump();
  }
  return rows;
}

TEST(CompiledBranchesTest, ABatchRunGivesTheStoreThatIsAskedFor) {
  const PipelineSpec spec = Parse(kPipeline);
  EXPECT_EQ(Batch(spec, "words"), kWords);
  EXPECT_EQ(Batch(spec, "by-group"), kByGroup);
  EXPECT_EQ(Batch(spec, "by-source"), kBySource);
  std::ostringstream out;
  EXPECT_THAT(std::string(RunBatch(spec, {}, out).status().message()),
              HasSubstr("p.yaml has several stores: words, by-group, by-source; choose one with --store"));
  EXPECT_THAT(std::string(RunBatch(spec, {.store = "wrds"}, out).status().message()), HasSubstr("has no store wrds; it has words"));
}

TEST(CompiledBranchesTest, TickersSentimentAndChange) {
  const auto driver = Drive(Parse(R"(application.id: app
source: {topic: posts, format: post}
steps:
  - sentiment: {field: text, as: mood}
  - tickers: {field: text}
  - set: {growth: {change: [retweet_count, favorite_count]}}
  - key: ticker
  - aggregate: {store: s, fields: {n: count, mood: {avg: mood}, growth: {max: growth}}}
sink: {topic: out}
)"));
  const auto pipe = [&](const json& post) { ASSERT_TRUE(driver->Pipe("posts", {}, post.dump(), 0).ok()); };
  pipe({{"created_at", 1}, {"text", "great $aapl and $MSFT and $AAPL"}, {"retweet_count", 4}, {"favorite_count", 6}});
  pipe({{"created_at", 2}, {"text", "the worst $AAPL"}, {"retweet_count", 0}, {"favorite_count", 6}});
  pipe({{"created_at", 3}, {"text", "great"}});
  EXPECT_EQ(Latest(*driver, "out"), (Rows{{"AAPL", R"({"n":2,"mood":-0.5,"growth":0.5})"}, {"MSFT", R"({"n":1,"mood":2,"growth":0.5})"}}));
}

}  // namespace
}  // namespace tailrace::pipeline
