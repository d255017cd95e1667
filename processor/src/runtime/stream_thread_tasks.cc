// Opening, closing and placing tasks: the parts of StreamThread that run when the assignment changes.
#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "runtime/failpoint.h"
#include "runtime/stream_thread.h"
#include "tailrace/base/check.h"

namespace tailrace::processor {
namespace {
constexpr int kOffsetTimeoutMs = 5'000;
}  // namespace

void StreamThread::OpenTask(TaskGrant grant) {
  if (grant.session != context_.seat.session() || Stopping() || halted_) {
    context_.tasks.Remove(grant.id);
    context_.wake_coordinator();
    return;
  }
  TAILRACE_CHECK(!entries_.contains(grant.id), "a task is granted once: " + grant.id.ToString());
  auto entry = std::make_unique<Entry>();
  entry->local = context_.tasks.Find(grant.id);
  TAILRACE_CHECK(entry->local != nullptr, "a granted task is in the list");
  entry->grant = std::move(grant);
  Entry& kept = *entry;
  entries_.emplace(kept.grant.id, std::move(entry));
  Restore(kept, /*wipe=*/false);
}

void StreamThread::Restore(Entry& entry, bool wipe) {
  TAILRACE_CHECK(entry.task == nullptr, "a task is restored while it is closed");
  entry.local->set_phase(TaskPhase::kRestoring);
  restorer_.Submit({.local = entry.local, .cache_bytes_max = entry.grant.cache_bytes_max, .wipe_first = wipe,
                    .done = [this](RestoreResult result) {
                      absl::MutexLock lock(&mu_);
                      mail_.push_back(RestoredMail{std::move(result)});
                      has_mail_ = true;
                    }});
}

void StreamThread::CancelRestore(Entry& entry) {
  if (entry.restore_again) return CloseTask(entry.grant.id);
  entry.revoke_when_restored = true;
  restorer_.Cancel(entry.grant.id);  // its result closes the task
}

// Closes the operators and the stores without commit; the task stays ours.
void StreamThread::CloseOperators(Entry& entry) {
  RememberPositions();
  entry.local->Withdraw();
  entry.task->Close();
  routes_.clear();
  batch_.Clear();
  entry.task.reset();
  entry.observer.reset();
  entry.reported = {};
  assignment_stale_ = true;
}

void StreamThread::Reopen(Entry& entry, bool wipe) {
  CloseOperators(entry);
  entry.inputs.clear();
  Restore(entry, wipe);
}

void StreamThread::OnRestored(RestoreResult result) {
  const auto found = entries_.find(result.id);
  TAILRACE_CHECK(found != entries_.end(), "a task that was restored is known: " + result.id.ToString());
  Entry& entry = *found->second;
  const bool wanted = !entry.revoke_when_restored && entry.grant.session == context_.seat.session() && !Stopping() && !halted_;
  absl::Status status = result.status;
  if (wanted && status.ok() && producer_ == nullptr) {
    // The producer was lost meanwhile: what was read as committed may be so no more. Restored again once there is a new one.
    result.state.reset();
    entry.restore_again = true;
    return;
  }
  if (wanted && status.ok()) {
    status = StartTask(entry, result);
    if (status.ok()) {
      entry.local->set_phase(TaskPhase::kRunning);
      base::LogInfo("stream-thread", "task running", {{"thread", name_}, {"task", result.id.ToString()}});
      context_.wake_coordinator();
      return;
    }
    // Whatever is half open is closed; a retriable trouble is tried again by a new grant.
  }
  const base::TaskId id = result.id;
  result.state.reset();
  CloseTask(id);
  if (wanted && !status.ok() && !absl::IsCancelled(status) && base::ReactionOf(status) != base::Reaction::kRetry) Fatal(status);
}

std::vector<std::string> StreamThread::HeartbeatTopics(const detail::Subtopology& subtopology) const {
  std::set<std::string> topics;
  for (const std::string& topic : subtopology.sink_topics)
    if (context_.topology->repartition_topics().contains(topic)) topics.insert(topic);
  return {topics.begin(), topics.end()};
}

std::vector<std::vector<base::TaskId>> StreamThread::Upstream(const detail::Subtopology& subtopology,
                                                              const std::vector<base::TopicPartition>& inputs) const {
  std::vector<std::vector<base::TaskId>> upstream;
  for (const base::TopicPartition& input : inputs) {
    std::vector<base::TaskId>& tasks = upstream.emplace_back();
    const auto& repartition = subtopology.repartition_sources;
    if (std::find(repartition.begin(), repartition.end(), input.topic) == repartition.end()) continue;
    for (const detail::Subtopology& writer : context_.topology->subtopologies()) {
      if (std::find(writer.sink_topics.begin(), writer.sink_topics.end(), input.topic) == writer.sink_topics.end()) continue;
      for (int32_t partition = 0; partition < context_.plan.task_counts.at(writer.id); ++partition)
        tasks.push_back({writer.id, base::Partition(partition)});
    }
  }
  return upstream;
}

absl::Status StreamThread::StartTask(Entry& entry, RestoreResult& result) {
  const base::TaskId id = result.id;
  const RuntimeOptions& options = context_.options;
  const detail::Subtopology& subtopology = context_.subtopology(id.subtopology);
  for (size_t slot = 0; slot < result.inputs.size(); ++slot) {
    Input input{.partition = result.inputs[slot], .next = result.committed[slot].offset};
    TAILRACE_ASSIGN_OR_RETURN(input.fallback, Fallback(entry, input.partition));
    if (input.next.value() < 0) input.next = input.fallback;
    input.consumed = context_.metrics->registry.GetCounter("tailrace_records_consumed_total", "Records taken from source topics.",
                                                           {{"application", options.application_id}, {"topic", input.partition.topic}});
    entry.inputs.push_back(std::move(input));
  }
  entry.processed = context_.metrics->registry.GetCounter("tailrace_records_processed_total", "Records processed.",
                                                          {{"application", options.application_id}, {"task", id.ToString()}});
  state::TaskState* const state = result.state.get();
  entry.observer = context_.subscriptions->NewObserver(id, state->specs());
  state->SetCommitObserver(entry.observer.get());
  TAILRACE_ASSIGN_OR_RETURN(entry.task, Task::Create({.id = id,
                                                      .application_id = options.application_id,
                                                      .subtopology = &subtopology,
                                                      .inputs = result.inputs,
                                                      .state = std::move(result.state),
                                                      .clock = context_.clock,
                                                      .handlers = options.handlers,
                                                      .dead_letter_topic = options.dead_letter_topic,
                                                      .max_future_skew_ms = options.max_future_skew_ms,
                                                      .global_stores = &context_.global_stores,
                                                      .max_task_idle_ms = options.max_task_idle_ms,
                                                      .idle_timeout_ms = options.idle_timeout_ms,
                                                      .watermarks = options.watermarks,
                                                      .upstream = options.watermarks ? Upstream(subtopology, result.inputs)
                                                                                     : std::vector<std::vector<base::TaskId>>(),
                                                      .heartbeat_topics = options.watermarks ? HeartbeatTopics(subtopology)
                                                                                             : std::vector<std::string>(),
                                                      .watermark_idle_timeout_ms = options.watermark_idle_timeout_ms,
                                                      .epoch = options.exactly_once ? -1 : entry.grant.epoch}));
  if (absl::Status status = entry.task->Start(*producer_, result.committed); !status.ok()) {
    entry.task.reset();
    return base::Annotate(status, absl::StrCat("task ", id.ToString()));
  }
  entry.local->Publish(state);
  PublishInputs(entry);
  assignment_stale_ = true;  // once for all tasks that start in this round
  return absl::OkStatus();
}

// Where an input starts as long as nothing is committed for it. "latest" is resolved once, so that a revert before the first
// commit skips nothing.
absl::StatusOr<base::Offset> StreamThread::Fallback(const Entry& entry, const base::TopicPartition& input) {
  const detail::Subtopology& subtopology = context_.subtopology(entry.grant.id.subtopology);
  const base::Offset start = Task::StartOffset(subtopology, input, {.partition = input, .metadata = {}}, context_.options.default_reset);
  const auto& repartition = subtopology.repartition_sources;
  if (context_.options.refuse_without_offset && start == context_.options.default_reset &&
      std::find(repartition.begin(), repartition.end(), input.topic) == repartition.end()) {
    TAILRACE_ASSIGN_OR_RETURN(const auto committed, context_.membership.Get()->Committed(std::span(&input, 1), kOffsetTimeoutMs));
    if (committed[0].offset.value() < 0)
      return base::Error(base::Reaction::kFatal, absl::StatusCode::kFailedPrecondition,
                         absl::StrCat(input.ToString(), ": the group has no committed offset and auto.offset.reset is none; "
                                      "set it to earliest or latest"));
  }
  if (start != base::kOffsetEnd) return start;
  TAILRACE_ASSIGN_OR_RETURN(const kafka::OffsetRange range, context_.cluster->admin().Offsets(input, kOffsetTimeoutMs));
  return range.end;
}

void StreamThread::RememberPositions() {
  for (const auto& [id, entry] : entries_) {
    for (Input& input : entry->inputs) {
      if (input.source < 0) continue;
      const base::Offset position = consumer_->Position(input.source);
      if (position.value() >= 0) input.next = position;
    }
  }
}

absl::Status StreamThread::Reassign() {
  assignment_stale_ = true;
  batch_.Clear();
  routes_.clear();
  std::vector<kafka::AssignedPartition> partitions;
  for (const auto& [id, entry] : entries_) {
    for (size_t slot = 0; slot < entry->inputs.size(); ++slot) {
      Input& input = entry->inputs[slot];
      input.paused = false;
      input.source = -1;
      if (entry->task == nullptr) continue;
      input.source = static_cast<int32_t>(partitions.size());
      partitions.push_back({input.partition, input.next});
      routes_.push_back({entry->task.get(), &input, static_cast<int32_t>(slot), entry->task->direct()});
    }
  }
  if (absl::Status status = consumer_->Assign(std::move(partitions)); !status.ok()) {
    // What the consumer says about positions belongs to the old assignment.
    for (const auto& [id, entry] : entries_)
      for (Input& input : entry->inputs) input.source = -1;
    return status;
  }
  assignment_stale_ = false;
  return absl::OkStatus();
}

// So that lag is known also of tasks that have nothing to commit.
void StreamThread::PublishEnds() {
  std::vector<base::Offset> ends;
  for (const auto& [id, entry] : entries_) {
    if (entry->task == nullptr) continue;
    ends.clear();
    for (const Input& input : entry->inputs)
      ends.push_back(input.source >= 0 ? consumer_->KnownEnd(input.source) : base::kOffsetUnknown);
    entry->local->SetEnds(ends);
  }
}

void StreamThread::PublishInputs(Entry& entry) {
  std::vector<InputProgress> inputs;
  std::vector<kafka::OffsetToCommit> offsets;
  if (entry.task != nullptr) offsets = entry.task->OffsetsToCommit();
  for (const Input& input : entry.inputs) {
    InputProgress progress{.partition = input.partition, .next_offset = input.next, .end_offset = base::kOffsetUnknown};
    for (const kafka::OffsetToCommit& offset : offsets)
      if (offset.partition == input.partition) progress.next_offset = offset.offset;
    if (input.source >= 0) progress.end_offset = consumer_->KnownEnd(input.source);
    inputs.push_back(std::move(progress));
  }
  int64_t position = 0;
  if (entry.task != nullptr)
    for (const base::Offset offset : entry.task->state().committed().changelog_offsets)
      if (offset.value() > 0) position += offset.value();
  entry.local->stored_position.store(position, std::memory_order_relaxed);
  entry.local->SetInputs(std::move(inputs));
}

void StreamThread::RevokeTask(const base::TaskId& id) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  Entry& entry = *found->second;
  if (entry.task == nullptr) {
    CancelRestore(entry);
    return;
  }
  // All tasks of the thread share a transaction, so they commit together.
  batch_.Clear();
  if (producer_ != nullptr && !halted_) {
    if (absl::Status status = CommitAll(true); !status.ok()) {
      React(status);
      const auto still = entries_.find(id);
      if (still == entries_.end()) return;
      if (still->second->task == nullptr) return RevokeTask(id);  // it is being restored again
    }
  }
  CloseTask(id);
  base::LogInfo("stream-thread", "task handed over", {{"thread", name_}, {"task", id.ToString()}});
}

// Closes without commit. The consumer is left as it is until the next round assigns it again.
void StreamThread::CloseTask(const base::TaskId& id) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  Entry& entry = *found->second;
  failpoint::Hit("task.close").IgnoreError();
  if (entry.task != nullptr) CloseOperators(entry);
  entry.local->set_phase(TaskPhase::kClosed);
  entries_.erase(found);
  context_.metrics->registry.Remove({{"application", context_.options.application_id}, {"task", id.ToString()}});
  context_.tasks.Remove(id);  // only now may it be released
  context_.wake_coordinator();
}

// Everything uncommitted is dropped: the membership is lost, or this thread was fenced.
void StreamThread::AbandonAll() {
  if (producer_ != nullptr && in_transaction_) {
    in_transaction_ = false;
    if (absl::Status status = producer_->AbortTransaction(); !status.ok()) DropProducer("abandoned");
    context_.metrics->TransactionAborted("abandoned");
  }
  std::vector<base::TaskId> ids;
  for (const auto& [id, entry] : entries_) ids.push_back(id);
  for (const base::TaskId& id : ids) {
    Entry& entry = *entries_.at(id);
    if (entry.task == nullptr) {
      CancelRestore(entry);
    } else {
      CloseTask(id);
    }
  }
  // A producer without transactions may still hold records of these tasks in its queue, and one with them may have been
  // fenced by whoever has the tasks now.
  DropProducer("abandoned");
  routes_.clear();
  batch_.Clear();
  if (consumer_ != nullptr) consumer_->Assign({}).IgnoreError();
}

void StreamThread::RebuildTask(const base::TaskId& id, const absl::Status& why) {
  base::LogError("stream-thread", "local state cannot be trusted; the task is rebuilt from its changelog",
                 {{"thread", name_}, {"task", id.ToString()}, {"error", why}});
  context_.metrics->tasks_corrupted->Increment();
  const auto found = entries_.find(id);
  if (found == entries_.end() || found->second->task == nullptr) return;
  context_.metrics->StoreWiped("corrupt");
  Reopen(*found->second, /*wipe=*/true);
}

// A start offset lies outside its partition: records were deleted before they were read, or the topic is a new one.
absl::Status StreamThread::ResetOutOfRange(const absl::Status& why) {
  for (const auto& [id, entry] : entries_) {
    if (entry->task == nullptr) continue;
    std::vector<kafka::CommittedOffset> committed;
    std::vector<std::pair<size_t, base::Offset>> resets;
    for (size_t slot = 0; slot < entry->inputs.size(); ++slot) {
      const Input& input = entry->inputs[slot];
      TAILRACE_ASSIGN_OR_RETURN(const kafka::OffsetRange range, context_.cluster->admin().Offsets(input.partition, kOffsetTimeoutMs));
      const base::Offset position = consumer_->Position(input.source);
      const base::Offset at = position.value() >= 0 ? position : input.next;
      committed.push_back({.partition = input.partition, .offset = at, .metadata = {}});
      if (at.value() < 0 || (at >= range.begin && at <= range.end)) continue;
      if (context_.options.refuse_without_offset) return base::WithReaction(why, base::Reaction::kFatal);
      resets.emplace_back(slot, context_.options.default_reset == base::kOffsetEnd ? range.end : range.begin);
      committed.back().offset = base::kOffsetUnknown;
      base::LogError("stream-thread", "input offset is outside the log; reading continues elsewhere",
                     {{"task", id.ToString()}, {"partition", input.partition.ToString()}, {"offset", at.value()},
                      {"log_start", range.begin.value()}, {"log_end", range.end.value()},
                      {"continues_at", resets.back().second.value()}});
    }
    if (resets.empty()) continue;
    // What was processed before is committed, then the task starts again without those offsets.
    TAILRACE_RETURN_IF_ERROR(CommitAll(true));
    RememberPositions();
    for (const auto& [slot, offset] : resets) {
      entry->inputs[slot].next = offset;
      entry->inputs[slot].source = -1;
    }
    TAILRACE_RETURN_IF_ERROR(entry->task->Revert(*producer_, committed));
  }
  return Reassign();
}

}  // namespace tailrace::processor
