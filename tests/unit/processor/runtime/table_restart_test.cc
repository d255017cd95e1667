// Goal: what a suppression holds back, and who points to which foreign key, survives a restart, a lost disk and a crash between
// two commit steps. Method: whole Streams on the embedded and the in-memory log, one partition.
#include "support.h"

namespace tailrace::processor {
namespace {

using std::string;
using testing::Eventually;

class TableRestartTest : public ::testing::TestWithParam<bool> {
 protected:
  void TearDown() override { failpoint::SetHandler(nullptr); }

  std::unique_ptr<Streams> Run(kafka::Cluster& cluster, Topology topology, const string& state_dir) {
    auto streams = std::make_unique<Streams>(std::move(topology), testing::TestConfig(state_dir, GetParam()), cluster, metrics_);
    const absl::Status status = streams->Start();
    EXPECT_TRUE(status.ok()) << status;
    return streams;
  }

  testing::TemporaryDirectory state_;
  base::MetricsRegistry metrics_;
};

INSTANTIATE_TEST_SUITE_P(Guarantees, TableRestartTest, ::testing::Bool(),
                         [](const auto& parameter) { return parameter.param ? "ExactlyOnce" : "AtLeastOnce"; });

void CreateTables(kafka::Cluster& cluster) {
  testing::CreateTopics(cluster, 1);
  const absl::Status status =
      cluster.admin().CreateTopics({{.name = "rights", .partition_count = 1, .config = {{"retention.ms", "-1"}}}}, 10'000);
  ASSERT_TRUE(status.ok()) << status;
}

void Send(kafka::Cluster& cluster, const string& topic, const string& key, int64_t value, int64_t time_ms) {
  auto producer = *cluster.NewProducer({.client_id = "test"});
  string bytes;
  base::AppendBigEndian(bytes, value);
  ASSERT_TRUE(producer->Send({.topic = *producer->Topic(topic), .key = key, .value = bytes, .timestamp_ms = time_ms}).ok());
  const absl::Status status = producer->Flush(30'000);
  ASSERT_TRUE(status.ok()) << status;
}

void ExpectLast(kafka::Cluster& cluster, const std::map<string, int64_t>& expected) {
  testing::Output output;
  EXPECT_TRUE(Eventually([&] {
    output = testing::ReadOutput(cluster, 1);
    return output.last == expected;
  }));
  EXPECT_EQ(output.last, expected);
}

Topology Suppressing() {
  StreamsBuilder builder;
  builder.Table<string, int64_t>(testing::words_topic, Materialized("rows"))
      .Suppress(Suppressed::UntilTimeLimit(std::chrono::milliseconds(1000), BufferConfig::Unbounded()).WithName("held"))
      .ToStream()
      .To(testing::counts_topic);
  auto topology = builder.Build();
  EXPECT_TRUE(topology.ok()) << topology.status();
  return *std::move(topology);
}

// After these, "b" and "c" are held back.
void SendFirst(kafka::Cluster& cluster) {
  Send(cluster, testing::words_topic, "a", 1, 1'000);
  Send(cluster, testing::words_topic, "b", 2, 1'500);
  Send(cluster, testing::words_topic, "c", 3, 2'000);
}

TEST_P(TableRestartTest, ASuppressionGoesOnAfterCloseAndReopen) {
  testing::TemporaryDirectory log;
  {
    auto cluster = testing::Embedded(log.path());
    CreateTables(*cluster);
    auto streams = Run(*cluster, Suppressing(), state_.path());
    SendFirst(*cluster);
    ExpectLast(*cluster, {{"a", 1}});
    ASSERT_TRUE(streams->Close(10'000).ok());
  }
  auto cluster = testing::Embedded(log.path());
  auto streams = Run(*cluster, Suppressing(), state_.path());
  Send(*cluster, testing::words_topic, "d", 4, 3'000);
  ExpectLast(*cluster, {{"a", 1}, {"b", 2}, {"c", 3}});
  for (const TaskInfo& task : streams->queryable().Tasks()) EXPECT_EQ(task.restore_total, 0) << "the disk holds the buffer";
  EXPECT_TRUE(streams->queryable().Stores().size() == 1u) << "a buffer is not for queries";
  ASSERT_TRUE(streams->Close(10'000).ok());
  EXPECT_EQ(testing::ReadOutput(*cluster, 1).records, 3);
}

TEST_P(TableRestartTest, ASuppressionIsRebuiltFromItsChangelog) {
  auto cluster = testing::InMemory();
  CreateTables(*cluster);
  auto streams = Run(*cluster, Suppressing(), state_.path());
  SendFirst(*cluster);
  ExpectLast(*cluster, {{"a", 1}});
  ASSERT_TRUE(streams->Close(10'000).ok());

  testing::TemporaryDirectory fresh;
  streams = Run(*cluster, Suppressing(), fresh.path());
  Send(*cluster, testing::words_topic, "d", 4, 3'000);
  ExpectLast(*cluster, {{"a", 1}, {"b", 2}, {"c", 3}});
  int64_t restored = 0;
  for (const TaskInfo& task : streams->queryable().Tasks()) restored += task.restore_total;
  EXPECT_GT(restored, 0);
  ASSERT_TRUE(streams->Close(10'000).ok());
}

TEST_P(TableRestartTest, ASuppressionLosesNothingInACrashAtAnyCommitStep) {
  int round = 0;
  for (const char* const point : {"commit.prepare", "commit.flushed", "commit.offsets_sent", "commit.committed", "commit.stored"}) {
    SCOPED_TRACE(point);
    auto cluster = testing::InMemory();
    CreateTables(*cluster);
    const string directory = state_.path() + "/" + std::to_string(round++);
    std::atomic<int> hits{0};
    failpoint::SetHandler([&](std::string_view name) {
      if (name != point || hits.fetch_add(1) != 0) return absl::OkStatus();
      return base::Error(base::Reaction::kFatal, absl::StatusCode::kInternal, "crashed here");
    });
    SendFirst(*cluster);
    auto streams = Run(*cluster, Suppressing(), directory);
    const bool crashes = GetParam() || std::string_view(point) != "commit.offsets_sent";  // a step of transactions only
    if (crashes) {
      ASSERT_TRUE(streams->WaitFor(StreamsState::kError, 10'000));
    }
    streams.reset();
    failpoint::SetHandler(nullptr);
    streams = Run(*cluster, Suppressing(), directory);
    Send(*cluster, testing::words_topic, "d", 4, 3'000);
    ExpectLast(*cluster, {{"a", 1}, {"b", 2}, {"c", 3}});
    ASSERT_TRUE(streams->Close(10'000).ok());
    if (GetParam()) {
      EXPECT_EQ(testing::ReadOutput(*cluster, 1).records, 3);
    }
  }
}

// Rows of "words" point to the row of "rights" that their key names up to the dash.
Topology ForeignJoin() {
  StreamsBuilder builder;
  const auto rights = builder.Table<string, int64_t>("rights", Materialized("right-rows"));
  builder.Table<string, int64_t>(testing::words_topic, Materialized("left-rows"))
      .Join(rights, [](const string& key, const int64_t&) { return key.substr(0, key.find('-')); },
            [](const int64_t& left, const int64_t& right) { return left * 1000 + right; }, "join")
      .ToStream()
      .To(testing::counts_topic);
  auto topology = builder.Build();
  EXPECT_TRUE(topology.ok()) << topology.status();
  return *std::move(topology);
}

TEST_P(TableRestartTest, SubscriptionsGoOnAfterAReopenAndAreRebuiltFromTheirChangelog) {
  testing::TemporaryDirectory log;
  testing::TemporaryDirectory fresh;
  std::map<string, int64_t> expected;
  int64_t round = 0;
  // The same disk twice, then none.
  for (const string& directory : {state_.path(), state_.path(), fresh.path()}) {
    SCOPED_TRACE(round);
    auto cluster = testing::Embedded(log.path());
    if (round == 0) CreateTables(*cluster);
    auto streams = Run(*cluster, ForeignJoin(), directory);
    if (round == 0) {
      Send(*cluster, testing::words_topic, "x-a", 1, 1'000);
      Send(*cluster, testing::words_topic, "x-b", 2, 1'000);
      Send(*cluster, testing::words_topic, "y-c", 3, 1'000);
    }
    ASSERT_TRUE(streams->WaitFor(StreamsState::kRunning, 10'000)) << streams->status();
    Send(*cluster, "rights", "x", round, 2'000 + round);
    expected = {{"x-a", 1000 + round}, {"x-b", 2000 + round}};
    ExpectLast(*cluster, expected);
    ASSERT_TRUE(streams->Close(10'000).ok());
    ++round;
  }
}

}  // namespace
}  // namespace tailrace::processor
