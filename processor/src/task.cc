#include "task.h"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <memory>
#include <set>
#include <typeinfo>

#include "absl/strings/str_cat.h"
#include "committed_metadata.h"
#include "tailrace/base/bytes.h"
#include "tailrace/base/check.h"
#include "tailrace/base/limits.h"
#include "tailrace/base/log.h"

namespace tailrace::processor {
namespace {

using detail::DropReason;
using detail::PunctuationType;

constexpr char kEpochHeader[] = "e";
// How the value of a suppression's changelog record is encoded (InMemoryTimeOrderedKeyValueChangeBuffer).
constexpr char kBufferVersionHeader[] = "v";
constexpr std::string_view kBufferVersion = "\x03";

constexpr std::string_view kDropReasonNames[] = {"null_key",         "null_value",  "late",
                                                 "invalid_timestamp", "future_timestamp", "undecodable",
                                                 "processing_error", "too_large", "no_partition", "outdated"};
static_assert(std::size(kDropReasonNames) == static_cast<size_t>(detail::kDropReasonCount), "each reason has a name");

bool IsBuffer(const state::StoreSpec& store) { return store.kind == state::StoreKind::kTimeOrderedBuffer; }

std::string_view View(absl::string_view text) { return {text.data(), text.size()}; }

// What is being caught: its message, and the name of its class.
struct Thrown {
  std::string message;
  std::string type;
};
Thrown CurrentException() {
  try {
    throw;
  } catch (const std::exception& error) {
    int status = 0;
    const std::unique_ptr<char, void (*)(void*)> name(abi::__cxa_demangle(typeid(error).name(), nullptr, nullptr, &status), std::free);
    return {error.what(), name == nullptr ? typeid(error).name() : name.get()};
  } catch (...) {
    return {"something that is no std::exception", "unknown"};
  }
}

}  // namespace

std::string_view detail::DropReasonName(DropReason reason) { return kDropReasonNames[static_cast<int>(reason)]; }

struct Task::Punctuation : detail::PunctuationHandle {
  void Cancel() override { cancelled = true; }

  int64_t interval_ms = 0;
  PunctuationType type = PunctuationType::kStreamTime;
  int64_t next_ms = 0;
  std::string operator_name;
  std::function<void(int64_t)> callback;
  bool cancelled = false;
};

bool Task::EarlierPunctuation::operator()(const std::shared_ptr<Punctuation>& a, const std::shared_ptr<Punctuation>& b) const {
  return a->next_ms < b->next_ms;
}

absl::StatusOr<std::unique_ptr<Task>> Task::Create(TaskOptions options) {
  TAILRACE_CHECK(options.subtopology != nullptr && options.state != nullptr && options.clock != nullptr,
                 "a task needs its subtopology, state and clock");
  TAILRACE_CHECK(!options.inputs.empty(), "a task has at least one input");
  return std::unique_ptr<Task>(new Task(std::move(options)));
}

Task::Task(TaskOptions options)
    : options_(std::move(options)), store_headers_(options_.state->record_headers()), time_(options_.state->event_time()),
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
  idle_since_ms_ = -1;

  const state::CommitPoint& stored = options_.state->committed();
  restored_times_ms_ = {stored.operator_times_ms.begin(), stored.operator_times_ms.end()};
  time_.stream_time_ms = stored.stream_time_ms;
  queues_.clear();
  filled_.clear();
  queues_.resize(options_.inputs.size());
  for (size_t slot = 0; slot < committed.size(); ++slot) {
    const CommittedMetadata metadata = DecodeCommittedMetadata(committed[slot].metadata);
    queues_[slot].partition_time_ms = metadata.partition_time_ms;
    queues_[slot].next_offset = committed[slot].offset;
    const bool tracked = options_.watermarks && !options_.upstream[slot].empty();
    if (!tracked) time_.stream_time_ms = std::max(time_.stream_time_ms, metadata.partition_time_ms);
    for (const auto& [name, time_ms] : metadata.operator_times_ms) {
      int64_t& restored = restored_times_ms_.try_emplace(name, time_ms).first->second;
      restored = std::max(restored, time_ms);
    }
  }
  if (watches_idleness() || options_.watermarks)
    time_.stream_time_ms = std::max(time_.stream_time_ms, RestoredOperatorTime(kStreamTimeName));
  for (size_t slot = 0; options_.watermarks && slot < queues_.size(); ++slot) {
    queues_[slot].upstream = UpstreamTimes(options_.upstream[slot]);
    queues_[slot].upstream.Restore(options_.inputs[slot].topic, restored_times_ms_);
    queues_[slot].upstream_time_ms = queues_[slot].upstream.Time();  // which was told before the commit
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

const Task::InputQueue* Task::InputOf(const state::StoreSpec& store) const {
  for (size_t slot = 0; store.logging && slot < queues_.size(); ++slot)
    if (options_.inputs[slot].topic == store.changelog_topic) return &queues_[slot];
  return nullptr;
}

absl::Status Task::BuildNodes() {
  const detail::Subtopology& subtopology = *options_.subtopology;
  stream_punctuations_.clear();
  wall_punctuations_.clear();
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
        if (options_.inputs[slot].topic == name) queues_[slot].source = static_cast<detail::Source*>(node);
    }
  }
  for (size_t slot = 0; slot < queues_.size(); ++slot)
    TAILRACE_CHECK(queues_[slot].source != nullptr, "no source reads " + options_.inputs[slot].ToString());
  for (InputQueue& queue : queues_)
    if (queue.upstream.tracks()) queue.below = NodesBelow(queue.source->name());
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

bool Task::AcceptTimestamp(InputQueue& queue, int64_t timestamp_ms, DropReason& reason) {
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
  queue.partition_time_ms = std::max(queue.partition_time_ms, timestamp_ms);
  time_.stream_time_ms = std::max(time_.stream_time_ms, std::min(timestamp_ms, time_.limit_ms));
  return true;
}

absl::Status Task::Process(const kafka::RecordView& record, const kafka::RecordBatch& batch) {
  current_batch_ = &batch;
  current_headers_ = nullptr;
  return ProcessOne(queues_[0], 0, record);
}

absl::Status Task::ProcessOne(InputQueue& queue, int32_t slot, const kafka::RecordView& record) {
  TAILRACE_CHECK(record.offset >= queue.next_offset, "offsets of an input only grow");
  current_view_ = &record;
  headers_built_ = false;
  record_.topic = options_.inputs[static_cast<size_t>(slot)].topic;
  record_.partition = options_.inputs[static_cast<size_t>(slot)].partition;
  record_.offset = record.offset;
  queue.next_offset = record.offset.Next();
  queue.moved = true;
  dirty_ = true;
  if (options_.watermarks && TakeHeartbeat(queue)) [[unlikely]] return absl::OkStatus();
  ++counters_.processed;

  record_.timestamp_ms = record.timestamp_ms;

  try {
    if (absl::Status status = queue.source->Decode(record, queue.partition_time_ms); !status.ok()) [[unlikely]]
      return HandleError(options_.handlers.deserialization, queue.source->name(), status, DropReason::kUndecodable,
                         "DeserializationError");
  } catch (...) {
    const Thrown thrown = CurrentException();
    return HandleError(options_.handlers.deserialization, queue.source->name(),
                       base::Error(base::Reaction::kSkipRecord, absl::StatusCode::kInvalidArgument,
                                   absl::StrCat("the source's serde threw: ", thrown.message)),
                       DropReason::kUndecodable, thrown.type);
  }
  const int64_t timestamp_ms = queue.source->timestamp_ms();
  if (DropReason reason; !AcceptTimestamp(queue, timestamp_ms, reason)) [[unlikely]] {
    if (reason == DropReason::kInvalidTimestamp && !queue.source->reports_invalid_timestamps()) {
      Drop(reason);
      return absl::OkStatus();
    }
    const absl::Status status = base::Error(
        base::Reaction::kSkipRecord, absl::StatusCode::kOutOfRange,
        absl::StrCat("timestamp ", timestamp_ms, reason == DropReason::kFutureTimestamp
                                                     ? " is later than now by more than max.future.skew.ms"
                                                     : " is below zero"));
    return HandleError(options_.handlers.deserialization, queue.source->name(), status, reason, "InvalidTimestamp");
  }
  record_.timestamp_ms = timestamp_ms;
  SetRecordOfStores();
  try {
    queue.source->Emit();
  } catch (...) {
    // The handler was asked where it was thrown, and its answer is in failure_; a source that forwards by itself was not.
    if (failure_.ok() && HandleThrown(queue.source->name(), false)) return absl::OkStatus();
  }
  if (!failure_.ok()) [[unlikely]] {
    if (base::ReactionOf(failure_) != base::Reaction::kSkipRecord) return failure_;
    const absl::Status error = std::exchange(failure_, absl::OkStatus());
    return HandleError(options_.handlers.processing, queue.source->name(), error, DropReason::kProcessingError, "ProcessingError");
  }
  return absl::OkStatus();
}

void Task::SetRecordOfStores() {
  store_headers_ = {nullptr, stores_keep_context_ ? &record_ : nullptr};
  if (!stores_keep_headers_) return;
  const kafka::Headers& headers = record_headers();
  if (!headers.empty()) [[unlikely]] store_headers_.current = &headers;
}

bool Task::HandleThrown(std::string_view operator_name, bool serializing) {
  if (!failure_.ok()) return false;  // the record is already ending
  const Thrown thrown = CurrentException();
  const absl::Status error =
      base::Error(base::Reaction::kSkipRecord, absl::StatusCode::kAborted,
                  serializing ? absl::StrCat("a serde threw while a record for this topic was written: ", thrown.message)
                              : absl::StrCat("user code threw: ", thrown.message));
  if (absl::Status status = HandleError(serializing ? options_.handlers.production : options_.handlers.processing, operator_name,
                                        error, DropReason::kProcessingError, thrown.type);
      !status.ok()) {
    failure_ = std::move(status);
    return false;
  }
  return true;
}

absl::Status Task::HandleError(const ErrorHandler& handler, std::string_view operator_name, const absl::Status& error,
                               DropReason reason, std::string_view kind) {
  ErrorContext context{.task_id = options_.id, .operator_name = operator_name, .topic = record_.topic, .partition = record_.partition,
                       .offset = record_.offset, .timestamp_ms = record_.timestamp_ms, .headers = &record_headers()};
  if (current_view_ != nullptr) {
    context.key = current_view_->key;
    context.value = current_view_->value;
  }
  std::string where = absl::StrCat("task ", id().ToString(), ", operator ", std::string(operator_name));
  if (current_view_ != nullptr)
    absl::StrAppend(&where, ", record ", record_.offset.value(), " of ", std::string(record_.topic), "-", record_.partition.value());
  const bool may_skip = base::ReactionOf(error) == base::Reaction::kSkipRecord;
  const ErrorResponse response = !may_skip ? ErrorResponse::kFail : handler ? handler(context, error) : ErrorResponse::kContinue;
  if (response == ErrorResponse::kFail)
    return base::WithReaction(base::Annotate(error, where), may_skip ? base::Reaction::kFatal : base::ReactionOf(error));
  if (counters_.dropped[static_cast<size_t>(reason)] == 0)  // the first of a kind; the others are counted
    base::LogWarning("task", "a record is skipped", {{"where", where}, {"error", error}});
  Drop(reason);
  if (response == ErrorResponse::kContinue && dead_letter_.has_value())
    return SendToDeadLetter(context, error, kind);
  return absl::OkStatus();
}

// The record's own key, value and headers, and headers that say what was wrong, named as Kafka Streams names them (KIP-1034).
// Between records, in a punctuation or while stores are flushed, there is no key, value and topic: they are null.
// A C++ exception has no stack trace any more; that header says which operator of which task it was.
absl::Status Task::SendToDeadLetter(const ErrorContext& context, const absl::Status& error, std::string_view kind) {
  kafka::Headers headers = record_headers();
  headers.push_back({"__streams.errors.exception", std::string(kind)});
  headers.push_back({"__streams.errors.message", std::string(View(error.message()))});
  headers.push_back({"__streams.errors.stacktrace",
                     absl::StrCat("at operator ", std::string(context.operator_name), " of task ", id().ToString())});
  headers.push_back({"__streams.errors.topic", current_view_ == nullptr ? std::optional<std::string>() : std::string(context.topic)});
  headers.push_back({"__streams.errors.partition", std::to_string(context.partition.value())});
  headers.push_back({"__streams.errors.offset", std::to_string(context.offset.value())});
  const absl::Status before = std::exchange(failure_, absl::OkStatus());
  Produce({.topic = *dead_letter_,
           .partition = std::nullopt,
           .key = context.key,
           .value = context.value,
           .timestamp_ms = std::max<int64_t>(context.timestamp_ms, 0),
           .headers = &headers});
  const absl::Status sent = std::exchange(failure_, before);
  return base::ReactionOf(sent) == base::Reaction::kSkipRecord ? base::WithReaction(sent, base::Reaction::kFatal) : sent;
}

void Task::Enqueue(int32_t slot, const kafka::RecordView& record, kafka::Headers headers) {
  InputQueue& queue = queues_[static_cast<size_t>(slot)];
  BufferedRecord buffered{.bytes = {}, .offset = record.offset, .timestamp_ms = record.timestamp_ms,
                          .log_timestamp_ms = record.timestamp_ms, .headers = std::move(headers)};
  buffered.bytes.reserve(record.key.view().size() + record.value.view().size());
  if (!record.key.is_null()) {
    buffered.key_size = static_cast<int32_t>(record.key.view().size());
    buffered.bytes += record.key.view();
  }
  if (!record.value.is_null()) {
    buffered.value_size = static_cast<int32_t>(record.value.view().size());
    buffered.bytes += record.value.view();
  }
  queue.records.push_back(std::move(buffered));
  if (queue.records.size() > 1) return;
  StampHead(queue);
  filled_.Push(static_cast<size_t>(slot));
}

kafka::RecordView Task::ViewOf(const BufferedRecord& buffered) {
  kafka::RecordView view{.offset = buffered.offset, .timestamp_ms = buffered.log_timestamp_ms};
  const char* const bytes = buffered.bytes.data();
  const size_t key_size = buffered.key_size < 0 ? 0 : static_cast<size_t>(buffered.key_size);
  if (buffered.key_size >= 0) view.key = {bytes, key_size};
  if (buffered.value_size >= 0) view.value = {bytes + key_size, static_cast<size_t>(buffered.value_size)};
  return view;
}

// A record that cannot be decoded keeps the log's timestamp here and is handled when its turn comes.
void Task::StampHead(InputQueue& queue) {
  BufferedRecord& head = queue.records.front();
  if (head.stamped || direct()) return;
  head.stamped = true;
  try {
    if (queue.source->Decode(ViewOf(head), queue.partition_time_ms).ok()) head.timestamp_ms = queue.source->timestamp_ms();
  } catch (...) {
    return;
  }
}

bool Task::ReadyToProcess() {
  bool any = false;
  bool all = true;
  bool may_get_more = false;
  for (const InputQueue& queue : queues_) {
    any |= !queue.records.empty();
    if (!queue.records.empty()) continue;
    all = false;
    may_get_more |= queue.has_more;
  }
  if (!any) return false;
  if (all || options_.max_task_idle_ms < 0) {
    idle_since_ms_ = -1;
    return true;
  }
  if (may_get_more) return false;
  if (options_.max_task_idle_ms == 0) return true;
  const int64_t now_ms = options_.clock->SteadyMs();
  if (idle_since_ms_ < 0) idle_since_ms_ = now_ms;
  return now_ms - idle_since_ms_ >= options_.max_task_idle_ms;
}

absl::StatusOr<int> Task::ProcessBuffered(int max_records) {
  current_batch_ = nullptr;
  int processed = 0;
  while (processed < max_records && ReadyToProcess()) {
    const size_t slot = filled_.Pop();
    InputQueue& queue = queues_[slot];
    const BufferedRecord buffered = std::move(queue.records.front());
    queue.records.pop_front();
    const kafka::RecordView view = ViewOf(buffered);
    current_headers_ = &buffered.headers;
    TAILRACE_RETURN_IF_ERROR(ProcessOne(queue, static_cast<int32_t>(slot), view));
    ++processed;
    if (queue.records.empty()) continue;
    // Its time may follow from the partition's, which this record has just moved.
    StampHead(queue);
    filled_.Push(slot);
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
  PunctuationQueue& queue = type == PunctuationType::kStreamTime ? stream_punctuations_ : wall_punctuations_;
  if (type == PunctuationType::kStreamTime && now_ms < 0) return absl::OkStatus();
  while (!queue.empty() && queue.top()->next_ms <= now_ms) {
    const std::shared_ptr<Punctuation> punctuation = queue.Pop();
    if (punctuation->cancelled) continue;
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
    // Missed intervals collapse into one firing (Kafka Streams' PunctuationSchedule.next).
    const int64_t missed = (now_ms - punctuation->next_ms) / punctuation->interval_ms;
    punctuation->next_ms += (missed + 1) * punctuation->interval_ms;
    if (!punctuation->cancelled) queue.Push(punctuation);
  }
  return absl::OkStatus();
}

std::unique_ptr<detail::PunctuationHandle> Task::Schedule(int64_t interval_ms, PunctuationType type,
                                                          std::function<void(int64_t)> callback) {
  struct Handle : detail::PunctuationHandle {
    explicit Handle(std::shared_ptr<Punctuation> p) : punctuation(std::move(p)) {}
    void Cancel() override { punctuation->Cancel(); }
    std::shared_ptr<Punctuation> punctuation;  // shared with the task's list: either may go first
  };
  auto punctuation = std::make_shared<Punctuation>();
  punctuation->interval_ms = interval_ms;
  punctuation->type = type;
  punctuation->operator_name = initialised_;
  punctuation->next_ms = type == PunctuationType::kStreamTime ? 0 : options_.clock->WallMs() + interval_ms;
  punctuation->callback = std::move(callback);
  if (interval_ms <= 0) {
    Fail(base::UsageError(absl::StrCat("a punctuation interval of ", interval_ms, " ms: it must be positive")));
    punctuation->Cancel();
  }
  (type == PunctuationType::kStreamTime ? stream_punctuations_ : wall_punctuations_).Push(punctuation);
  return std::make_unique<Handle>(std::move(punctuation));
}

absl::Status Task::PrepareCommit() {
  if (options_.watermarks) SetTimeLimit(time_.stream_time_ms);
  TAILRACE_RETURN_IF_ERROR(FlushStores());
  // What is held back until a time gets all that belongs before it first.
  if (AdvanceTimes()) {
    if (!failure_.ok()) return failure_;
    TAILRACE_RETURN_IF_ERROR(FlushStores());
  }
  SendHeartbeats();
  return failure_;
}

absl::Status Task::FlushStores() {
  const auto store_count = static_cast<int32_t>(options_.subtopology->stores.size());
  headers_built_ = true;  // what a flush forwards carries the headers that the store kept for it, or none
  headers_.clear();
  current_headers_ = nullptr;
  store_headers_ = {};
  current_view_ = nullptr;
  record_ = {.topic = {}, .partition = options_.id.partition, .offset = base::kOffsetUnknown, .timestamp_ms = time_.stream_time_ms};
  for (int32_t store = 0; store < store_count; ++store) {
    try {
      options_.state->store(store).Flush();
    } catch (...) {
      // Operators behind the store are asked about where they throw; what comes up to here ends the commit.
      if (failure_.ok())
        Fail(base::Error(base::Reaction::kFatal, absl::StatusCode::kAborted,
                         absl::StrCat("task ", id().ToString(), ": user code threw while store ",
                                      options_.subtopology->stores[static_cast<size_t>(store)].name,
                                      " was flushed: ", CurrentException().message)));
    }
    if (!failure_.ok()) return failure_;
  }
  return absl::OkStatus();
}

std::vector<kafka::OffsetToCommit> Task::OffsetsToCommit() const {
  CommittedMetadata metadata;
  for (const auto& [name, time_ms] : kept_times_) metadata.operator_times_ms.emplace(name, *time_ms);
  // Kafka Streams commits the times of emission with every input, also where nothing was taken yet. So is stream time when it
  // advances by itself.
  const bool emitted = EmitTimes() != committed_emit_times_ms_ || idle_time_ms_ >= 0;
  std::vector<kafka::OffsetToCommit> offsets;
  for (size_t slot = 0; slot < queues_.size(); ++slot) {
    if (!queues_[slot].moved && !(emitted && queues_[slot].next_offset.value() >= 0)) continue;
    metadata.partition_time_ms = queues_[slot].partition_time_ms;
    offsets.push_back({options_.inputs[slot], queues_[slot].next_offset, EncodeCommittedMetadata(metadata)});
  }
  return offsets;
}

std::vector<int64_t> Task::EmitTimes() const {
  std::vector<int64_t> times_ms;
  for (const state::StoreSpec& store : options_.subtopology->stores) {
    if (!store.emits_on_close) continue;
    if (const auto kept = kept_times_.find(store.name); kept != kept_times_.end()) times_ms.push_back(*kept->second);
  }
  return times_ms;
}

void Task::SetPosition(int32_t slot, base::Offset position) {
  InputQueue& queue = queues_[static_cast<size_t>(slot)];
  if (queue.moved && queue.records.empty() && position > queue.next_offset) queue.next_offset = position;
}

absl::Status Task::FinishCommit() {
  state::CommitPoint point{.changelog_offsets = {}, .position = {}, .stream_time_ms = time_.stream_time_ms,
                           .operator_times_ms = {}};
  for (size_t store = 0; store < changelog_topics_.size(); ++store) {
    const kafka::TopicHandle topic = changelog_topics_[store];
    const InputQueue* const source = InputOf(options_.subtopology->stores[store]);
    if (source != nullptr)
      point.changelog_offsets.push_back(source->next_offset.value() > 0 ? base::Offset(source->next_offset.value() - 1)
                                                                        : base::kOffsetUnknown);
    else
      point.changelog_offsets.push_back(topic < 0 ? base::kOffsetUnknown : producer_->LastDelivered(topic, options_.id.partition));
  }
  for (size_t slot = 0; slot < queues_.size(); ++slot)
    if (queues_[slot].next_offset.value() > 0)
      point.position[options_.inputs[slot]] = base::Offset(queues_[slot].next_offset.value() - 1);
  for (const auto& [name, time_ms] : kept_times_) point.operator_times_ms[name] = *time_ms;
  for (size_t slot = 0; slot < queues_.size(); ++slot)
    queues_[slot].upstream.Save(options_.inputs[slot].topic, point.operator_times_ms);
  TAILRACE_RETURN_IF_ERROR(options_.state->Commit(point));
  committed_emit_times_ms_ = EmitTimes();
  dirty_ = false;
  commit_requested_ = false;
  return options_.state->MaybeFlush();
}

absl::Status Task::Revert(kafka::Producer& producer, const std::vector<kafka::CommittedOffset>& committed) {
  Close();
  options_.state->DiscardUncommitted();
  return Start(producer, committed);
}

void Task::Close() {
  for (const auto& node : nodes_) node->Close();
  nodes_.clear();
  stream_punctuations_.clear();
  wall_punctuations_.clear();
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
