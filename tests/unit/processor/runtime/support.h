// A cluster whose producers fail on demand, small topologies, and ways to fill and read topics.
#pragma once

#include <stdlib.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "runtime/failpoint.h"
#include "tailrace/base/bytes.h"
#include "tailrace/base/config.h"
#include "tailrace/base/metrics.h"
#include "tailrace/kafka/cluster.h"
#include "tailrace/processor/streams.h"
#include "tailrace/processor/streams_builder.h"

namespace tailrace::processor::testing {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "tailrace-streams-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// What a producer does at a step: null status goes on; an error is returned. `after` lets the real call happen first, so that
// its result is lost.
struct Fault {
  std::string step;  // "send", "flush", "send_offsets", "commit", "abort", "init"; of the membership: "commit_offsets"
  absl::Status error;
  bool after = false;
};

class FaultScript {
 public:
  void Add(Fault fault, int skip = 0) {
    std::lock_guard lock(mu_);
    faults_.push_back({std::move(fault), skip});
  }
  template <class Call>
  absl::Status Run(const std::string& step, Call call) {
    Fault fault;
    {
      std::lock_guard lock(mu_);
      for (auto entry = faults_.begin(); entry != faults_.end(); ++entry) {
        if (entry->fault.step != step) continue;
        if (entry->skip-- > 0) break;
        fault = entry->fault;
        faults_.erase(entry);
        ++fired;
        break;
      }
    }
    if (fault.error.ok()) return call();
    if (fault.after) {
      EXPECT_TRUE(call().ok());
    }
    return fault.error;
  }
  bool Empty() {
    std::lock_guard lock(mu_);
    return faults_.empty();
  }
  std::atomic<int> fired{0};

 private:
  struct Entry {
    Fault fault;
    int skip;
  };
  std::mutex mu_;
  std::deque<Entry> faults_;
};

class FaultyProducer final : public kafka::Producer {
 public:
  FaultyProducer(std::unique_ptr<kafka::Producer> inner, FaultScript& script) : inner_(std::move(inner)), script_(script) {}
  absl::StatusOr<kafka::TopicHandle> Topic(std::string_view name) override { return inner_->Topic(name); }
  absl::StatusOr<int32_t> PartitionCount(kafka::TopicHandle topic) override { return inner_->PartitionCount(topic); }
  absl::Status Send(const kafka::OutgoingRecord& record) override {
    return script_.Run("send", [&] { return inner_->Send(record); });
  }
  absl::Status Flush(int timeout_ms) override {
    return script_.Run("flush", [&] { return inner_->Flush(timeout_ms); });
  }
  base::Offset LastDelivered(kafka::TopicHandle topic, base::Partition partition) const override {
    return inner_->LastDelivered(topic, partition);
  }
  absl::Status InitTransactions(int timeout_ms) override {
    return script_.Run("init", [&] { return inner_->InitTransactions(timeout_ms); });
  }
  absl::Status BeginTransaction() override { return inner_->BeginTransaction(); }
  absl::Status SendOffsets(std::span<const kafka::OffsetToCommit> offsets, const kafka::GroupMetadata& group) override {
    return script_.Run("send_offsets", [&] { return inner_->SendOffsets(offsets, group); });
  }
  absl::Status CommitTransaction() override {
    return script_.Run("commit", [&] { return inner_->CommitTransaction(); });
  }
  absl::Status AbortTransaction() override {
    return script_.Run("abort", [&] { return inner_->AbortTransaction(); });
  }

 private:
  std::unique_ptr<kafka::Producer> inner_;
  FaultScript& script_;
};

class FaultyMembership final : public kafka::Membership {
 public:
  FaultyMembership(std::unique_ptr<kafka::Membership> inner, FaultScript& script) : inner_(std::move(inner)), script_(script) {}
  absl::StatusOr<std::optional<kafka::MembershipEvent>> Poll(int timeout_ms) override { return inner_->Poll(timeout_ms); }
  std::shared_ptr<const kafka::GroupMetadata> CurrentGroupMetadata() const override { return inner_->CurrentGroupMetadata(); }
  absl::Status CommitOffsets(std::span<const kafka::OffsetToCommit> offsets, int timeout_ms) override {
    return script_.Run("commit_offsets", [&] { return inner_->CommitOffsets(offsets, timeout_ms); });
  }
  absl::StatusOr<std::vector<kafka::CommittedOffset>> Committed(std::span<const base::TopicPartition> partitions,
                                                                int timeout_ms) override {
    return inner_->Committed(partitions, timeout_ms);
  }
  absl::StatusOr<std::vector<kafka::GroupMember>> LiveMembers(int timeout_ms) override { return inner_->LiveMembers(timeout_ms); }
  absl::Status Leave() override { return inner_->Leave(); }

 private:
  std::unique_ptr<kafka::Membership> inner_;
  FaultScript& script_;
};

// Only the producers of stream threads fail: those whose client id ends in "-producer" and holds the instance's name.
class FaultyCluster final : public kafka::Cluster {
 public:
  explicit FaultyCluster(std::unique_ptr<kafka::Cluster> inner) : inner_(std::move(inner)) {}
  absl::StatusOr<std::unique_ptr<kafka::Consumer>> NewConsumer(const kafka::ConsumerOptions& options) override {
    return inner_->NewConsumer(options);
  }
  absl::StatusOr<std::unique_ptr<kafka::Producer>> NewProducer(const kafka::ProducerOptions& options) override {
    TAILRACE_ASSIGN_OR_RETURN(auto producer, inner_->NewProducer(options));
    if (!options.client_id.ends_with("-0-producer")) return producer;
    ++stream_producers;
    return std::make_unique<FaultyProducer>(std::move(producer), script);
  }
  absl::StatusOr<std::unique_ptr<kafka::Membership>> NewMembership(const kafka::MembershipOptions& options) override {
    TAILRACE_ASSIGN_OR_RETURN(auto membership, inner_->NewMembership(options));
    return std::make_unique<FaultyMembership>(std::move(membership), script);
  }
  kafka::Admin& admin() override { return inner_->admin(); }
  std::string Description() const override { return inner_->Description(); }
  bool shared() const override { return inner_->shared(); }

  FaultScript script;
  std::atomic<int> stream_producers{0};

 private:
  std::unique_ptr<kafka::Cluster> inner_;
};

// The topics of the case that runs; cases that share a broker choose names of their own.
inline std::string words_topic = "words";    // NOLINT: one case at a time
inline std::string counts_topic = "counts";  // NOLINT

inline std::unique_ptr<FaultyCluster> InMemory() {
  auto cluster = kafka::OpenInMemory();
  EXPECT_TRUE(cluster.ok()) << cluster.status();
  return std::make_unique<FaultyCluster>(*std::move(cluster));
}

inline std::unique_ptr<FaultyCluster> Embedded(const std::string& directory) {
  auto cluster = kafka::OpenEmbedded(directory);
  EXPECT_TRUE(cluster.ok()) << cluster.status();
  return std::make_unique<FaultyCluster>(*std::move(cluster));
}

inline base::Config TestConfig(const std::string& state_dir, bool exactly_once) {
  return base::Config()
      .With("application.id", "app")
      .With("state.dir", state_dir)
      .With("group.instance.id", "one")
      .With("processing.guarantee", exactly_once ? "exactly_once_v2" : "at_least_once")
      .With("commit.interval.ms", "20");
}

// Counts by key, into the topic "counts".
inline Topology CountTopology() {
  StreamsBuilder builder;
  builder.Stream<std::string, std::string>(words_topic).GroupByKey().Count(Materialized("counts-store")).ToStream().To(counts_topic);
  auto topology = builder.Build();
  EXPECT_TRUE(topology.ok()) << topology.status();
  return *std::move(topology);
}

// The same, but keyed by the value: through a repartition topic.
inline Topology RepartitionTopology() {
  StreamsBuilder builder;
  builder.Stream<std::string, std::string>(words_topic)
      .GroupBy([](const std::string&, const std::string& word) { return word; }, Grouped("by-word"))
      .Count(Materialized("counts-store"))
      .ToStream()
      .To(counts_topic);
  auto topology = builder.Build();
  EXPECT_TRUE(topology.ok()) << topology.status();
  return *std::move(topology);
}

inline void CreateTopics(kafka::Cluster& cluster, int partitions = 4) {
  const absl::Status status =
      cluster.admin().CreateTopics({{.name = words_topic, .partition_count = partitions, .config = {{"retention.ms", "-1"}}},
                                    {.name = counts_topic, .partition_count = partitions, .config = {{"retention.ms", "-1"}}}},
                                   10'000);
  ASSERT_TRUE(status.ok()) << status;
}

// `count` records whose keys and values are key-0 .. key-(keys-1) in turn.
inline void Produce(kafka::Cluster& cluster, int count, int keys, std::map<std::string, int64_t>& expected) {
  auto producer = cluster.NewProducer({.client_id = "test"});
  ASSERT_TRUE(producer.ok()) << producer.status();
  const auto topic = (*producer)->Topic(words_topic);
  ASSERT_TRUE(topic.ok());
  for (int i = 0; i < count; ++i) {
    const std::string key = "key-" + std::to_string(i % keys);
    ASSERT_TRUE((*producer)->Send({.topic = *topic, .key = key, .value = key, .timestamp_ms = 1'000'000 + i}).ok());
    ++expected[key];
  }
  const absl::Status status = (*producer)->Flush(30'000);
  ASSERT_TRUE(status.ok()) << status;
}

// The last committed value by key of the topic "counts", and how many committed records it has.
struct Output {
  std::map<std::string, int64_t> last;
  int64_t records = 0;
  bool only_grew = true;  // per key; without that something was counted from an older state
};

inline Output ReadOutput(kafka::Cluster& cluster, int partitions = 4, bool read_committed = true) {
  Output output;
  auto consumer = cluster.NewConsumer({.client_id = "test", .read_committed = read_committed});
  EXPECT_TRUE(consumer.ok());
  std::vector<kafka::AssignedPartition> all;
  std::vector<base::Offset> ends;
  for (int p = 0; p < partitions; ++p) {
    const base::TopicPartition partition{counts_topic, base::Partition(p)};
    all.push_back({partition, base::kOffsetBeginning});
    auto range = (*consumer)->QueryOffsets(partition, 10'000);
    EXPECT_TRUE(range.ok()) << range.status();
    ends.push_back(range->end);
    if (range->end <= range->begin) ends.back() = base::Offset(-100);
  }
  EXPECT_TRUE((*consumer)->Assign(all).ok());
  kafka::RecordBatch batch;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  for (;;) {
    bool done = true;
    for (int p = 0; p < partitions; ++p) done &= (*consumer)->Position(p) >= ends[static_cast<size_t>(p)];
    if (done || std::chrono::steady_clock::now() > deadline) break;
    EXPECT_TRUE((*consumer)->Poll(batch, 50).ok());
    for (const kafka::RecordView& record : batch.records()) {
      ++output.records;
      const int64_t value = record.value.is_null() ? 0 : base::LoadBigEndian<int64_t>(record.value.view().data());
      int64_t& last = output.last[std::string(record.key.view())];
      output.only_grew &= value > last;
      last = value;
    }
  }
  batch.Clear();
  return output;
}

// Waits on a condition about another thread's work; true when it came to hold.
inline bool Eventually(const std::function<bool()>& condition, int timeout_ms = 20'000) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  while (std::chrono::steady_clock::now() < deadline) {
    if (condition()) return true;
    timespec pause{0, 5'000'000};
    nanosleep(&pause, nullptr);
  }
  return condition();
}

inline int64_t Sum(const std::map<std::string, int64_t>& counts) {
  int64_t sum = 0;
  for (const auto& [key, count] : counts) sum += count;
  return sum;
}

// Waits until the output shows `expected`; prints the difference otherwise.
inline void ExpectOutput(kafka::Cluster& cluster, const std::map<std::string, int64_t>& expected, int partitions = 4) {
  Output output;
  EXPECT_TRUE(Eventually([&] {
    output = ReadOutput(cluster, partitions);
    return Sum(output.last) >= Sum(expected);
  }));
  EXPECT_EQ(output.last, expected);
}

}  // namespace tailrace::processor::testing
