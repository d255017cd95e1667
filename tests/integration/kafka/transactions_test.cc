#include "test_cluster.h"

namespace tailrace::kafka {
namespace {

using base::Offset;
using base::Partition;
using base::Reaction;
using base::TopicPartition;

OutgoingRecord Record(TopicHandle topic, std::string_view key, std::string_view value) {
  OutgoingRecord record;
  record.topic = topic;
  record.partition = Partition{0};
  record.key = key;
  record.value = value;
  record.timestamp_ms = 1'790'000'000'000;
  return record;
}

// Goal: consume-transform-produce gives every record exactly once, although every third transaction is aborted and done again.
// Method: numbers 0..299 in transactions of ten; the output read with read_committed must be the same sequence.
TEST(TransactionsTest, ExactlyOnceThroughAborts) {
  constexpr int kCount = 300;
  constexpr int kPerTransaction = 10;
  std::unique_ptr<Cluster> cluster = ConnectToLocalBroker();
  const std::string group = UniqueName("eos");
  const std::string input = MakeTopic(*cluster, group + "-input", 1);
  const std::string output = MakeTopic(*cluster, group + "-output", 1);
  MakeTopic(*cluster, group + "-coordination", 1);
  const TopicPartition source{input, Partition{0}};
  {
    auto loader = cluster->NewProducer({.client_id = "loader", .transactional_id = {}});
    ASSERT_TRUE(loader.ok());
    auto topic = (*loader)->Topic(input);
    for (int i = 0; i < kCount; ++i) ASSERT_TRUE((*loader)->Send(Record(*topic, "k", std::to_string(i))).ok());
    ASSERT_TRUE((*loader)->Flush(kTimeoutMs).ok());
  }
  MembershipOptions options;
  options.group = group;
  options.coordination_topic = group + "-coordination";
  options.instance_id = "one";
  auto membership = cluster->NewMembership(options);
  ASSERT_TRUE(membership.ok());
  ASSERT_TRUE(WaitFor(**membership, MembershipEventKind::kJoined).has_value());
  auto producer = cluster->NewProducer({.client_id = "p", .transactional_id = group + "-txn"});
  ASSERT_TRUE(producer.ok());
  absl::Status status = (*producer)->InitTransactions(kTimeoutMs);
  ASSERT_TRUE(status.ok()) << status;
  auto topic = (*producer)->Topic(output);
  auto consumer = cluster->NewConsumer({.client_id = "c", .read_committed = true});
  ASSERT_TRUE(consumer.ok());

  const int64_t start = NowMs();
  int transactions = 0;
  while (NowMs() - start < 60'000) {
    auto committed = (*membership)->Committed(std::vector<TopicPartition>{source}, kTimeoutMs);
    ASSERT_TRUE(committed.ok()) << committed.status();
    const int64_t from = std::max<int64_t>((*committed)[0].offset.value(), 0);
    if (from == kCount) break;
    ASSERT_TRUE((*consumer)->Assign({{source, Offset{from}}}).ok());
    ASSERT_TRUE((*producer)->BeginTransaction().ok());
    RecordBatch batch;
    int sent = 0;
    while (sent < kPerTransaction) {
      ASSERT_TRUE((*consumer)->Poll(batch, 100).ok());
      for (const RecordView& record : batch.records()) {
        if (sent == kPerTransaction) break;
        ASSERT_TRUE((*producer)->Send(Record(*topic, record.key.view(), record.value.view())).ok());
        ++sent;
      }
    }
    const std::vector<OffsetToCommit> offsets = {{source, Offset{from + sent}, ""}};
    status = (*producer)->SendOffsets(offsets, *(*membership)->CurrentGroupMetadata());
    ASSERT_TRUE(status.ok()) << status;
    status = ++transactions % 3 == 0 ? (*producer)->AbortTransaction() : (*producer)->CommitTransaction();
    ASSERT_TRUE(status.ok()) << status;
  }
  EXPECT_EQ(transactions, kCount / kPerTransaction / 2 * 3 - 1);

  auto reader = cluster->NewConsumer({.client_id = "r", .read_committed = true});
  ASSERT_TRUE(reader.ok());
  ASSERT_TRUE((*reader)->Assign({{{output, Partition{0}}, base::kOffsetBeginning}}).ok());
  RecordBatch batch;
  int next = 0;
  const int64_t deadline = NowMs() + kTimeoutMs;
  auto end = (*reader)->QueryOffsets({output, Partition{0}}, kTimeoutMs);
  ASSERT_TRUE(end.ok()) << end.status();
  while ((*reader)->Position(0) < end->end && NowMs() < deadline) {
    ASSERT_TRUE((*reader)->Poll(batch, 100).ok());
    for (const RecordView& record : batch.records()) {
      ASSERT_EQ(record.value.view(), std::to_string(next));
      ++next;
    }
  }
  EXPECT_EQ(next, kCount);
  EXPECT_EQ((*reader)->Position(0), end->end);
}

// Goal: while a transaction on an offset is open, asking for it waits and then says to retry; init_transactions of a new
// producer with the same id ends that transaction, after which the committed offset is readable at once.
TEST(TransactionsTest, InitTransactionsFreesThePartitionsOfADeadOwner) {
  std::unique_ptr<Cluster> cluster = ConnectToLocalBroker();
  const std::string group = UniqueName("takeover");
  const std::string input = MakeTopic(*cluster, group + "-input", 1);
  MakeTopic(*cluster, group + "-coordination", 1);
  const std::vector<TopicPartition> partitions = {{input, Partition{0}}};
  MembershipOptions options;
  options.group = group;
  options.coordination_topic = group + "-coordination";
  options.instance_id = "one";
  auto membership = cluster->NewMembership(options);
  ASSERT_TRUE(membership.ok());
  ASSERT_TRUE(WaitFor(**membership, MembershipEventKind::kJoined).has_value());
  const std::vector<OffsetToCommit> offsets = {{partitions[0], Offset{5}, ""}};

  auto old_owner = cluster->NewProducer({.client_id = "old", .transactional_id = group + "-txn", .transaction_timeout_ms = 60'000});
  ASSERT_TRUE(old_owner.ok());
  ASSERT_TRUE((*old_owner)->InitTransactions(kTimeoutMs).ok());
  ASSERT_TRUE((*old_owner)->BeginTransaction().ok());
  absl::Status status = (*old_owner)->SendOffsets(offsets, *(*membership)->CurrentGroupMetadata());
  ASSERT_TRUE(status.ok()) << status;

  auto waiting = (*membership)->Committed(partitions, 1'000);
  EXPECT_EQ(base::ReactionOf(waiting.status()), Reaction::kRetry) << waiting.status();

  auto new_owner = cluster->NewProducer({.client_id = "new", .transactional_id = group + "-txn"});
  ASSERT_TRUE(new_owner.ok());
  status = (*new_owner)->InitTransactions(kTimeoutMs);
  ASSERT_TRUE(status.ok()) << status;
  const int64_t start = NowMs();
  auto committed = (*membership)->Committed(partitions, kTimeoutMs);
  ASSERT_TRUE(committed.ok()) << committed.status();
  EXPECT_EQ((*committed)[0].offset, base::kOffsetUnknown);
  EXPECT_LT(NowMs() - start, 5'000);

  status = (*old_owner)->CommitTransaction();
  EXPECT_EQ(base::ReactionOf(status), Reaction::kTaskMigrated) << status;
}

// Goal: a transaction that lasts too long is ended by the broker; the producer learns that it must not be used again.
TEST(TransactionsTest, ATransactionThatTimesOutNeedsANewProducer) {
  std::unique_ptr<Cluster> cluster = ConnectToLocalBroker();
  const std::string topic_name = MakeTopic(*cluster, UniqueName("slow"), 1);
  auto producer = cluster->NewProducer({.client_id = "p", .transactional_id = topic_name + "-txn", .transaction_timeout_ms = 1'500});
  ASSERT_TRUE(producer.ok());
  ASSERT_TRUE((*producer)->InitTransactions(kTimeoutMs).ok());
  auto topic = (*producer)->Topic(topic_name);
  ASSERT_TRUE((*producer)->BeginTransaction().ok());
  ASSERT_TRUE((*producer)->Send(Record(*topic, "k", "v")).ok());
  ASSERT_TRUE((*producer)->Flush(kTimeoutMs).ok());
  // The broker looks for such transactions once a second; when it has ended this one, the reader's end moves past it.
  auto consumer = cluster->NewConsumer({.client_id = "c", .read_committed = true});
  ASSERT_TRUE(consumer.ok());
  const int64_t deadline = NowMs() + kTimeoutMs;
  Offset end{0};
  while (end == Offset{0} && NowMs() < deadline) {
    auto range = (*consumer)->QueryOffsets({topic_name, Partition{0}}, kTimeoutMs);
    ASSERT_TRUE(range.ok()) << range.status();
    end = range->end;
  }
  ASSERT_GT(end, Offset{0});
  const absl::Status status = (*producer)->CommitTransaction();
  ASSERT_FALSE(status.ok());
  EXPECT_TRUE(base::ReactionOf(status) == Reaction::kTaskMigrated || base::ReactionOf(status) == Reaction::kRecreateProducer) << status;
  auto again = cluster->NewProducer({.client_id = "p", .transactional_id = topic_name + "-txn"});
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE((*again)->InitTransactions(kTimeoutMs).ok());
}

}  // namespace
}  // namespace tailrace::kafka
