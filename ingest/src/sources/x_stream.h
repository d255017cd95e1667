// The filtered stream of X's API v2: one answer over HTTP that never ends, a post a line.
//
// It comes back by itself: at once after a stall, with the waits that X asks for after everything else. With
// backfill_minutes X sends again what it had for us while we were away, up to five minutes, and a little more than that.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sources/reconnect.h"
#include "sources/x_rules.h"
#include "tailrace/base/metrics.h"
#include "tailrace/base/status.h"
#include "tailrace/ingest/stop_signal.h"

namespace tailrace::ingest {

struct XStreamOptions {
  std::string url = "https://api.x.com";
  std::string token;
  std::vector<XRule> rules;  // none: those of the account stay as they are
  int backfill_minutes = 0;  // 0: not asked for, since not every access level has it
  // X sends an empty line at least every 20 seconds.
  int stall_timeout_ms = 25'000;
  std::string ca_file;
  ReconnectTimes reconnect;
  base::MetricsRegistry* metrics = nullptr;
};

// Hands over every line but empty ones, at most limits::kEventBytesMax + 1 bytes of each, until `stop`. Errors: those of
// `on_line`; kFatal ones of StatusOfAnswer, which need the operator.
absl::Status RunXStream(const XStreamOptions& options, const StopSignal& stop, const std::function<absl::Status(std::string_view)>& on_line);

}  // namespace tailrace::ingest
