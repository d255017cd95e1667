#include "embedded/housekeeper.h"

#include <utility>

#include "absl/time/clock.h"
#include "tailrace/base/clock.h"
#include "tailrace/base/limits.h"
#include "tailrace/base/log.h"

namespace tailrace::kafka::embedded {

Housekeeper::Housekeeper(LogEngine& engine) : engine_(engine), thread_([this] { Run(); }) {}

Housekeeper::~Housekeeper() {
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
  }
  thread_.join();
}

void Housekeeper::WriteSoon(std::weak_ptr<Lingering> buffer) {
  absl::MutexLock lock(&mu_);
  waiting_.push_back(std::move(buffer));
}

void Housekeeper::Run() {
  const absl::Duration linger = absl::Milliseconds(base::limits::kLogLingerMs);
  const base::Clock& clock = base::SystemClock();
  int64_t next_clean_ms = clock.SteadyMs() + base::limits::kLogRetentionCheckMs;
  auto has_work = [this]() ABSL_SHARED_LOCKS_REQUIRED(mu_) { return stopping_ || !waiting_.empty(); };
  while (true) {
    std::vector<std::weak_ptr<Lingering>> due;
    {
      absl::MutexLock lock(&mu_);
      mu_.AwaitWithTimeout(absl::Condition(&has_work), absl::Milliseconds(next_clean_ms - clock.SteadyMs()));
      if (!stopping_ && !waiting_.empty()) mu_.AwaitWithTimeout(absl::Condition(&stopping_), linger);
      if (stopping_) return;
      due.swap(waiting_);
    }
    for (const std::weak_ptr<Lingering>& weak : due) {
      if (std::shared_ptr<Lingering> buffer = weak.lock()) buffer->WriteOut();
    }
    if (clock.SteadyMs() < next_clean_ms) continue;
    absl::Status status = engine_.ApplyRetention();
    if (status.ok()) status = engine_.Compact(/*force=*/false);
    if (!status.ok()) base::LogWarning("kafka", "the embedded log could not be cleaned", {{"error", status}});
    next_clean_ms = clock.SteadyMs() + base::limits::kLogRetentionCheckMs;
  }
}

}  // namespace tailrace::kafka::embedded
