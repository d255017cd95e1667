#include "task.h"

#include <algorithm>
#include <memory>
#include <set>

#include "absl/strings/str_cat.h"
#include "committed_metadata.h"
#include "tailrace/base/bytes.h"
#include "tailrace/base/check.h"
#include "tailrace/base/limits.h"
#include "thrown.h"

namespace tailrace::processor {
namespace {

using detail::DropReason;
using detail::PunctuationType;

constexpr char kEpochHeader[] = "e";
// How the value of a suppression's changelog record is encoded (InMemoryTimeOrderedKeyValueChangeBuffer).
constexpr char kBufferVersionHeader[] = "v";
constexpr std::string_view kBufferVersion = "\x03";

bool IsBuffer(const state::StoreSpec& store) { return store.kind == state::StoreKind::kTimeOrderedBuffer; }

}  // namespace

absl::StatusOr<std::unique_ptr<Task>> Task::Create(TaskOptions options) {
  TAILRACE_CHECK(options.subtopology != nullptr && options.state != nullptr && options.clock != nullptr,
                 "a task needs its subtopology, state and clock");
  TAILRACE_CHECK(!options.inputs.empty(), "a task has at least one input");
  return std::unique_ptr<Task>(new Task(std::move(options)));
}

Task::Task(TaskOptions options)
    : options_(std::move(options)),
      buffer_(options_.inputs.size(), options_.max_task_idle_ms, options_.clock,
              [this](size_t slot, const kafka::RecordView& record) { return TimeInBuffer(slot, record); }),
      store_headers_(options_.state->record_headers()), time_(options_.state->event_time()),
      stores_keep_headers_(std::any_of(options_.state->specs().begin(), options_.state->specs().end(),
                                       [](const state::StoreSpec& store) { return store.caching; })),
      stores_keep_context_(std::any_of(options_.state->specs().begin(), options_.state->specs().end(), IsBuffer)) {
  options_.state->SetChangelogWriter(this);
}

Task::~Task() { Close(); }

base::Offset Task::StartOffset(const detail::Subtopology& subtopology, const base::TopicPartition& input,
                               const kafka::CommittedOffset& committed, base::Offset default_reset) {
  if (committed.offset.value() >= 0) return committed.offset;
  for (const detail::NodeSpec* node : subtopology.nodes) {
    if (node->type != TopologyNode::Type::kSource) continue;
    for (const std::string& topic : node->topics) {
      if (topic != input.topic) continue;
      if (node->offset_reset == detail::OffsetReset::kEarliest) return base::kOffsetBeginning;
      if (node->offset_reset == detail::OffsetReset::kLatest) return base::kOffsetEnd;
      return default_reset;
    }
  }
  // A repartition topic holds records that only this application can process: never skip any.
  return base::kOffsetBeginning;
}

absl::Status Task::Start(kafka::Producer& producer, const std::vector<kafka::CommittedOffset>& committed) {
  TAILRACE_CHECK(committed.size() == options_.inputs.size(), "one committed offset per input");
  producer_ = &producer;
  failure_ = absl::OkStatus();
  dirty_ = false;
  commit_requested_ = false;

  const state::CommitPoint& stored = options_.state->committed();
  restored_times_ms_ = {stored.operator_times_ms.begin(), stored.operator_times_ms.end()};
  time_.stream_time_ms = stored.stream_time_ms;
  inputs_.clear();
  inputs_.resize(options_.inputs.size());
  buffer_.clear();
  for (size_t slot = 0; slot < committed.size(); ++slot) {
    const CommittedMetadata metadata = DecodeCommittedMetadata(committed[slot].metadata);
    inputs_[slot].partition_time_ms = metadata.partition_time_ms;
    inputs_[slot].next_offset = committed[slot].offset;
    const bool tracked = options_.watermarks && !options_.upstream[slot].empty();
    if (!tracked) time_.stream_time_ms = std::max(time_.stream_time_ms, metadata.partition_time_ms);
    for (const auto& [name, time_ms] : metadata.operator_times_ms) {
      int64_t& restored = restored_times_ms_.try_emplace(name, time_ms).first->second;
      restored = std::max(restored, time_ms);
    }
  }
  if (watches_idleness() || options_.watermarks)
    time_.stream_time_ms = std::max(time_.stream_time_ms, RestoredOperatorTime(kStreamTimeName));
  for (size_t slot = 0; options_.watermarks && slot < inputs_.size(); ++slot) {
    inputs_[slot].upstream = UpstreamTimes(options_.upstream[slot]);
    inputs_[slot].upstream.Restore(options_.inputs[slot].topic, restored_times_ms_);
    inputs_[slot].upstream_time_ms = inputs_[slot].upstream.Time();  // which was told before the commit
  }
  if (time_.stream_time_ms > stored.stream_time_ms) options_.state->PublishView();
  idle_time_ms_ = -1;
  is_idle_ = false;
  quiet_processed_ = -1;
  last_heartbeat_.reset();
  SetTimeLimit(options_.watermarks ? time_.stream_time_ms : INT64_MAX);
  return BuildNodes();
}

bool Task::IsInput(std::string_view topic) const {
  return std::any_of(options_.inputs.begin(), options_.inputs.end(), [&](const auto& input) { return input.topic == topic; });
}

const Task::Input* Task::InputOf(const state::StoreSpec& store) const {
  for (size_t slot = 0; store.logging && slot < inputs_.size(); ++slot)
    if (options_.inputs[slot].topic == store.changelog_topic) return &inputs_[slot];
  return nullptr;
}

absl::Status Task::BuildNodes() {
  const detail::Subtopology& subtopology = *options_.subtopology;
  punctuations_.clear();
  kept_times_.clear();

  changelog_topics_.clear();
  for (const state::StoreSpec& store : subtopology.stores) {
    if (!store.logging || IsInput(store.changelog_topic)) {  // what was read from it need not be written again
      changelog_topics_.push_back(-1);
      continue;
    }
    TAILRACE_ASSIGN_OR_RETURN(const kafka::TopicHandle handle, producer_->Topic(store.changelog_topic));
    changelog_topics_.push_back(handle);
  }
  changelog_headers_.clear();
  if (options_.epoch >= 0) {
    std::string epoch;
    base::AppendBigEndian(epoch, options_.epoch);
    changelog_headers_.push_back({kEpochHeader, std::move(epoch)});
  }
  buffer_headers_ = changelog_headers_;
  buffer_headers_.push_back({kBufferVersionHeader, std::string(kBufferVersion)});
  dead_letter_.reset();
  if (!options_.dead_letter_topic.empty()) {
    TAILRACE_ASSIGN_OR_RETURN(dead_letter_, producer_->Topic(options_.dead_letter_topic));
  }

  heartbeat_topics_.clear();
  for (const std::string& topic : options_.heartbeat_topics) {
    TAILRACE_ASSIGN_OR_RETURN(const kafka::TopicHandle handle, producer_->Topic(topic));
    heartbeat_topics_.push_back(handle);
  }
  if (watches_idleness() || options_.watermarks) KeepOperatorTime(kStreamTimeName, &time_.stream_time_ms);

  nodes_.clear();
  std::map<std::string_view, detail::Node*> by_name;
  for (const detail::NodeSpec* spec : subtopology.nodes) {
    nodes_.push_back(spec->factory());
    detail::Node* const node = nodes_.back().get();
    node->set_name(spec->name);
    by_name.emplace(spec->name, node);
    for (const std::string& predecessor : spec->predecessors) by_name.at(predecessor)->AddChild(node);
    if (spec->type != TopologyNode::Type::kSource) continue;
    for (const std::string& topic : spec->topics) {
      const auto full = subtopology.full_names.find(topic);
      const std::string& name = full == subtopology.full_names.end() ? topic : full->second;
      for (size_t slot = 0; slot < options_.inputs.size(); ++slot)
        if (options_.inputs[slot].topic == name) inputs_[slot].source = static_cast<detail::Source*>(node);
    }
  }
  for (size_t slot = 0; slot < inputs_.size(); ++slot)
    TAILRACE_CHECK(inputs_[slot].source != nullptr, "no source reads " + options_.inputs[slot].ToString());
  for (Input& input : inputs_)
    if (input.upstream.tracks()) input.below = NodesBelow(input.source->name());
  for (const auto& node : nodes_) {
    initialised_ = node->name();
    absl::Status status;
    try {
      status = node->Init(*this);
    } catch (...) {
      status = base::Error(base::Reaction::kFatal, absl::StatusCode::kAborted,
                           absl::StrCat("user code threw at Init: ", CurrentException().message));
    }
    if (!status.ok()) return base::Annotate(status, absl::StrCat("task ", id().ToString(), " operator ", node->name()));
  }
  initialised_ = "that scheduled a punctuation";
  committed_emit_times_ms_ = EmitTimes();
  return failure_;
}

std::vector<detail::Node*> Task::NodesBelow(std::string_view source) const {
  std::vector<detail::Node*> below;
  std::set<std::string_view> reached{source};
  const std::vector<const detail::NodeSpec*>& specs = options_.subtopology->nodes;
  for (size_t i = 0; i < specs.size(); ++i) {
    const auto& above = specs[i]->predecessors;
    if (std::none_of(above.begin(), above.end(), [&](const std::string& name) { return reached.contains(name); })) continue;
    reached.insert(specs[i]->name);
    below.push_back(nodes_[i].get());
  }
  return below;
}

bool Task::AcceptTimestamp(Input& input, int64_t timestamp_ms, DropReason& reason) {
  if (timestamp_ms < 0) [[unlikely]] {
    reason = DropReason::kInvalidTimestamp;
    return false;
  }
  if (timestamp_ms > future_limit_ms_ && options_.max_future_skew_ms >= 0) [[unlikely]] {
    future_limit_ms_ = options_.clock->WallMs() + options_.max_future_skew_ms;
    if (timestamp_ms > future_limit_ms_) {
      reason = DropReason::kFutureTimestamp;
      return false;
    }
  }
  input.partition_time_ms = std::max(input.partition_time_ms, timestamp_ms);
  time_.stream_time_ms = std::max(time_.stream_time_ms, std::min(timestamp_ms, time_.limit_ms));
  return true;
}

absl::Status Task::Process(const kafka::RecordView& record, const kafka::RecordBatch& batch) {
  current_batch_ = &batch;
  current_headers_ = nullptr;
  return ProcessOne(0, record);
}

absl::Status Task::ProcessOne(size_t slot, const kafka::RecordView& record) {
  Input& input = inputs_[slot];
  TAILRACE_CHECK(record.offset >= input.next_offset, "offsets of an input only grow");
  current_view_ = &record;
  headers_built_ = false;
  record_.topic = options_.inputs[slot].topic;
  record_.partition = options_.inputs[slot].partition;
  record_.offset = record.offset;
  input.next_offset = record.offset.Next();
  input.moved = true;
  dirty_ = true;
  if (options_.watermarks && TakeHeartbeat(input)) [[unlikely]] return absl::OkStatus();
  ++counters_.processed;

  record_.timestamp_ms = record.timestamp_ms;

  try {
    if (absl::Status status = input.source->Decode(record, input.partition_time_ms); !status.ok()) [[unlikely]]
      return HandleError(options_.handlers.deserialization, input.source->name(), status, DropReason::kUndecodable,
                         "DeserializationError");
  } catch (...) {
    const Thrown thrown = CurrentException();
    return HandleError(options_.handlers.deserialization, input.source->name(),
                       base::Error(base::Reaction::kSkipRecord, absl::StatusCode::kInvalidArgument,
                                   absl::StrCat("the source's serde threw: ", thrown.message)),
                       DropReason::kUndecodable, thrown.type);
  }
  const int64_t timestamp_ms = input.source->timestamp_ms();
  if (DropReason reason; !AcceptTimestamp(input, timestamp_ms, reason)) [[unlikely]] {
    if (reason == DropReason::kInvalidTimestamp && !input.source->reports_invalid_timestamps()) {
      Drop(reason);
      return absl::OkStatus();
    }
    const absl::Status status = base::Error(
        base::Reaction::kSkipRecord, absl::StatusCode::kOutOfRange,
        absl::StrCat("timestamp ", timestamp_ms, reason == DropReason::kFutureTimestamp
                                                     ? " is later than now by more than max.future.skew.ms"
                                                     : " is below zero"));
    return HandleError(options_.handlers.deserialization, input.source->name(), status, reason, "InvalidTimestamp");
  }
  record_.timestamp_ms = timestamp_ms;
  SetRecordOfStores();
  try {
    input.source->Emit();
  } catch (...) {
    // The handler was asked where it was thrown, and its answer is in failure_; a source that forwards by itself was not.
    if (failure_.ok() && HandleThrown(input.source->name(), false)) return absl::OkStatus();
  }
  if (!failure_.ok()) [[unlikely]] {
    if (base::ReactionOf(failure_) != base::Reaction::kSkipRecord) return failure_;
    const absl::Status error = std::exchange(failure_, absl::OkStatus());
    return HandleError(options_.handlers.processing, input.source->name(), error, DropReason::kProcessingError, "ProcessingError");
  }
  return absl::OkStatus();
}

void Task::SetRecordOfStores() {
  store_headers_ = {nullptr, stores_keep_context_ ? &record_ : nullptr};
  if (!stores_keep_headers_) return;
  const kafka::Headers& headers = record_headers();
  if (!headers.empty()) [[unlikely]] store_headers_.current = &headers;
}

void Task::Enqueue(int32_t slot, const kafka::RecordView& record, kafka::Headers headers) {
  buffer_.Add(static_cast<size_t>(slot), record, std::move(headers));
}

int64_t Task::TimeInBuffer(size_t slot, const kafka::RecordView& record) {
  if (direct()) return record.timestamp_ms;  // there is nothing to choose from
  Input& input = inputs_[slot];
  try {
    if (input.source->Decode(record, input.partition_time_ms).ok()) return input.source->timestamp_ms();
  } catch (...) {
    return record.timestamp_ms;
  }
  return record.timestamp_ms;
}

absl::StatusOr<int> Task::ProcessBuffered(int max_records) {
  current_batch_ = nullptr;
  int processed = 0;
  while (processed < max_records && buffer_.Ready()) {
    const InputBuffer::Taken taken = buffer_.Take();
    const kafka::RecordView view = taken.record.View();
    current_headers_ = &taken.record.headers();
    TAILRACE_RETURN_IF_ERROR(ProcessOne(taken.slot, view));
    ++processed;
    buffer_.Settle(taken.slot);
  }
  current_headers_ = nullptr;
  store_headers_ = {};
  current_view_ = nullptr;
  return processed;
}

const kafka::Headers& Task::record_headers() {
  if (store_headers_.current != nullptr) return *store_headers_.current;
  if (current_headers_ != nullptr) return *current_headers_;
  if (!headers_built_) {
    headers_ = current_batch_ != nullptr && current_view_ != nullptr ? current_batch_->HeadersOf(*current_view_)
                                                                     : kafka::Headers{};
    headers_built_ = true;
  }
  return headers_;
}

void Task::ProcessKept(const RecordContext& record, const kafka::Headers& headers, absl::FunctionRef<void()> process) {
  struct Restore {
    ~Restore() {
      task.record_ = record;
      task.current_headers_ = current_headers;
      task.store_headers_.current = store_headers;
    }
    Task& task;
    const RecordContext record;
    const kafka::Headers* const current_headers;
    const kafka::Headers* const store_headers;
  } const restore{*this, record_, current_headers_, store_headers_.current};
  record_ = record;
  current_headers_ = &headers;
  store_headers_.current = headers.empty() ? nullptr : &headers;
  process();
}

absl::StatusOr<bool> Task::Punctuate() {
  bool fired = false;
  TAILRACE_RETURN_IF_ERROR(FirePunctuations(PunctuationType::kStreamTime, time_.stream_time_ms, fired));
  TAILRACE_RETURN_IF_ERROR(FirePunctuations(PunctuationType::kWallClockTime, options_.clock->WallMs(), fired));
  return fired;
}

absl::Status Task::FirePunctuations(PunctuationType type, int64_t now_ms, bool& fired) {
  if (type == PunctuationType::kStreamTime && now_ms < 0) return absl::OkStatus();
  while (const std::shared_ptr<Punctuation> punctuation = punctuations_.TakeDue(type, now_ms)) {
    fired = true;
    dirty_ = true;
    record_ = {.topic = {}, .partition = options_.id.partition, .offset = base::kOffsetUnknown, .timestamp_ms = now_ms};
    if (options_.watermarks) SetTimeLimit(time_.stream_time_ms);
    headers_built_ = true;
    headers_.clear();
    current_headers_ = nullptr;
    current_view_ = nullptr;
    SetRecordOfStores();
    try {
      punctuation->callback(now_ms);
    } catch (...) {
      HandleThrown(punctuation->operator_name, false);
    }
    if (!failure_.ok()) return failure_;
    punctuations_.PutBack(punctuation, now_ms);
  }
  return absl::OkStatus();
}

std::unique_ptr<detail::PunctuationHandle> Task::Schedule(int64_t interval_ms, PunctuationType type,
                                                          std::function<void(int64_t)> callback) {
  if (interval_ms <= 0) Fail(base::UsageError(absl::StrCat("a punctuation interval of ", interval_ms, " ms: it must be positive")));
  return punctuations_.Add({.type = type,
                            .interval_ms = interval_ms,
                            .next_ms = type == PunctuationType::kStreamTime ? 0 : options_.clock->WallMs() + interval_ms,
                            .operator_name = initialised_,
                            .callback = std::move(callback),
                            .cancelled = interval_ms <= 0});
}

absl::Status Task::Revert(kafka::Producer& producer, const std::vector<kafka::CommittedOffset>& committed) {
  Close();
  options_.state->DiscardUncommitted();
  return Start(producer, committed);
}

void Task::Close() {
  for (const auto& node : nodes_) node->Close();
  nodes_.clear();
  punctuations_.clear();
  kept_times_.clear();
}

int64_t Task::RestoredOperatorTime(std::string_view operator_name) const {
  const auto found = restored_times_ms_.find(operator_name);
  return found == restored_times_ms_.end() ? -1 : found->second;
}

void Task::KeepOperatorTime(std::string_view operator_name, const int64_t* time_ms) {
  kept_times_.insert_or_assign(std::string(operator_name), time_ms);
}

absl::StatusOr<kafka::TopicHandle> Task::ResolveTopic(std::string_view topic) {
  const auto full = options_.subtopology->full_names.find(topic);
  const std::string_view name = full == options_.subtopology->full_names.end() ? topic : std::string_view(full->second);
  TAILRACE_ASSIGN_OR_RETURN(const kafka::TopicHandle handle, producer_->Topic(name));
  topic_names_[handle] = name;
  return handle;
}

absl::StatusOr<int32_t> Task::PartitionCount(kafka::TopicHandle topic) { return producer_->PartitionCount(topic); }

void Task::Produce(const kafka::OutgoingRecord& record) {
  ++counters_.emitted;
  if (absl::Status status = producer_->Send(record); !status.ok()) [[unlikely]]
    Fail(base::Annotate(status, absl::StrCat("task ", id().ToString())));
}

void Task::Send(const kafka::OutgoingRecord& record) {
  ++counters_.emitted;
  absl::Status status = producer_->Send(record);
  if (status.ok()) [[likely]]
    return;
  if (base::ReactionOf(status) == base::Reaction::kSkipRecord)
    status = HandleError(options_.handlers.production, absl::StrCat("that writes topic ", topic_names_[record.topic]), status, DropReason::kTooLarge, "ProductionError");
  else
    status = base::Annotate(status, absl::StrCat("task ", id().ToString()));
  if (!status.ok()) Fail(std::move(status));
}

const detail::GlobalStores& Task::global_stores() const {
  TAILRACE_CHECK(options_.global_stores != nullptr, "an operator reads global stores, and the topology has none");
  return *options_.global_stores;
}

bool Task::is_versioned(std::string_view name) const {
  return std::any_of(options_.subtopology->stores.begin(), options_.subtopology->stores.end(), [&](const state::StoreSpec& spec) {
    return spec.name == name && spec.kind == state::StoreKind::kVersioned;
  });
}

void Task::Append(int32_t store, std::string_view key, kafka::NullableBytes value, int64_t timestamp_ms) {
  const kafka::TopicHandle topic = changelog_topics_[static_cast<size_t>(store)];
  if (topic < 0) return;
  const state::StoreSpec& spec = options_.subtopology->stores[static_cast<size_t>(store)];
  const bool is_change = !value.is_null() && IsBuffer(spec);
  const kafka::Headers* headers = is_change ? &buffer_headers_ : &changelog_headers_;
  kafka::Headers merged;
  if ((spec.log_record_headers || spec.retain_duplicates) && !record_headers().empty()) [[unlikely]] {
    // The buffers of joins log a record with its own headers (ChangeLoggingTimestampedWindowBytesStoreWithHeaders).
    merged = record_headers();
    merged.insert(merged.end(), headers->begin(), headers->end());
    headers = &merged;
  }
  Produce({.topic = topic,
           .partition = options_.id.partition,
           .key = key,
           .value = value,
           .timestamp_ms = timestamp_ms,
           .headers = headers->empty() ? nullptr : headers});
}

void Task::Fail(absl::Status status) {
  TAILRACE_CHECK(!status.ok(), "Fail needs an error");
  if (failure_.ok()) failure_ = std::move(status);
}

}  // namespace tailrace::processor
