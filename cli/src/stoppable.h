// Work that SIGTERM and SIGINT end.
#pragma once

#include <functional>

#include "shutdown.h"
#include "tailrace/base/status.h"
#include "tailrace/ingest/stop_signal.h"

namespace tailrace::cli {

// Runs `work` in a thread of its own and requests its stop when a signal comes. Work that has not ended kStopMs after that
// hangs in a call that cannot be ended: the process is then left at once, with kExitFailed.
absl::Status RunStoppable(ShutdownSignals& signals, const std::function<absl::Status(const ingest::StopSignal&)>& work);

inline constexpr int kStopMs = 9'000;

}  // namespace tailrace::cli
