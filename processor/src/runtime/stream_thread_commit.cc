// The commit protocol and the reactions to its errors (RUNTIME.md has the table of steps and failures).
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "runtime/failpoint.h"
#include "runtime/stream_thread.h"
#include "tailrace/base/check.h"
#include "tailrace/base/limits.h"

namespace tailrace::processor {
namespace {

// One attempt of a call to the log. Attempts are repeated (Retrying), so this only bounds how long the end of the process
// waits for a log that is gone.
constexpr int kCallTimeoutMs = 5'000;
constexpr int kClosingTimeoutMs = 2'000;
// Calls that go on where the last attempt stopped.
constexpr int kSliceMs = 500;
constexpr int kRetryPauseMs = 50;
constexpr int kRetryPauseMsMax = 1'000;
constexpr int kErrorPauseMs = 100;
constexpr int kDiskFullPauseMs = 1'000;

}  // namespace

// Tries again while the error is transient, until the task timeout, or until mail says that this thread should do something
// else first.
template <class Call>
absl::Status StreamThread::Retrying(std::string_view what, Call call) {
  const int64_t start_ms = context_.clock->SteadyMs();
  int pause_ms = kRetryPauseMs;
  for (;;) {
    absl::Status status = call();
    if (status.ok() || base::ReactionOf(status) != base::Reaction::kRetry) return status;
    if (Interrupted() || context_.clock->SteadyMs() - start_ms >= context_.options.task_timeout_ms) return status;
    if (const auto held = error_log_.Pass())
      base::LogWarning("stream-thread", "tries again", {{"thread", name_}, {"call", what}, {"error", status}, {"more", *held}});
    last_round_ms_.store(context_.clock->SteadyMs(), std::memory_order_relaxed);
    WaitForInterrupt(pause_ms);
    pause_ms = std::min(pause_ms * 2, kRetryPauseMsMax);
  }
}

absl::Status StreamThread::EnsureProducer() {
  if (producer_ != nullptr) return absl::OkStatus();
  kafka::ProducerOptions options{.client_id = name_ + "-producer"};
  if (context_.options.exactly_once) {
    options.transactional_id = context_.options.transactional_id(context_.options.instance_id, index_);
    options.transaction_timeout_ms = context_.options.transaction_timeout_ms;
  }
  TAILRACE_ASSIGN_OR_RETURN(auto producer, context_.cluster->NewProducer(options));
  if (context_.options.exactly_once)
    TAILRACE_RETURN_IF_ERROR(Retrying("InitTransactions", [&] { return producer->InitTransactions(kSliceMs); }));
  producer_ = std::move(producer);
  in_transaction_ = false;
  producer_ready_ = true;
  context_.wake_coordinator();
  // Tasks that outlived the old producer start again from the committed offsets on this one.
  return BackToCommitted();
}

absl::Status StreamThread::EnsureTransaction() {
  if (!context_.options.exactly_once || in_transaction_) return absl::OkStatus();
  TAILRACE_RETURN_IF_ERROR(producer_->BeginTransaction());
  in_transaction_ = true;
  return absl::OkStatus();
}

// Waits while the group rebalances: the old generation would be refused. A transaction cannot wait for ever, so it is then
// tried anyway, and the broker decides.
absl::Status StreamThread::AwaitSeat(Seat& seat) {
  const int64_t deadline_ms = context_.clock->SteadyMs() + context_.options.transaction_timeout_ms / 2;
  for (;;) {
    seat = context_.seat.Get();
    for (const auto& [id, entry] : entries_)
      if (entry->task != nullptr && entry->grant.session != seat.session)
        return base::Error(base::Reaction::kTaskMigrated, absl::StatusCode::kAborted,
                           "the membership was lost since these tasks were given to this process");
    if (!seat.joined || seat.group == nullptr)
      return base::Error(base::Reaction::kTaskMigrated, absl::StatusCode::kAborted, "this process is in no group");
    if (!seat.rejoining || Stopping() || context_.clock->SteadyMs() >= deadline_ms) return absl::OkStatus();
    WaitForInterrupt(5);
    if (interrupt_.load())
      return base::Error(base::Reaction::kTaskMigrated, absl::StatusCode::kAborted, "the membership was lost");
  }
}

// Nothing fences what a producer writes at-least-once, so a process that was frozen or cut off for longer than its session would
// write beside the next owner of its tasks. Before it goes on it commits once more what is committed, which the group refuses to
// anyone whose place is taken.
absl::Status StreamThread::ProveSeat() {
  if (context_.options.exactly_once) return absl::OkStatus();
  const int64_t now_ms = context_.clock->SteadyMs();
  if (now_ms - seat_proved_ms_ < context_.options.session_timeout_ms) return absl::OkStatus();
  Seat seat;
  TAILRACE_RETURN_IF_ERROR(AwaitSeat(seat));
  TAILRACE_ASSIGN_OR_RETURN(const std::vector<kafka::CommittedOffset> committed, CommittedInputs());
  std::vector<kafka::OffsetToCommit> offsets;
  for (const kafka::CommittedOffset& one : committed)
    if (one.offset.value() >= 0) offsets.push_back({one.partition, one.offset, one.metadata});
  if (!offsets.empty()) return CommitOffsets(seat, offsets);
  seat_proved_ms_ = now_ms;  // nobody has committed anything yet
  return absl::OkStatus();
}

absl::Status StreamThread::CommitOffsets(const Seat& seat, const std::vector<kafka::OffsetToCommit>& offsets) {
  const int64_t start_ms = context_.clock->SteadyMs();
  absl::Status status = Retrying("CommitOffsets", [&]() -> absl::Status {
    // Asked each time: the seat may be lost while this waits.
    if (context_.seat.session() != seat.session)
      return base::Error(base::Reaction::kTaskMigrated, absl::StatusCode::kAborted, "the membership was lost");
    return context_.membership.Get()->CommitOffsets(offsets, Stopping() ? kClosingTimeoutMs : kCallTimeoutMs);
  });
  if (status.ok()) seat_proved_ms_ = start_ms;
  return status;
}

// Of all running tasks, in the order of entries_ and of their inputs.
absl::StatusOr<std::vector<kafka::CommittedOffset>> StreamThread::CommittedInputs() {
  std::vector<base::TopicPartition> partitions;
  for (const auto& [id, entry] : entries_)
    if (entry->task != nullptr)
      for (const Input& input : entry->inputs) partitions.push_back(input.partition);
  std::vector<kafka::CommittedOffset> committed;
  if (partitions.empty()) return committed;
  TAILRACE_RETURN_IF_ERROR(Retrying("Committed", [&]() -> absl::Status {
    TAILRACE_ASSIGN_OR_RETURN(committed, context_.membership.Get()->Committed(partitions, kCallTimeoutMs));
    return absl::OkStatus();
  }));
  TAILRACE_CHECK(committed.size() == partitions.size(), "one committed offset per partition asked");
  return committed;
}

absl::Status StreamThread::CommitAll(bool batch_done) {
  absl::Status status = CommitSteps(batch_done);
  if (!status.ok()) context_.metrics->commits_failed->Increment();
  return status;
}

absl::Status StreamThread::CommitSteps(bool batch_done) {
  const int64_t start_ns = context_.clock->SteadyNs();
  last_commit_ms_ = start_ns / 1'000'000;
  next_commit_ms_ = last_commit_ms_ + context_.options.commit_interval_ms;
  std::vector<Entry*> dirty;
  for (const auto& [id, entry] : entries_) {
    if (entry->task == nullptr) continue;
    if (!entry->task->dirty()) continue;
    dirty.push_back(entry.get());
    if (!batch_done) continue;
    // Past control records, so that ordinary lag tools see a lag of zero.
    for (size_t slot = 0; slot < entry->inputs.size(); ++slot)
      if (entry->inputs[slot].source >= 0)
        entry->task->SetPosition(static_cast<int32_t>(slot), consumer_->Position(entry->inputs[slot].source));
  }
  if (dirty.empty()) {
    PublishEnds();
    return absl::OkStatus();
  }
  TAILRACE_RETURN_IF_ERROR(failpoint::Hit("commit.prepare"));
  TAILRACE_RETURN_IF_ERROR(ProveSeat());
  Seat seat;
  TAILRACE_RETURN_IF_ERROR(AwaitSeat(seat));

  // 1. Caches to the producer.
  std::vector<kafka::OffsetToCommit> offsets;
  for (Entry* entry : dirty) {
    failed_task_ = entry->grant.id;
    TAILRACE_RETURN_IF_ERROR(entry->task->PrepareCommit());
    for (kafka::OffsetToCommit& offset : entry->task->OffsetsToCommit()) offsets.push_back(std::move(offset));
  }
  failed_task_.reset();
  TAILRACE_RETURN_IF_ERROR(failpoint::Hit("commit.flushed"));

  // 2. The log.
  TAILRACE_RETURN_IF_ERROR(CommitLog(seat, offsets));
  TAILRACE_CHECK(!in_transaction_, "a committed transaction is over");
  TAILRACE_RETURN_IF_ERROR(failpoint::Hit("commit.committed"));

  // 3. The stores. From here on the log has everything: a failure never takes a commit back.
  TAILRACE_RETURN_IF_ERROR(FinishTasks(dirty));
  stores_may_lag_ = false;
  TAILRACE_RETURN_IF_ERROR(failpoint::Hit("commit.stored"));

  // 4. The view of others.
  PublishEnds();
  for (Entry* entry : dirty) PublishInputs(*entry);
  context_.metrics->commits_ok->Increment();
  context_.metrics->commit_latency->Observe(static_cast<double>(context_.clock->SteadyNs() - start_ns) / 1e9);
  return absl::OkStatus();
}

// Delivers everything in steps that can be interrupted. Under exactly-once the commit would do it too, but in one long wait.
absl::Status StreamThread::FlushProducer() {
  const int64_t start_ms = context_.clock->SteadyMs();
  const int64_t limit_ms =
      context_.options.exactly_once ? context_.options.transaction_timeout_ms / 2 : context_.options.task_timeout_ms;
  for (;;) {
    absl::Status status = producer_->Flush(kSliceMs);
    const int64_t waited_ms = context_.clock->SteadyMs() - start_ms;
    if (status.ok() || base::ReactionOf(status) != base::Reaction::kRetry || interrupt_) return status;
    if (waited_ms >= (Stopping() ? kClosingTimeoutMs : limit_ms)) return status;
    last_round_ms_.store(context_.clock->SteadyMs(), std::memory_order_relaxed);
    if (waited_ms < kCallTimeoutMs) continue;
    if (const auto held = error_log_.Pass())
      base::LogWarning("stream-thread", "waits for deliveries", {{"thread", name_}, {"error", status}, {"more", *held}});
  }
}

absl::Status StreamThread::CommitLog(const Seat& seat, const std::vector<kafka::OffsetToCommit>& offsets) {
  TAILRACE_RETURN_IF_ERROR(FlushProducer());
  if (!context_.options.exactly_once) {
    if (offsets.empty()) {
      stores_may_lag_ = true;
      return absl::OkStatus();
    }
    TAILRACE_RETURN_IF_ERROR(failpoint::Hit("commit.offsets_sent"));
    stores_may_lag_ = true;
    return CommitOffsets(seat, offsets);
  }
  TAILRACE_CHECK(in_transaction_, "what was processed under exactly-once was processed in a transaction");
  if (!offsets.empty())
    TAILRACE_RETURN_IF_ERROR(Retrying("SendOffsets", [&] { return producer_->SendOffsets(offsets, *seat.group); }));
  TAILRACE_RETURN_IF_ERROR(failpoint::Hit("commit.offsets_sent"));
  stores_may_lag_ = true;
  absl::Status status = Retrying("CommitTransaction", [&] { return producer_->CommitTransaction(); });
  // Given up while it was still to be retried: nobody knows whether it was committed.
  if (base::ReactionOf(status) == base::Reaction::kRetry) status = base::WithReaction(status, base::Reaction::kRecreateProducer);
  TAILRACE_RETURN_IF_ERROR(status);
  in_transaction_ = false;
  return absl::OkStatus();
}

absl::Status StreamThread::FinishTasks(const std::vector<Entry*>& dirty) {
  for (Entry* entry : dirty) {
    for (;;) {
      absl::Status status = entry->task->FinishCommit();
      if (status.ok()) break;
      if (base::ReactionOf(status) == base::Reaction::kRetry && !Interrupted()) {
        // A full disk: nothing is consumed until the batch fits. What is committed is in the changelog, whatever happens here.
        if (const auto held = error_log_.Pass())
          base::LogError("stream-thread", "a store cannot be written; processing waits",
                         {{"thread", name_}, {"task", entry->grant.id.ToString()}, {"error", status}, {"more", *held}});
        WaitForInterrupt(kDiskFullPauseMs);
        continue;
      }
      failed_task_ = entry->grant.id;
      return status;
    }
  }
  return absl::OkStatus();
}

void StreamThread::React(const absl::Status& error) {
  TAILRACE_CHECK(!error.ok(), "a reaction needs an error");
  const base::Reaction reaction = base::ReactionOf(error);
  if (reaction != base::Reaction::kFatal)
    if (const auto held = error_log_.Pass())
      base::LogWarning("stream-thread", "error", {{"thread", name_}, {"error", error}, {"more", *held}});
  batch_.Clear();
  switch (reaction) {
    case base::Reaction::kNone:
      return;
    case base::Reaction::kRetry:
      backoff_ms_ = kErrorPauseMs;
      AbortAndRevert(error, /*recreate=*/false);
      return;
    case base::Reaction::kAbortTransaction:
      AbortAndRevert(error, /*recreate=*/!context_.options.exactly_once);
      return;
    case base::Reaction::kRecreateProducer:
      AbortAndRevert(error, /*recreate=*/true);
      return;
    case base::Reaction::kTaskMigrated:
      AbandonAll();
      DropProducer("fenced");
      backoff_ms_ = kErrorPauseMs;
      context_.wake_coordinator();
      return;
    case base::Reaction::kTaskCorrupted:
      if (!failed_task_.has_value()) return Fatal(error);
      RebuildTask(*failed_task_, error);
      // The others too: the transaction had records of this task.
      AbortAndRevert(error, /*recreate=*/false);
      return;
    case base::Reaction::kSkipRecord:
      Fatal(base::Annotate(error, "a record cannot be written and no policy says to skip it"));
      return;
    case base::Reaction::kFatal:
      Fatal(base::Annotate(error, absl::StrCat("stream thread ", name_)));
      return;
  }
}

void StreamThread::DropProducer(std::string_view reason) {
  producer_ready_ = false;
  in_transaction_ = false;
  if (producer_ == nullptr) return;
  producer_.reset();
  context_.metrics->ProducerRecreated(reason);
}

// Back to the committed point: abort (or throw the producer away), then every task starts again from the committed offsets.
void StreamThread::AbortAndRevert(const absl::Status& why, bool recreate) {
  batch_.Clear();
  recreate = recreate || Stopping();  // an abort may wait long for a log that does not answer; the next owner does it
  if (producer_ != nullptr && in_transaction_ && !recreate) {
    context_.metrics->TransactionAborted(base::ReactionName(base::ReactionOf(why)));
    absl::Status status = Retrying("AbortTransaction", [&] { return producer_->AbortTransaction(); });
    in_transaction_ = false;
    if (!status.ok()) {
      if (base::ReactionOf(status) == base::Reaction::kTaskMigrated) {
        AbandonAll();
        return DropProducer("fenced");
      }
      // The result of the abort is unknown too.
      recreate = true;
    } else {
      stores_may_lag_ = false;  // an aborted transaction is certainly not committed
    }
  }
  // Without transactions a failed delivery sticks to the producer.
  if (recreate) DropProducer(base::ReactionName(base::ReactionOf(why)));
  if (producer_ == nullptr) return;  // EnsureProducer goes on from here
  if (absl::Status status = BackToCommitted(); !status.ok()) {
    if (base::ReactionOf(status) == base::Reaction::kFatal) return Fatal(status);
    // The committed offsets cannot be read now: as if the producer had been lost, so that the next round starts here again.
    DropProducer("revert_failed");
    backoff_ms_ = kErrorPauseMs;
  }
}

// When the log may hold a commit that the stores do not have (its result was unknown, or a store could not be written), the
// stores replay the tail of their changelogs; otherwise forgetting what is uncommitted is enough.
absl::Status StreamThread::BackToCommitted() {
  for (const auto& [id, entry] : entries_)
    if (std::exchange(entry->restore_again, false)) Restore(*entry, /*wipe=*/false);
  if (!stores_may_lag_) return RevertTasks();
  for (const auto& [id, entry] : entries_)
    if (entry->task != nullptr) Reopen(*entry, /*wipe=*/false);
  stores_may_lag_ = false;
  return absl::OkStatus();
}

absl::Status StreamThread::RevertTasks() {
  TAILRACE_ASSIGN_OR_RETURN(const std::vector<kafka::CommittedOffset> committed, CommittedInputs());
  if (committed.empty()) return absl::OkStatus();
  auto next = committed.begin();
  for (const auto& [id, entry] : entries_) {
    if (entry->task == nullptr) continue;
    const std::vector<kafka::CommittedOffset> own(next, next + static_cast<std::ptrdiff_t>(entry->inputs.size()));
    next += static_cast<std::ptrdiff_t>(entry->inputs.size());
    failed_task_ = id;
    TAILRACE_RETURN_IF_ERROR(RevertEntry(*entry, own));
  }
  failed_task_.reset();
  return Reassign();
}

absl::Status StreamThread::RevertEntry(Entry& entry, const std::vector<kafka::CommittedOffset>& committed) {
  for (size_t slot = 0; slot < entry.inputs.size(); ++slot)
    entry.inputs[slot].next = committed[slot].offset.value() >= 0 ? committed[slot].offset : entry.inputs[slot].fallback;
  return entry.task->Revert(*producer_, committed);
}

}  // namespace tailrace::processor
