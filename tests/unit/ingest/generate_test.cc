#include "tailrace/ingest/generate.h"

#include <thread>

#include "support.h"
#include "tailrace/base/murmur2.h"
#include "tailrace/ingest/line_writer.h"
#include "tailrace/ingest/post_source.h"
#include "tailrace/ingest/topic_writer.h"

namespace tailrace::ingest {
namespace {

PostOptions Options() { return {.source = {.seed = 4, .start_ms = kStartMs, .rate = 500}, .malformed_rate = 0.01}; }

TEST(Generate, ATopicGetsEveryRecordByMurmur2OfItsKey) {
  const auto cluster = InMemory("posts", 5);
  const StopSignal stop;
  auto writer = TopicWriter::Open(*cluster, {.topic = "posts"}, stop);
  ASSERT_TRUE(writer.ok()) << writer.status();
  PostSource source(Options(), 300'000);
  const auto summary = Generate(source, **writer, {.count = 5'000}, stop);
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->records, 5'000);
  EXPECT_EQ(source.truth()->records(), 5'000);
  EXPECT_FALSE(summary->stopped);

  std::multimap<std::string, std::string> expected;
  int64_t malformed = 0;
  for (const GeneratedPost& post : Posts(Options(), 5'000)) {
    expected.emplace(post.key, post.value);
    malformed += post.malformed;
  }
  EXPECT_EQ(summary->malformed, malformed);
  std::multimap<std::string, std::string> stored;
  for (const StoredRecord& record : ReadTopic(*cluster, "posts")) {
    ASSERT_TRUE(record.key);
    ASSERT_EQ(record.partition, base::PartitionForKey(*record.key, 5).value());
    stored.emplace(*record.key, record.value);
  }
  // Records of one key keep their order, so the two are equal element by element.
  EXPECT_EQ(stored, expected);
}

TEST(Generate, AFileGetsOneRecordALine) {
  const TemporaryFolder folder;
  const StopSignal stop;
  auto writer = NewLineWriter(folder.File("posts.jsonl"), stop);
  ASSERT_TRUE(writer.ok()) << writer.status();
  PostSource source(Options(), std::nullopt);
  ASSERT_TRUE(Generate(source, **writer, {.count = 1'000}, stop).ok());
  std::string expected;
  for (const GeneratedPost& post : Posts(Options(), 1'000)) expected += post.value + "\n";
  EXPECT_EQ(ReadWhole(folder.File("posts.jsonl")), expected);
}

TEST(Generate, AStopEndsAnEndlessPacedRun) {
  const auto cluster = InMemory("posts", 1);
  StopSignal stop;
  auto writer = TopicWriter::Open(*cluster, {.topic = "posts"}, stop);
  PostSource source(Options(), 300'000);
  // The progress call proves that it was running.
  const auto summary = Generate(source, **writer, {.pace = 200, .on_progress = [&](const GenerateSummary&) { stop.Request(); }}, stop);
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_TRUE(summary->stopped);
  EXPECT_GE(summary->records, 100);
  EXPECT_LE(summary->records, 2'000);
  EXPECT_EQ(static_cast<int64_t>(ReadTopic(*cluster, "posts").size()), summary->records) << "what was counted has arrived";
  EXPECT_EQ(source.truth()->records(), summary->records);
}

// An hour at 10 a second is due at once; a minute of real time later there would be 600 more.
TEST(Generate, AHistoryGoesBeforeWhatIsLive) {
  const auto cluster = InMemory("posts", 1);
  StopSignal stop;
  auto writer = TopicWriter::Open(*cluster, {.topic = "posts"}, stop);
  PostSource source(Options(), 300'000);
  const auto summary =
      Generate(source, **writer, {.pace = 10, .history_ms = 3'600'000, .on_progress = [&](const GenerateSummary& so_far) {
                                    if (so_far.records > 36'000) stop.Request();
                                  }}, stop);
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_GT(summary->records, 36'000);
  EXPECT_LT(summary->records, 36'000 + 10 * (summary->seconds + 1));
}

TEST(TopicWriter, AMissingTopicIsNamedWithTheCommandThatMakesIt) {
  const auto cluster = InMemory("other", 1);
  const StopSignal stop;
  const auto status = TopicWriter::Open(*cluster, {.topic = "posts"}, stop).status();
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_NE(std::string(status.message()).find("topic posts does not exist"), std::string::npos) << status;
  EXPECT_NE(std::string(status.message()).find("tailrace topics create posts --partitions"), std::string::npos) << status;
}

// A log that never answers, or that answers after some attempts.
class SilentCluster : public kafka::Cluster, public kafka::Admin {
 public:
  explicit SilentCluster(kafka::Cluster& log, int silent_calls) : log_(log), silent_calls_(silent_calls) {}
  absl::StatusOr<std::unique_ptr<kafka::Consumer>> NewConsumer(const kafka::ConsumerOptions& o) override { return log_.NewConsumer(o); }
  absl::StatusOr<std::unique_ptr<kafka::Producer>> NewProducer(const kafka::ProducerOptions& o) override { return log_.NewProducer(o); }
  absl::StatusOr<std::unique_ptr<kafka::Membership>> NewMembership(const kafka::MembershipOptions& o) override {
    return log_.NewMembership(o);
  }
  kafka::Admin& admin() override { return *this; }
  std::string Description() const override { return "192.0.2.1:9092"; }
  bool shared() const override { return true; }

  absl::StatusOr<std::optional<kafka::TopicDescription>> DescribeTopic(std::string_view topic, int timeout_ms) override {
    if (calls++ < silent_calls_) return base::Error(base::Reaction::kRetry, absl::StatusCode::kUnavailable, "no answer");
    return log_.admin().DescribeTopic(topic, timeout_ms);
  }
  absl::Status CreateTopics(const std::vector<kafka::NewTopic>&, int) override { return absl::OkStatus(); }
  absl::Status DeleteTopics(const std::vector<std::string>&, int) override { return absl::OkStatus(); }
  absl::StatusOr<std::vector<kafka::TopicDescription>> ListTopics(int t) override { return log_.admin().ListTopics(t); }
  absl::Status DeleteRecords(const std::vector<kafka::AssignedPartition>&, int) override { return absl::OkStatus(); }
  absl::StatusOr<base::Offset> OffsetForTime(const base::TopicPartition&, int64_t, int) override { return base::kOffsetEnd; }
  absl::StatusOr<kafka::OffsetRange> Offsets(const base::TopicPartition& p, int t) override { return log_.admin().Offsets(p, t); }

  int calls = 0;

 private:
  kafka::Cluster& log_;
  const int silent_calls_;
};

TEST(TopicWriter, ASilentLogIsAskedAgain) {
  const auto log = InMemory("posts", 1);
  SilentCluster cluster(*log, 3);
  const StopSignal stop;
  EXPECT_TRUE(TopicWriter::Open(cluster, {.topic = "posts"}, stop).ok());
  EXPECT_EQ(cluster.calls, 4);
}

TEST(TopicWriter, ASilentLogIsGivenUpAfterTheBoundAndNamed) {
  const auto log = InMemory("posts", 1);
  SilentCluster cluster(*log, 1'000'000);
  const StopSignal stop;
  const int64_t start_ms = base::SystemClock().SteadyMs();
  const auto status = TopicWriter::Open(cluster, {.topic = "posts", .give_up_ms = 100}, stop).status();
  EXPECT_LT(base::SystemClock().SteadyMs() - start_ms, 10'000);
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_NE(std::string(status.message()).find("192.0.2.1:9092"), std::string::npos) << status;
}

TEST(TopicWriter, AStopEndsTheRetries) {
  const auto log = InMemory("posts", 1);
  SilentCluster cluster(*log, 1'000'000);
  StopSignal stop;
  std::thread stopper([&] { stop.Request(); });
  const auto status = TopicWriter::Open(cluster, {.topic = "posts", .give_up_ms = 60'000}, stop).status();
  stopper.join();
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
}

}  // namespace
}  // namespace tailrace::ingest
