// The state of a Streams, with its legal transitions, its listener and a way to wait for it.
#pragma once

#include <array>
#include <functional>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "tailrace/processor/streams.h"

namespace tailrace::processor {

// Which states may follow which; the drawing is in streams.h.
constexpr bool MayFollow(StreamsState from, StreamsState to) {
  using enum StreamsState;
  switch (from) {
    case kCreated: return to == kRebalancing || to == kPendingShutdown || to == kPendingError;
    case kRebalancing: return to == kRunning || to == kPendingShutdown || to == kPendingError;
    case kRunning: return to == kRebalancing || to == kPendingShutdown || to == kPendingError;
    case kPendingShutdown: return to == kNotRunning;
    case kPendingError: return to == kError;
    case kNotRunning:
    case kError: return false;
  }
  return false;
}
constexpr bool IsFinal(StreamsState state) { return state == StreamsState::kNotRunning || state == StreamsState::kError; }

// Thread-safe. The listener is called after each transition, one call at a time, without the lock of the state.
class StateMachine {
 public:
  using Listener = std::function<void(StreamsState now, StreamsState before)>;

  StreamsState Get() const;
  // Moves when that is legal from the present state; returns whether it did. Threads race here (a fatal error against
  // Close), and the first wins.
  bool TryMove(StreamsState to);
  bool WaitFor(StreamsState wanted, int timeout_ms) const;
  void SetListener(Listener listener);

 private:
  mutable absl::Mutex mu_;
  StreamsState state_ ABSL_GUARDED_BY(mu_) = StreamsState::kCreated;
  absl::Mutex listener_mu_ ABSL_ACQUIRED_BEFORE(mu_);
  Listener listener_ ABSL_GUARDED_BY(listener_mu_);
};

}  // namespace tailrace::processor
