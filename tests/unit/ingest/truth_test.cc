// Goal: the truth is true. Method: recompute it from the emitted bytes with another parser, then compare every number.
#include "tailrace/ingest/truth.h"

#include <set>
#include <sstream>

#include "absl/time/time.h"
#include "nlohmann/json.hpp"
#include "support.h"

namespace tailrace::ingest {
namespace {

constexpr int64_t kWindowMs = 60'000;

struct Naive {
  int64_t posts = 0, retweets = 0;
  std::set<std::string> authors;
};

std::string Rfc3339(int64_t ms) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixMillis(ms), absl::UTCTimeZone());
}

TEST(Truth, EqualsARecomputationFromTheRecords) {
  const PostOptions options{.source = {.seed = 9, .start_ms = kStartMs + 12'345, .rate = 100},
                            .authors = 500, .late_rate = 0.1, .malformed_rate = 0.05};
  Truth truth(kWindowMs);
  std::map<std::pair<int64_t, std::string>, Naive> windows;
  std::map<std::string, int64_t> kinds;
  int64_t malformed = 0, without_city = 0, late = 0;
  PostGenerator generator(options);
  GeneratedPost post;
  for (int i = 0; i < 30'000; ++i) {
    generator.Next(post);
    truth.Add(post);
    const auto json = nlohmann::json::parse(post.value, nullptr, false);
    if (json.is_discarded() || !json.contains("created_at") || !json["created_at"].is_number_integer()) {
      ++malformed;
      continue;
    }
    ++kinds[json["kind"]];
    const int64_t created_ms = json["created_at"];
    late += json["received_at"].get<int64_t>() > created_ms;
    if (!json.contains("place") || json["place"]["type"] != "city") {
      ++without_city;
      continue;
    }
    Naive& window = windows[{created_ms / kWindowMs * kWindowMs, json["place"]["full_name"]}];
    ++window.posts;
    window.retweets += json["kind"] == "retweet";
    window.authors.insert(json["author_id"]);
  }
  ASSERT_GT(malformed, 1'000);
  ASSERT_GT(late, 2'000);

  std::ostringstream out;
  truth.WriteJson(options.source, generator.NextEventMs(), out);
  const auto written = nlohmann::json::parse(out.str());
  EXPECT_EQ(written["seed"], 9);
  EXPECT_EQ(written["records"], 30'000);
  EXPECT_EQ(written["start_ms"], kStartMs + 12'345);
  EXPECT_EQ(written["end_ms"], kStartMs + 12'345 + 300'000);
  EXPECT_EQ(written["window_ms"], kWindowMs);
  EXPECT_EQ((written["kinds"].get<std::map<std::string, int64_t>>()), kinds);
  EXPECT_EQ(written["malformed"], malformed);
  EXPECT_EQ(written["without_city"], without_city);
  EXPECT_EQ(written["late"], late);
  // The map's order, window then city by bytes, is the order that is promised.
  ASSERT_EQ(written["windows"].size(), windows.size());
  size_t row_index = 0;
  for (const auto& [key, naive] : windows) {
    const auto& row = written["windows"][row_index++];
    ASSERT_EQ(row["city"], key.second);
    ASSERT_EQ(row["window"]["start"], Rfc3339(key.first));
    ASSERT_EQ(row["window"]["end"], Rfc3339(key.first + kWindowMs));
    ASSERT_EQ(row["posts"], naive.posts);
    ASSERT_EQ(row["retweets"], naive.retweets);
    ASSERT_EQ(row["active_users"], naive.authors.size());
  }
}

TEST(Truth, IsWrittenWholeOrNotAtAll) {
  const TemporaryFolder folder;
  const Truth truth(kWindowMs);
  EXPECT_TRUE(WriteTruth(truth, {}, 0, folder.File("truth.json")).ok());
  EXPECT_TRUE(nlohmann::json::accept(ReadWhole(folder.File("truth.json"))));
  const absl::Status status = WriteTruth(truth, {}, 0, folder.File("missing/truth.json"));
  EXPECT_FALSE(status.ok());
  EXPECT_NE(std::string(status.message()).find("missing/truth.json"), std::string::npos) << status;
}

}  // namespace
}  // namespace tailrace::ingest
