#include "routing/routing_follower.h"

#include <algorithm>
#include <utility>

#include "absl/time/time.h"
#include "common/wire.h"
#include "tailrace/base/log.h"

namespace tailrace::grpc_api {
namespace {

constexpr int64_t kBackoffMinMs = 100;
constexpr int64_t kBackoffMaxMs = 2'000;
// A table with a lower epoch is believed when nobody has confirmed the higher one for so long: the application was reset.
constexpr int64_t kEpochMemoryMs = 30'000;

bool SameTable(const processor::RoutingTable& a, const processor::RoutingTable& b) {
  if (a.epoch != b.epoch || a.workers.size() != b.workers.size()) return false;
  for (size_t i = 0; i < a.workers.size(); ++i) {
    const processor::WorkerRoute &x = a.workers[i], &y = b.workers[i];
    if (x.instance != y.instance || x.endpoint != y.endpoint || x.active != y.active || x.standby != y.standby) {
      return false;
    }
  }
  return true;
}

}  // namespace

int64_t BackoffMs(int failures, base::Random& random) {
  const int64_t base_ms = std::min(kBackoffMaxMs, kBackoffMinMs << std::min(failures, 10));
  return base_ms / 2 + static_cast<int64_t>(random.Below(static_cast<uint64_t>(base_ms / 2 + 1)));
}

std::vector<std::string> RoutingSnapshot::Holders(const base::TaskId& task, bool active_only) const {
  std::vector<std::string> holders;
  for (const processor::WorkerRoute& route : table.workers) {
    if (std::find(route.active.begin(), route.active.end(), task) != route.active.end()) {
      holders.insert(holders.begin(), route.endpoint);
    } else if (!active_only && std::find(route.standby.begin(), route.standby.end(), task) != route.standby.end()) {
      holders.push_back(route.endpoint);
    }
  }
  return holders;
}

RoutingFollower::RoutingFollower(std::string application_id, std::vector<std::string> seeds, WorkerChannels& channels,
                                 TimerThread& timers, const base::Clock& clock)
    : application_id_(std::move(application_id)),
      seeds_(std::move(seeds)),
      channels_(channels),
      timers_(timers),
      clock_(clock),
      current_(std::make_shared<RoutingSnapshot>()),
      random_(base::EntropySeed()) {}

// Its callbacks use the members below, so the stream ends first.
RoutingFollower::~RoutingFollower() { stream_.reset(); }

void RoutingFollower::Start() {
  timers_.After(0, [this] { Connect(); });
}

std::vector<std::string> RoutingFollower::Candidates() const {
  std::vector<std::string> candidates = seeds_;
  for (const processor::WorkerRoute& route : current_->table.workers) {
    if (std::find(candidates.begin(), candidates.end(), route.endpoint) == candidates.end()) {
      candidates.push_back(route.endpoint);
    }
  }
  return candidates;
}

void RoutingFollower::Connect() {
  stream_.reset();
  std::string endpoint;
  {
    absl::MutexLock lock(&mu_);
    const std::vector<std::string> candidates = Candidates();
    if (candidates.empty()) return;
    endpoint = candidates[next_candidate_++ % candidates.size()];
  }
  v1::WatchRoutingRequest request;
  request.set_application_id(application_id_);
  stream_ = channels_.Of(endpoint)->WatchRouting(
      std::move(request), [this, endpoint](const v1::WatchRoutingResponse& message) { Accept(message, endpoint); },
      [this](const absl::Status& status) { Ended(status); });
}

void RoutingFollower::Accept(const v1::WatchRoutingResponse& message, const std::string& from) {
  processor::RoutingTable table = RoutingOf(message);
  // A worker without an advertised endpoint can only be the one that answers.
  for (processor::WorkerRoute& route : table.workers) {
    if (route.endpoint.empty()) route.endpoint = from;
  }
  std::vector<std::function<void()>> listeners;
  {
    absl::MutexLock lock(&mu_);
    failures_ = 0;
    const int64_t now_ms = clock_.SteadyMs();
    const bool behind = current_->version > 0 && table.epoch < current_->table.epoch;
    if (behind && now_ms - *confirmed_ms_ < kEpochMemoryMs) return;
    confirmed_ms_ = now_ms;
    last_error_ = absl::OkStatus();
    if (current_->version > 0 && SameTable(table, current_->table)) return;
    auto next = std::make_shared<RoutingSnapshot>();
    next->version = current_->version + 1;
    next->table = std::move(table);
    current_ = std::move(next);
    for (const auto& [id, listener] : listeners_) listeners.push_back(listener);
  }
  for (std::function<void()>& listener : listeners) timers_.After(0, std::move(listener));
}

void RoutingFollower::Ended(const absl::Status& status) {
  int64_t delay_ms = 0;
  {
    absl::MutexLock lock(&mu_);
    last_error_ = status.ok() ? absl::UnavailableError("the worker ended the routing stream") : status;
    delay_ms = BackoffMs(failures_++, random_);
  }
  base::LogDebug("routing", "watch ended", {{"status", status}});
  timers_.After(delay_ms, [this] { Connect(); });
}

std::shared_ptr<const RoutingSnapshot> RoutingFollower::Current() const {
  absl::MutexLock lock(&mu_);
  return current_;
}

std::shared_ptr<const RoutingSnapshot> RoutingFollower::AwaitNewer(uint64_t version, int64_t timeout_ms) const {
  absl::MutexLock lock(&mu_);
  const auto newer = [this, version]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return current_->version > version; };
  mu_.AwaitWithTimeout(absl::Condition(&newer), absl::Milliseconds(std::max<int64_t>(timeout_ms, 0)));
  return current_;
}

int64_t RoutingFollower::AgeMs() const {
  absl::MutexLock lock(&mu_);
  return confirmed_ms_ ? clock_.SteadyMs() - *confirmed_ms_ : -1;
}

absl::Status RoutingFollower::LastError() const {
  absl::MutexLock lock(&mu_);
  return last_error_;
}

uint64_t RoutingFollower::AddListener(std::function<void()> on_change) {
  absl::MutexLock lock(&mu_);
  const uint64_t id = next_listener_++;
  listeners_[id] = std::move(on_change);
  return id;
}

void RoutingFollower::RemoveListener(uint64_t id) {
  absl::MutexLock lock(&mu_);
  listeners_.erase(id);
}

}  // namespace tailrace::grpc_api
