#include "shutdown.h"

#include <csignal>
#include <ctime>

namespace tailrace::cli {
namespace {

sigset_t Signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

}  // namespace

ShutdownSignals::ShutdownSignals() {
  const sigset_t signals = Signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

bool ShutdownSignals::Wait(int timeout_ms) {
  if (received_) return true;
  const sigset_t signals = Signals();
  const timespec timeout{timeout_ms / 1'000, (timeout_ms % 1'000) * 1'000'000L};
  received_ = sigtimedwait(&signals, nullptr, &timeout) > 0;
  return received_;
}

}  // namespace tailrace::cli
