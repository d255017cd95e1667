#include "spill/delivery.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tailrace/base/bytes.h"
#include "tailrace/base/check.h"
#include "tailrace/base/log.h"

namespace tailrace::ingest {
namespace {

using base::Reaction;

// Between two checkpoints on disk. Longer: more of the topic to read again after a kill.
constexpr int64_t kSaveIntervalMs = 1'000;
constexpr int kReadAgainPollMs = 500;
// Time for each question to the log while connecting.
constexpr int kConnectMs = 3'000;
constexpr size_t kMarkBytes = 16;

}  // namespace

absl::StatusOr<std::unique_ptr<Delivery>> Delivery::Open(kafka::Cluster& cluster, Journal& journal, std::string topic, std::string client_id,
                                                         const base::Clock& clock) {
  std::unique_ptr<Delivery> delivery(new Delivery(cluster, journal, std::move(topic), std::move(client_id), clock));
  TAILRACE_ASSIGN_OR_RETURN(auto saved, ReadCheckpoint(delivery->CheckpointFile()));
  const bool ours = saved && saved->journal_id == journal.id();
  if (ours) {
    if (saved->topic != delivery->checkpoint_.topic && saved->next_sequence < journal.end_sequence())
      return base::Error(Reaction::kFatal, absl::StatusCode::kFailedPrecondition,
                         absl::StrCat(journal.directory(), " holds records for topic ", saved->topic, ", not for ", delivery->checkpoint_.topic,
                                      "; give each topic its own spill.dir"));
    if (saved->topic == delivery->checkpoint_.topic) {
      journal.Release(journal.PositionOf(std::clamp(saved->next_sequence, journal.begin_sequence(), journal.end_sequence())));
      delivery->checkpoint_ = *std::move(saved);
      delivery->checkpoint_known_ = true;
      delivery->uncertain_until_ = journal.end_sequence();
    }
  }
  // Without a checkpoint nothing was ever sent: it is written before the first record goes out.
  delivery->checkpoint_.journal_id = journal.id();
  delivery->at_ = journal.PositionOf(journal.begin_sequence());
  delivery->headers_.push_back({.name = kSpillHeader, .value = std::string(kMarkBytes, '\0')});
  base::StoreBigEndian(delivery->headers_[0].value->data(), journal.id());
  return delivery;
}

absl::Status Delivery::Connect() {
  const std::string& topic = checkpoint_.topic;
  TAILRACE_ASSIGN_OR_RETURN(const auto description, cluster_.admin().DescribeTopic(topic, kConnectMs));
  if (!description)
    // A broker that has just come back may not know its topics yet; who opens this has asked before.
    return base::Error(Reaction::kRetry, absl::StatusCode::kUnavailable, absl::StrCat("topic ", topic, " is not at ", cluster_.Description()));
  arrived_.clear();
  const bool uncertain = at_.sequence < uncertain_until_;
  std::map<int32_t, int64_t> ends;
  for (int32_t partition = 0; partition < description->partition_count; ++partition) {
    TAILRACE_ASSIGN_OR_RETURN(const kafka::OffsetRange range, cluster_.admin().Offsets({topic, base::Partition{partition}}, kConnectMs));
    ends[partition] = range.end.value();
    if (!uncertain) continue;
    // A partition that is not in the checkpoint is younger than it.
    const auto known = checkpoint_.offsets.find(partition);
    const int64_t from = std::max(known == checkpoint_.offsets.end() ? 0 : known->second, range.begin.value());
    TAILRACE_RETURN_IF_ERROR(FindArrived(partition, from, range.end.value()));
  }
  TAILRACE_ASSIGN_OR_RETURN(producer_, cluster_.NewProducer({.client_id = client_id_}));
  TAILRACE_ASSIGN_OR_RETURN(topic_, producer_->Topic(topic));
  if (!uncertain) checkpoint_.offsets = std::move(ends);
  else base::LogInfo("ingest", "looked up which spilled records had arrived", {{"topic", topic}, {"arrived", arrived_.size()}});
  checkpoint_known_ = true;
  // Before the first record goes out: without a checkpoint the next process takes everything for unsent.
  if (absl::Status status = Save(); !status.ok()) {
    producer_.reset();
    return base::WithReaction(status, Reaction::kRetry);
  }
  return absl::OkStatus();
}

absl::Status Delivery::FindArrived(int32_t partition, int64_t begin, int64_t end) {
  if (begin >= end) return absl::OkStatus();
  TAILRACE_ASSIGN_OR_RETURN(const auto consumer, cluster_.NewConsumer({.client_id = client_id_}));
  TAILRACE_RETURN_IF_ERROR(consumer->Assign({{{checkpoint_.topic, base::Partition{partition}}, base::Offset{begin}}}));
  kafka::RecordBatch batch;
  int64_t deadline_ms = clock_.SteadyMs() + kConnectMs;
  while (consumer->Position(0).value() < end) {
    TAILRACE_RETURN_IF_ERROR(consumer->Poll(batch, kReadAgainPollMs));
    if (!batch.empty()) deadline_ms = clock_.SteadyMs() + kConnectMs;
    else if (clock_.SteadyMs() > deadline_ms)
      return base::Error(Reaction::kRetry, absl::StatusCode::kUnavailable, absl::StrCat("cannot read the end of ", checkpoint_.topic, "-", partition));
    for (const kafka::RecordView& record : batch.records()) {
      for (const kafka::Header& header : batch.HeadersOf(record)) {
        if (header.name != kSpillHeader || !header.value || header.value->size() != kMarkBytes) continue;
        std::string_view mark = *header.value;
        uint64_t id = 0;
        uint64_t sequence = 0;
        base::ConsumeBigEndian(mark, id);
        base::ConsumeBigEndian(mark, sequence);
        if (id == journal_.id() && sequence >= at_.sequence) arrived_.insert(sequence);
      }
    }
  }
  return absl::OkStatus();
}

absl::Status Delivery::SendBatch() {
  for (; batch_sent_ < batch_.entries.size(); ++batch_sent_) {
    const JournalEntry& entry = batch_.entries[batch_sent_];
    if (!arrived_.empty() && arrived_.erase(entry.sequence) > 0) {
      ++found_again_;
      continue;
    }
    base::StoreBigEndian(headers_[0].value->data() + sizeof(uint64_t), entry.sequence);
    const absl::Status status =
        producer_->Send({.topic = topic_, .key = entry.key, .value = entry.value, .timestamp_ms = entry.timestamp_ms, .headers = &headers_});
    if (status.ok()) continue;
    if (base::ReactionOf(status) != Reaction::kSkipRecord) return status;
    if (refused_++ == 0) base::LogWarning("ingest", "the log refuses a record", {{"topic", checkpoint_.topic}, {"reason", status}});
  }
  return absl::OkStatus();
}

absl::Status Delivery::Arrived() {
  delivered_ += static_cast<int64_t>(batch_.end.sequence - at_.sequence);
  at_ = batch_.end;
  batch_ = {};
  batch_sent_ = 0;
  checkpoint_.next_sequence = at_.sequence;
  for (auto& [partition, offset] : checkpoint_.offsets) {
    const base::Offset last = producer_->LastDelivered(topic_, base::Partition{partition});
    if (last != base::kOffsetUnknown) offset = std::max(offset, last.value() + 1);
  }
  journal_.Release(at_);
  if (clock_.SteadyMs() - saved_ms_ >= kSaveIntervalMs) {
    // An older one only means that more of the topic is read again.
    if (const absl::Status status = Save(); !status.ok()) base::LogWarning("ingest", "cannot save how far it came", {{"reason", status}});
  }
  return absl::OkStatus();
}

absl::Status Delivery::Save() {
  if (!checkpoint_known_) return absl::OkStatus();
  saved_ms_ = clock_.SteadyMs();
  checkpoint_.next_sequence = at_.sequence;
  return WriteCheckpoint(CheckpointFile(), checkpoint_);
}

void Delivery::Disconnect() {
  uncertain_until_ = std::max(uncertain_until_, batch_.end.sequence);
  batch_ = {};
  batch_sent_ = 0;
  producer_.reset();
}

absl::Status Delivery::Step(int timeout_ms) {
  if (producer_ == nullptr) TAILRACE_RETURN_IF_ERROR(Connect());
  if (batch_.entries.empty()) {
    TAILRACE_ASSIGN_OR_RETURN(batch_, journal_.Read(at_));
    if (batch_.entries.empty()) return absl::OkStatus();
  }
  absl::Status status = SendBatch();
  if (status.ok()) status = producer_->Flush(timeout_ms);
  if (status.ok()) return Arrived();
  switch (base::ReactionOf(status)) {
    case Reaction::kRetry: return status;
    case Reaction::kFatal: return status;
    default:
      base::LogWarning("ingest", "a delivery failed; looking up what arrived", {{"topic", checkpoint_.topic}, {"reason", status}});
      Disconnect();
      return base::WithReaction(status, Reaction::kRetry);
  }
}

}  // namespace tailrace::ingest
