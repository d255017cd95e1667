#include "rdkafka/consumer.h"

#include "rdkafka/topic_query.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tailrace/base/check.h"
#include "tailrace/base/limits.h"

namespace tailrace::kafka::rdkafka {
namespace {

constexpr auto kBatchMax = static_cast<size_t>(base::limits::kPollRecordsMax);
// A poll that found this many records is reading at full speed: the next one waits a moment for a fuller batch.
constexpr size_t kFullSpeedRecords = 1'000;
constexpr int kFullSpeedWaitMs = 2;
// Time to ask for the readable range when it belongs into an error message, and to bring a resumed partition to its place.
constexpr int kRangeTimeoutMs = 2'000;
constexpr int kSeekTimeoutMs = 10'000;
// The client looks for the beginning or end of a partition whose leader it does not know yet only every half second; asking
// for the leader first takes milliseconds. When nobody answers, nothing is lost by having waited as long.
constexpr int kWarmUpMs = 500;

Headers HeadersOfMessage(const rd_kafka_message_t* message) {
  Headers headers;
  rd_kafka_headers_t* list = nullptr;
  if (rd_kafka_message_headers(message, &list) != RD_KAFKA_RESP_ERR_NO_ERROR) return headers;
  const char* name = nullptr;
  const void* value = nullptr;
  size_t size = 0;
  for (size_t i = 0; rd_kafka_header_get_all(list, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
    Header header{name, std::nullopt};
    if (value != nullptr) header.value.emplace(static_cast<const char*>(value), size);
    headers.push_back(std::move(header));
  }
  return headers;
}

}  // namespace

// Owns the messages whose bytes the views of a batch show.
class RdConsumer::BatchStorage : public RecordBatch::Storage {
 public:
  ~BatchStorage() override { Clear(); }
  void Clear() override {
    for (rd_kafka_message_t* message : messages_) rd_kafka_message_destroy(message);
    messages_.clear();
  }
  Headers HeadersOf(const RecordView& record) const override {
    return HeadersOfMessage(static_cast<const rd_kafka_message_t*>(record.native));
  }
  void Own(rd_kafka_message_t* message) { messages_.push_back(message); }

 private:
  std::vector<rd_kafka_message_t*> messages_;
};

absl::StatusOr<std::unique_ptr<RdConsumer>> RdConsumer::New(const Settings& settings) {
  TAILRACE_ASSIGN_OR_RETURN(std::unique_ptr<Client> client, Client::New(RD_KAFKA_CONSUMER, settings, {}));
  return std::unique_ptr<RdConsumer>(new RdConsumer(std::move(client)));
}

RdConsumer::RdConsumer(std::unique_ptr<Client> client)
    : client_(std::move(client)), queue_(rd_kafka_queue_get_consumer(client_->get())), messages_(kBatchMax) {
  rd_kafka_poll_set_consumer(client_->get());
}

RdConsumer::~RdConsumer() {
  DropHeld();
  topics_.clear();
  queue_.reset();
  rd_kafka_consumer_close(client_->get());
}

void RdConsumer::DropHeld() {
  for (Source& source : sources_) {
    for (rd_kafka_message_t* message : source.held) {
      if (message != nullptr) rd_kafka_message_destroy(message);
    }
    source.held.clear();
  }
  any_held_ = false;
}

absl::Status RdConsumer::Assign(std::vector<AssignedPartition> partitions) {
  std::vector<TopicPtr> topics;
  std::vector<Route> routes;
  std::vector<Source> sources;
  PartitionListPtr list = NewPartitionList(partitions.size());
  bool warm = true;
  for (AssignedPartition& assigned : partitions) {
    // The beginning and the end have the same numbers there.
    AddPartition(list.get(), assigned.partition, assigned.start.value());
    if (topics.empty() || assigned.partition.topic != sources.back().partition.topic) {
      topics.emplace_back(rd_kafka_topic_new(client_->get(), assigned.partition.topic.c_str(), nullptr));
      warm = false;
    }
    if (assigned.start.value() < 0 && !std::exchange(warm, true)) WarmUp(topics.back().get());
    routes.push_back({topics.back().get(), assigned.partition.partition.value(), static_cast<int32_t>(sources.size())});
    Source source;
    source.partition = std::move(assigned.partition);
    if (assigned.start.value() >= 0) source.position = assigned.start.value();
    sources.push_back(std::move(source));
  }
  const rd_kafka_resp_err_t code = rd_kafka_assign(client_->get(), list.get());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return ToStatus({.code = code, .text = {}}, Phase::kConsume, "assign partitions");
  DropHeld();
  sources_ = std::move(sources);
  routes_ = std::move(routes);
  topics_ = std::move(topics);
  last_ = {};
  pending_error_ = absl::OkStatus();
  return absl::OkStatus();
}

void RdConsumer::WarmUp(rd_kafka_topic_t* topic) {
  const rd_kafka_metadata_t* metadata = nullptr;
  if (rd_kafka_metadata(client_->get(), 0, topic, &metadata, kWarmUpMs) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    rd_kafka_metadata_destroy(metadata);
  }
}

RdConsumer::BatchStorage& RdConsumer::StorageOf(RecordBatch& batch) {
  auto* storage = dynamic_cast<BatchStorage*>(batch.storage());
  if (storage == nullptr) {
    batch.set_storage(std::make_unique<BatchStorage>());
    storage = static_cast<BatchStorage*>(batch.storage());
  }
  return *storage;
}

int32_t RdConsumer::FindSource(const rd_kafka_message_t& message) {
  if (message.rkt == last_.topic && message.partition == last_.partition) [[likely]] return last_.source;
  if (message.rkt == nullptr) return -1;
  for (const Route& route : routes_) {
    if (route.topic == message.rkt && route.partition == message.partition) {
      last_ = route;
      return route.source;
    }
  }
  // A partition that is not assigned any more, or the same topic under another address.
  const char* name = rd_kafka_topic_name(message.rkt);
  for (size_t i = 0; i < sources_.size(); ++i) {
    const base::TopicPartition& partition = sources_[i].partition;
    if (partition.partition.value() == message.partition && partition.topic == name) {
      last_ = {message.rkt, message.partition, static_cast<int32_t>(i)};
      return last_.source;
    }
  }
  return -1;
}

absl::Status RdConsumer::Poll(RecordBatch& batch, int timeout_ms) {
  batch.Clear();
  if (!pending_error_.ok()) return std::exchange(pending_error_, absl::OkStatus());
  BatchStorage& storage = StorageOf(batch);
  if (any_held_) DeliverHeld(batch, storage);
  const size_t room = kBatchMax - batch.records().size();
  if (room > 0) {
    const int wait_ms = batch.empty() && last_count_ >= kFullSpeedRecords ? std::min(timeout_ms, kFullSpeedWaitMs) : 0;
    ssize_t count = rd_kafka_consume_batch_queue(queue_.get(), wait_ms, messages_.data(), room);
    if (count == 0 && batch.empty() && timeout_ms > wait_ms) {
      // This returns with the first message; the rest of what has come with it is taken without waiting.
      if (rd_kafka_message_t* first = rd_kafka_consume_queue(queue_.get(), timeout_ms - wait_ms); first != nullptr) {
        messages_[0] = first;
        const ssize_t more = rd_kafka_consume_batch_queue(queue_.get(), 0, messages_.data() + 1, room - 1);
        count = 1 + std::max<ssize_t>(more, 0);
      }
    }
    last_count_ = count > 0 ? static_cast<size_t>(count) : 0;
    for (size_t i = 0; i < last_count_; ++i) Accept(messages_[i], batch, storage);
  }
  absl::Status status = std::exchange(pending_error_, absl::OkStatus());
  if (status.ok()) status = client_->TakeConnectionProblem();
  if (!status.ok() && !batch.empty()) {
    pending_error_ = std::move(status);
    return absl::OkStatus();
  }
  return status;
}

void RdConsumer::Accept(rd_kafka_message_t* message, RecordBatch& batch, BatchStorage& storage) {
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) [[unlikely]] {
    AcceptError(*message);
    rd_kafka_message_destroy(message);
    return;
  }
  const int32_t index = FindSource(*message);
  if (index < 0) [[unlikely]] {
    rd_kafka_message_destroy(message);
    return;
  }
  Source& source = sources_[static_cast<size_t>(index)];
  if (source.paused) [[unlikely]] {
    source.held.push_back(message);
    any_held_ = true;
    if (!source.client_paused && source.held.size() >= kBatchMax) {
      if (absl::Status status = PauseClient(source); !status.ok()) pending_error_ = status;
    }
    return;
  }
  Deliver(message, index, batch, storage);
}

void RdConsumer::Deliver(rd_kafka_message_t* message, int32_t index, RecordBatch& batch, BatchStorage& storage) {
  Source& source = sources_[static_cast<size_t>(index)];
  storage.Own(message);
  // The client may fetch again what was delivered before it was paused or reassigned.
  if (message->offset < source.position) [[unlikely]] return;
  source.position = message->offset + 1;
  RecordView& record = batch.mutable_records().emplace_back();
  record.source = index;
  record.offset = base::Offset{message->offset};
  record.timestamp_ms = rd_kafka_message_timestamp(message, nullptr);
  record.key = NullableBytes(static_cast<const char*>(message->key), message->key_len);
  record.value = NullableBytes(static_cast<const char*>(message->payload), message->len);
  record.native = message;
}

void RdConsumer::DeliverHeld(RecordBatch& batch, BatchStorage& storage) {
  any_held_ = false;
  for (size_t i = 0; i < sources_.size(); ++i) {
    Source& source = sources_[i];
    if (source.held.empty()) continue;
    if (source.paused) {
      any_held_ = true;
      continue;
    }
    size_t taken = 0;
    while (taken < source.held.size() && batch.records().size() < kBatchMax) {
      Deliver(source.held[taken], static_cast<int32_t>(i), batch, storage);
      ++taken;
    }
    source.held.erase(source.held.begin(), source.held.begin() + static_cast<ptrdiff_t>(taken));
    any_held_ = any_held_ || !source.held.empty();
    if (!source.held.empty()) continue;
    // An end that was reached while these records waited.
    source.position = std::max(source.position, source.reached_end);
    if (source.client_paused) {
      if (absl::Status status = ResumeClient(source); !status.ok()) pending_error_ = status;
    }
  }
}

void RdConsumer::AcceptError(const rd_kafka_message_t& message) {
  const int32_t index = FindSource(message);
  if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    if (index < 0) return;
    Source& source = sources_[static_cast<size_t>(index)];
    if (source.position > message.offset) return;
    source.reached_end = message.offset;
    // Past control records and records that compaction removed. Records that wait in `held` come first.
    if (source.held.empty()) source.position = message.offset;
    return;
  }
  if (message.rkt != nullptr && index < 0) return;  // Of a partition that is not assigned any more.
  if (!pending_error_.ok()) return;                 // One at a time; the client repeats what lasts.
  if (message.err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET && index >= 0) {
    pending_error_ = OutOfRange(sources_[static_cast<size_t>(index)], message);
    return;
  }
  const std::string what = index >= 0 ? "read " + sources_[static_cast<size_t>(index)].partition.ToString() : "read";
  ClientError error{.code = message.err, .text = rd_kafka_message_errstr(&message)};
  if (message.err == RD_KAFKA_RESP_ERR__FATAL) error = client_->FatalError().value_or(error);
  pending_error_ = client_->Explain(error, Phase::kConsume, what);
}

absl::Status RdConsumer::OutOfRange(const Source& source, const rd_kafka_message_t& message) {
  std::string range = "unknown";
  int64_t begin = 0;
  int64_t end = 0;
  if (rd_kafka_query_watermark_offsets(client_->get(), source.partition.topic.c_str(), source.partition.partition.value(), &begin,
                                       &end, kRangeTimeoutMs) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    range = absl::StrCat("[", begin, ", ", end, "]");
  }
  const int64_t offset = source.position >= 0 ? source.position : message.offset;
  return ToStatus({.code = message.err,
                   .text = absl::StrCat("offset ", offset, " of ", source.partition.ToString(), " is outside the log ", range,
                                        ": its records were deleted or the topic was made anew")},
                  Phase::kConsume, "read");
}

absl::Status RdConsumer::PauseClient(Source& source) {
  PartitionListPtr list = NewPartitionList(1);
  AddPartition(list.get(), source.partition, RD_KAFKA_OFFSET_INVALID);
  const rd_kafka_resp_err_t code = rd_kafka_pause_partitions(client_->get(), list.get());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return ToStatus({.code = code, .text = {}}, Phase::kConsume, "pause " + source.partition.ToString());
  }
  source.client_paused = true;
  return absl::OkStatus();
}

absl::Status RdConsumer::ResumeClient(Source& source) {
  PartitionListPtr list = NewPartitionList(1);
  AddPartition(list.get(), source.partition, source.position);
  source.client_paused = false;
  rd_kafka_resp_err_t code = rd_kafka_resume_partitions(client_->get(), list.get());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return ToStatus({.code = code, .text = {}}, Phase::kConsume, "resume " + source.partition.ToString());
  }
  if (source.position < 0) return absl::OkStatus();
  // The client would go on one after the last message it gave out, and counts the notice of a reached end as one: a
  // record would be lost. So it is told where to go on.
  list->elems[0].offset = source.position;
  return client_->ExplainTaken(rd_kafka_seek_partitions(client_->get(), list.get(), kSeekTimeoutMs), Phase::kConsume,
                               "resume " + source.partition.ToString());
}

absl::Status RdConsumer::Pause(std::span<const int32_t> sources) {
  for (int32_t index : sources) {
    TAILRACE_CHECK(index >= 0 && static_cast<size_t>(index) < sources_.size(), "a source is an index into the assignment");
    sources_[static_cast<size_t>(index)].paused = true;
  }
  return absl::OkStatus();
}

absl::Status RdConsumer::Resume(std::span<const int32_t> sources) {
  for (int32_t index : sources) {
    TAILRACE_CHECK(index >= 0 && static_cast<size_t>(index) < sources_.size(), "a source is an index into the assignment");
    Source& source = sources_[static_cast<size_t>(index)];
    source.paused = false;
    if (!source.held.empty()) any_held_ = true;
  }
  return absl::OkStatus();
}

base::Offset RdConsumer::Position(int32_t source) const { return base::Offset{sources_.at(static_cast<size_t>(source)).position}; }

absl::StatusOr<OffsetRange> RdConsumer::QueryOffsets(const base::TopicPartition& partition, int timeout_ms) {
  return QueryOffsetRange(*client_, partition, Phase::kFetchOffsets, timeout_ms);
}

base::Offset RdConsumer::KnownEnd(int32_t index) const {
  const Source& source = sources_.at(static_cast<size_t>(index));
  if (source.reached_end >= 0 && source.reached_end == source.position) return base::Offset{source.reached_end};
  int64_t begin = RD_KAFKA_OFFSET_INVALID;
  int64_t end = RD_KAFKA_OFFSET_INVALID;
  const rd_kafka_resp_err_t code = rd_kafka_get_watermark_offsets(client_->get(), source.partition.topic.c_str(),
                                                                  source.partition.partition.value(), &begin, &end);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR || end < 0) return base::kOffsetUnknown;
  return base::Offset{end};
}

}  // namespace tailrace::kafka::rdkafka
