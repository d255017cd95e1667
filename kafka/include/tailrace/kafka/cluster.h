// The seam to the log: everything that talks to Kafka, or to what stands in for it, is made by a Cluster.
//
// Three implementations: a real cluster (rdkafka/), a durable single-process log (embedded/), an in-memory log for batch
// runs and tests (embedded/ on memory). processor/ and ingest/ know only this interface.
//
//   TAILRACE_ASSIGN_OR_RETURN(std::unique_ptr<kafka::Cluster> cluster, kafka::Connect(config));
//   TAILRACE_ASSIGN_OR_RETURN(auto producer, cluster->NewProducer({.client_id = "loader"}));
#pragma once

#include <map>
#include <memory>
#include <string>

#include "tailrace/base/status.h"
#include "tailrace/kafka/admin.h"
#include "tailrace/kafka/consumer.h"
#include "tailrace/kafka/membership.h"
#include "tailrace/kafka/producer.h"

namespace tailrace::base {
class Config;
}

namespace tailrace::kafka {

struct ConsumerOptions {
  std::string client_id;
  bool read_committed = false;
  bool restore = false;  // restore.consumer.* instead of main.consumer.* overrides; sized for throughput
};

struct ProducerOptions {
  std::string client_id;
  std::string transactional_id;  // empty: idempotent, without transactions
  int transaction_timeout_ms = 10'000;
};

// Thread-safe. It outlives everything it made.
class Cluster {
 public:
  virtual ~Cluster() = default;
  virtual absl::StatusOr<std::unique_ptr<Consumer>> NewConsumer(const ConsumerOptions& options) = 0;
  virtual absl::StatusOr<std::unique_ptr<Producer>> NewProducer(const ProducerOptions& options) = 0;
  virtual absl::StatusOr<std::unique_ptr<Membership>> NewMembership(const MembershipOptions& options) = 0;
  virtual Admin& admin() = 0;
  // "127.0.0.1:9092" or "embedded log at DIR", for messages.
  virtual std::string Description() const = 0;
  // False when only this process can reach the log (embedded).
  virtual bool shared() const = 0;
};

// A real cluster at bootstrap.servers; security.*, sasl.*, ssl.* and the consumer./producer./admin. prefixes are passed
// through. Does not wait for the broker: the first call that needs it reports an unreachable one.
absl::StatusOr<std::unique_ptr<Cluster>> Connect(const base::Config& config);

// Of the client library behind Connect: "2.8.0".
std::string ClientVersion();

// A durable log in `directory`, for one process. Created when absent; a second process gets an error naming the directory.
// What was flushed or committed survives the death of the process, and that of the machine but for the last moments (no
// fsync per write). retention.ms is for ever unless a topic sets it. Producers write, Consumers read and the rest works from
// any number of threads; a group has one member.
absl::StatusOr<std::unique_ptr<Cluster>> OpenEmbedded(const std::string& directory);

// A log in memory that vanishes with the object: batch runs, tests, TopologyTestDriver.
absl::StatusOr<std::unique_ptr<Cluster>> OpenInMemory();

// What the configuration names: the cluster at bootstrap.servers, or the embedded log at log.embedded.dir. Exactly one of
// them must be set.
absl::StatusOr<std::unique_ptr<Cluster>> Open(const base::Config& config);

}  // namespace tailrace::kafka
