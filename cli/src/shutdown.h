// SIGTERM and SIGINT as something to wait for.
#pragma once

namespace tailrace::cli {

// Blocks the signals in this thread, and so in every thread that it starts afterwards: make it before the first one.
class ShutdownSignals {
 public:
  ShutdownSignals();
  // Waits up to `timeout_ms`; true when the process shall end.
  bool Wait(int timeout_ms);

 private:
  bool received_ = false;
};

}  // namespace tailrace::cli
