#include "embedded/embedded_producer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tailrace/base/check.h"
#include "tailrace/base/limits.h"
#include "tailrace/base/murmur2.h"

namespace tailrace::kafka::embedded {

using base::Reaction;

// Everything that Send touches. One lock per record, free unless the housekeeper is at work on this buffer.
class EmbeddedProducer::Buffer : public Lingering, public std::enable_shared_from_this<Buffer> {
 public:
  Buffer(LogEngine& engine, Housekeeper& housekeeper, bool in_background)
      : engine_(engine), housekeeper_(housekeeper), in_background_(in_background) {}

  absl::StatusOr<TopicHandle> Resolve(std::string_view name) {
    absl::MutexLock lock(&mu_);
    for (size_t i = 0; i < topics_.size(); ++i) {
      if (topics_[i].name == name) return static_cast<TopicHandle>(i);
    }
    OpenTopic topic;
    topic.name = name;
    topics_.push_back(std::move(topic));
    return static_cast<TopicHandle>(topics_.size() - 1);
  }

  absl::StatusOr<int32_t> PartitionCount(TopicHandle handle) {
    absl::MutexLock lock(&mu_);
    TAILRACE_ASSIGN_OR_RETURN(OpenTopic * topic, Find(handle));
    return static_cast<int32_t>(topic->partitions.size());
  }

  absl::Status Send(const OutgoingRecord& record) {
    absl::MutexLock lock(&mu_);
    if (!error_.ok()) return error_;
    TAILRACE_ASSIGN_OR_RETURN(OpenTopic * topic, Find(record.topic));
    const size_t record_bytes = EncodedRecordBytes(record.key, record.value, record.headers);
    if (record_bytes > base::limits::kLogRecordBytesMax) {
      return base::Error(Reaction::kSkipRecord, absl::StatusCode::kInvalidArgument,
                         absl::StrCat("a record of ", record_bytes, " bytes for topic ", topic->name, " is larger than ",
                                      base::limits::kLogRecordBytesMax));
    }
    TAILRACE_ASSIGN_OR_RETURN(const int32_t number, ChoosePartition(*topic, record));
    const Place place{record.topic, number};
    ChunkBuilder& builder = PartitionOf(place).builder;
    if (builder.empty()) dirty_.push_back(place);
    builder.Add(record.timestamp_ms < 0 ? engine_.clock().WallMs() : record.timestamp_ms, record.key, record.value,
                record.headers);
    bytes_ += record_bytes;
    if (builder.bytes() >= base::limits::kLogChunkBytes) {
      Seal(place);
      std::erase(dirty_, place);
    }
    if (!in_background_) return CheckTransactionSize();
    if (bytes_ >= base::limits::kLogBufferBytesMax) return Write();
    if (!announced_) {
      announced_ = true;
      housekeeper_.WriteSoon(weak_from_this());
    }
    return absl::OkStatus();
  }

  absl::Status Flush() {
    absl::MutexLock lock(&mu_);
    return in_background_ ? Write() : error_;
  }

  void WriteOut() override {
    absl::MutexLock lock(&mu_);
    announced_ = false;
    Write().IgnoreError();  // Kept in error_ for the next Flush.
  }

  void AddCommit(GroupCommit commit) {
    absl::MutexLock lock(&mu_);
    request_.commits.push_back(std::move(commit));
  }

  absl::Status Commit(const std::string& transactional_id, int64_t epoch) {
    absl::MutexLock lock(&mu_);
    request_.transactional_id = transactional_id;
    request_.epoch = epoch;
    return Write();
  }

  // Drops what is buffered, and the kept error.
  void Reset() {
    absl::MutexLock lock(&mu_);
    for (const Place& place : dirty_) PartitionOf(place).builder = ChunkBuilder();
    dirty_.clear();
    request_ = {};
    places_.clear();
    bytes_ = 0;
    error_ = absl::OkStatus();
  }

  base::Offset LastDelivered(TopicHandle handle, base::Partition partition) {
    absl::MutexLock lock(&mu_);
    const auto topic = static_cast<size_t>(handle);
    const auto number = static_cast<size_t>(partition.value());
    if (topic >= topics_.size() || number >= topics_[topic].partitions.size()) return base::kOffsetUnknown;
    return topics_[topic].partitions[number].last_delivered;
  }

 private:
  struct OpenPartition {
    ChunkBuilder builder;
    base::Offset last_delivered = base::kOffsetUnknown;
  };
  struct OpenTopic {
    std::string name;
    TopicRef topic;  // null until it is found to exist
    std::vector<OpenPartition> partitions;
    uint32_t next_keyless = 0;
  };
  struct Place {
    TopicHandle topic;
    int32_t partition;
    friend bool operator==(const Place&, const Place&) = default;
  };

  absl::StatusOr<OpenTopic*> Find(TopicHandle handle) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    TAILRACE_CHECK(handle >= 0 && static_cast<size_t>(handle) < topics_.size(), "a topic handle comes from Topic()");
    OpenTopic& topic = topics_[static_cast<size_t>(handle)];
    if (topic.topic == nullptr || topic.topic->deleted) [[unlikely]] {
      // What is buffered for a deleted topic of that name goes with it.
      std::erase_if(dirty_, [&](const Place& place) { return place.topic == handle; });
      topic.partitions.clear();
      TAILRACE_ASSIGN_OR_RETURN(topic.topic, engine_.Require({topic.name, base::Partition{0}}));
      topic.partitions.resize(topic.topic->partitions.size());
    }
    return &topic;
  }

  OpenPartition& PartitionOf(const Place& place) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return topics_[static_cast<size_t>(place.topic)].partitions[static_cast<size_t>(place.partition)];
  }

  absl::StatusOr<int32_t> ChoosePartition(OpenTopic& topic, const OutgoingRecord& record) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    const auto count = static_cast<int32_t>(topic.partitions.size());
    if (!record.partition) {
      if (!record.key.is_null()) return base::PartitionForKey(record.key.view(), count).value();
      return static_cast<int32_t>(topic.next_keyless++ % static_cast<uint32_t>(count));
    }
    const int32_t number = record.partition->value();
    if (number >= 0 && number < count) return number;
    return base::Error(Reaction::kFatal, absl::StatusCode::kNotFound,
                       absl::StrCat("partition ", number, " of topic ", topic.name, " does not exist: it has ", count));
  }

  // Moves the records of a builder to the request. The caller takes the place out of dirty_.
  void Seal(Place place) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    const TopicRef& topic = topics_[static_cast<size_t>(place.topic)].topic;
    request_.chunks.push_back({topic->partitions[static_cast<size_t>(place.partition)].get(), PartitionOf(place).builder.Seal(), -1});
    places_.push_back(place);
    if (std::find(request_.topics.begin(), request_.topics.end(), topic) == request_.topics.end()) {
      request_.topics.push_back(topic);
    }
  }

  absl::Status CheckTransactionSize() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (bytes_ <= base::limits::kLogTransactionBytesMax) return absl::OkStatus();
    error_ = base::Error(Reaction::kAbortTransaction, absl::StatusCode::kResourceExhausted,
                         absl::StrCat("the transaction has more than ", base::limits::kLogTransactionBytesMax,
                                      " bytes; commit more often (commit.interval.ms)"));
    return error_;
  }

  absl::Status Write() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (!error_.ok()) return error_;
    for (const Place& place : dirty_) Seal(place);
    dirty_.clear();
    if (request_.chunks.empty() && request_.commits.empty() && request_.transactional_id.empty()) return absl::OkStatus();
    const absl::Status status = engine_.Append(request_);
    if (status.ok()) {
      for (size_t i = 0; i < request_.chunks.size(); ++i) RememberDelivered(places_[i], request_.chunks[i]);
    } else {
      // The records are gone from here, and a failed write may still turn up after a restart: only a new producer knows.
      error_ = base::ReactionOf(status) == Reaction::kRetry ? base::WithReaction(status, Reaction::kRecreateProducer) : status;
    }
    request_ = {};
    places_.clear();
    bytes_ = 0;
    return error_;
  }

  void RememberDelivered(Place place, const PendingChunk& chunk) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    ChunkInfo info;
    TAILRACE_CHECK(ParseChunkInfo(*chunk.bytes, info), "a stored chunk can be read");
    std::vector<OpenPartition>& partitions = topics_[static_cast<size_t>(place.topic)].partitions;
    const auto number = static_cast<size_t>(place.partition);
    if (number < partitions.size()) partitions[number].last_delivered = base::Offset{chunk.base + info.span - 1};
  }

  LogEngine& engine_;
  Housekeeper& housekeeper_;
  const bool in_background_;

  absl::Mutex mu_;
  std::vector<OpenTopic> topics_ ABSL_GUARDED_BY(mu_);
  std::vector<Place> dirty_ ABSL_GUARDED_BY(mu_);  // with records in their builder
  AppendRequest request_ ABSL_GUARDED_BY(mu_);     // sealed chunks in order, and a transaction's offsets
  std::vector<Place> places_ ABSL_GUARDED_BY(mu_);  // parallel to request_.chunks
  size_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
  bool announced_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status error_ ABSL_GUARDED_BY(mu_);  // the first failed write
};

EmbeddedProducer::EmbeddedProducer(LogEngine& engine, Housekeeper& housekeeper, ProducerOptions options)
    : engine_(engine),
      options_(std::move(options)),
      buffer_(std::make_shared<Buffer>(engine, housekeeper, options_.transactional_id.empty())) {}

// Like a Kafka producer that is closed: what is buffered outside a transaction is still written.
EmbeddedProducer::~EmbeddedProducer() { buffer_->Flush().IgnoreError(); }

absl::StatusOr<TopicHandle> EmbeddedProducer::Topic(std::string_view name) { return buffer_->Resolve(name); }
absl::StatusOr<int32_t> EmbeddedProducer::PartitionCount(TopicHandle topic) { return buffer_->PartitionCount(topic); }

absl::Status EmbeddedProducer::Send(const OutgoingRecord& record) {
  if (transactional()) TAILRACE_RETURN_IF_ERROR(RequireState(State::kInTransaction, "Send"));
  return buffer_->Send(record);
}

absl::Status EmbeddedProducer::Flush(int) { return buffer_->Flush(); }

base::Offset EmbeddedProducer::LastDelivered(TopicHandle topic, base::Partition partition) const {
  return buffer_->LastDelivered(topic, partition);
}

absl::Status EmbeddedProducer::RequireState(State state, std::string_view call) const {
  if (state_ == state) return absl::OkStatus();
  // A failed commit leaves nothing to go on with; everything else is a caller that mixed up the order.
  const Reaction reaction = state_ == State::kFailed ? Reaction::kRecreateProducer : Reaction::kFatal;
  return base::Error(reaction, absl::StatusCode::kFailedPrecondition,
                     absl::StrCat("producer ", options_.client_id, " (transactional id '", options_.transactional_id, "'): ",
                                  absl::string_view(call.data(), call.size()),
                                  state_ == State::kFailed ? " after an error that needs a new producer"
                                                           : " is not allowed in this state of its transaction"));
}

absl::Status EmbeddedProducer::InitTransactions(int) {
  TAILRACE_CHECK(transactional(), "InitTransactions needs a transactional id");
  TAILRACE_RETURN_IF_ERROR(RequireState(State::kNew, "InitTransactions"));
  TAILRACE_ASSIGN_OR_RETURN(epoch_, engine_.NewEpoch(options_.transactional_id));
  state_ = State::kReady;
  return absl::OkStatus();
}

absl::Status EmbeddedProducer::BeginTransaction() {
  TAILRACE_RETURN_IF_ERROR(RequireState(State::kReady, "BeginTransaction"));
  state_ = State::kInTransaction;
  return absl::OkStatus();
}

absl::Status EmbeddedProducer::SendOffsets(std::span<const OffsetToCommit> offsets, const GroupMetadata& group) {
  TAILRACE_RETURN_IF_ERROR(RequireState(State::kInTransaction, "SendOffsets"));
  const auto* metadata = dynamic_cast<const EmbeddedGroupMetadata*>(&group);
  TAILRACE_CHECK(metadata != nullptr, "group metadata comes from a Membership of the same Cluster");
  TAILRACE_RETURN_IF_ERROR(engine_.CheckEpoch(options_.transactional_id, epoch_));
  TAILRACE_RETURN_IF_ERROR(engine_.CheckGeneration(metadata->group, metadata->generation));
  if (offsets.empty()) return absl::OkStatus();
  buffer_->AddCommit({metadata->group, metadata->generation, {offsets.begin(), offsets.end()}});
  return absl::OkStatus();
}

absl::Status EmbeddedProducer::CommitTransaction() {
  TAILRACE_RETURN_IF_ERROR(RequireState(State::kInTransaction, "CommitTransaction"));
  const absl::Status status = buffer_->Commit(options_.transactional_id, epoch_);
  if (status.ok()) {
    state_ = State::kReady;
  } else if (base::ReactionOf(status) != Reaction::kAbortTransaction) {
    state_ = State::kFailed;
  }
  return status;
}

absl::Status EmbeddedProducer::AbortTransaction() {
  TAILRACE_RETURN_IF_ERROR(RequireState(State::kInTransaction, "AbortTransaction"));
  buffer_->Reset();
  state_ = State::kReady;
  return engine_.CheckEpoch(options_.transactional_id, epoch_);
}

}  // namespace tailrace::kafka::embedded
