#include "stoppable.h"

#include <cstdlib>
#include <iostream>
#include <thread>

#include "verb.h"

namespace tailrace::cli {
namespace {

constexpr int kCheckMs = 50;

}  // namespace

absl::Status RunStoppable(ShutdownSignals& signals, const std::function<absl::Status(const ingest::StopSignal&)>& work) {
  ingest::StopSignal stop;
  absl::Status status;
  ingest::StopSignal done;
  std::thread worker([&] {
    status = work(stop);
    done.Request();
  });
  while (!done.requested() && !signals.Wait(kCheckMs)) {
  }
  if (!done.requested()) {
    stop.Request();
    if (!done.WaitMs(kStopMs)) {
      std::cerr << "tailrace: stopped while the log does not answer; what it has not taken is lost" << std::endl;
      std::_Exit(kExitFailed);
    }
  }
  worker.join();
  return status;
}

}  // namespace tailrace::cli
