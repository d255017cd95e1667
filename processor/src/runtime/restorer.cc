#include "runtime/restorer.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "committed_metadata.h"
#include "runtime/changelog_epoch.h"
#include "runtime/failpoint.h"
#include "tailrace/base/check.h"
#include "tailrace/base/log.h"

namespace tailrace::processor {
namespace {

constexpr int kOffsetTimeoutMs = 1'000;
constexpr int kPollTimeoutMs = 50;
constexpr int kRetryPauseMs = 200;
constexpr int kStandbyRetryPauseMs = 5'000;
constexpr int kProgressIntervalMs = 5'000;

}  // namespace

const detail::Subtopology& RuntimeContext::subtopology(int32_t id) const {
  for (const detail::Subtopology& subtopology : topology->subtopologies())
    if (subtopology.id == id) return subtopology;
  base::CheckFailed(__FILE__, __LINE__, "subtopology exists", std::to_string(id));
}

bool Restorer::Active::finished() const {
  return prepared && !standby && std::all_of(changelogs.begin(), changelogs.end(), [](const Changelog& c) { return c.done; });
}

Restorer::Restorer(RuntimeContext& context) : context_(context) {}
Restorer::~Restorer() { Stop(); }

void Restorer::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Restorer::RequestStop() {
  absl::MutexLock lock(&mu_);
  stop_ = true;
}

bool Restorer::Stopping() const {
  absl::MutexLock lock(&mu_);
  return stop_;
}

void Restorer::Stop() {
  RequestStop();
  if (thread_.joinable()) thread_.join();
}

void Restorer::Submit(RestoreJob job) {
  absl::ReleasableMutexLock lock(&mu_);
  if (!stop_) {
    incoming_.push_back(std::move(job));
    return;
  }
  lock.Release();
  job.done({.id = job.local->id(), .status = absl::CancelledError("the worker is closing"), .state = nullptr, .inputs = {}, .committed = {}});
}

void Restorer::Cancel(const base::TaskId& id) {
  absl::MutexLock lock(&mu_);
  cancelled_.insert(id);
}

void Restorer::Run() {
  absl::Status status;
  while (TakeMail(active_.empty() ? 1'000 : 0)) {
    PrepareAll();
    FinishReady();
    if (assignment_stale_) status = Reassign();
    if (status.ok() && !sources_.empty()) status = PollOnce();
    if (!status.ok()) {
      if (base::ReactionOf(status) == base::Reaction::kTaskCorrupted) {
        // A log start has moved past a position meanwhile: look at the ranges again.
        base::LogWarning("restore", "a changelog's range has changed", {{"error", status}});
        for (const auto& active : active_) active->prepared = false;
        assignment_stale_ = true;
      } else if (base::ReactionOf(status) != base::Reaction::kRetry) {
        base::LogError("restore", "reading changelogs failed", {{"error", status}});
        context_.on_fatal(base::Annotate(status, "restore"));
      }
      status = absl::OkStatus();
    }
    FinishReady();
    TendStandbys();
    LogProgress();
    if (sources_.empty() && !active_.empty() && !TakeMail(kRetryPauseMs)) break;
  }
  while (!active_.empty()) {
    if (active_.back()->standby) {
      Drop(*active_.back());
    } else {
      Finish(active_.size() - 1, absl::CancelledError("the worker is closing"));
    }
  }
  std::deque<RestoreJob> left;
  {
    absl::MutexLock lock(&mu_);
    left.swap(incoming_);
    for (const StandbyWish& wish : standbys_kept_) context_.standbys.Remove(wish.local->id());
  }
  for (RestoreJob& job : left)
    job.done({.id = job.local->id(), .status = absl::CancelledError("the worker is closing"), .state = nullptr, .inputs = {}, .committed = {}});
  consumer_.reset();
  end_consumer_.reset();
  standby_end_consumer_.reset();
}

bool Restorer::TakeMail(int wait_ms) {
  std::deque<RestoreJob> incoming;
  std::set<base::TaskId> cancelled;
  std::deque<StandbyWish> standbys_kept;
  std::set<base::TaskId> standbys_ended;
  {
    absl::MutexLock lock(&mu_);
    const auto has_mail = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
      return stop_ || !incoming_.empty() || !cancelled_.empty() || !standbys_kept_.empty() || !standbys_ended_.empty();
    };
    mu_.AwaitWithTimeout(absl::Condition(&has_mail), absl::Milliseconds(wait_ms));
    if (stop_) return false;
    incoming.swap(incoming_);
    cancelled.swap(cancelled_);
    standbys_kept.swap(standbys_kept_);
    standbys_ended.swap(standbys_ended_);
  }
  for (const base::TaskId& id : standbys_ended)
    if (Active* const standby = FindStandby(id)) Drop(*standby);
  for (StandbyWish& wish : standbys_kept) BeginStandby(std::move(wish));
  for (RestoreJob& job : incoming) {
    if (Active* const standby = FindStandby(job.local->id())) {
      TakeOver(*standby, std::move(job));
      continue;
    }
    auto active = std::make_unique<Active>();
    active->job = std::move(job);
    active->started_ms = context_.clock->SteadyMs();
    active_.push_back(std::move(active));
  }
  for (size_t i = active_.size(); i-- > 0;)
    if (!active_[i]->standby && cancelled.contains(active_[i]->job.local->id())) Finish(i, absl::CancelledError("revoked while it was restored"));
  return true;
}

void Restorer::PrepareAll() {
  // Each of them may wait for a log that is gone: the end of the process does not wait for all.
  for (size_t i = 0; i < active_.size() && !Stopping();) {
    Active& active = *active_[i];
    if (active.prepared || context_.clock->SteadyMs() < active.not_before_ms) {
      ++i;
      continue;
    }
    absl::Status status = Prepare(active);
    if (status.ok()) {
      active.prepared = true;
      assignment_stale_ = true;
      ++i;
    } else if (base::ReactionOf(status) == base::Reaction::kRetry) {
      if (active.attempts++ % 25 == 0)
        base::LogWarning("restore", "task waits", {{"task", active.job.local->id().ToString()}, {"error", status}});
      active.not_before_ms = context_.clock->SteadyMs() + kRetryPauseMs;
      ++i;
    } else if (active.standby) {
      base::LogError("restore", "a standby cannot be kept; it is tried again", {{"task", active.job.local->id().ToString()}, {"error", status}});
      CloseState(active);
      active.not_before_ms = context_.clock->SteadyMs() + kStandbyRetryPauseMs;
      ++i;
    } else {
      Finish(i, std::move(status));
    }
  }
}

absl::Status Restorer::Prepare(Active& active) {
  TAILRACE_RETURN_IF_ERROR(failpoint::Hit("task.open"));
  LocalTask& local = *active.job.local;
  const detail::Subtopology& subtopology = context_.subtopology(local.id().subtopology);
  active.inputs = context_.plan.Inputs(subtopology, local.id().partition);
  // Waits for a transaction of the previous owner, so what follows sees all that it committed.
  if (NeedsCommitted(active)) TAILRACE_RETURN_IF_ERROR(ReadCommitted(active, kOffsetTimeoutMs));

  bool wipe = active.job.wipe_first;
  for (int attempt = 0;; ++attempt) {
    TAILRACE_CHECK(attempt < 3, "a task that was just wiped has nothing to distrust");
    if (wipe) {
      CloseState(active);
      TAILRACE_RETURN_IF_ERROR(state::TaskState::Wipe(context_.TaskDirectory(local.id())));
      active.job.wipe_first = false;
      wipe = false;
    }
    if (active.state == nullptr) {
      absl::Status status = OpenState(active);
      if (base::ReactionOf(status) == base::Reaction::kTaskCorrupted && attempt == 0) {
        base::LogError("restore", "local state cannot be trusted and is rebuilt from the changelog",
                       {{"task", local.id().ToString()}, {"error", status}});
        context_.metrics->tasks_corrupted->Increment();
        context_.metrics->StoreWiped("corrupt");
        wipe = true;
        continue;
      }
      TAILRACE_RETURN_IF_ERROR(status);
    }
    TAILRACE_RETURN_IF_ERROR(FindRanges(active, wipe));
    if (!wipe) break;
  }
  LimitTime(active);
  if (active.standby) return absl::OkStatus();
  int64_t total = 0;
  for (const Changelog& changelog : active.changelogs)
    if (!changelog.done) total += changelog.end.value() - changelog.next.value();
  local.restore_total = total;
  local.restore_done = 0;
  if (total > 0)
    base::LogInfo("restore", "task restores", {{"task", local.id().ToString()}, {"records_at_most", total}});
  return absl::OkStatus();
}

absl::Status Restorer::OpenState(Active& active) {
  const base::TaskId& id = active.job.local->id();
  state::TaskStateOptions options{.directory = context_.TaskDirectory(id),
                                  .task = id,
                                  .application_id = context_.options.application_id,
                                  .stores = context_.subtopology(id.subtopology).stores,
                                  .memory = context_.memory,
                                  .cache_bytes_max = active.job.cache_bytes_max,
                                  .clock = context_.clock,
                                  .flush_interval_ms = context_.options.state_flush_interval_ms};
  if (context_.options.cache_bytes_max == 0)
    for (state::StoreSpec& store : options.stores) store.caching = false;
  TAILRACE_ASSIGN_OR_RETURN(active.state, state::TaskState::Open(std::move(options)));
  return absl::OkStatus();
}

void Restorer::CloseState(Active& active) {
  if (active.standby) {
    active.job.local->Withdraw();
    active.job.local->set_phase(TaskPhase::kRestoring);
    active.asked_ms = -1;
  }
  active.state.reset();
}

// A standby need not know how far its task has come, unless that bounds what it may apply or forget.
bool Restorer::NeedsCommitted(const Active& active) const {
  if (!active.standby) return true;
  const detail::Subtopology& subtopology = context_.subtopology(active.job.local->id().subtopology);
  if (context_.options.watermarks && !subtopology.repartition_sources.empty()) return true;
  const auto& topics = subtopology.source_topics;
  return std::any_of(subtopology.stores.begin(), subtopology.stores.end(), [&](const state::StoreSpec& spec) {
    return spec.logging && std::find(topics.begin(), topics.end(), spec.changelog_topic) != topics.end();
  });
}

absl::Status Restorer::ReadCommitted(Active& active, int timeout_ms) {
  TAILRACE_ASSIGN_OR_RETURN(active.committed, context_.membership.Get()->Committed(active.inputs, timeout_ms));
  TAILRACE_CHECK(active.committed.size() == active.inputs.size(), "one committed offset per input");
  return absl::OkStatus();
}

void Restorer::LimitTime(Active& active) const {
  if (!context_.options.watermarks || context_.subtopology(active.job.local->id().subtopology).repartition_sources.empty()) return;
  int64_t time_ms = active.state->committed().stream_time_ms;
  for (const kafka::CommittedOffset& committed : active.committed) {
    const auto times = DecodeCommittedMetadata(committed.metadata).operator_times_ms;
    if (const auto found = times.find(kStreamTimeName); found != times.end()) time_ms = std::max(time_ms, found->second);
  }
  active.state->event_time().limit_ms = time_ms;
}

absl::Status Restorer::FindRanges(Active& active, bool& wipe) {
  if (end_consumer_ == nullptr) {
    TAILRACE_ASSIGN_OR_RETURN(end_consumer_, context_.cluster->NewConsumer(
                                                 {.client_id = context_.options.client_id + "-restore-offsets", .read_committed = false}));
  }
  const base::TaskId& id = active.job.local->id();
  const std::vector<state::StoreSpec>& stores = active.state->specs();
  const std::vector<Changelog> before = std::exchange(active.changelogs, {});
  for (size_t store = 0; store < stores.size(); ++store) {
    const state::StoreSpec& spec = stores[store];
    if (!spec.logging) continue;
    Changelog changelog{.store = static_cast<int32_t>(store),
                        .partition = {spec.changelog_topic, id.partition},
                        .next = base::kOffsetBeginning,
                        .end = base::Offset(0)};
    TAILRACE_ASSIGN_OR_RETURN(const kafka::OffsetRange range, end_consumer_->QueryOffsets(changelog.partition, kOffsetTimeoutMs));
    changelog.end = active.standby ? base::Offset(INT64_MAX) : range.end;
    for (const Changelog& same : before)
      if (same.store == changelog.store) changelog.epoch = same.epoch;
    // A source topic that serves as changelog is applied only as far as it was processed.
    const auto input = std::find(active.inputs.begin(), active.inputs.end(), changelog.partition);
    if (input != active.inputs.end()) {
      changelog.is_source = true;
      const base::Offset committed = active.committed[static_cast<size_t>(input - active.inputs.begin())].offset;
      changelog.end = committed.value() < 0 ? range.begin : std::min(committed, range.end);
    }
    const std::vector<base::Offset>& offsets = active.state->committed().changelog_offsets;
    const base::Offset stored = store < offsets.size() && !spec.in_memory ? offsets[store] : base::kOffsetUnknown;
    if (stored.value() < 0) {
      changelog.next = range.begin;
    } else if (stored >= range.end && active.standby) {
      base::LogWarning("restore", "the changelog is not the one that the standby followed; the standby is made anew",
                       {{"task", id.ToString()}, {"store", spec.name}, {"stored_offset", stored.value()}, {"log_end", range.end.value()}});
      wipe = true;
      return absl::OkStatus();
    } else if (stored >= range.end) {
      return base::Error(
          base::Reaction::kTaskCorrupted, absl::StatusCode::kFailedPrecondition,
          absl::StrCat("task ", id.ToString(), " store ", spec.name, ": the stored changelog offset ", stored.value(),
                       " is not below the end ", range.end.value(), " of ", changelog.partition.ToString(),
                       "; was the topic recreated, or the cluster exchanged? To start this application anew, stop all workers "
                       "and run: tailrace reset; to rebuild only this task from the topic, delete ",
                       context_.TaskDirectory(id)));
    } else if (stored.Next() < range.begin) {
      base::LogWarning("restore", "the changelog has lost records that the store does not have; the task is rebuilt",
                       {{"task", id.ToString()}, {"store", spec.name}, {"stored_offset", stored.value()}, {"log_start", range.begin.value()}});
      context_.metrics->StoreWiped("behind_log_start");
      wipe = true;
      return absl::OkStatus();
    } else {
      changelog.next = stored.Next();
    }
    changelog.done = changelog.next >= changelog.end;
    active.changelogs.push_back(changelog);
  }
  return absl::OkStatus();
}

absl::Status Restorer::Reassign() {
  if (consumer_ == nullptr) {
    TAILRACE_ASSIGN_OR_RETURN(consumer_, context_.cluster->NewConsumer({.client_id = context_.options.client_id + "-restore-consumer",
                                                                        .read_committed = context_.options.exactly_once,
                                                                        .restore = true}));
  }
  batch_.Clear();
  sources_.clear();
  std::vector<kafka::AssignedPartition> partitions;
  const bool restoring = Restoring();
  for (const auto& active : active_) {
    if (!active->prepared || (active->standby && restoring)) continue;
    for (Changelog& changelog : active->changelogs) {
      if (changelog.done) continue;
      partitions.push_back({changelog.partition, changelog.next});
      sources_.push_back({active.get(), &changelog});
    }
  }
  records_.resize(sources_.size());
  last_.assign(sources_.size(), base::kOffsetUnknown);
  TAILRACE_RETURN_IF_ERROR(consumer_->Assign(std::move(partitions)));
  assignment_stale_ = false;
  return absl::OkStatus();
}

absl::Status Restorer::PollOnce() {
  TAILRACE_RETURN_IF_ERROR(consumer_->Poll(batch_, kPollTimeoutMs));
  const bool check_epochs = !context_.options.exactly_once && context_.options.shared_log;
  for (const kafka::RecordView& record : batch_.records()) {
    const auto index = static_cast<size_t>(record.source);
    Source& source = sources_[index];
    if (record.offset >= source.changelog->end) continue;
    last_[index] = record.offset;
    if (record.key.is_null()) continue;
    if (check_epochs && !source.changelog->is_source) {
      const int32_t epoch = EpochOf(batch_.HeadersOf(record));
      if (epoch < source.changelog->epoch) continue;  // written by an owner that had already lost the task
      source.changelog->epoch = epoch;
    }
    records_[index].push_back({.key = record.key.view(), .value = record.value, .timestamp_ms = record.timestamp_ms});
  }
  bool any_done = false;
  for (size_t i = 0; i < sources_.size(); ++i) {
    Source& source = sources_[i];
    if (last_[i] != base::kOffsetUnknown) {
      if (absl::Status status = Apply(source, records_[i], last_[i]); !status.ok()) {
        // What this poll delivered and was not applied is read again.
        if (base::ReactionOf(status) == base::Reaction::kTaskCorrupted) source.active->job.wipe_first = true;
        for (auto& records : records_) records.clear();
        std::fill(last_.begin(), last_.end(), base::kOffsetUnknown);
        batch_.Clear();
        assignment_stale_ = true;
        return status;
      }
      records_[i].clear();
      last_[i] = base::kOffsetUnknown;
    }
    // A standby goes on where its source topic's limit was, once that has moved.
    const base::Offset position = std::min(consumer_->Position(static_cast<int32_t>(i)), source.changelog->end);
    if (position > source.changelog->next) source.changelog->next = position;
    if (!source.changelog->done && source.changelog->next >= source.changelog->end) {
      source.changelog->done = true;
      any_done = true;
    }
  }
  batch_.Clear();
  assignment_stale_ |= any_done;
  return absl::OkStatus();
}

absl::Status Restorer::Apply(Source& source, std::vector<state::ChangelogRecord>& records, base::Offset last) {
  TAILRACE_RETURN_IF_ERROR(failpoint::Hit("restore.batch"));
  Active& active = *source.active;
  TAILRACE_RETURN_IF_ERROR(active.state->ApplyChangelog(source.changelog->store, records, last));
  LocalTask& local = *active.job.local;
  const int64_t read = last.value() + 1 - source.changelog->next.value();
  source.changelog->next = last.Next();
  if (active.standby) {
    active.unpublished = true;
    return absl::OkStatus();
  }
  local.restore_done += read;
  context_.metrics->restore_records->Add(static_cast<double>(records.size()));
  return absl::OkStatus();
}

void Restorer::FinishReady() {
  for (size_t i = active_.size(); i-- > 0;)
    if (active_[i]->finished()) Finish(i, absl::OkStatus());
}

void Restorer::Finish(size_t index, absl::Status status) {
  std::unique_ptr<Active> active = std::move(active_[index]);
  active_.erase(active_.begin() + static_cast<std::ptrdiff_t>(index));
  assignment_stale_ = true;
  sources_.clear();
  RestoreResult result{.id = active->job.local->id(), .status = std::move(status), .state = nullptr, .inputs = {}, .committed = {}};
  if (result.status.ok()) {
    LocalTask& local = *active->job.local;
    if (local.restore_total > 0) {
      const int64_t took_ms = context_.clock->SteadyMs() - active->started_ms;
      base::LogInfo("restore", "task restored", {{"task", local.id().ToString()}, {"records_at_most", local.restore_total.load()}, {"ms", took_ms}});
      context_.metrics->restore_duration->Observe(static_cast<double>(took_ms) / 1e3);
    }
    local.restore_done = local.restore_total.load();
    active->state->PublishView();
    result.state = std::move(active->state);
    result.inputs = std::move(active->inputs);
    result.committed = std::move(active->committed);
  }
  active->state.reset();  // closed before anyone hears of it
  active->job.done(std::move(result));
}

void Restorer::LogProgress() {
  const int64_t now_ms = context_.clock->SteadyMs();
  if (now_ms < next_log_ms_) return;
  next_log_ms_ = now_ms + kProgressIntervalMs;
  for (const auto& active : active_) {
    const LocalTask& local = *active->job.local;
    if (active->prepared && !active->standby && now_ms - active->started_ms >= kProgressIntervalMs)
      base::LogInfo("restore", "restoring", {{"task", local.id().ToString()}, {"done", local.restore_done.load()}, {"total", local.restore_total.load()}});
  }
}

}  // namespace tailrace::processor
