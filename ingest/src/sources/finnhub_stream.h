// Finnhub's WebSocket of trades: one subscription per symbol, frames with any number of trades.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sources/reconnect.h"
#include "tailrace/base/metrics.h"
#include "tailrace/base/status.h"
#include "tailrace/ingest/stop_signal.h"

namespace tailrace::ingest {

struct FinnhubStreamOptions {
  std::string url = "wss://ws.finnhub.io";
  std::string token;
  std::vector<std::string> symbols;
  int stall_timeout_ms = 60'000;
  std::string ca_file;
  ReconnectTimes reconnect{.network_step_ms = 1'000, .network_max_ms = 60'000};
  base::MetricsRegistry* metrics = nullptr;
};

// Hands over every message until `stop`, and connects and subscribes again when the connection is lost. Trades while it is
// away are lost: the service keeps none. Errors: those of `on_frame`; kUnauthenticated when the token is refused.
absl::Status RunFinnhubStream(const FinnhubStreamOptions& options, const StopSignal& stop,
                              const std::function<absl::Status(std::string_view)>& on_frame);

}  // namespace tailrace::ingest
