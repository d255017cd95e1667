// Goal: a redelivered event counts once and keeps the largest of its counters, in every window and key.
// Method: hand-made deliveries, and many random ones against a map of ids.
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "tailrace/base/bytes.h"
#include "tailrace/base/random.h"
#include "tailrace/pipeline/compile.h"
#include "tailrace/pipeline/load.h"
#include "tailrace/processor/topology_test_driver.h"

namespace tailrace::pipeline {
namespace {

using nlohmann::json;
using processor::TopologyTestDriver;
using Rows = std::map<std::string, std::string>;

class DeduplicateTest : public testing::Test {
 protected:
  void Drive(const std::string& steps, processor::TestDriverOptions options = {}) {
    const auto spec = ParsePipeline("application.id: app\nsource: {topic: posts, format: post}\nsteps:\n" + steps + "sink: {topic: out}\n", "p", {});
    ASSERT_TRUE(spec.ok()) << spec.status();
    auto topology = CompilePipeline(*spec);
    ASSERT_TRUE(topology.ok()) << topology.status();
    options.application_id = "app";
    auto driver = TopologyTestDriver::Create(*std::move(topology), options);
    ASSERT_TRUE(driver.ok()) << driver.status();
    driver_ = *std::move(driver);
  }
  void Pipe(const json& post) { ASSERT_TRUE(driver_->Pipe("posts", {}, post.dump(), 0).ok()); }
  Rows Latest() {
    Rows latest;
    for (const processor::DriverRecord& record : driver_->TakeProduced("out")) latest[*record.key] = *record.value;
    return latest;
  }

  std::unique_ptr<TopologyTestDriver> driver_;
};

json Post(const char* id, int64_t created_at, const char* author, int64_t retweets, int64_t favorites, const char* text = "x") {
  return {{"id", id}, {"created_at", created_at}, {"author_id", author}, {"retweet_count", retweets}, {"favorite_count", favorites}, {"text", text}};
}

constexpr const char* kTotals = R"(  - sentiment: {field: text, as: mood}
  - key: author_id
  - deduplicate: {id: id, max: [retweet_count, favorite_count], retention: 1d, store: seen}
  - aggregate:
      store: s
      fields: {posts: count, with_text: {count: text}, r: {sum: retweet_count}, f: {sum: favorite_count}, mood: {avg: mood}}
)";

TEST_F(DeduplicateTest, CountsOnceAndKeepsTheLargestCounters) {
  Drive(kTotals);
  Pipe(Post("1", 10, "a", 3, 7, "great"));
  Pipe(Post("1", 10, "a", 5, 2, "great"));  // One counter has grown; the other is of an older copy.
  EXPECT_EQ(Latest(), (Rows{{"a", R"({"posts":1,"with_text":1,"r":5,"f":7,"mood":2})"}}));
  Pipe(Post("1", 10, "a", 5, 7, "great"));
  EXPECT_EQ(Latest(), Rows{});  // Nothing new, nothing written.
  Pipe(Post("2", 11, "a", 1, 1));
  Pipe(Post("1", 10, "a", 4, 9, "great"));
  EXPECT_EQ(Latest(), (Rows{{"a", R"({"posts":2,"with_text":2,"r":6,"f":10,"mood":1})"}}));
  // The state goes through the log as every other.
  EXPECT_FALSE(driver_->TakeProduced("app-seen-changelog").empty());
}

TEST_F(DeduplicateTest, CountersMayBeMissingAtFirst) {
  Drive(kTotals);
  Pipe({{"id", "1"}, {"created_at", 10}, {"author_id", "a"}});
  Pipe({{"id", "1"}, {"created_at", 10}, {"author_id", "a"}, {"favorite_count", 4}});
  Pipe({{"id", "1"}, {"created_at", 10}, {"author_id", "a"}, {"retweet_count", 2}});
  EXPECT_EQ(Latest(), (Rows{{"a", R"({"posts":1,"with_text":0,"r":2,"f":4,"mood":null})"}}));
}

TEST_F(DeduplicateTest, AnEventWithoutIdPasses) {
  Drive(kTotals);
  for (int i = 0; i < 2; ++i) Pipe({{"created_at", 10}, {"author_id", "a"}, {"retweet_count", 1}});
  EXPECT_EQ(Latest(), (Rows{{"a", R"({"posts":2,"with_text":0,"r":2,"f":0,"mood":null})"}}));
}

TEST_F(DeduplicateTest, WhatIsOlderThanTheRetentionIsLate) {
  Drive(kTotals);
  const int64_t day = 86'400'000;
  Pipe(Post("1", 0, "a", 1, 1));
  Pipe(Post("2", 3 * day, "a", 1, 1));
  Pipe(Post("1", 0, "a", 9, 9));
  EXPECT_EQ(Latest(), (Rows{{"a", R"({"posts":2,"with_text":2,"r":2,"f":2,"mood":0})"}}));
  EXPECT_EQ(driver_->Dropped()["late"], 1) << json(driver_->Dropped()).dump();
}

TEST_F(DeduplicateTest, WithoutMaxItCanStandBeforeTheKey) {
  Drive(R"(  - deduplicate: {id: id, retention: 1d, store: seen}
  - words: {field: text}
  - key: word
  - aggregate: {store: s, fields: {n: count}}
)");
  Pipe(Post("1", 10, "a", 3, 7, "bridge snow"));
  Pipe(Post("1", 10, "b", 5, 2, "bridge snow"));
  Pipe(Post("2", 10, "b", 5, 2, "bridge"));
  EXPECT_EQ(Latest(), (Rows{{"bridge", R"({"n":2})"}, {"snow", R"({"n":1})"}}));
}

TEST_F(DeduplicateTest, RandomDeliveriesAddUpToTheMaximaOfTheirIds) {
  struct Known {
    std::string author;
    int64_t start = 0, retweets = 0, favorites = 0;
  };
  for (const bool caching : {true, false}) {
    Drive(R"(  - key: author_id
  - deduplicate: {id: id, max: [retweet_count, favorite_count], retention: 30d, store: seen}
  - window: {tumbling: 1d, grace: 30d, retention: 31d}
  - aggregate: {store: s, fields: {posts: count, r: {sum: retweet_count}, f: {sum: favorite_count}}}
)", {.caching = caching, .commit_every_record = false});
    base::Random random(5);
    std::map<std::string, Known> known;
    for (int i = 0; i < 3'000; ++i) {
      const auto number = static_cast<int64_t>(random.Below(600));
      const std::string id = std::to_string(number), author = std::to_string(number % 7);
      const int64_t created_at = number * 2'000'000;
      const auto retweets = static_cast<int64_t>(random.Below(50)), favorites = static_cast<int64_t>(random.Below(50));
      Pipe(Post(id.c_str(), created_at, author.c_str(), retweets, favorites));
      Known& post = known[id];
      post = {author, created_at / 86'400'000 * 86'400'000, std::max(post.retweets, retweets), std::max(post.favorites, favorites)};
      if (i % 500 == 0) {
        ASSERT_TRUE(driver_->Commit().ok());
      }
    }
    ASSERT_TRUE(driver_->Commit().ok());
    std::map<std::pair<std::string, int64_t>, json> expected;
    for (const auto& [id, post] : known) {
      json& row = expected.try_emplace({post.author, post.start}, json{{"posts", 0}, {"r", 0}, {"f", 0}}).first->second;
      row["posts"] = row["posts"].get<int64_t>() + 1;
      row["r"] = row["r"].get<int64_t>() + post.retweets;
      row["f"] = row["f"].get<int64_t>() + post.favorites;
    }
    std::map<std::pair<std::string, int64_t>, json> rows;
    for (const processor::DriverRecord& record : driver_->TakeProduced("out")) {
      const std::string& key = *record.key;
      const auto start = base::LoadBigEndian<int64_t>(key.data() + key.size() - 8);
      rows[{key.substr(0, key.size() - 8), start}] = json::parse(*record.value);
    }
    EXPECT_EQ(rows, expected);
  }
}

}  // namespace
}  // namespace tailrace::pipeline
