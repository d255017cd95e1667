#include "sources/rest.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tailrace/base/log.h"

namespace tailrace::ingest {
namespace {

using base::Reaction;

constexpr int kPollMs = 100;
// Between attempts at something that failed: doubled each time, at most its own interval.
constexpr int64_t kFirstRetryMs = 60'000;
constexpr int kDoublingsMax = 10;

absl::Status NoToken(const char* what) {
  return base::Error(Reaction::kFatal, absl::StatusCode::kFailedPrecondition, absl::StrCat("this connector has no token for ", what));
}

// Neither the fault of one user or ticker nor of the moment.
bool EndsEverything(const absl::Status& status) { return absl::IsUnauthenticated(status) || absl::IsResourceExhausted(status) || absl::IsInvalidArgument(status); }

}  // namespace

int64_t RestRunner::IntervalOf(Job::Kind kind) const {
  switch (kind) {
    case Job::Kind::kUser: return options_.users_interval_ms;
    case Job::Kind::kTicker: return options_.tickers_interval_ms;
    case Job::Kind::kVisa: return options_.visa_interval_ms;
    case Job::Kind::kNews: return options_.news_interval_ms;
  }
  return 0;
}

void RestRunner::AddJob(Job::Kind kind, const std::string& name, int64_t due_ms, int64_t loaded_until_ms) {
  const char* const owner = kind == Job::Kind::kUser ? "user|" : kind == Job::Kind::kNews ? "news|" : "ticker|";
  if (IntervalOf(kind) == 0 || !pipes_.is_mine(owner + name)) return;
  jobs_.try_emplace(absl::StrCat(static_cast<int>(kind), "|", name),
                    Job{.kind = kind, .name = name, .due_ms = due_ms, .loaded_until_ms = loaded_until_ms, .failures = 0});
}

// Everything that was once ready is kept up to date from then on, over restarts of this connector.
void RestRunner::Learn() {
  for (const auto& entry : requests_.requests()) {
    const DataRequest& request = entry.second;
    if (request.state != "ready") continue;
    const auto kind = request.kind == "user" ? Job::Kind::kUser : Job::Kind::kTicker;
    AddJob(kind, request.name, request.updated_at_ms + IntervalOf(kind), request.updated_at_ms);
    if (kind == Job::Kind::kTicker) AddJob(Job::Kind::kVisa, request.name, clock_.WallMs(), 0);
  }
}

absl::Status RestRunner::Load(Job::Kind kind, const std::string& name, int64_t from_ms) {
  const int64_t now_ms = clock_.WallMs();
  const auto into = [](EventPipe& pipe) { return [&pipe](std::string_view object) { return pipe.Take(object); }; };
  if (kind == Job::Kind::kUser) return x_ == nullptr ? NoToken("X") : x_->UserHistory(name, from_ms, into(pipes_.posts));
  if (finnhub_ == nullptr) return NoToken("Finnhub");
  if (kind == Job::Kind::kTicker) return finnhub_->DailyBars(name, from_ms, now_ms, now_ms, into(pipes_.bars));
  if (kind == Job::Kind::kVisa) return finnhub_->VisaApplications(name, from_ms, now_ms, into(pipes_.visa));
  return finnhub_->MarketNews(options_.news_category, last_news_id_, into(pipes_.news));
}

absl::Status RestRunner::Answer() {
  // The oldest first. One that a former process left while computing is begun again: loading twice changes nothing.
  const std::pair<const std::string, DataRequest>* next = nullptr;
  for (const auto& entry : requests_.requests()) {
    if ((entry.second.state != "requested" && entry.second.state != "computing") || !pipes_.is_mine(entry.first)) continue;
    if (next == nullptr || entry.second.requested_at_ms < next->second.requested_at_ms) next = &entry;
  }
  if (next == nullptr) return absl::OkStatus();
  const std::string key = next->first;
  const std::string name = next->second.name;
  const auto kind = next->second.kind == "user" ? Job::Kind::kUser : Job::Kind::kTicker;
  TAILRACE_RETURN_IF_ERROR(requests_.SetState(key, "computing", ""));
  const int64_t now_ms = clock_.WallMs();
  base::LogInfo("ingest", "loading a history", {{"request", key}});
  absl::Status status = Load(kind, name, now_ms - options_.history_ms);
  if (status.ok()) status = pipes_.deliver();
  if (stop_.requested() || absl::IsCancelled(status)) return absl::OkStatus();
  if (EndsEverything(status)) {
    (void)requests_.SetState(key, "failed", std::string(status.message()));
    return status;
  }
  if (!status.ok()) {
    base::LogWarning("ingest", "a history cannot be loaded", {{"request", key}, {"reason", status}});
    return requests_.SetState(key, "failed", std::string(status.message()));
  }
  return requests_.SetState(key, "ready", "");
}

absl::Status RestRunner::Refresh() {
  const int64_t now_ms = clock_.WallMs();
  const auto due = std::min_element(jobs_.begin(), jobs_.end(), [](const auto& a, const auto& b) { return a.second.due_ms < b.second.due_ms; });
  if (due == jobs_.end() || due->second.due_ms > now_ms) return absl::OkStatus();
  Job& job = due->second;
  const int64_t from_ms = job.loaded_until_ms == 0 ? now_ms - options_.history_ms : job.loaded_until_ms - options_.overlap_ms;
  absl::Status status = Load(job.kind, job.name, from_ms);
  if (stop_.requested() || absl::IsCancelled(status) || EndsEverything(status)) return absl::IsCancelled(status) ? absl::OkStatus() : status;
  const int64_t interval_ms = IntervalOf(job.kind);
  if (status.ok() || absl::IsNotFound(status)) {
    job.failures = 0;
    job.loaded_until_ms = now_ms;
    job.due_ms = now_ms + interval_ms;
  } else {
    job.due_ms = now_ms + std::min(interval_ms, kFirstRetryMs << std::min(job.failures++, kDoublingsMax));
    base::LogWarning("ingest", "a refresh failed", {{"what", job.name}, {"reason", status}});
  }
  return absl::OkStatus();
}

absl::Status RestRunner::Run() {
  for (const std::string& name : options_.users) AddJob(Job::Kind::kUser, name, clock_.WallMs(), 0);
  for (const std::string& name : options_.tickers) {
    AddJob(Job::Kind::kTicker, name, clock_.WallMs(), 0);
    AddJob(Job::Kind::kVisa, name, clock_.WallMs(), 0);
  }
  if (finnhub_ != nullptr) AddJob(Job::Kind::kNews, options_.news_category, clock_.WallMs(), 0);
  while (!stop_.requested()) {
    const absl::Status polled = requests_.Poll(kPollMs);
    if (!polled.ok()) {
      if (base::ReactionOf(polled) != Reaction::kRetry) return polled;
      (void)stop_.WaitMs(kPollMs);
    }
    if (requests_.caught_up() && requests_.changes() != seen_changes_) {
      seen_changes_ = requests_.changes();
      Learn();
      TAILRACE_RETURN_IF_ERROR(Answer());
    }
    TAILRACE_RETURN_IF_ERROR(Refresh());
  }
  return absl::OkStatus();
}

}  // namespace tailrace::ingest
