#include "test_cluster.h"

namespace tailrace::kafka {
namespace {

using base::Offset;
using base::Partition;
using base::Reaction;

OutgoingRecord Record(TopicHandle topic, std::string_view value) {
  OutgoingRecord record;
  record.topic = topic;
  record.partition = Partition{0};
  record.key = std::string_view("k");
  record.value = value;
  record.timestamp_ms = 1'790'000'000'000;
  return record;
}

// Goal: a commit whose answer never comes ends the producer, whatever the client would allow; a new one with the same id goes
// on, and the reader sees each transaction whole or not at all.
// Method: the broker dies after the records of a transaction were delivered and before its commit. The transaction's timeout is
// long: a single broker that finds a transaction timed out while it starts may end it without writing the abort marker (seen
// with 4.3.1), and then the next commit of that producer id commits it too.
TEST(BrokerLossTest, ACommitWithoutAnAnswerNeedsANewProducer) {
  testing_support::LocalBroker broker;
  auto cluster = Connect(base::Config().With("bootstrap.servers", broker.bootstrap_servers()));
  ASSERT_TRUE(cluster.ok());
  const std::string name = MakeTopic(**cluster, "loss", 1);
  auto make_producer = [&] {
    auto producer = (*cluster)->NewProducer({.client_id = "p", .transactional_id = "loss-txn", .transaction_timeout_ms = 60'000});
    EXPECT_TRUE(producer.ok());
    return *std::move(producer);
  };
  auto producer = make_producer();
  absl::Status status = producer->InitTransactions(kTimeoutMs);
  ASSERT_TRUE(status.ok()) << status;
  TopicHandle topic = *producer->Topic(name);
  ASSERT_TRUE(producer->BeginTransaction().ok());
  ASSERT_TRUE(producer->Send(Record(topic, "first")).ok());
  status = producer->CommitTransaction();
  ASSERT_TRUE(status.ok()) << status;

  ASSERT_TRUE(producer->BeginTransaction().ok());
  ASSERT_TRUE(producer->Send(Record(topic, "in doubt")).ok());
  ASSERT_TRUE(producer->Flush(kTimeoutMs).ok());
  broker.Kill();
  const int64_t start = NowMs();
  status = producer->CommitTransaction();
  EXPECT_EQ(base::ReactionOf(status), Reaction::kRecreateProducer) << status;
  EXPECT_LT(NowMs() - start, 30'000);
  producer.reset();

  broker.Start();
  producer = make_producer();
  const int64_t deadline = NowMs() + 2 * kTimeoutMs;
  status = producer->InitTransactions(kTimeoutMs);
  while (base::ReactionOf(status) == Reaction::kRetry && NowMs() < deadline) status = producer->InitTransactions(kTimeoutMs);
  ASSERT_TRUE(status.ok()) << status;
  topic = *producer->Topic(name);
  ASSERT_TRUE(producer->BeginTransaction().ok());
  ASSERT_TRUE(producer->Send(Record(topic, "in doubt")).ok());
  status = producer->CommitTransaction();
  ASSERT_TRUE(status.ok()) << status;

  // The commit was never sent, so the first attempt was aborted by init_transactions.
  auto consumer = (*cluster)->NewConsumer({.client_id = "c", .read_committed = true});
  ASSERT_TRUE((*consumer)->Assign({{{name, Partition{0}}, Offset{0}}}).ok());
  auto range = (*consumer)->QueryOffsets({name, Partition{0}}, kTimeoutMs);
  ASSERT_TRUE(range.ok()) << range.status();
  std::vector<std::string> values;
  RecordBatch batch;
  const int64_t read_deadline = NowMs() + kTimeoutMs;
  while ((*consumer)->Position(0) < range->end && NowMs() < read_deadline) {
    status = (*consumer)->Poll(batch, 100);
    EXPECT_TRUE(status.ok() || base::ReactionOf(status) == Reaction::kRetry) << status;
    for (const RecordView& record : batch.records()) values.emplace_back(record.value.view());
  }
  EXPECT_EQ(values, (std::vector<std::string>{"first", "in doubt"}));
}

// Goal: a consumer, a producer and a member live through the loss of the broker: errors are retriable, and work goes on
// where it was when the broker is back.
TEST(BrokerLossTest, EverythingGoesOnAfterABrokerRestart) {
  testing_support::LocalBroker broker;
  auto cluster = Connect(base::Config().With("bootstrap.servers", broker.bootstrap_servers()));
  ASSERT_TRUE(cluster.ok());
  const std::string name = MakeTopic(**cluster, "restart", 1);
  MakeTopic(**cluster, "g-coordination", 1, {{"cleanup.policy", "compact"}});
  MembershipOptions options;
  options.group = "g";
  options.coordination_topic = "g-coordination";
  options.instance_id = "one";
  options.heartbeat_interval_ms = 300;
  auto membership = (*cluster)->NewMembership(options);
  ASSERT_TRUE(membership.ok());
  const auto joined = WaitFor(**membership, MembershipEventKind::kJoined);
  ASSERT_TRUE(joined.has_value());
  auto producer = (*cluster)->NewProducer({.client_id = "p", .transactional_id = {}});
  TopicHandle topic = *(*producer)->Topic(name);
  ASSERT_TRUE((*producer)->Send(Record(topic, "0")).ok());
  ASSERT_TRUE((*producer)->Flush(kTimeoutMs).ok());
  auto consumer = (*cluster)->NewConsumer({.client_id = "c"});
  ASSERT_TRUE((*consumer)->Assign({{{name, Partition{0}}, Offset{0}}}).ok());
  RecordBatch batch;
  std::vector<std::string> values;
  auto poll = [&] {
    const absl::Status status = (*consumer)->Poll(batch, 50);
    EXPECT_TRUE(status.ok() || base::ReactionOf(status) == Reaction::kRetry) << status;
    for (const RecordView& record : batch.records()) values.emplace_back(record.value.view());
    auto event = (*membership)->Poll(50);
    EXPECT_TRUE(event.ok() || base::ReactionOf(event.status()) == Reaction::kRetry) << event.status();
  };
  int64_t deadline = NowMs() + kTimeoutMs;
  while (values.empty() && NowMs() < deadline) poll();

  broker.Stop();
  ASSERT_TRUE((*producer)->Send(Record(topic, "1")).ok());
  const std::vector<OffsetToCommit> offsets = {{{name, Partition{0}}, Offset{1}, ""}};
  const absl::Status down = (*membership)->CommitOffsets(offsets, 1'000);
  EXPECT_EQ(base::ReactionOf(down), Reaction::kRetry) << down;
  deadline = NowMs() + 2'000;
  while (NowMs() < deadline) poll();
  broker.Start();
  deadline = NowMs() + 2 * kTimeoutMs;
  while (values.size() < 2 && NowMs() < deadline) poll();
  EXPECT_EQ(values, (std::vector<std::string>{"0", "1"}));
  const absl::Status flushed = (*producer)->Flush(kTimeoutMs);
  EXPECT_TRUE(flushed.ok()) << flushed;
  absl::Status committed = (*membership)->CommitOffsets(offsets, kTimeoutMs);
  while (base::ReactionOf(committed) == Reaction::kRetry && NowMs() < deadline) {
    poll();
    committed = (*membership)->CommitOffsets(offsets, kTimeoutMs);
  }
  EXPECT_TRUE(committed.ok()) << committed;
}

}  // namespace
}  // namespace tailrace::kafka
