#include "rdkafka/producer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "rdkafka/bounded_call.h"
#include "rdkafka/topic_query.h"
#include "tailrace/base/check.h"
#include "tailrace/base/clock.h"
#include "tailrace/base/limits.h"
#include "tailrace/base/murmur2.h"

namespace tailrace::kafka::rdkafka {
namespace {

using base::Reaction;

// Delivery reports are collected every so many records; they also wait in the client until the next Flush.
constexpr uint32_t kSendsPerPoll = 256;
constexpr int kRoomPollMs = 50;
constexpr int kTopicTimeoutMs = 15'000;

std::string SettingOf(const Settings& settings, const std::string& key) {
  auto found = settings.find(key);
  return found == settings.end() ? std::string() : found->second;
}

rd_kafka_vu_t Variant(rd_kafka_vtype_t type) {
  rd_kafka_vu_t variant{};
  variant.vtype = type;
  return variant;
}

rd_kafka_vu_t Bytes(rd_kafka_vtype_t type, NullableBytes bytes) {
  rd_kafka_vu_t variant = Variant(type);
  // The client copies the bytes (F_COPY) and never writes through this pointer.
  variant.u.mem.ptr = const_cast<char*>(bytes.view().data());
  variant.u.mem.size = bytes.view().size();
  return variant;
}

rd_kafka_headers_t* NewHeaders(const Headers& headers) {
  rd_kafka_headers_t* list = rd_kafka_headers_new(headers.size());
  for (const Header& header : headers) {
    rd_kafka_header_add(list, header.name.data(), static_cast<ssize_t>(header.name.size()),
                        header.value ? header.value->data() : nullptr,
                        header.value ? static_cast<ssize_t>(header.value->size()) : 0);
  }
  return list;
}

}  // namespace

RdProducer::RdProducer(const Settings& settings)
    : transactional_id_(SettingOf(settings, "transactional.id")),
      delivery_timeout_ms_(DeliveryTimeoutMs(settings)),
      answer_timeout_ms_(std::min(TransactionTimeoutMs(settings), base::limits::kTransactionAnswerMsMax)) {}

absl::StatusOr<std::unique_ptr<RdProducer>> RdProducer::New(const Settings& settings) {
  std::unique_ptr<RdProducer> producer(new RdProducer(settings));
  Client::Callbacks callbacks;
  callbacks.opaque = producer.get();
  callbacks.delivery = &RdProducer::OnDelivery;
  TAILRACE_ASSIGN_OR_RETURN(producer->client_, Client::New(RD_KAFKA_PRODUCER, settings, callbacks));
  return producer;
}

RdProducer::~RdProducer() {
  // What is still queued belongs to nobody: Flush is how a caller keeps it. Without the purge, destroying the client
  // could wait for a broker that is gone.
  aborting_ = true;
  if (client_ != nullptr) {
    rd_kafka_purge(client_->get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
    rd_kafka_poll(client_->get(), 0);
  }
  for (auto& topic : topics_) topic->topic.reset();
  client_.reset();
}

std::string RdProducer::Name() const {
  return transactional_id_.empty() ? "producer " + client_->id() : "transactional id " + transactional_id_;
}

std::string RdProducer::What(std::string_view call) const { return absl::StrCat(Name(), ": ", absl::string_view(call.data(), call.size())); }

void RdProducer::OnDelivery(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
  auto* topic = static_cast<OpenTopic*>(message->_private);
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) [[likely]] {
    const auto partition = static_cast<size_t>(message->partition);
    if (partition >= topic->last_delivered.size()) topic->last_delivered.resize(partition + 1, base::kOffsetUnknown.value());
    int64_t& last = topic->last_delivered[partition];
    last = std::max(last, message->offset);
    return;
  }
  RdProducer& producer = *topic->producer;
  if (producer.aborting_ || !producer.first_error_.ok()) return;
  const Phase phase = producer.transactional_id_.empty() ? Phase::kDelivery : Phase::kTransactionalDelivery;
  ClientError error{.code = message->err, .text = rd_kafka_message_errstr(message)};
  if (std::optional<ClientError> fatal = producer.client_->FatalError()) error = *fatal;
  producer.first_error_ =
      producer.client_->Explain(error, phase, absl::StrCat(producer.Name(), ": deliver to ", topic->name, "-", message->partition));
}

absl::StatusOr<TopicHandle> RdProducer::Topic(std::string_view name) {
  for (size_t i = 0; i < topics_.size(); ++i) {
    if (topics_[i]->name == name) return static_cast<TopicHandle>(i);
  }
  auto topic = std::make_unique<OpenTopic>();
  topic->producer = this;
  topic->name = name;
  topics_.push_back(std::move(topic));
  return static_cast<TopicHandle>(topics_.size() - 1);
}

absl::Status RdProducer::Resolve(OpenTopic& topic) {
  if (topic.topic != nullptr) [[likely]] return absl::OkStatus();
  TAILRACE_ASSIGN_OR_RETURN(const std::optional<TopicFacts> facts, QueryTopic(*client_, topic.name, kTopicTimeoutMs));
  if (!facts) {
    return base::Error(Reaction::kFatal, absl::StatusCode::kNotFound,
                       absl::StrCat("topic ", topic.name, " does not exist at ", client_->bootstrap_servers(), "; create it first"));
  }
  topic.topic.reset(rd_kafka_topic_new(client_->get(), topic.name.c_str(), nullptr));
  topic.last_delivered.assign(static_cast<size_t>(facts->partition_count), base::kOffsetUnknown.value());
  return absl::OkStatus();
}

absl::StatusOr<int32_t> RdProducer::PartitionCount(TopicHandle handle) {
  OpenTopic& topic = *topics_.at(static_cast<size_t>(handle));
  TAILRACE_RETURN_IF_ERROR(Resolve(topic));
  return static_cast<int32_t>(topic.last_delivered.size());
}

absl::Status RdProducer::Send(const OutgoingRecord& record) {
  OpenTopic& topic = *topics_.at(static_cast<size_t>(record.topic));
  TAILRACE_RETURN_IF_ERROR(Resolve(topic));
  if (++sends_ % kSendsPerPoll == 0) rd_kafka_poll(client_->get(), 0);
  return Produce(topic, record);
}

absl::Status RdProducer::Produce(OpenTopic& topic, const OutgoingRecord& record) {
  int32_t partition = RD_KAFKA_PARTITION_UA;
  if (record.partition) {
    partition = record.partition->value();
  } else if (!record.key.is_null()) {
    partition = base::PartitionForKey(record.key.view(), static_cast<int32_t>(topic.last_delivered.size())).value();
  }
  std::array<rd_kafka_vu_t, 8> arguments;
  size_t count = 0;
  arguments[count] = Variant(RD_KAFKA_VTYPE_RKT);
  arguments[count++].u.rkt = topic.topic.get();
  arguments[count] = Variant(RD_KAFKA_VTYPE_PARTITION);
  arguments[count++].u.i32 = partition;
  arguments[count] = Variant(RD_KAFKA_VTYPE_MSGFLAGS);
  arguments[count++].u.i = RD_KAFKA_MSG_F_COPY;
  arguments[count++] = Bytes(RD_KAFKA_VTYPE_KEY, record.key);
  arguments[count++] = Bytes(RD_KAFKA_VTYPE_VALUE, record.value);
  arguments[count] = Variant(RD_KAFKA_VTYPE_TIMESTAMP);
  // The client takes 0 for "now", so the first millisecond of 1970 becomes the second; a negative time is "now".
  arguments[count++].u.i64 = record.timestamp_ms == 0 ? 1 : std::max<int64_t>(record.timestamp_ms, 0);
  arguments[count] = Variant(RD_KAFKA_VTYPE_OPAQUE);
  arguments[count++].u.ptr = &topic;

  rd_kafka_headers_t* headers = nullptr;
  if (record.headers != nullptr && !record.headers->empty()) {
    headers = NewHeaders(*record.headers);
    arguments[count] = Variant(RD_KAFKA_VTYPE_HEADERS);
    arguments[count++].u.headers = headers;  // The client owns them from a success on.
  }
  int64_t deadline_ms = -1;
  while (true) {
    rd_kafka_error_t* error = rd_kafka_produceva(client_->get(), arguments.data(), count);
    if (error == nullptr) [[likely]] return absl::OkStatus();
    if (rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      rd_kafka_error_destroy(error);
      const int64_t now_ms = base::SystemClock().SteadyMs();
      if (deadline_ms < 0) deadline_ms = now_ms + delivery_timeout_ms_;
      absl::Status status = WaitForRoom(deadline_ms);
      if (status.ok()) continue;
      if (headers != nullptr) rd_kafka_headers_destroy(headers);
      return status;
    }
    if (headers != nullptr) rd_kafka_headers_destroy(headers);
    ClientError copy{.code = rd_kafka_error_code(error), .text = rd_kafka_error_string(error)};
    rd_kafka_error_destroy(error);
    // What made the client refuse came up before, with a better text.
    if (!first_error_.ok() && copy.code != RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) return first_error_;
    if (std::optional<ClientError> fatal = client_->FatalError()) copy = *fatal;
    copy.abortable = in_transaction_ && !copy.fatal && copy.code == RD_KAFKA_RESP_ERR__STATE;
    return client_->Explain(copy, Phase::kSend, absl::StrCat(Name(), ": send to ", topic.name));
  }
}

absl::Status RdProducer::WaitForRoom(int64_t deadline_ms) {
  if (!first_error_.ok()) return first_error_;
  if (base::SystemClock().SteadyMs() >= deadline_ms) {
    return client_->Explain({.code = RD_KAFKA_RESP_ERR__QUEUE_FULL, .text = {}}, Phase::kSend, What("send"));
  }
  rd_kafka_poll(client_->get(), kRoomPollMs);
  return absl::OkStatus();
}

absl::Status RdProducer::Flush(int timeout_ms) {
  const rd_kafka_resp_err_t code = rd_kafka_flush(client_->get(), timeout_ms);
  if (!first_error_.ok()) return first_error_;
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return absl::OkStatus();
  // Time is over, but the records are still on their way: the caller may flush again.
  const absl::Status status = client_->Explain(
      {.code = code, .text = absl::StrCat(rd_kafka_outq_len(client_->get()), " records are not delivered yet")}, Phase::kAdmin,
      What("flush"));
  return status;
}

base::Offset RdProducer::LastDelivered(TopicHandle handle, base::Partition partition) const {
  const OpenTopic& topic = *topics_.at(static_cast<size_t>(handle));
  const auto index = static_cast<size_t>(partition.value());
  return index < topic.last_delivered.size() ? base::Offset{topic.last_delivered[index]} : base::kOffsetUnknown;
}

absl::Status RdProducer::InitTransactions(int timeout_ms) {
  return client_->ExplainTaken(rd_kafka_init_transactions(client_->get(), timeout_ms), Phase::kInitTransactions,
                               What("init_transactions"));
}

absl::Status RdProducer::BeginTransaction() {
  TAILRACE_RETURN_IF_ERROR(
      client_->ExplainTaken(rd_kafka_begin_transaction(client_->get()), Phase::kBeginTransaction, What("begin_transaction")));
  in_transaction_ = true;
  first_error_ = absl::OkStatus();
  return absl::OkStatus();
}

absl::Status RdProducer::SendOffsets(std::span<const OffsetToCommit> offsets, const GroupMetadata& group) {
  const auto* metadata = dynamic_cast<const RdGroupMetadata*>(&group);
  TAILRACE_CHECK(metadata != nullptr, "group metadata comes from a Membership of the same Cluster");
  if (offsets.empty()) return absl::OkStatus();
  PartitionListPtr list = NewPartitionList(offsets.size());
  for (const OffsetToCommit& offset : offsets) {
    rd_kafka_topic_partition_t* entry =
        rd_kafka_topic_partition_list_add(list.get(), offset.partition.topic.c_str(), offset.partition.partition.value());
    entry->offset = offset.offset.value();
    if (offset.metadata.empty()) continue;
    entry->metadata = malloc(offset.metadata.size());  // The list frees it.
    std::copy(offset.metadata.begin(), offset.metadata.end(), static_cast<char*>(entry->metadata));
    entry->metadata_size = offset.metadata.size();
  }
  const std::string what =
      absl::StrCat(Name(), ": send_offsets_to_transaction for group ", metadata->group, ", generation ", metadata->generation);
  // The client keeps to the time only while a broker answers: without one it looks for the group's coordinator for ever, and
  // such a call cannot be interrupted.
  struct Call {
    std::shared_ptr<Client> client;
    PartitionListPtr offsets;
    std::shared_ptr<const rd_kafka_consumer_group_metadata_t> metadata;
    ErrorPtr error;
  };
  const std::shared_ptr<Call> call(new Call{client_, std::move(list), metadata->metadata, nullptr});  // shared with the thread that makes it
  const bool answered = RunWithin(answer_timeout_ms_, [call, timeout_ms = answer_timeout_ms_] {
    call->error.reset(rd_kafka_send_offsets_to_transaction(call->client->get(), call->offsets.get(), call->metadata.get(), timeout_ms));
  });
  if (answered) return client_->ExplainTaken(call->error.release(), Phase::kSendOffsets, what);
  client_->Silence();
  return client_->Explain({.code = RD_KAFKA_RESP_ERR__TIMED_OUT, .text = absl::StrCat("no answer in ", answer_timeout_ms_, " ms")},
                          Phase::kSendOffsets, what);
}

// The time is given because without one the client waits for ever for a coordinator that is gone.
absl::Status RdProducer::CommitTransaction() {
  absl::Status status = client_->ExplainTaken(rd_kafka_commit_transaction(client_->get(), answer_timeout_ms_), Phase::kCommit,
                                               What("commit_transaction"));
  if (status.ok()) {
    in_transaction_ = false;
    return status;
  }
  // A failed delivery is why: it names topic and partition. Its reaction holds unless the commit's is more severe.
  if (!first_error_.ok() && base::ReactionOf(status) == Reaction::kAbortTransaction) return first_error_;
  return status;
}

absl::Status RdProducer::AbortTransaction() {
  aborting_ = true;
  absl::Status status = client_->ExplainTaken(rd_kafka_abort_transaction(client_->get(), answer_timeout_ms_), Phase::kAbort,
                                               What("abort_transaction"));
  aborting_ = false;
  in_transaction_ = false;
  if (status.ok()) first_error_ = absl::OkStatus();
  return status;
}

}  // namespace tailrace::kafka::rdkafka
