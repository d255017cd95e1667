#include "replay/replay_consumer.h"

#include <algorithm>
#include <utility>

#include "tailrace/base/check.h"
#include "tailrace/base/clock.h"
#include "tailrace/base/limits.h"

namespace tailrace::processor {
namespace {

// Records of one partition that wait for those of others.
constexpr size_t kHeldMax = 4'000;
// A partition that gives nothing for so long is not waited for: its end may not be known.
constexpr int64_t kWaitMsMax = 1'000;
// Tasks of one worker begin together but not in one moment.
constexpr int64_t kAssignMsMax = 10'000;

}  // namespace

// Owns the records of a batch. Of those that the inner consumer gives straight away it knows nothing: it is not in their batches.
class ReplayConsumer::Storage : public kafka::RecordBatch::Storage {
 public:
  void Clear() override { records_.clear(); }
  kafka::Headers HeadersOf(const kafka::RecordView& record) const override { return static_cast<const Held*>(record.native)->headers; }
  const Held& Own(Held record) { return records_.emplace_back(std::move(record)); }

 private:
  std::deque<Held> records_;
};

ReplayConsumer::ReplayConsumer(std::unique_ptr<kafka::Consumer> inner, const ReplayReading& reading)
    : inner_(std::move(inner)), reading_(reading) {}

ReplayConsumer::~ReplayConsumer() { raw_.Clear(); }

absl::Status ReplayConsumer::Assign(std::vector<kafka::AssignedPartition> partitions) {
  raw_.Clear();
  std::vector<Source> sources;
  bool any_end = false;
  for (const kafka::AssignedPartition& assigned : partitions) {
    Source source{.ordered = reading_.inputs.contains(assigned.partition.topic)};
    if (const auto end = reading_.ends.find(assigned.partition); end != reading_.ends.end()) source.end = end->second;
    any_end |= source.end != base::kOffsetUnknown;
    sources.push_back(std::move(source));
  }
  TAILRACE_RETURN_IF_ERROR(inner_->Assign(std::move(partitions)));
  sources_ = std::move(sources);
  ordered_ = static_cast<size_t>(std::count_if(sources_.begin(), sources_.end(), [](const Source& source) { return source.ordered; }));
  if (ordered_ > 0 && first_assigned_ms_ < 0) first_assigned_ms_ = base::SystemClock().SteadyMs();
  any_end_ = any_end;
  any_held_ = false;
  waiting_since_ms_ = -1;
  return absl::OkStatus();
}

ReplayConsumer::Storage& ReplayConsumer::StorageOf(kafka::RecordBatch& batch) {
  auto* storage = dynamic_cast<Storage*>(batch.storage());
  if (storage == nullptr) {
    batch.set_storage(std::make_unique<Storage>());
    storage = static_cast<Storage*>(batch.storage());
  }
  return *storage;
}

absl::Status ReplayConsumer::Poll(kafka::RecordBatch& batch, int timeout_ms) {
  batch.Clear();
  const bool in_order = reading_.in_order && reading_.in_order();
  if (!in_order && !any_end_ && !any_held_) return inner_->Poll(batch, timeout_ms);
  Storage& storage = StorageOf(batch);
  TAILRACE_RETURN_IF_ERROR(Fetch(Next(in_order) >= 0 ? 0 : timeout_ms));
  std::vector<kafka::RecordView>& records = batch.mutable_records();
  while (records.size() < static_cast<size_t>(base::limits::kPollRecordsMax)) {
    const int32_t index = Next(in_order);
    if (index < 0) break;
    Source& source = sources_[static_cast<size_t>(index)];
    const Held& record = storage.Own(std::move(source.held.front()));
    source.held.pop_front();
    kafka::RecordView& view = records.emplace_back();
    view.source = index;
    view.offset = record.offset;
    view.timestamp_ms = record.timestamp_ms;
    if (record.has_key) view.key = kafka::NullableBytes(record.key);
    if (record.has_value) view.value = kafka::NullableBytes(record.value);
    view.native = &record;
  }
  any_held_ = false;
  bool any_waiting = false;
  for (size_t i = 0; i < sources_.size(); ++i) {
    TAILRACE_RETURN_IF_ERROR(Settle(i));
    any_held_ |= !sources_[i].held.empty();
    any_waiting |= !sources_[i].held.empty() && !sources_[i].paused;
  }
  if (!records.empty() || !any_waiting) waiting_since_ms_ = -1;
  else if (waiting_since_ms_ < 0) waiting_since_ms_ = base::SystemClock().SteadyMs();
  return absl::OkStatus();
}

absl::Status ReplayConsumer::Fetch(int timeout_ms) {
  TAILRACE_RETURN_IF_ERROR(inner_->Poll(raw_, timeout_ms));
  for (const kafka::RecordView& record : raw_.records()) {
    Source& source = sources_[static_cast<size_t>(record.source)];
    if (source.end != base::kOffsetUnknown && record.offset >= source.end) continue;
    source.held.push_back({.offset = record.offset, .timestamp_ms = record.timestamp_ms, .has_key = !record.key.is_null(),
                           .has_value = !record.value.is_null(), .key = std::string(record.key.view()),
                           .value = std::string(record.value.view()), .headers = raw_.HeadersOf(record)});
  }
  raw_.Clear();
  return absl::OkStatus();
}

int32_t ReplayConsumer::Next(bool in_order) const {
  int32_t next = -1;
  bool complete = AllAssigned();
  for (size_t i = 0; i < sources_.size(); ++i) {
    const Source& source = sources_[i];
    if (source.paused) continue;
    if (source.held.empty()) {
      if (source.ordered && !AtEnd(i)) complete = false;
      continue;
    }
    // What is no input, such as a repartition topic, is not held up.
    if (!source.ordered) return static_cast<int32_t>(i);
    if (next < 0 || source.held.front().timestamp_ms < sources_[static_cast<size_t>(next)].held.front().timestamp_ms)
      next = static_cast<int32_t>(i);
  }
  const bool waited = waiting_since_ms_ >= 0 && base::SystemClock().SteadyMs() - waiting_since_ms_ >= kWaitMsMax;
  return complete || !in_order || (waited && AllAssigned()) ? next : -1;
}

bool ReplayConsumer::AllAssigned() const {
  size_t expected = 0;
  for (const auto& [topic, partitions] : reading_.inputs) expected += static_cast<size_t>(partitions);
  return ordered_ >= expected || base::SystemClock().SteadyMs() - first_assigned_ms_ >= kAssignMsMax;
}

bool ReplayConsumer::AtEnd(size_t index) const {
  const base::Offset end = KnownEnd(static_cast<int32_t>(index));
  return end != base::kOffsetUnknown && inner_->Position(static_cast<int32_t>(index)) >= end;
}

// Whether the inner consumer reads this source: not while enough of it waits here, and not behind its end.
absl::Status ReplayConsumer::Settle(size_t index) {
  Source& source = sources_[index];
  const auto number = static_cast<int32_t>(index);
  const bool over = source.end != base::kOffsetUnknown && inner_->Position(number) >= source.end;
  const size_t bound = source.inner_paused ? kHeldMax / 2 : kHeldMax;
  const bool pause = source.paused || over || source.held.size() >= bound;
  if (pause == source.inner_paused) return absl::OkStatus();
  source.inner_paused = pause;
  return pause ? inner_->Pause(std::span(&number, 1)) : inner_->Resume(std::span(&number, 1));
}

absl::Status ReplayConsumer::Pause(std::span<const int32_t> sources) {
  for (const int32_t index : sources) {
    TAILRACE_CHECK(index >= 0 && static_cast<size_t>(index) < sources_.size(), "a source is an index into the assignment");
    sources_[static_cast<size_t>(index)].paused = true;
    TAILRACE_RETURN_IF_ERROR(Settle(static_cast<size_t>(index)));
  }
  return absl::OkStatus();
}

absl::Status ReplayConsumer::Resume(std::span<const int32_t> sources) {
  for (const int32_t index : sources) {
    TAILRACE_CHECK(index >= 0 && static_cast<size_t>(index) < sources_.size(), "a source is an index into the assignment");
    sources_[static_cast<size_t>(index)].paused = false;
    TAILRACE_RETURN_IF_ERROR(Settle(static_cast<size_t>(index)));
  }
  return absl::OkStatus();
}

base::Offset ReplayConsumer::Position(int32_t index) const {
  const Source& source = sources_.at(static_cast<size_t>(index));
  if (!source.held.empty()) return source.held.front().offset;
  const base::Offset position = inner_->Position(index);
  return source.end == base::kOffsetUnknown ? position : std::min(position, source.end);
}

base::Offset ReplayConsumer::KnownEnd(int32_t index) const {
  const Source& source = sources_.at(static_cast<size_t>(index));
  const base::Offset end = inner_->KnownEnd(index);
  return source.end == base::kOffsetUnknown || end == base::kOffsetUnknown ? end : std::min(end, source.end);
}

namespace {

class ReplayCluster final : public kafka::Cluster {
 public:
  ReplayCluster(std::unique_ptr<kafka::Cluster> inner, ReplayReading reading) : inner_(std::move(inner)), reading_(std::move(reading)) {}

  absl::StatusOr<std::unique_ptr<kafka::Consumer>> NewConsumer(const kafka::ConsumerOptions& options) override {
    TAILRACE_ASSIGN_OR_RETURN(std::unique_ptr<kafka::Consumer> consumer, inner_->NewConsumer(options));
    if (options.restore) return consumer;
    return std::make_unique<ReplayConsumer>(std::move(consumer), reading_);
  }
  absl::StatusOr<std::unique_ptr<kafka::Producer>> NewProducer(const kafka::ProducerOptions& options) override {
    return inner_->NewProducer(options);
  }
  absl::StatusOr<std::unique_ptr<kafka::Membership>> NewMembership(const kafka::MembershipOptions& options) override {
    return inner_->NewMembership(options);
  }
  kafka::Admin& admin() override { return inner_->admin(); }
  std::string Description() const override { return inner_->Description(); }
  bool shared() const override { return inner_->shared(); }

 private:
  const std::unique_ptr<kafka::Cluster> inner_;
  const ReplayReading reading_;
};

}  // namespace

std::unique_ptr<kafka::Cluster> ReadForReplay(std::unique_ptr<kafka::Cluster> cluster, ReplayReading reading) {
  return std::make_unique<ReplayCluster>(std::move(cluster), std::move(reading));
}

}  // namespace tailrace::processor
