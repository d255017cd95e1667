// Goal: batch runs of city-metrics over the fixtures equal tables computed by other means (tests/fixtures/expected.py).
#include "tailrace/pipeline/batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tailrace/pipeline/load.h"

namespace tailrace::pipeline {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::string Source(const std::string& path) { return std::string(std::getenv("TAILRACE_SOURCE_DIR")) + "/" + path; }

PipelineSpec CityMetrics(const ParameterValues& values) {
  auto spec = LoadPipeline(Source("pipelines/city-metrics.yaml"), values);
  EXPECT_TRUE(spec.ok()) << spec.status();
  return *std::move(spec);
}

struct Result {
  std::vector<json> rows;
  BatchSummary summary;
};

Result RunFiles(const PipelineSpec& pipeline, const BatchOptions& options) {
  std::ostringstream out;
  auto summary = RunBatch(pipeline, options, out);
  EXPECT_TRUE(summary.ok()) << summary.status();
  Result result;
  if (summary.ok()) result.summary = *summary;
  std::istringstream lines(out.str());
  for (std::string line; std::getline(lines, line);) result.rows.push_back(json::parse(line));
  EXPECT_EQ(static_cast<int64_t>(result.rows.size()), result.summary.rows);
  return result;
}

class TempFile {
 public:
  explicit TempFile(std::string_view content) {
    path_ = testing::TempDir() + "/batch_" + std::to_string(reinterpret_cast<uintptr_t>(this)) + ".jsonl";
    std::ofstream(path_, std::ios::binary) << content;
  }
  ~TempFile() { std::filesystem::remove(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

struct Table {
  const char* name;
  ParameterValues values;
};

class FixtureTest : public testing::TestWithParam<Table> {};

TEST_P(FixtureTest, EqualsTheTableComputedByOtherMeans) {
  const json expected = json::parse(std::ifstream(Source("tests/fixtures/x_v2_expected.json")));
  const json& table = expected.at(GetParam().name);
  for (const char* file : {"x_v2_plain.jsonl", "x_v2_double.jsonl"}) {
    SCOPED_TRACE(file);
    const Result result = RunFiles(CityMetrics(GetParam().values), {.inputs = {Source(std::string("tests/fixtures/") + file)}, .format = "x-v2"});
    ASSERT_EQ(result.rows.size(), table.at("rows").size());
    for (size_t i = 0; i < result.rows.size(); ++i) EXPECT_EQ(result.rows[i], table.at("rows")[i]) << i;
    EXPECT_EQ(result.summary.dropped_late, table.at("late"));
    for (const auto& [reason, count] : expected.at("counts").items()) {
      for (int i = 0; i < kSkipReasonCount; ++i) {
        const auto candidate = static_cast<SkipReason>(i);
        if (SkipReasonName(candidate) == reason) {
          EXPECT_EQ(result.summary.counts.of(candidate), count) << reason;
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Tables, FixtureTest,
                         testing::Values(Table{"5m", {}}, Table{"15m", {{"window", "15m"}}},
                                         Table{"5m-any-reference", {{"retweet_kinds", "retweet,quote,reply"}}}),
                         [](const auto& test) {
                           std::string name = test.param.name;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

// The last update of every window is its final value, and every update counts one post more than the one before.
TEST(RunBatchTest, UpdatesEndInTheFinalValues) {
  const BatchOptions final{.inputs = {Source("tests/fixtures/x_v2_plain.jsonl")}, .format = "x-v2"};
  BatchOptions updates = final;
  updates.output = BatchOptions::Output::kUpdates;
  const PipelineSpec pipeline = CityMetrics({});
  std::map<std::string, json> last;
  for (const json& row : RunFiles(pipeline, updates).rows) {
    const std::string id = row["key"].dump() + row["window"].dump();
    const int64_t before = last.contains(id) ? last[id]["value"]["posts"].get<int64_t>() : 0;
    EXPECT_EQ(row["value"]["posts"], before + 1);
    last[id] = row;
  }
  const Result result = RunFiles(pipeline, final);
  EXPECT_EQ(last.size(), result.rows.size());
  for (const json& row : result.rows) EXPECT_EQ(last[row["key"].dump() + row["window"].dump()], row);
}

std::string Post(const char* created_at, const char* city, const char* author, const char* kind = "original") {
  return json{{"id", "1"}, {"author_id", author}, {"created_at", created_at}, {"kind", kind}, {"place", {{"full_name", city}, {"type", "city"}}}}.dump() + "\n";
}

TEST(RunBatchTest, FilesAreOneStreamInTheOrderGiven) {
  const TempFile first(Post("2026-01-01T01:00:00Z", "A", "1"));
  const TempFile second(Post("2026-01-01T00:00:00Z", "A", "1"));
  EXPECT_EQ(RunFiles(CityMetrics({}), {.inputs = {first.path(), second.path()}}).summary.dropped_late, 1);
  EXPECT_EQ(RunFiles(CityMetrics({}), {.inputs = {second.path(), first.path()}}).summary.dropped_late, 0);
}

// Retention is for stores that run on; a batch run over days answers all of them.
TEST(RunBatchTest, WindowsOlderThanTheRetentionAreWritten) {
  std::string posts;
  for (int day = 1; day <= 9; ++day) posts += Post(("2026-01-0" + std::to_string(day)).c_str(), "A", "1");
  const TempFile file(posts);
  EXPECT_EQ(RunFiles(CityMetrics({}), {.inputs = {file.path()}}).rows.size(), 9u);
}

TEST(RunBatchTest, PostsWithoutACityNameHaveNoKey) {
  const TempFile file(R"({"created_at":1,"place":{"type":"city"}})");
  const Result result = RunFiles(CityMetrics({}), {.inputs = {file.path()}});
  EXPECT_EQ(result.summary.dropped_null_key, 1);
  EXPECT_TRUE(result.rows.empty());
}

TEST(RunBatchTest, ReportsBadLinesByFileLineAndReason) {
  const TempFile file(Post("2026-01-01", "A", "1") + "\n{\n" + R"({"created_at":"x"})" + "\r\n" + Post("2026-01-01", "A", "2"));
  const Result result = RunFiles(CityMetrics({}), {.inputs = {file.path()}});
  EXPECT_EQ(DescribeBatch(result.summary), "5 lines, 2 events, 1 rows written; skipped: blank 1, malformed_json 1, bad_timestamp 1\n" +
                                               file.path() + ":3: malformed_json\n" + file.path() + ":4: bad_timestamp at field created_at\n");
  EXPECT_EQ(result.rows[0]["value"]["active_users"], 2);
}

TEST(RunBatchTest, RefusesWhatCannotWork) {
  std::ostringstream out;
  const PipelineSpec pipeline = CityMetrics({});
  EXPECT_EQ(RunBatch(pipeline, {.inputs = {"/nonexistent.jsonl"}}, out).status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(RunBatch(pipeline, {.format = "x-v3"}, out).status().message()), HasSubstr("did you mean 'x-v2'?"));
  EXPECT_THAT(std::string(RunBatch(pipeline, {.store = "cities"}, out).status().message()), HasSubstr("it has city-metrics"));
}

TEST(RunBatchTest, AnEmptyInputGivesNothing) {
  const TempFile file("");
  EXPECT_TRUE(RunFiles(CityMetrics({}), {.inputs = {file.path()}}).rows.empty());
}

// Whatever blocks the lines are read in, none is lost, and one that is too long takes nothing with it.
TEST(RunBatchTest, LongLinesAndAMissingLastLineEnd) {
  std::string posts;
  for (int i = 0; i < 2'000; ++i) posts += Post("2026-01-01", "A", std::to_string(i % 1'000).c_str());
  posts += std::string(3 << 20, 'x') + "\n";
  std::string last = Post("2026-01-01", "A", "last");
  last.pop_back();
  posts += last;
  const TempFile file(posts);
  const Result result = RunFiles(CityMetrics({}), {.inputs = {file.path()}});
  EXPECT_EQ(result.summary.lines, 2'002);
  EXPECT_EQ(result.summary.counts.of(SkipReason::kTooLarge), 1);
  EXPECT_EQ(result.rows[0]["value"], (json{{"posts", 2'001}, {"retweets", 0}, {"active_users", 1'001}, {"active_users_exact", true}}));
}

}  // namespace
}  // namespace tailrace::pipeline
