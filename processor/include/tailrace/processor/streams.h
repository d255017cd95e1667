// Runs a topology: joins the application's group, takes its share of the tasks, processes, commits, answers queries.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "tailrace/base/clock.h"
#include "tailrace/base/config.h"
#include "tailrace/base/metrics.h"
#include "tailrace/base/status.h"
#include "tailrace/kafka/cluster.h"
#include "tailrace/processor/error_handlers.h"
#include "tailrace/processor/query.h"
#include "tailrace/processor/topology.h"

namespace tailrace::processor {

// The states of Kafka Streams' KafkaStreams.State:
//
//   CREATED --> REBALANCING <--> RUNNING
//                    |              |
//                    +------+-------+--> PENDING_SHUTDOWN --> NOT_RUNNING
//                           +----------> PENDING_ERROR -----> ERROR
enum class StreamsState { kCreated, kRebalancing, kRunning, kPendingShutdown, kNotRunning, kPendingError, kError };
std::string_view StreamsStateName(StreamsState state);

// Thread-safe. One Streams per application.id and process.
// Errors: Start reports what makes the topology or configuration impossible (missing source topic, different partition
// counts, wrong existing internal topics), naming the object and what to change. Later fatal errors end in kError:
// status() says why.
//
//   processor::Streams streams(std::move(topology), config, *cluster, metrics);
//   TAILRACE_RETURN_IF_ERROR(streams.Start());
//   ...
//   TAILRACE_RETURN_IF_ERROR(streams.Close(10'000));
class Streams {
 public:
  // `cluster`, `metrics` and `clock` outlive the Streams. `topology` need not be compiled yet.
  Streams(Topology topology, const base::Config& config, kafka::Cluster& cluster, base::MetricsRegistry& metrics,
          const base::Clock& clock = base::SystemClock());
  ~Streams();

  // What to do with records that cannot be read, processed or written. Before Start.
  void SetErrorHandlers(ErrorHandlers handlers);

  // Creates internal topics, joins the group, starts the threads. Returns when the process has joined, not when all state
  // is restored: wait for kRunning with WaitFor.
  absl::Status Start();

  // Commits, closes tasks and stops threads within `timeout_ms`. `leave_group` gives tasks to others at once; without it a
  // restart within session.timeout.ms moves nothing. Idempotent.
  absl::Status Close(int timeout_ms, bool leave_group = false);

  StreamsState state() const;
  // Waits until the state is `wanted`, or a final state, or the time is over. Returns whether it is `wanted`.
  bool WaitFor(StreamsState wanted, int timeout_ms) const;
  // OK, or why the state is kError.
  absl::Status status() const;
  void SetStateListener(std::function<void(StreamsState now, StreamsState before)> listener);

  // Everything that can be asked from outside; lives as long as this object.
  Queryable& queryable();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailrace::processor
