// Goal: a broker that is away for a while costs no record and doubles none, also when the connector ends and starts again
// meanwhile. Method: numbered records at a steady rate before, while and after a real broker is stopped; then the topic is
// read from its beginning. TAILRACE_TEST_CHAOS=1 makes it 30 s at 2,000 records a second.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <thread>

#include "local_broker.h"
#include "tailrace/base/clock.h"
#include "tailrace/base/config.h"
#include "tailrace/ingest/pacer.h"
#include "tailrace/ingest/spilling_writer.h"
#include "tailrace/ingest/stop_signal.h"

namespace tailrace::ingest {
namespace {

constexpr int kTimeoutMs = 30'000;
constexpr int32_t kPartitions = 3;


// Every number from 0 on, from the beginning of the topic, by partition.
std::vector<std::vector<int64_t>> ReadNumbers(kafka::Cluster& cluster) {
  std::vector<std::vector<int64_t>> numbers(kPartitions);
  for (int32_t partition = 0; partition < kPartitions; ++partition) {
    const base::TopicPartition source{"posts", base::Partition{partition}};
    auto consumer = cluster.NewConsumer({.client_id = "reader"});
    const auto range = (*consumer)->QueryOffsets(source, kTimeoutMs);
    EXPECT_TRUE(range.ok()) << range.status();
    EXPECT_TRUE((*consumer)->Assign({{source, base::Offset{0}}}).ok());
    kafka::RecordBatch batch;
    const int64_t deadline_ms = base::SystemClock().SteadyMs() + kTimeoutMs;
    while ((*consumer)->Position(0) < range->end && base::SystemClock().SteadyMs() < deadline_ms) {
      const absl::Status status = (*consumer)->Poll(batch, 100);
      EXPECT_TRUE(status.ok() || base::ReactionOf(status) == base::Reaction::kRetry) << status;
      for (const kafka::RecordView& record : batch.records())
        numbers[static_cast<size_t>(partition)].push_back(std::stoll(std::string(record.value.view())));
    }
  }
  return numbers;
}

TEST(BrokerOutage, EveryRecordIsThereExactlyOnceAndInOrder) {
  const char* const chaos = std::getenv("TAILRACE_TEST_CHAOS");
  const bool whole = chaos != nullptr && std::string(chaos) == "1";
  const int64_t rate = whole ? 2'000 : 1'000;
  const int64_t outage_s = whole ? 30 : 8;
  testing_support::LocalBroker broker;
  ASSERT_FALSE(broker.bootstrap_servers().empty());
  const auto cluster = kafka::Connect(base::Config().With("bootstrap.servers", broker.bootstrap_servers()).With("producer.message.timeout.ms", "600000"));
  ASSERT_TRUE(cluster.ok()) << cluster.status();
  ASSERT_TRUE((*cluster)->admin().CreateTopics({{.name = "posts", .partition_count = kPartitions, .config = {}}}, kTimeoutMs).ok());
  std::string folder = (std::filesystem::temp_directory_path() / "tailrace-spill-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);

  // The broker goes after 2 s and comes back by itself in another thread, so that the writing never rests.
  const int64_t stop_at = 2 * rate;
  const int64_t restart_at = stop_at + outage_s * rate / 2;
  const int64_t start_at = stop_at + outage_s * rate;
  const int64_t count = start_at + 2 * rate;
  std::atomic<int64_t> written{0};
  std::thread operation([&] {
    const StopSignal never;
    while (written < stop_at) (void)never.WaitMs(20);
    broker.Kill();
    while (written < start_at) (void)never.WaitMs(20);
    broker.Start();
  });
  const SpillOptions options{.directory = folder, .topic = "posts"};
  auto writer = SpillingWriter::Open(**cluster, options);
  absl::Status status = writer.status();
  const StopSignal never;
  Pacer pacer(rate, base::SystemClock(), [&](int64_t ns) { return !never.WaitNs(ns); });
  int64_t spilled = 0;
  for (int64_t i = 0; i < count && status.ok(); ++i) {
    ASSERT_TRUE(pacer.WaitFor(i));
    if (i == restart_at) {
      spilled = (*writer)->pending_records();
      writer->reset();
      writer = SpillingWriter::Open(**cluster, options);
      ASSERT_TRUE(writer.ok()) << writer.status();
    }
    status = (*writer)->Write(std::to_string(i % 50), std::to_string(i), 1'790'000'000'000 + i);
    ++written;
  }
  if (!status.ok()) written = count;  // so that the other thread ends
  operation.join();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_GT(spilled, 0) << "the broker was away";
  status = (*writer)->Drain(4 * kTimeoutMs);
  ASSERT_TRUE(status.ok()) << status;
  writer->reset();

  std::vector<int64_t> all;
  for (const std::vector<int64_t>& partition : ReadNumbers(**cluster)) {
    EXPECT_TRUE(std::is_sorted(partition.begin(), partition.end())) << "the order of a key's records is kept";
    all.insert(all.end(), partition.begin(), partition.end());
  }
  std::sort(all.begin(), all.end());
  EXPECT_EQ(std::adjacent_find(all.begin(), all.end()), all.end()) << "a record is there twice";
  EXPECT_EQ(static_cast<int64_t>(all.size()), count);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace tailrace::ingest
