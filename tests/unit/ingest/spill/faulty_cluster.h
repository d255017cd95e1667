// A log that can be away and can lose what was handed to it, as a broker behind a bad line: a cluster in memory behind it
// keeps what arrives.
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tailrace/base/random.h"
#include "tailrace/kafka/cluster.h"

namespace tailrace::ingest {

struct Faults {
  std::atomic<bool> down{false};
  // Share of flushes that deliver a part of what is under way, lose the rest, and fail.
  std::atomic<double> loss{0};
  std::atomic<int> losses{0};
};

inline absl::Status Away() { return base::Error(base::Reaction::kRetry, absl::StatusCode::kUnavailable, "the log is away"); }

class FaultyProducer : public kafka::Producer {
 public:
  FaultyProducer(std::unique_ptr<kafka::Producer> inner, Faults& faults, uint64_t seed) : inner_(std::move(inner)), faults_(faults), random_(seed) {}

  absl::StatusOr<kafka::TopicHandle> Topic(std::string_view name) override { return inner_->Topic(name); }
  absl::StatusOr<int32_t> PartitionCount(kafka::TopicHandle topic) override { return inner_->PartitionCount(topic); }
  absl::Status Send(const kafka::OutgoingRecord& record) override {
    if (broken_) return Lost();
    queued_.push_back({record, record.key.is_null() ? "" : std::string(record.key.view()), std::string(record.value.view()), *record.headers});
    return absl::OkStatus();
  }
  absl::Status Flush(int timeout_ms) override {
    if (broken_) return Lost();
    if (faults_.down) return Away();
    size_t count = queued_.size();
    if (count > 0 && random_.Chance(faults_.loss)) {
      broken_ = true;
      ++faults_.losses;
      count = random_.Below(count + 1);
    }
    for (size_t i = 0; i < count; ++i) {
      Queued& queued = queued_[i];
      if (!queued.record.key.is_null()) queued.record.key = kafka::NullableBytes(std::string_view(queued.key));
      queued.record.value = std::string_view(queued.value);
      queued.record.headers = &queued.headers;
      TAILRACE_RETURN_IF_ERROR(inner_->Send(queued.record));
    }
    queued_.clear();
    TAILRACE_RETURN_IF_ERROR(inner_->Flush(timeout_ms));
    return broken_ ? Lost() : absl::OkStatus();
  }
  base::Offset LastDelivered(kafka::TopicHandle topic, base::Partition partition) const override { return inner_->LastDelivered(topic, partition); }
  absl::Status InitTransactions(int) override { return absl::UnimplementedError(""); }
  absl::Status BeginTransaction() override { return absl::UnimplementedError(""); }
  absl::Status SendOffsets(std::span<const kafka::OffsetToCommit>, const kafka::GroupMetadata&) override { return absl::UnimplementedError(""); }
  absl::Status CommitTransaction() override { return absl::UnimplementedError(""); }
  absl::Status AbortTransaction() override { return absl::UnimplementedError(""); }

 private:
  struct Queued {
    kafka::OutgoingRecord record;
    std::string key;
    std::string value;
    kafka::Headers headers;
  };
  static absl::Status Lost() { return base::Error(base::Reaction::kRecreateProducer, absl::StatusCode::kUnavailable, "nobody knows what arrived"); }

  const std::unique_ptr<kafka::Producer> inner_;
  Faults& faults_;
  base::Random random_;
  std::vector<Queued> queued_;
  bool broken_ = false;
};

class FaultyCluster : public kafka::Cluster, private kafka::Admin {
 public:
  explicit FaultyCluster(kafka::Cluster& inner) : inner_(inner) {}
  Faults faults;

  absl::StatusOr<std::unique_ptr<kafka::Consumer>> NewConsumer(const kafka::ConsumerOptions& options) override { return inner_.NewConsumer(options); }
  absl::StatusOr<std::unique_ptr<kafka::Producer>> NewProducer(const kafka::ProducerOptions& options) override {
    TAILRACE_ASSIGN_OR_RETURN(auto producer, inner_.NewProducer(options));
    return std::make_unique<FaultyProducer>(std::move(producer), faults, ++producers_);
  }
  absl::StatusOr<std::unique_ptr<kafka::Membership>> NewMembership(const kafka::MembershipOptions& options) override {
    return inner_.NewMembership(options);
  }
  kafka::Admin& admin() override { return *this; }
  std::string Description() const override { return inner_.Description(); }
  bool shared() const override { return inner_.shared(); }

 private:
  absl::Status CreateTopics(const std::vector<kafka::NewTopic>& topics, int ms) override { return inner_.admin().CreateTopics(topics, ms); }
  absl::Status DeleteTopics(const std::vector<std::string>& topics, int ms) override { return inner_.admin().DeleteTopics(topics, ms); }
  absl::StatusOr<std::vector<kafka::TopicDescription>> ListTopics(int ms) override { return inner_.admin().ListTopics(ms); }
  absl::StatusOr<std::optional<kafka::TopicDescription>> DescribeTopic(std::string_view topic, int ms) override {
    if (faults.down) return Away();
    return inner_.admin().DescribeTopic(topic, ms);
  }
  absl::Status DeleteRecords(const std::vector<kafka::AssignedPartition>& before, int ms) override { return inner_.admin().DeleteRecords(before, ms); }
  absl::StatusOr<base::Offset> OffsetForTime(const base::TopicPartition& partition, int64_t time, int ms) override {
    return inner_.admin().OffsetForTime(partition, time, ms);
  }
  absl::StatusOr<kafka::OffsetRange> Offsets(const base::TopicPartition& partition, int ms) override {
    if (faults.down) return Away();
    return inner_.admin().Offsets(partition, ms);
  }

  kafka::Cluster& inner_;
  std::atomic<uint64_t> producers_{0};
};

}  // namespace tailrace::ingest
