#include "runtime/stream_thread.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tailrace/base/check.h"
#include "tailrace/base/limits.h"

namespace tailrace::processor {
namespace {

// How long a poll may wait: also the longest time that mail waits on an idle thread.
constexpr int kPollTimeoutMsMax = 20;
// Records between two looks at the uncommitted bytes.
constexpr ptrdiff_t kRecordsBetweenChecks = 1'000;
// While far behind, at-least-once commits this much less often.
constexpr int64_t kBehindFactor = 4;

}  // namespace

StreamThread::StreamThread(RuntimeContext& context, Restorer& restorer, int index)
    : context_(context),
      restorer_(restorer),
      index_(index),
      name_(absl::StrCat(context.options.client_id, "-", context.options.instance_id, "-", index)) {}

StreamThread::~StreamThread() {
  Stop(false);
  Join();
}

void StreamThread::Start() {
  last_round_ms_ = context_.clock->SteadyMs();
  thread_ = std::thread([this] { Run(); });
}

void StreamThread::Join() {
  if (thread_.joinable()) thread_.join();
}

void StreamThread::Grant(TaskGrant grant) {
  absl::MutexLock lock(&mu_);
  mail_.push_back(GrantMail{std::move(grant)});
  has_mail_ = true;
}

void StreamThread::Revoke(const base::TaskId& id) {
  absl::MutexLock lock(&mu_);
  mail_.push_back(RevokeMail{id});
  has_mail_ = true;
}

void StreamThread::Abandon() {
  absl::MutexLock lock(&mu_);
  mail_.push_back(AbandonMail{});
  ++abandons_asked_;
  has_mail_ = true;
  interrupt_ = true;
}

void StreamThread::Stop(bool commit) {
  absl::MutexLock lock(&mu_);
  commit_on_stop_ = commit_on_stop_ && commit;
  stop_ = true;
  has_mail_ = true;
}

void StreamThread::WaitForMail(int timeout_ms) {
  absl::MutexLock lock(&mu_);
  const auto arrived = [this] { return has_mail_.load(); };
  mu_.AwaitWithTimeout(absl::Condition(&arrived), absl::Milliseconds(timeout_ms));
}

void StreamThread::WaitForInterrupt(int timeout_ms) {
  absl::MutexLock lock(&mu_);
  const auto interrupted = [this] { return Interrupted(); };
  mu_.AwaitWithTimeout(absl::Condition(&interrupted), absl::Milliseconds(timeout_ms));
}

bool StreamThread::ReadMail(int wait_ms) {
  if (wait_ms > 0) WaitForMail(wait_ms);
  if (!has_mail_.load(std::memory_order_relaxed)) return !Stopping();
  std::deque<Mail> mail;
  {
    absl::MutexLock lock(&mu_);
    mail.swap(mail_);
    has_mail_ = stop_.load();
    interrupt_ = false;
  }
  for (Mail& one : mail) HandleMail(one);
  return !Stopping();
}

void StreamThread::HandleMail(Mail& mail) {
  if (auto* grant = std::get_if<GrantMail>(&mail)) {
    OpenTask(std::move(grant->grant));
  } else if (auto* revoke = std::get_if<RevokeMail>(&mail)) {
    RevokeTask(revoke->id);
  } else if (auto* restored = std::get_if<RestoredMail>(&mail)) {
    OnRestored(std::move(restored->result));
  } else {
    AbandonAll();
    ++abandons_done_;
  }
}

void StreamThread::Run() {
  auto consumer = context_.cluster->NewConsumer(
      {.client_id = name_ + "-consumer", .read_committed = context_.options.exactly_once});
  if (!consumer.ok()) {
    Fatal(base::Annotate(consumer.status(), "stream thread " + name_));
  } else {
    consumer_ = *std::move(consumer);
  }
  seat_proved_ms_ = last_commit_ms_ = context_.clock->SteadyMs();
  next_commit_ms_ = last_commit_ms_ + context_.options.commit_interval_ms;

  while (ReadMail(halted_ ? 100 : std::exchange(backoff_ms_, 0))) {
    last_round_ms_.store(context_.clock->SteadyMs(), std::memory_order_relaxed);
    if (halted_) continue;
    absl::Status status = EnsureProducer();
    if (status.ok()) status = RunOnce();
    if (!status.ok()) React(status);
    ReportRound();
  }

  bool commit = false;
  {
    absl::MutexLock lock(&mu_);
    commit = commit_on_stop_;
  }
  if (commit && !halted_ && producer_ != nullptr && context_.seat.Get().joined) {
    batch_.Clear();
    if (absl::Status status = CommitAll(true); !status.ok()) {
      base::LogWarning("stream-thread", "the last commit failed; its records are processed again", {{"thread", name_}, {"error", status}});
      // Only an answer that asks for it is worth an abort: when the log does not answer, waiting for it once more delays the
      // end, and the next owner aborts what is left.
      if (base::ReactionOf(status) != base::Reaction::kAbortTransaction) DropProducer("closed");
    }
  }
  AbandonAll();
  // Restores still under way report to the mailbox; the restorer is stopped before this object goes.
  batch_.Clear();
  consumer_.reset();
  producer_ready_ = false;
  producer_.reset();
}

absl::Status StreamThread::RunOnce() {
  failed_task_.reset();
  if (assignment_stale_) {
    RememberPositions();
    TAILRACE_RETURN_IF_ERROR(Reassign());
  }
  if (routes_.empty()) {
    WaitForMail(kPollTimeoutMsMax * 5);
    return absl::OkStatus();
  }
  TAILRACE_RETURN_IF_ERROR(EnsureTransaction());
  absl::Status status = consumer_->Poll(batch_, PollTimeoutMs());
  if (!status.ok()) {
    batch_.Clear();
    if (base::ReactionOf(status) == base::Reaction::kTaskCorrupted) return ResetOutOfRange(status);
    if (base::ReactionOf(status) != base::Reaction::kRetry) return status;
    // Nothing was delivered, so nothing is lost: the next poll tries again.
    if (const auto held = error_log_.Pass())
      base::LogWarning("stream-thread", "poll failed", {{"thread", name_}, {"error", status}, {"more", *held}});
    backoff_ms_ = kPollTimeoutMsMax;
  }
  const bool polled = status.ok();
  if (!batch_.records().empty()) TAILRACE_RETURN_IF_ERROR(ProveSeat());
  behind_ = batch_.records().size() >= static_cast<size_t>(base::limits::kPollRecordsMax) / 2;
  TAILRACE_RETURN_IF_ERROR(ProcessBatch());
  TAILRACE_RETURN_IF_ERROR(ProcessBuffered());
  WatchIdleness(polled);
  TAILRACE_RETURN_IF_ERROR(Punctuate());
  if (CommitDue()) TAILRACE_RETURN_IF_ERROR(CommitAll(true));
  return absl::OkStatus();
}

absl::Status StreamThread::ProcessBatch() {
  const auto records = batch_.records();
  if (records.empty()) return absl::OkStatus();
  const int64_t start_ns = context_.clock->SteadyNs();
  const kafka::RecordView* begin = records.data();
  const kafka::RecordView* const end = begin + records.size();
  while (begin != end) {
    const kafka::RecordView* const stop = begin + std::min<ptrdiff_t>(end - begin, kRecordsBetweenChecks);
    TAILRACE_RETURN_IF_ERROR(Route_(begin, stop));
    begin = stop;
    if (begin == end) break;
    if (UncommittedBoundReached()) {
      TAILRACE_RETURN_IF_ERROR(CommitAll(false));
      TAILRACE_RETURN_IF_ERROR(EnsureTransaction());
    }
  }
  context_.metrics->process_latency->Observe(static_cast<double>(context_.clock->SteadyNs() - start_ns) / 1e9);
  const int64_t age_ms = context_.clock->WallMs() - records.back().timestamp_ms;
  context_.metrics->e2e_latency->Observe(static_cast<double>(std::max<int64_t>(age_ms, 0)) / 1e3);
  batch_.Clear();
  return absl::OkStatus();
}

// The hot loop: one indexed load per record.
absl::Status StreamThread::Route_(const kafka::RecordView* begin, const kafka::RecordView* end) {
  for (const kafka::RecordView* record = begin; record != end; ++record) {
    Route& route = routes_[static_cast<size_t>(record->source)];
    ++route.input->consumed_count;
    if (route.direct) [[likely]] {
      if (absl::Status status = route.task->Process(*record, batch_); !status.ok()) [[unlikely]] {
        failed_task_ = route.task->id();
        return status;
      }
    } else {
      route.task->Enqueue(route.slot, *record, batch_.HeadersOf(*record));
    }
  }
  return absl::OkStatus();
}

absl::Status StreamThread::ProcessBuffered() {
  buffered_progress_ = false;
  for (const auto& [id, entry] : entries_) {
    if (entry->task == nullptr || entry->task->direct()) continue;
    Task& task = *entry->task;
    for (size_t slot = 0; slot < entry->inputs.size(); ++slot) {
      const Input& input = entry->inputs[slot];
      const base::Offset end = consumer_->KnownEnd(input.source);
      const base::Offset position = consumer_->Position(input.source);
      task.SetHasMore(static_cast<int32_t>(slot), end.value() < 0 || position.value() < 0 || position < end);
    }
    failed_task_ = id;
    TAILRACE_ASSIGN_OR_RETURN(const int processed, task.ProcessBuffered(base::limits::kPollRecordsMax));
    failed_task_.reset();
    buffered_progress_ |= processed > 0;
    for (size_t slot = 0; slot < entry->inputs.size(); ++slot) {
      Input& input = entry->inputs[slot];
      const size_t buffered = task.buffered(static_cast<int32_t>(slot));
      const int32_t source[] = {input.source};
      if (!input.paused && buffered >= base::limits::kBufferedRecordsPerPartition) {
        TAILRACE_RETURN_IF_ERROR(consumer_->Pause(source));
        input.paused = true;
      } else if (input.paused && buffered < base::limits::kBufferedRecordsPerPartition / 2) {
        TAILRACE_RETURN_IF_ERROR(consumer_->Resume(source));
        input.paused = false;
      }
    }
  }
  return absl::OkStatus();
}

absl::Status StreamThread::Punctuate() {
  for (const auto& [id, entry] : entries_) {
    if (entry->task == nullptr) continue;
    failed_task_ = id;
    TAILRACE_RETURN_IF_ERROR(entry->task->Punctuate().status());
  }
  failed_task_.reset();
  return absl::OkStatus();
}

void StreamThread::WatchIdleness(bool polled) {
  if (context_.options.idle_timeout_ms <= 0 && !context_.options.watermarks) return;
  for (const auto& [id, entry] : entries_) {
    if (entry->task == nullptr || !entry->task->watches_idleness()) continue;
    // A log that does not answer may have more, and so may one whose end is not known.
    const bool at_end = polled && std::all_of(entry->inputs.begin(), entry->inputs.end(), [this](const Input& input) {
      if (input.source < 0) return false;
      const base::Offset end = consumer_->KnownEnd(input.source);
      const base::Offset position = consumer_->Position(input.source);
      return end.value() >= 0 && position.value() >= 0 && position >= end;
    });
    entry->task->WatchIdleness(at_end);
  }
}

int StreamThread::PollTimeoutMs() const {
  if (buffered_progress_) return 0;
  const int64_t left_ms = next_commit_ms_ - context_.clock->SteadyMs();
  return static_cast<int>(std::clamp<int64_t>(left_ms, 0, kPollTimeoutMsMax));
}

bool StreamThread::UncommittedBoundReached() const {
  size_t uncommitted = 0;
  for (const auto& [id, entry] : entries_) {
    if (entry->task == nullptr) continue;
    if (entry->task->state().WantsCommit()) return true;
    uncommitted += entry->task->state().uncommitted_bytes();
  }
  return uncommitted >= static_cast<size_t>(context_.options.uncommitted_bytes_max);
}

bool StreamThread::CommitDue() const {
  const int64_t now_ms = context_.clock->SteadyMs();
  if (UncommittedBoundReached()) return true;
  for (const auto& [id, entry] : entries_)
    if (entry->task != nullptr && entry->task->commit_requested()) return true;
  if (now_ms < next_commit_ms_) return false;
  // While the group rebalances the old generation may be refused: processing goes on, the commit waits for the new one, as
  // long as neither the bound on bytes nor the transaction's time is in danger.
  if (context_.seat.Get().rejoining && now_ms < last_commit_ms_ + context_.options.transaction_timeout_ms / 2) return false;
  // Catching up at-least-once: fewer, larger commits. Exactly-once keeps its transactions short.
  return !behind_ || context_.options.exactly_once ||
         now_ms >= last_commit_ms_ + kBehindFactor * context_.options.commit_interval_ms;
}

// Moves the tasks' plain counters into the shared ones: once per round, not per record.
void StreamThread::ReportRound() {
  for (const auto& [id, entry] : entries_) {
    if (entry->task == nullptr) continue;
    const TaskCounters& now = entry->task->counters();
    if (now.processed != entry->reported.processed) {
      entry->processed->Add(static_cast<double>(now.processed - entry->reported.processed));
      for (Input& input : entry->inputs)
        if (input.consumed_count > 0) input.consumed->Add(static_cast<double>(std::exchange(input.consumed_count, 0)));
    }
    if (now.emitted != entry->reported.emitted)
      context_.metrics->emitted->Add(static_cast<double>(now.emitted - entry->reported.emitted));
    for (size_t reason = 0; reason < now.dropped.size(); ++reason) {
      const int64_t more = now.dropped[reason] - entry->reported.dropped[reason];
      if (more == 0) continue;
      context_.metrics->skipped[reason]->Add(static_cast<double>(more));
      if (reason == static_cast<size_t>(detail::DropReason::kLate)) context_.metrics->late_dropped->Add(static_cast<double>(more));
    }
    entry->reported = now;
    entry->local->uncommitted_bytes.store(static_cast<int64_t>(entry->task->state().uncommitted_bytes()), std::memory_order_relaxed);
    entry->local->stream_time_ms.store(entry->task->stream_time(), std::memory_order_relaxed);
  }
}

void StreamThread::Fatal(absl::Status status) {
  halted_ = true;
  context_.on_fatal(std::move(status));
}

}  // namespace tailrace::processor
