// Goal: rows of a join are those of both sides as they are now, whichever came first and however often either changed.
// Method: hand-made orders, and many random ones against two maps; the same input as a batch run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "compile/table_join.h"
#include "tailrace/base/random.h"
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

// Posts per (author, place, language), and beside each the newest mark of (place, language).
constexpr std::string_view kPipeline = R"(application.id: app
source: {topic: posts, format: post}
steps:
  - key: [author_id, place.name, lang]
  - aggregate: {store: per-author, fields: {posts: count, likes: {avg: favorite_count}}}
  - join: {store: joined, table: marks, on: [place.name, lang]}
tables:
  marks:
    source: {topic: marks, format: post, timestamp: received_at}
    steps:
      - key: [place.name, lang]
      - aggregate: {store: marks-now, fields: {mark: {last: retweet_count}}}
sink: {topic: out}
)";

PipelineSpec Parse(std::string_view text = kPipeline) {
  auto spec = ParsePipeline(text, "p.yaml", {});
  EXPECT_TRUE(spec.ok()) << spec.status();
  return *std::move(spec);
}

json Post(const char* author, const char* place, int64_t likes) {
  return {{"created_at", 1}, {"author_id", author}, {"place", {{"name", place}}}, {"lang", "en"}, {"favorite_count", likes}};
}
json Mark(const char* place, int64_t mark, int64_t received_at) {
  return {{"created_at", 1}, {"received_at", received_at}, {"place", {{"name", place}}}, {"lang", "en"}, {"retweet_count", mark}};
}

class JoinTest : public testing::TestWithParam<bool> {
 protected:
  JoinTest() {
    auto topology = CompilePipeline(Parse());
    EXPECT_TRUE(topology.ok()) << topology.status();
    auto driver = TopologyTestDriver::Create(*std::move(topology), {.application_id = "app", .caching = GetParam(), .explicit_names = true});
    EXPECT_TRUE(driver.ok()) << driver.status();
    driver_ = *std::move(driver);
  }
  void Pipe(const char* topic, const json& value) { ASSERT_TRUE(driver_->Pipe(topic, {}, value.dump(), 0).ok()); }
  Rows Latest() {
    EXPECT_TRUE(driver_->Commit().ok());
    Rows latest;
    for (const processor::DriverRecord& record : driver_->TakeProduced("out")) latest[*record.key] = *record.value;
    return latest;
  }

  std::unique_ptr<TopologyTestDriver> driver_;
};

TEST_P(JoinTest, EitherSideMayComeFirst) {
  Pipe("posts", Post("ann", "A", 4));
  EXPECT_EQ(Latest(), (Rows{{"ann|A|en", R"({"posts":1,"likes":4,"mark":null})"}}));
  Pipe("marks", Mark("A", 7, 10));
  EXPECT_EQ(Latest(), (Rows{{"ann|A|en", R"({"posts":1,"likes":4,"mark":7})"}}));
  Pipe("marks", Mark("B", 3, 10));
  EXPECT_EQ(Latest(), Rows{});  // Nobody points to it.
  Pipe("posts", Post("bob", "B", 1));
  Pipe("posts", Post("ann", "B", 2));
  EXPECT_EQ(Latest(), (Rows{{"bob|B|en", R"({"posts":1,"likes":1,"mark":3})"}, {"ann|B|en", R"({"posts":1,"likes":2,"mark":3})"}}));
}

TEST_P(JoinTest, ACorrectionReachesAllRows) {
  Pipe("marks", Mark("A", 7, 10));
  Pipe("posts", Post("ann", "A", 4));
  Pipe("posts", Post("bob", "A", 4));
  Pipe("posts", Post("bob", "A", 6));
  Latest();
  Pipe("marks", Mark("A", 9, 20));
  EXPECT_EQ(Latest(), (Rows{{"ann|A|en", R"({"posts":1,"likes":4,"mark":9})"}, {"bob|A|en", R"({"posts":2,"likes":5,"mark":9})"}}));
  // One that was received before says nothing new.
  Pipe("marks", Mark("A", 1, 15));
  for (const auto& [key, value] : Latest()) EXPECT_THAT(value, HasSubstr(R"("mark":9)")) << key;
}

TEST_P(JoinTest, RandomOrdersEndInTheJoinOfBothSides) {
  base::Random random(3);
  struct Left {
    int64_t posts = 0, likes = 0;
  };
  std::map<std::string, Left> left;               // by key
  std::map<std::string, std::pair<int64_t, int64_t>> marks;  // by place: received, mark
  Rows rows;
  const std::vector<const char*> authors = {"ann", "bob", "cleo"}, places = {"A", "B", "C", "D"};
  for (int i = 0; i < 600; ++i) {
    const char* place = places[random.Below(places.size())];
    if (random.Chance(0.7)) {
      const char* author = authors[random.Below(authors.size())];
      const auto likes = static_cast<int64_t>(random.Below(10));
      Pipe("posts", Post(author, place, likes));
      Left& row = left[std::string(author) + "|" + place + "|en"];
      ++row.posts;
      row.likes += likes;
    } else {
      const auto received = static_cast<int64_t>(random.Below(100'000));
      Pipe("marks", Mark(place, i, received));
      auto& mark = marks.try_emplace(place, -1, 0).first->second;
      mark = std::max(mark, {received, i});
    }
    if (i % 5 != 0) continue;  // Several changes in one commit, too.
    for (const auto& [key, value] : Latest()) rows[key] = value;
  }
  for (const auto& [key, value] : Latest()) rows[key] = value;
  EXPECT_EQ(rows.size(), left.size());
  for (const auto& [key, row] : left) {
    const json value = json::parse(rows[key]);
    EXPECT_EQ(value["posts"], row.posts) << key;
    EXPECT_EQ(value["likes"].get<double>(), static_cast<double>(row.likes) / static_cast<double>(row.posts)) << key;
    const auto mark = marks.find(key.substr(key.find('|') + 1, 1));
    EXPECT_EQ(value["mark"], mark == marks.end() ? json() : json(mark->second.second)) << key;
  }
}

INSTANTIATE_TEST_SUITE_P(Caching, JoinTest, testing::Bool(), [](const auto& caching) { return caching.param ? "on" : "off"; });

std::string File(const char* name, const std::vector<json>& lines) {
  const std::string file = testing::TempDir() + "/join_" + name;
  std::ofstream out(file);
  for (const json& line : lines) out << line.dump() << "\n";
  return file;
}

TEST(JoinBatchTest, EachTopicHasItsInput) {
  const std::string posts = File("posts", {Post("ann", "A", 4), Post("bob", "B", 2)}), marks = File("marks", {Mark("A", 7, 10), Mark("C", 1, 10)});
  const PipelineSpec spec = Parse();
  const std::string expected =
      "{\"store\":\"joined\",\"key\":\"ann|A|en\",\"value\":{\"posts\":1,\"likes\":4,\"mark\":7}}\n"
      "{\"store\":\"joined\",\"key\":\"bob|B|en\",\"value\":{\"posts\":1,\"likes\":2,\"mark\":null}}\n";
  for (const auto& inputs : {std::vector{"posts=" + posts, "marks=" + marks}, {"marks=" + marks, "posts=" + posts}}) {
    std::ostringstream out;
    const auto summary = RunBatch(spec, {.inputs = inputs}, out);
    ASSERT_TRUE(summary.ok()) << summary.status();
    EXPECT_EQ(out.str(), expected);
    EXPECT_EQ(summary->rows, 2);
  }
  std::ostringstream out;
  const auto summary = RunBatch(spec, {.inputs = {"posts=" + posts, "marks=" + marks}, .output = BatchOptions::Output::kUpdates}, out);
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_THAT(out.str(), HasSubstr(R"("key":"ann|A|en","value":{"posts":1,"likes":4,"mark":null}})"));
  EXPECT_THAT(out.str(), HasSubstr(R"("key":"ann|A|en","value":{"posts":1,"likes":4,"mark":7}})"));
  EXPECT_THAT(std::string(RunBatch(spec, {.inputs = {posts}}, out).status().message()),
              HasSubstr("p.yaml has 2 sources: write --input TOPIC=FILE with topic posts or marks in front of"));
}

struct Wrong {
  const char* from;
  const char* to;
  const char* message;
};

TEST(JoinSpecTest, EveryProblemNamesItsPlaceAndTheNextStep) {
  const std::vector<Wrong> cases = {
      {"table: marks,", "table: mrks,", "p.yaml:6:11: unknown table 'mrks'; did you mean 'marks'?"},
      {"on: [place.name, lang]", "on: [author_id, place.name]", "'on' must be the last fields of the key step"},
      {"on: [place.name, lang]", "on: [author_id, place.name, lang]", "'on' must be the last fields of the key step, and not all of them"},
      {"on: [place.name, lang]", "on: [lang]", "p.yaml:11:14: the table's key must have as many fields as 'on'"},
      {"      - key: [place.name, lang]", "      - key: {fields: [place.name, lang], separator: '/'}", "and the separator of the key that points to it"},
      {"  - aggregate: {store: per", "  - window: {tumbling: 1h}\n  - aggregate: {store: per", "join takes an aggregate without windows"},
      {"      - aggregate: {store: marks", "      - window: {tumbling: 1h}\n      - aggregate: {store: marks", "a table ends in an aggregate without windows"},
      {"  - join: {store: joined, table: marks, on: [place.name, lang]}\n", "", "p.yaml:7:3: no join step reads the table"},
      {"sink: {", "  bare: {}\nsink: {", "table bare needs 'source'"},
      {"store: marks-now", "store: joined", "a second store called 'joined'"},
      {"{last: retweet_count}", "{last: rtweet_count}", "unknown field 'rtweet_count'"},
      {"  - join:", "  - filter: {field: lang, equals: en}\n  - join:", "aggregate must be the last step"},
  };
  for (const Wrong& wrong : cases) {
    std::string text(kPipeline);
    const size_t at = text.find(wrong.from);
    ASSERT_NE(at, std::string::npos) << wrong.from;
    const auto spec = ParsePipeline(text.replace(at, std::string_view(wrong.from).size(), wrong.to), "p.yaml", {});
    EXPECT_THAT(std::string(spec.status().message()), HasSubstr(wrong.message)) << wrong.to;
  }
}

TEST(KeyEndTest, CountsPartsFromTheEnd) {
  EXPECT_EQ(compile::KeyEnd("ann|AAPL|2026-01-01", "|", 1), "2026-01-01");
  EXPECT_EQ(compile::KeyEnd("ann|AAPL|2026-01-01", "|", 2), "AAPL|2026-01-01");
  EXPECT_EQ(compile::KeyEnd("a|n|n|AAPL|2026-01-01", "|", 2), "AAPL|2026-01-01");
  EXPECT_EQ(compile::KeyEnd("ann::x", "::", 1), "x");
  EXPECT_EQ(compile::KeyEnd("|x", "|", 1), "x");
  EXPECT_EQ(compile::KeyEnd("|x", "|", 2), "|x");
  EXPECT_EQ(compile::KeyEnd("ann", "|", 1), "ann");
}

}  // namespace
}  // namespace tailrace::pipeline
