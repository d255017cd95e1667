#include "cluster_conformance.h"

#include <atomic>
#include <chrono>
#include <set>
#include <thread>

#include "tailrace/base/clock.h"
#include "tailrace/base/limits.h"
#include "tailrace/base/murmur2.h"
#include "tailrace/base/random.h"
#include "tailrace/kafka/group_admin.h"

namespace tailrace::kafka::conformance {
namespace {

using base::Offset;
using base::Partition;
using base::Reaction;
using base::TopicPartition;

constexpr int kTimeoutMs = 10'000;
// Milliseconds since the epoch in 2026, so that no default retention touches the records at once.
constexpr int64_t kTime = 1'790'000'000'000;

int64_t NowMs() { return base::SystemClock().SteadyMs(); }

OwnedRecord Own(const RecordBatch& batch, const RecordView& view) {
  OwnedRecord record;
  record.source = view.source;
  record.offset = view.offset.value();
  record.timestamp_ms = view.timestamp_ms;
  if (!view.key.is_null()) record.key = std::string(view.key.view());
  if (!view.value.is_null()) record.value = std::string(view.value.view());
  record.headers = batch.HeadersOf(view);
  return record;
}

OutgoingRecord Outgoing(TopicHandle topic, int32_t partition, std::string_view key, std::string_view value, int64_t time = kTime) {
  OutgoingRecord record;
  record.topic = topic;
  record.partition = Partition{partition};
  record.key = key;
  record.value = value;
  record.timestamp_ms = time;
  return record;
}

}  // namespace

void ClusterConformance::SetUp() {
  auto cluster = GetParam().open();
  ASSERT_TRUE(cluster.ok()) << cluster.status();
  cluster_ = *std::move(cluster);
}

std::string ClusterConformance::Unique(const std::string& prefix) const {
  static const uint64_t seed = base::EntropySeed();
  static std::atomic<int> next{0};
  return prefix + "-" + std::to_string(seed % 1'000'000) + "-" + std::to_string(++next);
}

std::string ClusterConformance::MakeTopic(int32_t partitions, std::map<std::string, std::string> config) {
  NewTopic topic;
  topic.name = Unique("topic");
  topic.partition_count = partitions;
  topic.config = std::move(config);
  const absl::Status status = cluster_->admin().CreateTopics({topic}, kTimeoutMs);
  EXPECT_TRUE(status.ok()) << status;
  return topic.name;
}

std::unique_ptr<Producer> ClusterConformance::MakeProducer(const std::string& transactional_id) {
  auto producer = cluster_->NewProducer({.client_id = "test", .transactional_id = transactional_id});
  EXPECT_TRUE(producer.ok()) << producer.status();
  if (!transactional_id.empty()) {
    const absl::Status status = (*producer)->InitTransactions(kTimeoutMs);
    EXPECT_TRUE(status.ok()) << status;
  }
  return *std::move(producer);
}

std::unique_ptr<Consumer> ClusterConformance::MakeConsumer(bool read_committed) {
  auto consumer = cluster_->NewConsumer({.client_id = "test", .read_committed = read_committed});
  EXPECT_TRUE(consumer.ok()) << consumer.status();
  return *std::move(consumer);
}

std::vector<OwnedRecord> ClusterConformance::Read(Consumer& consumer, size_t count) {
  std::vector<OwnedRecord> records;
  RecordBatch batch;
  const int64_t deadline = NowMs() + kTimeoutMs;
  while (records.size() < count && NowMs() < deadline) {
    const absl::Status status = consumer.Poll(batch, 100);
    EXPECT_TRUE(status.ok()) << status;
    for (const RecordView& view : batch.records()) records.push_back(Own(batch, view));
  }
  EXPECT_EQ(records.size(), count);
  return records;
}

std::vector<OwnedRecord> ClusterConformance::ReadAll(const std::string& topic, int32_t partition, size_t count) {
  auto consumer = MakeConsumer();
  EXPECT_TRUE(consumer->Assign({{{topic, Partition{partition}}, base::kOffsetBeginning}}).ok());
  return Read(*consumer, count);
}

std::unique_ptr<Membership> ClusterConformance::Join(const std::string& group, MembershipEvent& event) {
  NewTopic coordination;
  coordination.name = group + "-coordination";
  coordination.config = {{"cleanup.policy", "compact"}};
  EXPECT_TRUE(cluster_->admin().CreateTopics({coordination}, kTimeoutMs).ok());
  MembershipOptions options;
  options.group = group;
  options.coordination_topic = coordination.name;
  options.instance_id = "instance-1";
  auto membership = cluster_->NewMembership(options);
  EXPECT_TRUE(membership.ok()) << membership.status();
  const int64_t deadline = NowMs() + 2 * kTimeoutMs;
  while (NowMs() < deadline) {
    auto polled = (*membership)->Poll(100);
    EXPECT_TRUE(polled.ok()) << polled.status();
    if (polled.ok() && polled->has_value() && (*polled)->kind == MembershipEventKind::kJoined) {
      event = **polled;
      return *std::move(membership);
    }
  }
  ADD_FAILURE() << "did not join " << group;
  return *std::move(membership);
}

// Goal: topics are made once, with their configuration, and what does not exist is said to be absent.
TEST_P(ClusterConformance, TopicsAreCreatedOnceAndDescribed) {
  const std::string name = MakeTopic(3, {{"cleanup.policy", "compact"}, {"retention.ms", "123456"}});
  NewTopic again;
  again.name = name;
  again.partition_count = 7;
  EXPECT_TRUE(cluster_->admin().CreateTopics({again}, kTimeoutMs).ok());
  auto described = cluster_->admin().DescribeTopic(name, kTimeoutMs);
  ASSERT_TRUE(described.ok()) << described.status();
  ASSERT_TRUE(described->has_value());
  EXPECT_EQ((*described)->partition_count, 3);
  EXPECT_EQ((*described)->config["cleanup.policy"], "compact");
  EXPECT_EQ((*described)->config["retention.ms"], "123456");

  auto absent = cluster_->admin().DescribeTopic(Unique("absent"), kTimeoutMs);
  ASSERT_TRUE(absent.ok()) << absent.status();
  EXPECT_FALSE(absent->has_value());

  auto topics = cluster_->admin().ListTopics(kTimeoutMs);
  ASSERT_TRUE(topics.ok()) << topics.status();
  std::set<std::string> names;
  for (const TopicDescription& topic : *topics) names.insert(topic.name);
  EXPECT_TRUE(names.contains(name));

  ASSERT_TRUE(cluster_->admin().DeleteTopics({name}, kTimeoutMs).ok());
  const int64_t deadline = NowMs() + kTimeoutMs;
  bool gone = false;
  while (!gone && NowMs() < deadline) {
    described = cluster_->admin().DescribeTopic(name, kTimeoutMs);
    gone = described.ok() && !described->has_value();
  }
  EXPECT_TRUE(gone);
}

TEST_P(ClusterConformance, AProducerReportsAnAbsentTopic) {
  auto producer = MakeProducer();
  auto handle = producer->Topic(Unique("absent"));
  ASSERT_TRUE(handle.ok());
  auto count = producer->PartitionCount(*handle);
  ASSERT_FALSE(count.ok());
  EXPECT_EQ(count.status().code(), absl::StatusCode::kNotFound) << count.status();
  EXPECT_EQ(base::ReactionOf(count.status()), Reaction::kFatal);
}

// Goal: everything of a record survives; null and empty stay apart; order and offsets are those of sending.
TEST_P(ClusterConformance, RecordsComeBackAsTheyWereSent) {
  const std::string topic = MakeTopic(2);
  auto producer = MakeProducer();
  auto handle = producer->Topic(topic);
  ASSERT_TRUE(handle.ok());
  const Headers headers = {{"a", "1"}, {"empty", ""}, {"null", std::nullopt}, {"a", "2"}};
  OutgoingRecord record = Outgoing(*handle, 1, "k", "v", kTime + 5);
  record.headers = &headers;
  ASSERT_TRUE(producer->Send(record).ok());
  record = Outgoing(*handle, 1, "", "", kTime + 4);
  ASSERT_TRUE(producer->Send(record).ok());
  record = Outgoing(*handle, 1, "", "", kTime + 3);
  record.key = NullableBytes();
  record.value = NullableBytes();
  ASSERT_TRUE(producer->Send(record).ok());
  const absl::Status flushed = producer->Flush(kTimeoutMs);
  ASSERT_TRUE(flushed.ok()) << flushed;
  EXPECT_EQ(producer->LastDelivered(*handle, Partition{1}), Offset{2});
  EXPECT_EQ(producer->LastDelivered(*handle, Partition{0}), base::kOffsetUnknown);

  const std::vector<OwnedRecord> records = ReadAll(topic, 1, 3);
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[0].offset, 0);
  EXPECT_EQ(records[0].key, "k");
  EXPECT_EQ(records[0].value, "v");
  EXPECT_EQ(records[0].timestamp_ms, kTime + 5);
  EXPECT_EQ(records[0].headers, headers);
  EXPECT_EQ(records[1].offset, 1);
  EXPECT_EQ(records[1].key, "");
  EXPECT_EQ(records[1].value, "");
  EXPECT_TRUE(records[1].headers.empty());
  EXPECT_EQ(records[2].offset, 2);
  EXPECT_EQ(records[2].key, std::nullopt);
  EXPECT_EQ(records[2].value, std::nullopt);
  EXPECT_EQ(records[2].timestamp_ms, kTime + 3);
}

// Goal: a C++ producer puts a key where a Java producer does; keys without a partition are spread, not lost.
TEST_P(ClusterConformance, KeysGoToTheirMurmur2Partition) {
  constexpr int32_t kPartitions = 12;
  const std::string topic = MakeTopic(kPartitions);
  auto producer = MakeProducer();
  auto handle = producer->Topic(topic);
  ASSERT_TRUE(handle.ok());
  const std::vector<std::string> keys = {"alice", "foobar", "21", "a-little-bit-long-string", "abc", ""};
  for (const std::string& key : keys) {
    OutgoingRecord record = Outgoing(*handle, 0, key, key);
    record.partition.reset();
    ASSERT_TRUE(producer->Send(record).ok());
  }
  ASSERT_TRUE(producer->Flush(kTimeoutMs).ok());
  std::vector<AssignedPartition> all;
  for (int32_t i = 0; i < kPartitions; ++i) all.push_back({{topic, Partition{i}}, base::kOffsetBeginning});
  auto consumer = MakeConsumer();
  ASSERT_TRUE(consumer->Assign(all).ok());
  for (const OwnedRecord& record : Read(*consumer, keys.size())) {
    EXPECT_EQ(record.source, base::PartitionForKey(*record.key, kPartitions).value()) << *record.key;
    if (record.key == "alice") {
      EXPECT_EQ(record.source, 9);
    }
  }
}

// Goal: many records arrive complete and in order, in batches within the bound, also when the read begins in the middle.
TEST_P(ClusterConformance, ManyRecordsKeepTheirOrder) {
  constexpr int kCount = 40'000;
  constexpr int kFrom = 12'345;
  const std::string topic = MakeTopic(1);
  auto producer = MakeProducer();
  auto handle = producer->Topic(topic);
  ASSERT_TRUE(handle.ok());
  for (int i = 0; i < kCount; ++i) {
    const std::string number = std::to_string(i);
    ASSERT_TRUE(producer->Send(Outgoing(*handle, 0, number, number)).ok());
  }
  ASSERT_TRUE(producer->Flush(kTimeoutMs).ok());
  EXPECT_EQ(producer->LastDelivered(*handle, Partition{0}), Offset{kCount - 1});

  auto consumer = MakeConsumer();
  ASSERT_TRUE(consumer->Assign({{{topic, Partition{0}}, Offset{kFrom}}}).ok());
  RecordBatch batch;
  int64_t next = kFrom;
  const int64_t deadline = NowMs() + 3 * kTimeoutMs;
  while (next < kCount && NowMs() < deadline) {
    ASSERT_TRUE(consumer->Poll(batch, 100).ok());
    ASSERT_LE(batch.records().size(), static_cast<size_t>(base::limits::kPollRecordsMax));
    for (const RecordView& record : batch.records()) {
      ASSERT_EQ(record.offset, Offset{next});
      ASSERT_EQ(record.value.view(), std::to_string(next));
      ++next;
    }
    if (!batch.empty()) {
      ASSERT_EQ(consumer->Position(0), Offset{next});
    }
  }
  EXPECT_EQ(next, kCount);
  EXPECT_EQ(consumer->KnownEnd(0), Offset{kCount});
}

// Goal: a waiting Poll returns soon after records arrive, not at the end of its time.
TEST_P(ClusterConformance, AWaitingPollWakesUp) {
  const std::string topic = MakeTopic(1);
  auto consumer = MakeConsumer();
  ASSERT_TRUE(consumer->Assign({{{topic, Partition{0}}, base::kOffsetBeginning}}).ok());
  RecordBatch batch;
  ASSERT_TRUE(consumer->Poll(batch, 200).ok());
  EXPECT_TRUE(batch.empty());
  std::thread sender([&] {
    auto producer = MakeProducer();
    auto handle = producer->Topic(topic);
    ASSERT_TRUE(handle.ok());
    ASSERT_TRUE(producer->Send(Outgoing(*handle, 0, "k", "v")).ok());
    ASSERT_TRUE(producer->Flush(kTimeoutMs).ok());
  });
  const int64_t start = NowMs();
  while (batch.empty() && NowMs() - start < kTimeoutMs) ASSERT_TRUE(consumer->Poll(batch, kTimeoutMs).ok());
  EXPECT_LT(NowMs() - start, 5'000);
  EXPECT_EQ(batch.records().size(), 1u);
  sender.join();
}

// Goal: records that nobody flushes still arrive: a producer delivers in the background.
TEST_P(ClusterConformance, SendDeliversWithoutFlush) {
  const std::string topic = MakeTopic(1);
  auto producer = MakeProducer();
  auto handle = producer->Topic(topic);
  ASSERT_TRUE(handle.ok());
  ASSERT_TRUE(producer->Send(Outgoing(*handle, 0, "k", "v")).ok());
  EXPECT_EQ(ReadAll(topic, 0, 1).size(), 1u);
}

// Goal: after a reassignment no record of the old assignment is delivered, and sources are the new indices.
TEST_P(ClusterConformance, AReassignmentForgetsTheOldPartitions) {
  const std::string topic = MakeTopic(2);
  auto producer = MakeProducer();
  auto handle = producer->Topic(topic);
  ASSERT_TRUE(handle.ok());
  const std::string filler(100, 'x');
  for (int i = 0; i < 20'000; ++i) {
    ASSERT_TRUE(producer->Send(Outgoing(*handle, 0, "p0", filler)).ok());
    if (i < 100) {
      ASSERT_TRUE(producer->Send(Outgoing(*handle, 1, "p1", filler)).ok());
    }
  }
  ASSERT_TRUE(producer->Flush(kTimeoutMs).ok());
  auto consumer = MakeConsumer();
  for (int round = 0; round < 5; ++round) {
    ASSERT_TRUE(consumer->Assign({{{topic, Partition{0}}, base::kOffsetBeginning}}).ok());
    RecordBatch batch;
    const int64_t deadline = NowMs() + kTimeoutMs;
    while (batch.empty() && NowMs() < deadline) ASSERT_TRUE(consumer->Poll(batch, 100).ok());
    ASSERT_TRUE(consumer->Assign({{{topic, Partition{1}}, Offset{10}}}).ok());
    const std::vector<OwnedRecord> records = Read(*consumer, 90);
    ASSERT_EQ(records.size(), 90u);
    for (size_t i = 0; i < records.size(); ++i) {
      ASSERT_EQ(records[i].key, "p1");
      ASSERT_EQ(records[i].source, 0);
      ASSERT_EQ(records[i].offset, static_cast<int64_t>(10 + i));
    }
  }
}

TEST_P(ClusterConformance, APausedPartitionIsSilentAndGoesOn) {
  const std::string topic = MakeTopic(2);
  auto producer = MakeProducer();
  auto handle = producer->Topic(topic);
  ASSERT_TRUE(handle.ok());
  auto consumer = MakeConsumer();
  ASSERT_TRUE(consumer->Assign({{{topic, Partition{0}}, base::kOffsetBeginning}, {{topic, Partition{1}}, base::kOffsetBeginning}}).ok());
  const std::vector<int32_t> first = {0};
  ASSERT_TRUE(consumer->Pause(first).ok());
  ASSERT_TRUE(producer->Send(Outgoing(*handle, 0, "a", "0")).ok());
  ASSERT_TRUE(producer->Send(Outgoing(*handle, 1, "b", "0")).ok());
  ASSERT_TRUE(producer->Flush(kTimeoutMs).ok());
  const std::vector<OwnedRecord> unpaused = Read(*consumer, 1);
  ASSERT_EQ(unpaused.size(), 1u);
  EXPECT_EQ(unpaused[0].source, 1);
  RecordBatch batch;
  ASSERT_TRUE(consumer->Poll(batch, 300).ok());
  EXPECT_TRUE(batch.empty());
  ASSERT_TRUE(consumer->Resume(first).ok());
  const std::vector<OwnedRecord> resumed = Read(*consumer, 1);
  ASSERT_EQ(resumed.size(), 1u);
  EXPECT_EQ(resumed[0].source, 0);
  EXPECT_EQ(resumed[0].offset, 0);
}

// Goal: nothing is lost or repeated when a partition stays paused while far more arrives than is kept for it.
// Method: the partition's end is reached first, since that notice is part of what the client counts.
TEST_P(ClusterConformance, APausedPartitionKeepsEveryRecord) {
  constexpr int kCount = 50'000;
  const std::string topic = MakeTopic(2);
  auto producer = MakeProducer();
  auto handle = producer->Topic(topic);
  ASSERT_TRUE(handle.ok());
  auto consumer = MakeConsumer();
  ASSERT_TRUE(consumer->Assign({{{topic, Partition{0}}, Offset{0}}, {{topic, Partition{1}}, Offset{0}}}).ok());
  RecordBatch batch;
  ASSERT_TRUE(consumer->Poll(batch, 300).ok());
  const std::vector<int32_t> first = {0};
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(consumer->Pause(first).ok());
    for (int i = 0; i < kCount; ++i) ASSERT_TRUE(producer->Send(Outgoing(*handle, 0, "k", std::to_string(i))).ok());
    ASSERT_TRUE(producer->Send(Outgoing(*handle, 1, "k", "other")).ok());
    ASSERT_TRUE(producer->Flush(kTimeoutMs).ok());
    ASSERT_EQ(Read(*consumer, 1).size(), 1u);
    for (int i = 0; i < 10; ++i) {
      ASSERT_TRUE(consumer->Poll(batch, 50).ok());
      ASSERT_TRUE(batch.empty());
    }
    ASSERT_TRUE(consumer->Resume(first).ok());
    const std::vector<OwnedRecord> records = Read(*consumer, kCount);
    ASSERT_EQ(records.size(), static_cast<size_t>(kCount));
    for (size_t i = 0; i < records.size(); ++i) ASSERT_EQ(records[i].value, std::to_string(i));
    ASSERT_TRUE(consumer->Poll(batch, 300).ok());
    ASSERT_TRUE(batch.empty());
    EXPECT_EQ(consumer->Position(0), Offset{(round + 1) * kCount});
  }
}

// Goal: deleted records are gone, and a reader that is behind them learns it once, as a corrupted task, with the range.
TEST_P(ClusterConformance, ReadingDeletedRecordsIsReported) {
  const std::string topic = MakeTopic(2);
  const TopicPartition partition{topic, Partition{0}};
  auto producer = MakeProducer();
  auto handle = producer->Topic(topic);
  ASSERT_TRUE(handle.ok());
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(producer->Send(Outgoing(*handle, 0, "k", std::to_string(i))).ok());
  ASSERT_TRUE(producer->Send(Outgoing(*handle, 1, "k", "other")).ok());
  ASSERT_TRUE(producer->Flush(kTimeoutMs).ok());
  const absl::Status deleted = cluster_->admin().DeleteRecords({{partition, Offset{4}}}, kTimeoutMs);
  ASSERT_TRUE(deleted.ok()) << deleted;
  auto range = cluster_->admin().Offsets(partition, kTimeoutMs);
  ASSERT_TRUE(range.ok()) << range.status();
  EXPECT_EQ(range->begin, Offset{4});
  EXPECT_EQ(range->end, Offset{10});
  const std::vector<OwnedRecord> left = ReadAll(topic, 0, 6);
  ASSERT_EQ(left.size(), 6u);
  EXPECT_EQ(left[0].offset, 4);

  for (const Offset start : {Offset{2}, Offset{99}}) {
    auto consumer = MakeConsumer();
    ASSERT_TRUE(consumer->Assign({{partition, start}, {{topic, Partition{1}}, Offset{0}}}).ok());
    int errors = 0;
    size_t others = 0;
    RecordBatch batch;
    const int64_t until = NowMs() + 3'000;
    while (NowMs() < until && (errors == 0 || others == 0)) {
      const absl::Status status = consumer->Poll(batch, 100);
      for (const RecordView& record : batch.records()) {
        EXPECT_EQ(record.source, 1);
        ++others;
      }
      if (status.ok()) continue;
      ++errors;
      EXPECT_EQ(base::ReactionOf(status), Reaction::kTaskCorrupted) << status;
      EXPECT_NE(status.ToString().find(partition.ToString()), std::string::npos) << status;
      EXPECT_NE(status.ToString().find(std::to_string(start.value())), std::string::npos) << status;
    }
    EXPECT_EQ(errors, 1);
    EXPECT_EQ(others, 1u);
    ASSERT_TRUE(consumer->Poll(batch, 300).ok());
  }
}

TEST_P(ClusterConformance, OffsetsAreFoundByTime) {
  const std::string topic = MakeTopic(1);
  const TopicPartition partition{topic, Partition{0}};
  auto producer = MakeProducer();
  auto handle = producer->Topic(topic);
  ASSERT_TRUE(handle.ok());
  for (const int64_t delta : {10, 30, 20, 40}) {
    ASSERT_TRUE(producer->Send(Outgoing(*handle, 0, "k", "v", kTime + delta)).ok());
    ASSERT_TRUE(producer->Flush(kTimeoutMs).ok());
  }
  const std::vector<std::pair<int64_t, int64_t>> expected = {{0, 0}, {10, 0}, {11, 1}, {30, 1}, {31, 3}, {41, 4}};
  for (const auto& [delta, offset] : expected) {
    auto found = cluster_->admin().OffsetForTime(partition, kTime + delta, kTimeoutMs);
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_EQ(*found, Offset{offset}) << "at +" << delta;
  }
}

TEST_P(ClusterConformance, ARecordTooLargeIsSkippable) {
  const std::string topic = MakeTopic(1);
  auto producer = MakeProducer();
  auto handle = producer->Topic(topic);
  ASSERT_TRUE(handle.ok());
  const std::string value(20u << 20, 'x');
  const absl::Status status = producer->Send(Outgoing(*handle, 0, "k", value));
  EXPECT_EQ(base::ReactionOf(status), Reaction::kSkipRecord) << status;
  ASSERT_TRUE(producer->Send(Outgoing(*handle, 0, "k", "small")).ok());
  EXPECT_TRUE(producer->Flush(kTimeoutMs).ok());
}

// Goal: records and offsets of a transaction appear together at its commit; an abort leaves nothing of either.
// Method: two partitions and a group's offset; read with read_committed before, after commit, after abort.
TEST_P(ClusterConformance, TransactionsAreAtomic) {
  const std::string topic = MakeTopic(2);
  const std::string group = Unique("group");
  const std::vector<TopicPartition> inputs = {{topic, Partition{0}}, {topic, Partition{1}}};
  MembershipEvent joined;
  auto membership = Join(group, joined);
  auto producer = MakeProducer(Unique("txn"));
  auto handle = producer->Topic(topic);
  ASSERT_TRUE(handle.ok());
  auto consumer = MakeConsumer();
  ASSERT_TRUE(consumer->Assign({{inputs[0], Offset{0}}, {inputs[1], Offset{0}}}).ok());
  const std::vector<OffsetToCommit> offsets = {{inputs[1], Offset{7}, "AgAAAAAAAO8y"}};

  // An aborted transaction.
  ASSERT_TRUE(producer->BeginTransaction().ok());
  ASSERT_TRUE(producer->Send(Outgoing(*handle, 0, "aborted", "v")).ok());
  absl::Status status = producer->SendOffsets(offsets, *membership->CurrentGroupMetadata());
  ASSERT_TRUE(status.ok()) << status;
  ASSERT_TRUE(producer->Flush(kTimeoutMs).ok());
  status = producer->AbortTransaction();
  ASSERT_TRUE(status.ok()) << status;
  auto committed = membership->Committed(inputs, kTimeoutMs);
  ASSERT_TRUE(committed.ok()) << committed.status();
  ASSERT_EQ(committed->size(), 2u);
  EXPECT_EQ((*committed)[1].offset, base::kOffsetUnknown);

  // An open one shows nothing.
  ASSERT_TRUE(producer->BeginTransaction().ok());
  ASSERT_TRUE(producer->Send(Outgoing(*handle, 0, "committed", "v0")).ok());
  ASSERT_TRUE(producer->Send(Outgoing(*handle, 1, "committed", "v1")).ok());
  status = producer->SendOffsets(offsets, *membership->CurrentGroupMetadata());
  ASSERT_TRUE(status.ok()) << status;
  ASSERT_TRUE(producer->Flush(kTimeoutMs).ok());
  RecordBatch batch;
  ASSERT_TRUE(consumer->Poll(batch, 300).ok());
  EXPECT_TRUE(batch.empty());

  // Committed, it shows everything.
  status = producer->CommitTransaction();
  ASSERT_TRUE(status.ok()) << status;
  const Offset delivered = producer->LastDelivered(*handle, Partition{0});
  const std::vector<OwnedRecord> records = Read(*consumer, 2);
  ASSERT_EQ(records.size(), 2u);
  for (const OwnedRecord& record : records) {
    EXPECT_EQ(record.key, "committed");
    EXPECT_EQ(record.value, "v" + std::to_string(record.source));
    if (record.source == 0) {
      EXPECT_EQ(Offset{record.offset}, delivered);
    }
  }
  committed = membership->Committed(inputs, kTimeoutMs);
  ASSERT_TRUE(committed.ok()) << committed.status();
  EXPECT_EQ((*committed)[0].offset, base::kOffsetUnknown);
  EXPECT_EQ((*committed)[0].partition, inputs[0]);
  EXPECT_EQ((*committed)[1].offset, Offset{7});
  EXPECT_EQ((*committed)[1].metadata, "AgAAAAAAAO8y");

  // The position passes what is not a record, so that "read up to the end" can be known.
  auto range = consumer->QueryOffsets(inputs[0], kTimeoutMs);
  ASSERT_TRUE(range.ok()) << range.status();
  const int64_t deadline = NowMs() + kTimeoutMs;
  while (consumer->Position(0) != range->end && NowMs() < deadline) ASSERT_TRUE(consumer->Poll(batch, 100).ok());
  EXPECT_EQ(consumer->Position(0), range->end);
}

// Goal: a newer producer of the same transactional id ends the older one and its open transaction.
TEST_P(ClusterConformance, ANewProducerFencesTheOld) {
  const std::string topic = MakeTopic(1);
  const std::string id = Unique("txn");
  auto old_producer = MakeProducer(id);
  auto old_handle = old_producer->Topic(topic);
  ASSERT_TRUE(old_producer->BeginTransaction().ok());
  ASSERT_TRUE(old_producer->Send(Outgoing(*old_handle, 0, "old", "v")).ok());
  ASSERT_TRUE(old_producer->Flush(kTimeoutMs).ok());

  auto new_producer = MakeProducer(id);
  auto new_handle = new_producer->Topic(topic);
  absl::Status status = old_producer->CommitTransaction();
  EXPECT_EQ(base::ReactionOf(status), Reaction::kTaskMigrated) << status;
  ASSERT_TRUE(new_producer->BeginTransaction().ok());
  ASSERT_TRUE(new_producer->Send(Outgoing(*new_handle, 0, "new", "v")).ok());
  status = new_producer->CommitTransaction();
  ASSERT_TRUE(status.ok()) << status;
  const std::vector<OwnedRecord> records = ReadAll(topic, 0, 1);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].key, "new");
}

// Goal: an empty transaction, and one with offsets only, commit.
TEST_P(ClusterConformance, TransactionsWithoutRecordsCommit) {
  const std::string topic = MakeTopic(1);
  MembershipEvent joined;
  auto membership = Join(Unique("group"), joined);
  auto producer = MakeProducer(Unique("txn"));
  ASSERT_TRUE(producer->BeginTransaction().ok());
  absl::Status status = producer->CommitTransaction();
  ASSERT_TRUE(status.ok()) << status;
  ASSERT_TRUE(producer->BeginTransaction().ok());
  const std::vector<OffsetToCommit> offsets = {{{topic, Partition{0}}, Offset{3}, ""}};
  ASSERT_TRUE(producer->SendOffsets(offsets, *membership->CurrentGroupMetadata()).ok());
  status = producer->CommitTransaction();
  ASSERT_TRUE(status.ok()) << status;
  auto committed = membership->Committed(std::vector<TopicPartition>{{topic, Partition{0}}}, kTimeoutMs);
  ASSERT_TRUE(committed.ok()) << committed.status();
  EXPECT_EQ((*committed)[0].offset, Offset{3});
  EXPECT_EQ((*committed)[0].metadata, "");
}

// Goal: an operator sees, sets and forgets what a group has committed, as long as nobody is in it.
TEST_P(ClusterConformance, AGroupsOffsetsAreSetAndForgottenFromOutside) {
  const std::string topic = MakeTopic(2), group = Unique("group");
  GroupAdmin& groups = GroupsOf(*cluster_);
  EXPECT_TRUE(groups.GroupOffsets(group, kTimeoutMs)->empty());
  EXPECT_TRUE(groups.DeleteGroup(group, kTimeoutMs).ok()) << "there is none";
  const std::vector<OffsetToCommit> offsets = {{{topic, Partition(0)}, Offset(7), "meta=data"}, {{topic, Partition(1)}, Offset(0), ""}};
  const absl::Status set = groups.SetGroupOffsets(group, offsets, kTimeoutMs);
  ASSERT_TRUE(set.ok()) << set;
  const auto committed = groups.GroupOffsets(group, kTimeoutMs);
  ASSERT_TRUE(committed.ok()) << committed.status();
  std::map<TopicPartition, std::pair<int64_t, std::string>> found;
  for (const CommittedOffset& offset : *committed) found[offset.partition] = {offset.offset.value(), offset.metadata};
  const std::map<TopicPartition, std::pair<int64_t, std::string>> expected = {{{topic, Partition(0)}, {7, "meta=data"}},
                                                                              {{topic, Partition(1)}, {0, ""}}};
  EXPECT_EQ(found, expected);
  {
    MembershipEvent joined;
    const auto membership = Join(group, joined);
    const std::vector<TopicPartition> partitions = {{topic, Partition(0)}};
    EXPECT_EQ((*membership->Committed(partitions, kTimeoutMs))[0].metadata, "meta=data");
    EXPECT_EQ(groups.SetGroupOffsets(group, offsets, kTimeoutMs).code(), absl::StatusCode::kFailedPrecondition);
    const absl::Status refused = groups.DeleteGroup(group, kTimeoutMs);
    EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_NE(refused.message().find(group), absl::string_view::npos) << refused;
    EXPECT_EQ(groups.GroupOffsets(group, kTimeoutMs)->size(), 2u);
  }
  const std::string forgotten = Unique("group");
  ASSERT_TRUE(groups.SetGroupOffsets(forgotten, offsets, kTimeoutMs).ok());
  ASSERT_TRUE(groups.DeleteGroup(forgotten, kTimeoutMs).ok());
  EXPECT_TRUE(groups.GroupOffsets(forgotten, kTimeoutMs)->empty());
}

// Goal: a member that joins alone leads, is listed, and commits offsets with metadata without a transaction.
TEST_P(ClusterConformance, AMemberJoinsLeadsAndCommits) {
  const std::string topic = MakeTopic(1);
  const TopicPartition partition{topic, Partition{0}};
  MembershipEvent joined;
  auto membership = Join(Unique("group"), joined);
  EXPECT_TRUE(joined.leader);
  EXPECT_GE(joined.generation, 1);
  EXPECT_FALSE(joined.member_id.empty());
  ASSERT_NE(membership->CurrentGroupMetadata(), nullptr);

  auto members = membership->LiveMembers(kTimeoutMs);
  ASSERT_TRUE(members.ok()) << members.status();
  ASSERT_EQ(members->size(), 1u);
  EXPECT_EQ((*members)[0].member_id, joined.member_id);
  EXPECT_EQ((*members)[0].instance_id, "instance-1");

  const std::vector<OffsetToCommit> offsets = {{partition, Offset{42}, "metadata"}};
  const absl::Status status = membership->CommitOffsets(offsets, kTimeoutMs);
  ASSERT_TRUE(status.ok()) << status;
  auto committed = membership->Committed(std::vector<TopicPartition>{partition}, kTimeoutMs);
  ASSERT_TRUE(committed.ok()) << committed.status();
  EXPECT_EQ((*committed)[0].offset, Offset{42});
  EXPECT_EQ((*committed)[0].metadata, "metadata");
  EXPECT_TRUE(membership->Leave().ok());
}

// Goal: the second process with one instance id wins; the first learns that it has lost, and may not commit.
TEST_P(ClusterConformance, ATakenInstanceIdLosesTheMembership) {
  const std::string topic = MakeTopic(1);
  const std::string group = Unique("group");
  MembershipEvent first_joined;
  MembershipEvent second_joined;
  auto first = Join(group, first_joined);
  auto second = Join(group, second_joined);
  std::optional<MembershipEvent> lost;
  const int64_t deadline = NowMs() + 2 * kTimeoutMs;
  while (!lost && NowMs() < deadline) {
    auto polled = first->Poll(100);
    ASSERT_TRUE(polled.ok()) << polled.status();
    if (polled->has_value() && (*polled)->kind == MembershipEventKind::kLost) lost = **polled;
  }
  ASSERT_TRUE(lost.has_value());
  EXPECT_EQ(base::ReactionOf(lost->reason), Reaction::kFatal) << lost->reason;
  EXPECT_NE(lost->reason.ToString().find("instance-1"), std::string::npos) << lost->reason;
  const std::vector<OffsetToCommit> offsets = {{{topic, Partition{0}}, Offset{1}, ""}};
  const absl::Status refused = first->CommitOffsets(offsets, kTimeoutMs);
  EXPECT_FALSE(refused.ok());
  EXPECT_TRUE(base::ReactionOf(refused) == Reaction::kTaskMigrated || base::ReactionOf(refused) == Reaction::kFatal) << refused;
}

}  // namespace tailrace::kafka::conformance
