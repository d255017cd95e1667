#include "runtime/state_machine.h"

#include "absl/time/time.h"
#include "tailrace/base/log.h"

namespace tailrace::processor {

StreamsState StateMachine::Get() const {
  absl::MutexLock lock(&mu_);
  return state_;
}

bool StateMachine::TryMove(StreamsState to) {
  absl::MutexLock listener_lock(&listener_mu_);
  StreamsState before;
  {
    absl::MutexLock lock(&mu_);
    if (state_ == to || !MayFollow(state_, to)) return false;
    before = state_;
    state_ = to;
  }
  base::LogInfo("streams", "state", {{"now", StreamsStateName(to)}, {"before", StreamsStateName(before)}});
  if (listener_) listener_(to, before);
  return true;
}

bool StateMachine::WaitFor(StreamsState wanted, int timeout_ms) const {
  absl::MutexLock lock(&mu_);
  const auto reached = [this, wanted]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return state_ == wanted || IsFinal(state_); };
  mu_.AwaitWithTimeout(absl::Condition(&reached), absl::Milliseconds(timeout_ms));
  return state_ == wanted;
}

void StateMachine::SetListener(Listener listener) {
  absl::MutexLock lock(&listener_mu_);
  listener_ = std::move(listener);
}

}  // namespace tailrace::processor
