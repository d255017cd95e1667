// The registry of users and tickers that somebody asked for: the compacted topic `requests`.
//
// A record: {"id","kind":"user"|"ticker","name","user_id"?,"requested_at","state","reason"?,"updated_at"}, key `kind|name`.
// Whoever asks writes it as requested; the connector writes computing, then ready or failed with a reason.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tailrace/base/clock.h"
#include "tailrace/ingest/record_sink.h"
#include "tailrace/kafka/cluster.h"

namespace tailrace::ingest {

struct DataRequest {
  std::string kind;
  std::string name;
  std::string state;
  int64_t requested_at_ms = 0;
  int64_t updated_at_ms = 0;
  std::string json;  // as it stands in the topic, with members that this program does not know
};

// Not thread-safe. Lifetime: cluster and sink outlive it.
class RequestLog {
 public:
  RequestLog(kafka::Cluster& cluster, std::string topic, RecordSink& sink, const base::Clock& clock)
      : cluster_(cluster), topic_(std::move(topic)), sink_(sink), clock_(clock) {}

  // Reads what is new. Errors: kRetry while the log does not answer.
  absl::Status Poll(int timeout_ms);
  // Everything that was in the topic when this began has been read.
  bool caught_up() const { return caught_up_; }

  // By key; a deleted record is gone, one that cannot be understood was never there.
  const std::map<std::string, DataRequest>& requests() const { return requests_; }
  int64_t malformed() const { return malformed_; }
  // Grows with every change of requests().
  uint64_t changes() const { return changes_; }

  // Writes the request in a new state; `reason` for failed ones.
  absl::Status SetState(const std::string& key, std::string_view state, std::string_view reason);

 private:
  absl::Status Connect(int timeout_ms);
  void Apply(const kafka::RecordView& record);

  kafka::Cluster& cluster_;
  const std::string topic_;
  RecordSink& sink_;
  const base::Clock& clock_;
  std::unique_ptr<kafka::Consumer> consumer_;
  std::vector<int64_t> ends_;  // when this began, by partition
  bool caught_up_ = false;
  kafka::RecordBatch batch_;
  std::map<std::string, DataRequest> requests_;
  int64_t malformed_ = 0;
  uint64_t changes_ = 1;
};

}  // namespace tailrace::ingest
