// What is polled: histories on request, refreshes of everything known, news, visa applications.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "pipe/event_pipe.h"
#include "sources/polls.h"
#include "sources/request_log.h"

namespace tailrace::ingest {

struct RestOptions {
  std::vector<std::string> users;    // beside those of the requests
  std::vector<std::string> tickers;
  int64_t history_ms = 0;            // how far back the first load of a user or ticker goes
  int64_t overlap_ms = 0;            // what a refresh reads again: counters that grew, bars that were corrected
  int64_t users_interval_ms = 0;     // each 0: never
  int64_t tickers_interval_ms = 0;
  int64_t visa_interval_ms = 0;
  int64_t news_interval_ms = 0;
  std::string news_category;
};

// Where the records go; each outlives the runner.
struct RestPipes {
  EventPipe& posts;
  EventPipe& bars;
  EventPipe& visa;
  EventPipe& news;
  // Waits until everything that went through them is in the log.
  std::function<absl::Status()> deliver;
  // Whether a request belongs to this connector's share.
  std::function<bool(const std::string& key)> is_mine;
};

// Not thread-safe. Lifetime: everything it is given outlives it.
class RestRunner {
 public:
  // A service without a token is null: what needs it fails with a reason.
  RestRunner(const RestOptions& options, Polls* x, Polls* finnhub, RestPipes pipes, RequestLog& requests, const base::Clock& clock,
             const StopSignal& stop)
      : options_(options), x_(x), finnhub_(finnhub), pipes_(std::move(pipes)), requests_(requests), clock_(clock), stop_(stop) {}

  // Until the stop. Errors: those of the sinks; kUnauthenticated when a token is not accepted.
  absl::Status Run();

 private:
  struct Job {
    enum class Kind { kUser, kTicker, kVisa, kNews };
    Kind kind = Kind::kNews;
    std::string name;
    int64_t due_ms = 0;
    int64_t loaded_until_ms = 0;  // 0: never, so its history is loaded
    int failures = 0;
  };

  void AddJob(Job::Kind kind, const std::string& name, int64_t due_ms, int64_t loaded_until_ms);
  void Learn();
  absl::Status Answer();
  absl::Status Refresh();
  absl::Status Load(Job::Kind kind, const std::string& name, int64_t from_ms);
  int64_t IntervalOf(Job::Kind kind) const;

  const RestOptions& options_;
  Polls* const x_;
  Polls* const finnhub_;
  const RestPipes pipes_;
  RequestLog& requests_;
  const base::Clock& clock_;
  const StopSignal& stop_;
  std::map<std::string, Job> jobs_;  // by kind and name
  int64_t last_news_id_ = 0;
  uint64_t seen_changes_ = 0;
};

}  // namespace tailrace::ingest
