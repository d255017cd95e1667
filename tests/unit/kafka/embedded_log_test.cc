// What only the embedded log does: keeping its directory through crashes, cleaning, and serving one process.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "embedded/embedded_cluster.h"
#include "gtest/gtest.h"
#include "spawn_case.h"
#include "tailrace/base/limits.h"
#include "temporary_directory.h"

namespace tailrace::kafka::embedded {
namespace {

using base::Offset;
using base::Partition;
using base::Reaction;
using base::TopicPartition;
using testing_support::kReportDescriptor;
using testing_support::SpawnCase;

OutgoingRecord Record(TopicHandle topic, int32_t partition, std::string_view key, std::string_view value, int64_t time_ms = 1'000) {
  OutgoingRecord record;
  record.topic = topic;
  record.partition = Partition{partition};
  record.key = key;
  record.value = value;
  record.timestamp_ms = time_ms;
  return record;
}

NewTopic TopicNamed(const std::string& name, int32_t partitions, std::map<std::string, std::string> config = {}) {
  NewTopic topic;
  topic.name = name;
  topic.partition_count = partitions;
  topic.config = std::move(config);
  return topic;
}

// All records of a partition as "offset key=value".
std::vector<std::string> Contents(Cluster& cluster, const std::string& topic, int32_t partition) {
  std::vector<std::string> contents;
  auto consumer = cluster.NewConsumer({});
  EXPECT_TRUE((*consumer)->Assign({{{topic, Partition{partition}}, base::kOffsetBeginning}}).ok());
  auto range = (*consumer)->QueryOffsets({topic, Partition{partition}}, 0);
  RecordBatch batch;
  while ((*consumer)->Position(0) < range->end) {
    const absl::Status status = (*consumer)->Poll(batch, 0);
    EXPECT_TRUE(status.ok()) << status;
    if (!status.ok()) break;
    for (const RecordView& record : batch.records()) {
      contents.push_back(std::to_string(record.offset.value()) + " " + std::string(record.key.view()) + "=" +
                         (record.value.is_null() ? "(null)" : std::string(record.value.view())));
    }
  }
  return contents;
}

std::unique_ptr<Membership> Join(Cluster& cluster, const std::string& group) {
  MembershipOptions options;
  options.group = group;
  options.instance_id = "one";
  auto membership = cluster.NewMembership(options);
  EXPECT_TRUE(membership.ok()) << membership.status();
  EXPECT_TRUE((*membership)->Poll(0).ok());
  return *std::move(membership);
}

std::unique_ptr<EmbeddedCluster> WithClock(std::unique_ptr<Storage> storage, const base::Clock& clock) {
  auto cluster = NewEmbeddedCluster(std::move(storage), clock);
  EXPECT_TRUE(cluster.ok()) << cluster.status();
  return *std::move(cluster);
}

TEST(EmbeddedLogTest, ADirectoryKeepsTopicsRecordsOffsetsAndEpochs) {
  TemporaryDirectory directory;
  const TopicPartition partition{"t", Partition{1}};
  {
    auto cluster = OpenEmbedded(directory.path());
    ASSERT_TRUE(cluster.ok()) << cluster.status();
    ASSERT_TRUE((*cluster)->admin().CreateTopics({TopicNamed("t", 2, {{"retention.ms", "5"}})}, 0).ok());
    auto membership = Join(**cluster, "g");
    auto producer = (*cluster)->NewProducer({.client_id = "p", .transactional_id = "x"});
    ASSERT_TRUE((*producer)->InitTransactions(0).ok());
    auto topic = (*producer)->Topic("t");
    ASSERT_TRUE((*producer)->BeginTransaction().ok());
    ASSERT_TRUE((*producer)->Send(Record(*topic, 1, "k", "v")).ok());
    const std::vector<OffsetToCommit> offsets = {{partition, Offset{3}, "meta"}};
    ASSERT_TRUE((*producer)->SendOffsets(offsets, *membership->CurrentGroupMetadata()).ok());
    ASSERT_TRUE((*producer)->CommitTransaction().ok());
  }
  auto cluster = OpenEmbedded(directory.path());
  ASSERT_TRUE(cluster.ok()) << cluster.status();
  auto described = (*cluster)->admin().DescribeTopic("t", 0);
  ASSERT_TRUE(described->has_value());
  EXPECT_EQ((*described)->partition_count, 2);
  EXPECT_EQ((*described)->config.at("retention.ms"), "5");
  EXPECT_EQ(Contents(**cluster, "t", 1), (std::vector<std::string>{"0 k=v"}));
  EXPECT_TRUE(Contents(**cluster, "t", 0).empty());
  auto committed = Join(**cluster, "g")->Committed(std::vector<TopicPartition>{partition}, 0);
  EXPECT_EQ((*committed)[0].offset, Offset{3});
  EXPECT_EQ((*committed)[0].metadata, "meta");
}

constexpr const char* kDirectoryVariable = "TAILRACE_TEST_LOG_DIRECTORY";

// The killed process: writes transactions of two records in two partitions and their offset, for ever, and reports each commit.
TEST(EmbeddedLogChild, DISABLED_WritesUntilKilled) {
  auto cluster = OpenEmbedded(getenv(kDirectoryVariable));
  if (!cluster.ok()) _exit(1);
  (*cluster)->admin().CreateTopics({TopicNamed("t", 2)}, 0).IgnoreError();
  auto membership = Join(**cluster, "g");
  auto producer = (*cluster)->NewProducer({.client_id = "p", .transactional_id = "x"});
  if (!(*producer)->InitTransactions(0).ok()) _exit(1);
  auto topic = (*producer)->Topic("t");
  auto range = (*cluster)->admin().Offsets({"t", Partition{0}}, 0);
  for (int64_t i = range->end.value();; ++i) {
    const std::string value = std::to_string(i);
    if (!(*producer)->BeginTransaction().ok()) _exit(1);
    for (int32_t partition : {0, 1}) {
      if (!(*producer)->Send(Record(*topic, partition, "k", value)).ok()) _exit(1);
    }
    const std::vector<OffsetToCommit> offsets = {{{"input", Partition{0}}, Offset{i + 1}, value}};
    if (!(*producer)->SendOffsets(offsets, *membership->CurrentGroupMetadata()).ok()) _exit(1);
    if (i % 5 == 4) {
      // Never committed in this attempt; the number is written by the next one.
      if (!(*producer)->AbortTransaction().ok() || !(*producer)->BeginTransaction().ok()) _exit(1);
      for (int32_t partition : {0, 1}) {
        if (!(*producer)->Send(Record(*topic, partition, "k", value)).ok()) _exit(1);
      }
      if (!(*producer)->SendOffsets(offsets, *membership->CurrentGroupMetadata()).ok()) _exit(1);
    }
    if (!(*producer)->CommitTransaction().ok()) _exit(1);
    if (write(kReportDescriptor, &i, sizeof i) != sizeof i) _exit(1);
  }
}

// Goal: after SIGKILL at any moment, what was committed is there, and of every transaction all or nothing.
// Method: a child commits numbered transactions; it is killed after a varying number of them, and the directory is read.
TEST(EmbeddedLogTest, AKilledProcessLosesNothingCommittedAndLeavesNothingHalf) {
  TemporaryDirectory directory;
  const std::string path = directory.path() + "/log";
  int64_t last_seen = -1;
  for (int round = 0; round < 6; ++round) {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    const pid_t child = SpawnCase("EmbeddedLogChild.DISABLED_WritesUntilKilled", kDirectoryVariable, path, ends[1]);
    ASSERT_GE(child, 0);
    close(ends[1]);
    int64_t committed = -1;
    for (int i = 0; i < 20 + 150 * round; ++i) ASSERT_EQ(read(ends[0], &committed, sizeof committed), static_cast<ssize_t>(sizeof committed));
    kill(child, SIGKILL);
    // What it managed to say before it died counts as well.
    while (read(ends[0], &committed, sizeof committed) == static_cast<ssize_t>(sizeof committed)) {
    }
    close(ends[0]);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    ASSERT_GT(committed, last_seen);
    last_seen = committed;

    auto cluster = OpenEmbedded(path);
    ASSERT_TRUE(cluster.ok()) << cluster.status();
    const std::vector<std::string> first = Contents(**cluster, "t", 0);
    EXPECT_EQ(first, Contents(**cluster, "t", 1));
    // At most the one transaction is more that was committed and not yet told.
    ASSERT_GE(static_cast<int64_t>(first.size()), committed + 1);
    ASSERT_LE(static_cast<int64_t>(first.size()), committed + 2);
    for (size_t i = 0; i < first.size(); ++i) ASSERT_EQ(first[i], std::to_string(i) + " k=" + std::to_string(i));
    auto offset = Join(**cluster, "g")->Committed(std::vector<TopicPartition>{{"input", Partition{0}}}, 0);
    EXPECT_EQ((*offset)[0].offset, Offset{static_cast<int64_t>(first.size())});
  }
}

// The second process: reports what it was told.
TEST(EmbeddedLogChild, DISABLED_OpensWhatIsInUse) {
  auto second = OpenEmbedded(getenv(kDirectoryVariable));
  const std::string text = second.ok() ? "opened" : second.status().ToString();
  ASSERT_EQ(write(kReportDescriptor, text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

TEST(EmbeddedLogTest, ASecondProcessIsRefused) {
  TemporaryDirectory directory;
  auto cluster = OpenEmbedded(directory.path());
  ASSERT_TRUE(cluster.ok());
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const pid_t child = SpawnCase("EmbeddedLogChild.DISABLED_OpensWhatIsInUse", kDirectoryVariable, directory.path(), ends[1]);
  ASSERT_GE(child, 0);
  close(ends[1]);
  std::string text(4096, '\0');
  text.resize(static_cast<size_t>(std::max<ssize_t>(read(ends[0], text.data(), text.size()), 0)));
  close(ends[0]);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_NE(text.find(directory.path()), std::string::npos) << text;
  EXPECT_NE(text.find("one process"), std::string::npos) << text;
  // And a second opening in this process.
  EXPECT_EQ(base::ReactionOf(OpenEmbedded(directory.path()).status()), Reaction::kFatal);
}

TEST(EmbeddedLogTest, ADirectoryThatCannotBeMadeOrReadIsNamed) {
  TemporaryDirectory directory;
  std::ofstream(directory.path() + "/file") << "x";
  const std::string below = directory.path() + "/file/log";
  const absl::Status status = OpenEmbedded(below).status();
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.ToString().find(below), std::string::npos) << status;

  const std::string damaged = directory.path() + "/damaged";
  { ASSERT_TRUE(OpenEmbedded(damaged).ok()); }
  for (const auto& entry : std::filesystem::directory_iterator(damaged)) {
    if (entry.path().filename().string().starts_with("MANIFEST")) std::ofstream(entry.path()) << "not a manifest at all";
  }
  const absl::Status broken = OpenEmbedded(damaged).status();
  EXPECT_FALSE(broken.ok());
  EXPECT_EQ(base::ReactionOf(broken), Reaction::kFatal) << broken;
  EXPECT_NE(broken.ToString().find(damaged), std::string::npos) << broken;
}

// Goal: DeleteRecords survives a restart, also when it leaves nothing, and the offsets go on from where they were.
TEST(EmbeddedLogTest, DeletedRecordsStayDeletedAndOffsetsGoOn) {
  TemporaryDirectory directory;
  {
    auto cluster = OpenEmbedded(directory.path());
    ASSERT_TRUE((*cluster)->admin().CreateTopics({TopicNamed("t", 2)}, 0).ok());
    auto producer = (*cluster)->NewProducer({});
    auto topic = (*producer)->Topic("t");
    for (int i = 0; i < 10; ++i) {
      ASSERT_TRUE((*producer)->Send(Record(*topic, 0, "k", "v")).ok());
      ASSERT_TRUE((*producer)->Send(Record(*topic, 1, "k", "v")).ok());
    }
    ASSERT_TRUE((*producer)->Flush(0).ok());
    ASSERT_TRUE((*cluster)->admin().DeleteRecords({{{"t", Partition{0}}, Offset{10}}, {{"t", Partition{1}}, Offset{4}}}, 0).ok());
    EXPECT_FALSE((*cluster)->admin().DeleteRecords({{{"t", Partition{0}}, Offset{11}}}, 0).ok());
  }
  auto cluster = OpenEmbedded(directory.path());
  auto empty = (*cluster)->admin().Offsets({"t", Partition{0}}, 0);
  EXPECT_EQ(empty->begin, Offset{10});
  EXPECT_EQ(empty->end, Offset{10});
  EXPECT_EQ(Contents(**cluster, "t", 1).size(), 6u);
  auto producer = (*cluster)->NewProducer({});
  auto topic = (*producer)->Topic("t");
  ASSERT_TRUE((*producer)->Send(Record(*topic, 0, "k", "next")).ok());
  ASSERT_TRUE((*producer)->Flush(0).ok());
  EXPECT_EQ((*producer)->LastDelivered(*topic, Partition{0}), Offset{10});
  EXPECT_EQ(Contents(**cluster, "t", 0), (std::vector<std::string>{"10 k=next"}));
}

// Goal: a topic that is deleted and made anew starts empty, also for a producer that knew the old one.
TEST(EmbeddedLogTest, ATopicMadeAnewIsEmpty) {
  auto cluster = OpenInMemory();
  ASSERT_TRUE((*cluster)->admin().CreateTopics({TopicNamed("t", 3)}, 0).ok());
  auto producer = (*cluster)->NewProducer({});
  auto topic = (*producer)->Topic("t");
  ASSERT_TRUE((*producer)->Send(Record(*topic, 2, "k", "old")).ok());
  ASSERT_TRUE((*producer)->Flush(0).ok());
  auto consumer = (*cluster)->NewConsumer({});
  ASSERT_TRUE((*consumer)->Assign({{{"t", Partition{0}}, Offset{0}}}).ok());
  ASSERT_TRUE((*cluster)->admin().DeleteTopics({"t"}, 0).ok());
  RecordBatch batch;
  EXPECT_EQ(base::ReactionOf((*consumer)->Poll(batch, 0)), Reaction::kFatal);
  ASSERT_TRUE((*cluster)->admin().CreateTopics({TopicNamed("t", 1)}, 0).ok());
  EXPECT_EQ((*producer)->PartitionCount(*topic).value(), 1);
  ASSERT_TRUE((*producer)->Send(Record(*topic, 0, "k", "new")).ok());
  ASSERT_TRUE((*producer)->Flush(0).ok());
  EXPECT_EQ(Contents(**cluster, "t", 0), (std::vector<std::string>{"0 k=new"}));
}

TEST(EmbeddedLogTest, RetentionDropsOldChunks) {
  constexpr int64_t kNow = 1'000'000'000;
  base::ManualClock clock(kNow);
  TemporaryDirectory directory;
  for (bool durable : {false, true}) {
    auto cluster = WithClock(durable ? *OpenRocksStorage(directory.path()) : NewMemoryStorage(), clock);
    ASSERT_TRUE(cluster->admin().CreateTopics({TopicNamed("kept", 1), TopicNamed("t", 1, {{"retention.ms", "60000"}})}, 0).ok());
    auto producer = cluster->NewProducer({});
    for (const char* name : {"t", "kept"}) {
      auto topic = (*producer)->Topic(name);
      for (int64_t age_ms : {90'000, 70'000, 65'000, 50'000, 0}) {
        ASSERT_TRUE((*producer)->Send(Record(*topic, 0, "k", std::to_string(age_ms), kNow - age_ms)).ok());
        ASSERT_TRUE((*producer)->Flush(0).ok());
      }
    }
    ASSERT_TRUE(cluster->engine().ApplyRetention().ok());
    EXPECT_EQ(Contents(*cluster, "t", 0), (std::vector<std::string>{"3 k=50000", "4 k=0"}));
    EXPECT_EQ(Contents(*cluster, "kept", 0).size(), 5u);
    EXPECT_EQ(cluster->admin().Offsets({"t", Partition{0}}, 0)->begin, Offset{3});
  }
}

// Goal: compaction keeps the last value per key with its offset, young tombstones, records without a key and the newest
// chunk; a reader in the middle goes on.
TEST(EmbeddedLogTest, CompactionKeepsTheLastValuePerKey) {
  constexpr int64_t kNow = 1'000'000'000;
  constexpr int64_t kDay = 86'400'000;
  base::ManualClock clock(kNow);
  TemporaryDirectory directory;
  for (bool durable : {false, true}) {
    auto cluster = WithClock(durable ? *OpenRocksStorage(directory.path()) : NewMemoryStorage(), clock);
    ASSERT_TRUE(cluster->admin().CreateTopics({TopicNamed("t", 1, {{"cleanup.policy", "compact"}})}, 0).ok());
    auto producer = cluster->NewProducer({});
    auto topic = (*producer)->Topic("t");
    auto send = [&](std::string_view key, std::string_view value) {
      ASSERT_TRUE((*producer)->Send(Record(*topic, 0, key, value, kNow)).ok());
      ASSERT_TRUE((*producer)->Flush(0).ok());
    };
    auto send_null = [&](std::string_view key, int64_t time_ms) {
      OutgoingRecord record = Record(*topic, 0, key, "", time_ms);
      record.value = NullableBytes();
      ASSERT_TRUE((*producer)->Send(record).ok());
      ASSERT_TRUE((*producer)->Flush(0).ok());
    };
    send("a", "1");                     // 0, superseded
    send("b", "1");                     // 1, superseded
    send("a", "2");                     // 2
    send_null("gone", kNow - 2 * kDay); // 3, an old tombstone
    send_null("b", kNow);               // 4, a young tombstone
    send("c", "1");                     // 5, superseded by the newest chunk
    send("c", "2");                     // 6
    auto consumer = cluster->NewConsumer({});
    ASSERT_TRUE((*consumer)->Assign({{{"t", Partition{0}}, Offset{1}}}).ok());
    ASSERT_TRUE(cluster->engine().Compact(/*force=*/true).ok());
    EXPECT_EQ(Contents(*cluster, "t", 0), (std::vector<std::string>{"2 a=2", "4 b=(null)", "6 c=2"}));
    RecordBatch batch;
    ASSERT_TRUE((*consumer)->Poll(batch, 0).ok());
    ASSERT_EQ(batch.records().size(), 3u);
    EXPECT_EQ(batch.records()[0].offset, Offset{2});
    send("a", "3");  // 7
    ASSERT_TRUE(cluster->engine().Compact(/*force=*/true).ok());
    EXPECT_EQ(Contents(*cluster, "t", 0), (std::vector<std::string>{"4 b=(null)", "6 c=2", "7 a=3"}));
  }
}

// Goal: compaction of many chunks gives the same as a map, in both storages, also after a restart.
TEST(EmbeddedLogTest, CompactionOfManyChunksMatchesAMap) {
  TemporaryDirectory directory;
  std::map<std::string, std::string> expected;
  {
    auto cluster = WithClock(*OpenRocksStorage(directory.path()), base::SystemClock());
    ASSERT_TRUE(cluster->admin().CreateTopics({TopicNamed("t", 1, {{"cleanup.policy", "compact"}})}, 0).ok());
    auto producer = cluster->NewProducer({});
    auto topic = (*producer)->Topic("t");
    const std::string padding(200, 'x');
    for (int i = 0; i < 60'000; ++i) {
      const std::string key = std::to_string(i * 7919 % 5'000);
      const std::string value = std::to_string(i) + padding;
      ASSERT_TRUE((*producer)->Send(Record(*topic, 0, key, value)).ok());
      expected[key] = value;
    }
    ASSERT_TRUE((*producer)->Flush(0).ok());
    ASSERT_TRUE(cluster->engine().Compact(/*force=*/true).ok());
  }
  auto cluster = OpenEmbedded(directory.path());
  const std::vector<std::string> contents = Contents(**cluster, "t", 0);
  EXPECT_LT(contents.size(), 2 * expected.size());
  std::map<std::string, std::string> found;
  for (const std::string& line : contents) {
    const size_t space = line.find(' ');
    const size_t equals = line.find('=');
    found[line.substr(space + 1, equals - space - 1)] = line.substr(equals + 1);
  }
  EXPECT_EQ(found, expected);
  EXPECT_EQ((*cluster)->admin().Offsets({"t", Partition{0}}, 0)->end, Offset{60'000});
}

TEST(EmbeddedLogTest, ATransactionBeyondItsBoundIsAborted) {
  auto cluster = OpenInMemory();
  ASSERT_TRUE((*cluster)->admin().CreateTopics({TopicNamed("t", 1)}, 0).ok());
  auto producer = (*cluster)->NewProducer({.client_id = "p", .transactional_id = "x"});
  ASSERT_TRUE((*producer)->InitTransactions(0).ok());
  auto topic = (*producer)->Topic("t");
  ASSERT_TRUE((*producer)->BeginTransaction().ok());
  const std::string value(1'000'000, 'x');
  absl::Status status;
  for (size_t sent = 0; status.ok() && sent <= base::limits::kLogTransactionBytesMax + value.size(); sent += value.size()) {
    status = (*producer)->Send(Record(*topic, 0, "k", value));
  }
  EXPECT_EQ(base::ReactionOf(status), Reaction::kAbortTransaction) << status;
  ASSERT_TRUE((*producer)->AbortTransaction().ok());
  ASSERT_TRUE((*producer)->BeginTransaction().ok());
  ASSERT_TRUE((*producer)->Send(Record(*topic, 0, "k", "small")).ok());
  ASSERT_TRUE((*producer)->CommitTransaction().ok());
  EXPECT_EQ(Contents(**cluster, "t", 0), (std::vector<std::string>{"0 k=small"}));
}

TEST(EmbeddedLogTest, ACommitUnderAStaleGenerationIsRefused) {
  auto cluster = OpenInMemory();
  ASSERT_TRUE((*cluster)->admin().CreateTopics({TopicNamed("t", 1)}, 0).ok());
  auto first = Join(**cluster, "g");
  const std::shared_ptr<const GroupMetadata> stale = first->CurrentGroupMetadata();
  first.reset();
  auto second = Join(**cluster, "g");
  auto producer = (*cluster)->NewProducer({.client_id = "p", .transactional_id = "x"});
  ASSERT_TRUE((*producer)->InitTransactions(0).ok());
  ASSERT_TRUE((*producer)->BeginTransaction().ok());
  const std::vector<OffsetToCommit> offsets = {{{"t", Partition{0}}, Offset{1}, ""}};
  const absl::Status status = (*producer)->SendOffsets(offsets, *stale);
  EXPECT_EQ(base::ReactionOf(status), Reaction::kAbortTransaction) << status;
  EXPECT_NE(status.ToString().find("generation 1"), std::string::npos) << status;
  ASSERT_TRUE((*producer)->AbortTransaction().ok());
  ASSERT_TRUE((*producer)->BeginTransaction().ok());
  ASSERT_TRUE((*producer)->SendOffsets(offsets, *second->CurrentGroupMetadata()).ok());
  EXPECT_TRUE((*producer)->CommitTransaction().ok());
}

TEST(EmbeddedLogTest, AnotherMemberOfTheGroupIsRefused) {
  auto cluster = OpenInMemory();
  auto first = Join(**cluster, "g");
  MembershipOptions options;
  options.group = "g";
  options.instance_id = "two";
  auto second = (*cluster)->NewMembership(options);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(base::ReactionOf(second.status()), Reaction::kFatal);
  EXPECT_NE(second.status().ToString().find("one member"), std::string::npos);
  first.reset();
  EXPECT_TRUE((*cluster)->NewMembership(options).ok());
}

}  // namespace
}  // namespace tailrace::kafka::embedded
