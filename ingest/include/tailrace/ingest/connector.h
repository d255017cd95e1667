// Connectors: from a source of the outside world to canonical records in topics, until told to stop.
//
//   x-stream         the filtered stream of X (API v2)          -> posts
//   finnhub-trades   the WebSocket of Finnhub                   -> trades
//   rest             histories on request and their refreshes, visa applications, news -> posts, bars, visa, news
//   files            files, folders and URLs, plain or gzip     -> the topic of the format
//
// Settings are the ingest.*, spill.*, x.*, finnhub.* and rest.* keys; docs/sources.md explains them. Tokens come from the
// file that x.token.file or finnhub.token.file names, or from the variables X_BEARER_TOKEN and FINNHUB_TOKEN.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tailrace/base/config.h"
#include "tailrace/base/metrics.h"
#include "tailrace/base/status.h"
#include "tailrace/ingest/stop_signal.h"
#include "tailrace/kafka/cluster.h"

namespace tailrace::ingest {

struct ConnectorOptions {
  std::string name;
  // Of files.
  std::vector<std::string> inputs;
  std::string format = "post";
  // Another topic than the usual one; not for rest.
  std::string topic;
};

struct ConnectorSummary {
  int64_t records = 0;
  int64_t refused = 0;         // too large for the log
  int64_t kept = 0;            // on disk for the next start, since the log did not answer
  std::string skipped;         // "malformed_json 2, other_country 7"
};

// "1000 records; skipped: ..., kept on disk for the next start: 3".
std::string DescribeConnector(const ConnectorSummary& summary);

std::vector<std::string> ConnectorNames();

// Returns after a stop, or when files are read to their end; both are OK when nothing was lost. Errors: usage for settings;
// kUnauthenticated for a token that is not accepted; kResourceExhausted at spill.max.bytes; those of files.
// One thread runs it. Lifetime: cluster, metrics and stop signal outlive the call.
absl::StatusOr<ConnectorSummary> RunConnector(kafka::Cluster& cluster, const base::Config& config, const ConnectorOptions& options,
                                              base::MetricsRegistry& metrics, const StopSignal& stop);

}  // namespace tailrace::ingest
