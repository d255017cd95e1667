// The part of Restorer that keeps standbys (Kafka Streams' StandbyTask).
#include <algorithm>

#include "runtime/restorer.h"
#include "tailrace/base/log.h"

namespace tailrace::processor {
namespace {

constexpr int64_t kAskEndsIntervalMs = 1'000;
constexpr int64_t kPublishIntervalMs = 100;
// The restorer's thread waits for these answers.
constexpr int kAskTimeoutMs = 200;

}  // namespace

void Restorer::KeepStandby(std::shared_ptr<LocalTask> standby, size_t cache_bytes_max) {
  absl::MutexLock lock(&mu_);
  if (stop_) {
    context_.standbys.Remove(standby->id());
    return;
  }
  standbys_kept_.push_back({std::move(standby), cache_bytes_max});
}

void Restorer::EndStandby(const base::TaskId& id) {
  absl::MutexLock lock(&mu_);
  standbys_ended_.insert(id);
}

Restorer::Active* Restorer::FindStandby(const base::TaskId& id) {
  const auto found = std::find_if(active_.begin(), active_.end(),
                                  [&](const auto& active) { return active->standby && active->job.local->id() == id; });
  return found == active_.end() ? nullptr : found->get();
}

bool Restorer::Restoring() const {
  return std::any_of(active_.begin(), active_.end(), [](const auto& active) { return !active->standby && !active->finished(); });
}

void Restorer::BeginStandby(StandbyWish wish) {
  auto active = std::make_unique<Active>();
  active->standby = true;
  active->job.local = std::move(wish.local);
  active->job.cache_bytes_max = wish.cache_bytes_max;
  active->started_ms = context_.clock->SteadyMs();
  active->job.local->set_phase(TaskPhase::kRestoring);
  base::LogInfo("restore", "standby begins", {{"task", active->job.local->id().ToString()}});
  active_.push_back(std::move(active));
}

void Restorer::Drop(Active& standby) {
  const base::TaskId id = standby.job.local->id();
  CloseState(standby);
  standby.job.local->set_phase(TaskPhase::kClosed);
  std::erase_if(active_, [&](const auto& active) { return active.get() == &standby; });
  sources_.clear();
  assignment_stale_ = true;
  base::LogInfo("restore", "standby ends", {{"task", id.ToString()}});
  context_.standbys.Remove(id);  // only now may its directory be opened again
  context_.wake_coordinator();
}

// The task is this process's now: what the standby has is not read again.
void Restorer::TakeOver(Active& standby, RestoreJob job) {
  standby.job.local->Withdraw();
  standby.job.local->set_phase(TaskPhase::kClosed);
  context_.standbys.Remove(standby.job.local->id());
  base::LogInfo("restore", "standby takes over", {{"task", job.local->id().ToString()}, {"behind_at_most", standby.job.local->lag.load()}});
  standby.standby = false;
  standby.job = std::move(job);
  standby.started_ms = context_.clock->SteadyMs();
  standby.not_before_ms = 0;
  standby.attempts = 0;
  standby.prepared = false;  // its ranges are looked at again, now with an end
  sources_.clear();
  assignment_stale_ = true;
}

// What was applied becomes visible, and the log is asked how much there is beyond it.
void Restorer::TendStandbys() {
  const bool restoring = Restoring();
  for (const auto& active : active_) {
    if (!active->standby || !active->prepared) continue;
    const int64_t now_ms = context_.clock->SteadyMs();
    const bool reached = std::all_of(active->changelogs.begin(), active->changelogs.end(), [](const Changelog& changelog) {
      return changelog.asked_end != base::kOffsetUnknown && changelog.next >= changelog.asked_end;
    });
    const bool just_reached = active->asked_ms >= 0 && reached;
    if ((active->unpublished && now_ms >= active->publish_again_ms) || just_reached) Publish(*active);
    if (just_reached) {
      LocalTask& local = *active->job.local;
      local.current_ms = active->asked_ms;
      active->asked_ms = -1;
      if (local.phase() != TaskPhase::kRunning) {
        // From now on it answers queries: it has been complete once.
        local.Publish(active->state.get());
        local.set_phase(TaskPhase::kRunning);
        base::LogInfo("restore", "standby is complete", {{"task", local.id().ToString()}, {"ms", now_ms - active->started_ms}});
        context_.wake_coordinator();
      }
    }
    // Restoring goes first; these questions take time from it.
    if (restoring || now_ms < active->ask_again_ms) continue;
    active->ask_again_ms = now_ms + kAskEndsIntervalMs;
    absl::Status status = AskEnds(*active);
    if (status.ok()) status = active->state->MaybeFlush();
    if (status.ok()) continue;
    if (const auto held = standby_log_.Pass())
      base::LogWarning("restore", "a standby waits", {{"task", active->job.local->id().ToString()}, {"error", status}, {"more", *held}});
    return;  // whoever does not answer now would let the others wait, too
  }
}

absl::Status Restorer::AskEnds(Active& standby) {
  if (standby_end_consumer_ == nullptr) {
    TAILRACE_ASSIGN_OR_RETURN(standby_end_consumer_, context_.cluster->NewConsumer({.client_id = context_.options.client_id + "-standby-offsets",
                                                                                    .read_committed = context_.options.exactly_once}));
  }
  const int64_t asked_ms = context_.clock->SteadyMs();
  if (NeedsCommitted(standby)) {
    TAILRACE_RETURN_IF_ERROR(ReadCommitted(standby, kAskTimeoutMs));
    LimitTime(standby);
  }
  LocalTask& local = *standby.job.local;
  int64_t done = 0, total = 0;
  for (Changelog& changelog : standby.changelogs) {
    TAILRACE_ASSIGN_OR_RETURN(const kafka::OffsetRange range, standby_end_consumer_->QueryOffsets(changelog.partition, kAskTimeoutMs));
    changelog.asked_end = range.end;
    if (changelog.is_source) {
      // A source topic that serves as changelog is followed only as far as it was processed.
      const auto input = std::find(standby.inputs.begin(), standby.inputs.end(), changelog.partition);
      const base::Offset committed = standby.committed[static_cast<size_t>(input - standby.inputs.begin())].offset;
      changelog.end = committed.value() < 0 ? range.begin : std::min(committed, range.end);
      changelog.asked_end = changelog.end;
      if (changelog.done && changelog.next < changelog.end) {
        changelog.done = false;
        assignment_stale_ = true;
      }
    }
    total += std::max<int64_t>(changelog.asked_end.value(), 0);
    done += std::min(std::max<int64_t>(changelog.next.value(), 0), std::max<int64_t>(changelog.asked_end.value(), 0));
  }
  standby.asked_ms = asked_ms;
  local.lag = total - done;
  local.restore_total = total;
  local.restore_done = done;
  return absl::OkStatus();
}

void Restorer::Publish(Active& standby) {
  standby.state->PublishView();
  standby.unpublished = false;
  standby.publish_again_ms = context_.clock->SteadyMs() + kPublishIntervalMs;
  int64_t position = 0;
  for (const base::Offset offset : standby.state->committed().changelog_offsets) position += std::max<int64_t>(offset.value(), 0);
  standby.job.local->stored_position = position;
}

}  // namespace tailrace::processor
