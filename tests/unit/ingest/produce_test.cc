#include "tailrace/ingest/produce.h"

#include <sys/stat.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "nlohmann/json.hpp"
#include "support.h"
#include "tailrace/base/murmur2.h"

namespace tailrace::ingest {
namespace {

using pipeline::SkipReason;

constexpr const char* kToronto =
    R"({"id":"9007199254740993","author_id":"7","created_at":1767225600000,"text":"a","place":{"full_name":"Toronto, Ontario","type":"city"},"kind":"original"})";
constexpr const char* kNowhere = R"({"id":"2","author_id":"77","created_at":"2026-01-01T00:00:01Z","text":"é","kind":"reply"})";

TEST(ProduceFiles, GoodLinesArriveAndBadOnesAreCountedByReason) {
  const TemporaryFolder folder;
  const std::string first = folder.Write("first.jsonl", std::string(kToronto) + "\r\n\r\n" + "{\"id\":\"3\"\n" + "not json\n" + kNowhere + "\n");
  const std::string second = folder.Write("second.jsonl", R"({"id":"4","author_id":"7"})" "\n"
                                          R"({"delete":{"status":{"id":1}}})" "\n"
                                          R"({"id":"5","created_at":1767225600000,"text":"no author"})");
  const auto cluster = InMemory("posts", 7);
  const StopSignal stop;
  const auto summary = ProduceFiles(*cluster, {.topic = "posts", .inputs = {first, second}}, stop);
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->lines, 8);
  EXPECT_EQ(summary->records, 3);
  EXPECT_EQ(summary->counts.events(), 3);
  EXPECT_EQ(summary->counts.of(SkipReason::kBlank), 1);
  EXPECT_EQ(summary->counts.of(SkipReason::kMalformedJson), 2);
  EXPECT_EQ(summary->counts.of(SkipReason::kMissingField), 1);
  EXPECT_EQ(summary->counts.of(SkipReason::kDeleteNotice), 1);
  ASSERT_EQ(summary->bad_lines.size(), 3u);
  const std::string text = DescribeProduce(*summary);
  EXPECT_NE(text.find(first + ":3: malformed_json"), std::string::npos) << text;
  EXPECT_NE(text.find(second + ":1: missing_field at field created_at"), std::string::npos) << text;

  std::map<std::string, StoredRecord> by_id;
  for (const StoredRecord& record : ReadTopic(*cluster, "posts"))
    by_id[nlohmann::json::parse(record.value)["id"]] = record;
  ASSERT_EQ(by_id.size(), 3u);
  const StoredRecord& toronto = by_id.at("9007199254740993");
  EXPECT_EQ(toronto.key, "Toronto, Ontario");
  EXPECT_EQ(toronto.partition, base::PartitionForKey("Toronto, Ontario", 7).value());
  EXPECT_EQ(toronto.timestamp_ms, 1'767'225'600'000);
  EXPECT_EQ(by_id.at("2").key, "77") << "without place the author is the key";
  EXPECT_EQ(by_id.at("2").timestamp_ms, 1'767'225'601'000);
  EXPECT_EQ(by_id.at("5").key, std::nullopt);
  EXPECT_TRUE(nlohmann::json::parse(toronto.value).contains("received_at"));
}

TEST(ProduceFiles, OtherLayoutsBecomeCanonicalPosts) {
  const TemporaryFolder folder;
  const std::string file = folder.Write(
      "x.jsonl", R"({"data":{"id":"1","author_id":"8","created_at":"2026-01-01T00:00:00.000Z","text":"t","geo":{"place_id":"p"}},)"
                 R"("includes":{"places":[{"id":"p","full_name":"Montréal, Québec","name":"Montréal","place_type":"city","country_code":"CA"}]}})" "\n");
  const auto cluster = InMemory("posts", 1);
  const StopSignal stop;
  const auto summary = ProduceFiles(*cluster, {.topic = "posts", .inputs = {file}, .format = "x-v2"}, stop);
  ASSERT_TRUE(summary.ok()) << summary.status();
  const auto stored = ReadTopic(*cluster, "posts");
  ASSERT_EQ(stored.size(), 1u) << DescribeProduce(*summary);
  EXPECT_EQ(stored[0].key, "Montréal, Québec");
  EXPECT_EQ(nlohmann::json::parse(stored[0].value)["place"]["type"], "city");
}

TEST(ProduceFiles, AFrameBecomesItsTrades) {
  const TemporaryFolder folder;
  const std::string file = folder.Write("frames", R"({"type":"trade","data":[{"s":"A","p":1,"v":2,"t":1767225600000},{"s":"B","p":0,"v":2,"t":3},)"
                                                  R"({"s":"C","p":1,"v":2,"t":1767225600001}]})" "\n" R"({"type":"ping"})" "\n");
  const auto cluster = InMemory("trades", 1);
  const StopSignal stop;
  const auto summary = ProduceFiles(*cluster, {.topic = "trades", .inputs = {file}, .format = "finnhub-trades"}, stop);
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->records, 2);
  EXPECT_EQ(summary->counts.Describe(), "control_frame 1, number_out_of_range 1");
  const auto stored = ReadTopic(*cluster, "trades");
  ASSERT_EQ(stored.size(), 2u);
  EXPECT_EQ(stored[1].key, "C");
  EXPECT_EQ(stored[1].timestamp_ms, 1'767'225'600'001);
  EXPECT_EQ(nlohmann::json::parse(stored[1].value)["seq"], 3);
}

// A folder with a packed CSV file and a plain one of JSON lines, whatever they are called.
TEST(ProduceFiles, FoldersPackedFilesAndCsv) {
  const TemporaryFolder folder;
  const std::string inputs = folder.File("inputs");
  std::filesystem::create_directory(inputs);
  const std::string csv = "date,ticker,open,high,low,close,volume\n2026-01-01,AAPL,1,3,0.5,2,100\nnonsense\n2026-01-02,AAPL,2,3,0.5,2,90\n";
  gzFile packed = gzopen((inputs + "/1.jsonl").c_str(), "wb");
  gzwrite(packed, csv.data(), static_cast<unsigned>(csv.size()));
  gzclose(packed);
  std::ofstream(inputs + "/2.csv.gz") << R"({"ticker":"MSFT","date":"2026-01-01","open":1,"high":3,"low":0.5,"close":2,"volume":100})" "\n";
  const auto cluster = InMemory("bars", 1);
  const StopSignal stop;
  const auto summary = ProduceFiles(*cluster, {.topic = "bars", .inputs = {inputs}, .format = "bar"}, stop);
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->counts.Describe(), "bad_timestamp 1");
  EXPECT_NE(DescribeProduce(*summary).find(inputs + "/1.jsonl:3: bad_timestamp"), std::string::npos) << DescribeProduce(*summary);
  const auto stored = ReadTopic(*cluster, "bars");
  ASSERT_EQ(stored.size(), 3u);
  EXPECT_EQ(stored[1].key, "AAPL");
  EXPECT_EQ(nlohmann::json::parse(stored[1].value)["volume"], 90);
  EXPECT_EQ(stored[2].key, "MSFT");
}

TEST(ProduceFiles, OnlySomeBadLinesAreShown) {
  const TemporaryFolder folder;
  std::string bad;
  for (int i = 0; i < 100; ++i) bad += "{\n";
  const auto cluster = InMemory("posts", 1);
  const StopSignal stop;
  const auto summary = ProduceFiles(*cluster, {.topic = "posts", .inputs = {folder.Write("bad", bad)}}, stop);
  ASSERT_TRUE(summary.ok());
  EXPECT_EQ(summary->counts.of(SkipReason::kMalformedJson), 100);
  EXPECT_EQ(static_cast<int64_t>(summary->bad_lines.size()), base::limits::kBadLinesShownMax);
}

TEST(ProduceFiles, ALineAboveTheBoundIsTooLarge) {
  const TemporaryFolder folder;
  const auto cluster = InMemory("posts", 1);
  const StopSignal stop;
  const auto summary = ProduceFiles(
      *cluster, {.topic = "posts", .inputs = {folder.Write("long", std::string(2 * base::limits::kEventBytesMax, ' ') + "\n" + kToronto)}}, stop);
  ASSERT_TRUE(summary.ok());
  EXPECT_EQ(summary->counts.of(SkipReason::kTooLarge), 1);
  EXPECT_EQ(summary->records, 1);
}

TEST(ProduceFiles, APipeIsFollowedAndAStopEndsIt) {
  const TemporaryFolder folder;
  ASSERT_EQ(::mkfifo(folder.File("pipe").c_str(), 0600), 0);
  const auto cluster = InMemory("posts", 1);
  StopSignal stop;
  absl::StatusOr<ProduceSummary> summary = absl::UnknownError("");
  std::thread producing([&] { summary = ProduceFiles(*cluster, {.topic = "posts", .inputs = {folder.File("pipe")}}, stop); });
  {
    std::ofstream pipe(folder.File("pipe"));
    pipe << kToronto << "\n" << std::flush;
    // The writer keeps the pipe open: the record must arrive all the same.
    const base::TopicPartition partition{"posts", base::Partition{0}};
    for (int i = 0; i < 500 && cluster->admin().Offsets(partition, 1'000)->end.value() == 0; ++i) (void)StopSignal().WaitMs(10);
    EXPECT_EQ(cluster->admin().Offsets(partition, 1'000)->end.value(), 1);
    stop.Request();
    producing.join();
  }
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_TRUE(summary->stopped);
  EXPECT_EQ(summary->records, 1);
}

TEST(ProduceFiles, ErrorsNameTheirObject) {
  const TemporaryFolder folder;
  const auto cluster = InMemory("posts", 1);
  const StopSignal stop;
  const std::string good = folder.Write("good", kToronto);
  const auto message = [&](const ProduceOptions& options, auto is) {
    const absl::Status status = ProduceFiles(*cluster, options, stop).status();
    EXPECT_TRUE(is(status)) << status;
    return std::string(status.message());
  };
  EXPECT_NE(message({.topic = "psts", .inputs = {good}}, absl::IsNotFound).find("topic psts does not exist"), std::string::npos);
  EXPECT_NE(message({.topic = "posts", .inputs = {folder.File("absent")}}, absl::IsNotFound).find("absent"), std::string::npos);
  EXPECT_NE(message({.topic = "posts", .inputs = {good}, .format = "x-v3"}, absl::IsInvalidArgument).find("x-v2"), std::string::npos);
}

}  // namespace
}  // namespace tailrace::ingest
