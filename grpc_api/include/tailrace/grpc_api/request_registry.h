// The registry of requests for histories: a compacted topic, and a table of it that is an application of its own.
//
// A request is one record per user or ticker, key `user|alice` or `ticker|AAPL`, with the state requested, computing, ready or
// failed. This class writes the first one; connectors read the topic, load the history and write the states that follow.
// Nothing is kept beside the topic, so the registry survives whatever the log survives.
//
//   TAILRACE_ASSIGN_OR_RETURN(processor::Topology topology, grpc_api::RequestTopology("requests"));
//   processor::Streams streams(std::move(topology), config, *cluster, metrics);   // application.id=requests
//   grpc_api::RequestRegistry registry(*cluster, streams.queryable(), "requests");
//   TAILRACE_ASSIGN_OR_RETURN(const auto answer, registry.Submit(RequestKind::kUser, "Alice", 5'000));
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "tailrace/base/clock.h"
#include "tailrace/base/status.h"
#include "tailrace/grpc_api/request_kind.h"
#include "tailrace/kafka/cluster.h"
#include "tailrace/processor/query.h"
#include "tailrace/processor/topology.h"

namespace tailrace::grpc_api {

inline constexpr char kRequestApplication[] = "requests";
inline constexpr char kRequestStore[] = "requests";

// The table `requests` over this topic.
absl::StatusOr<processor::Topology> RequestTopology(const std::string& topic);

// Creates the topic, compacted, when it is not there. An existing one is left as it is.
absl::Status CreateRequestTopic(kafka::Admin& admin, const std::string& topic, int32_t partitions, int timeout_ms);

// Thread-safe. `cluster` and `queryable` outlive it.
// Errors of Submit: INVALID_ARGUMENT for a name that is none, FAILED_PRECONDITION NOT_ACTIVE_OWNER with the worker that is to be
// asked, UNAVAILABLE while the table is restored or the log cannot be written. After an error the same call may be made again.
class RequestRegistry {
 public:
  RequestRegistry(kafka::Cluster& cluster, processor::Queryable& queryable, std::string topic,
                  const base::Clock& clock = base::SystemClock());
  ~RequestRegistry();
  RequestRegistry(const RequestRegistry&) = delete;
  RequestRegistry& operator=(const RequestRegistry&) = delete;

  struct Answer {
    bool created = false;  // by this call
    std::string key;
    std::string value;  // JSON
    int64_t timestamp_ms = 0;
  };
  // Writes the request unless there is one, and then waits until the table shows it, so that a list asked for afterwards has
  // it. A request that failed is made anew, which is no creation. Calls for one key at the same time make one request.
  absl::StatusOr<Answer> Submit(RequestKind kind, std::string_view name, int64_t timeout_ms);

  // What the table is, for showing its rows.
  processor::StoreInfo store() const;

 private:
  // A request that was written, until the table shows it.
  struct Pending {
    std::string value;
    int64_t timestamp_ms = 0;
  };

  // OK, with the row of the table or nothing; or why this worker cannot tell.
  absl::StatusOr<std::optional<Answer>> Find(const std::string& key) const;
  // Counts the changes of the table from now on.
  absl::Status Listen();
  int64_t commits() const;
  void WaitForCommit(int64_t seen) const;
  absl::Status Write(const std::string& key, const std::string& value, int64_t timestamp_ms, int64_t timeout_ms);

  kafka::Cluster& cluster_;
  processor::Queryable& queryable_;
  const std::string topic_;
  const base::Clock& clock_;

  absl::Mutex mu_;
  std::map<std::string, Pending> pending_ ABSL_GUARDED_BY(mu_);

  // The locks below are never taken while mu_ is held. The publisher of changes holds a lock of its own while it counts one, so
  // nothing else is called under commits_mu_.
  absl::Mutex listen_mu_;
  std::unique_ptr<processor::Subscription> subscription_ ABSL_GUARDED_BY(listen_mu_);
  mutable absl::Mutex commits_mu_;
  int64_t commits_ ABSL_GUARDED_BY(commits_mu_) = 0;

  absl::Mutex producer_mu_;
  std::unique_ptr<kafka::Producer> producer_ ABSL_GUARDED_BY(producer_mu_);
};

}  // namespace tailrace::grpc_api
