// One librdkafka instance with its settings, logs and events; and owners for the C library's objects.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "librdkafka/rdkafka.h"
#include "rdkafka/reaction.h"
#include "rdkafka/settings.h"
#include "tailrace/base/types.h"

namespace tailrace::kafka::rdkafka {

template <auto Destroy>
struct Destroyer {
  template <class T>
  void operator()(T* object) const {
    Destroy(object);
  }
};

using ConfPtr = std::unique_ptr<rd_kafka_conf_t, Destroyer<rd_kafka_conf_destroy>>;
using QueuePtr = std::unique_ptr<rd_kafka_queue_t, Destroyer<rd_kafka_queue_destroy>>;
using TopicPtr = std::unique_ptr<rd_kafka_topic_t, Destroyer<rd_kafka_topic_destroy>>;
using EventPtr = std::unique_ptr<rd_kafka_event_t, Destroyer<rd_kafka_event_destroy>>;
using ErrorPtr = std::unique_ptr<rd_kafka_error_t, Destroyer<rd_kafka_error_destroy>>;
using PartitionListPtr = std::unique_ptr<rd_kafka_topic_partition_list_t, Destroyer<rd_kafka_topic_partition_list_destroy>>;
using AdminOptionsPtr = std::unique_ptr<rd_kafka_AdminOptions_t, Destroyer<rd_kafka_AdminOptions_destroy>>;
using GroupMetadataPtr =
    std::unique_ptr<rd_kafka_consumer_group_metadata_t, Destroyer<rd_kafka_consumer_group_metadata_destroy>>;

PartitionListPtr NewPartitionList(size_t capacity);
void AddPartition(rd_kafka_topic_partition_list_t* list, const base::TopicPartition& partition, int64_t offset);

// Thread-safe, except Configure's results. Callbacks of the library come through whichever thread polls it.
class Client {
 public:
  // Callbacks other than logs and errors; the opaque of the instance is what the maker of the Client says.
  struct Callbacks {
    void* opaque = nullptr;
    void (*delivery)(rd_kafka_t*, const rd_kafka_message_t*, void*) = nullptr;
    void (*rebalance)(rd_kafka_t*, rd_kafka_resp_err_t, rd_kafka_topic_partition_list_t*, void*) = nullptr;
  };

  // Checks the settings and starts the instance's threads; never waits for a broker. Errors: kFatal, naming the setting.
  static absl::StatusOr<std::unique_ptr<Client>> New(rd_kafka_type_t type, const Settings& settings,
                                                     const Callbacks& callbacks);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  rd_kafka_t* get() const { return rk_; }
  void* opaque() const { return callbacks_.opaque; }
  const std::string& bootstrap_servers() const { return bootstrap_servers_; }
  const std::string& id() const { return id_; }

  // The last problem the library reported about connections since the previous call: an authentication or TLS failure
  // (kFatal) or no reachable broker (kRetry, names bootstrap.servers). OK when there was none. Served while the
  // instance is polled.
  absl::Status TakeConnectionProblem();
  // A status for a call that ran out of time or failed: the connection problem behind it when one is known, otherwise
  // the error itself with bootstrap.servers added.
  absl::Status Explain(const ClientError& error, Phase phase, std::string_view what);
  absl::Status ExplainTaken(rd_kafka_error_t* error, Phase phase, std::string_view what);

  // The fatal error that the instance is in, if any.
  std::optional<ClientError> FatalError() const;

  // Nothing is logged from now on: the instance goes on only because it cannot be stopped.
  void Silence() { silent_ = true; }
  // Destroys the instance, which may take its time: see EndInTime. Nothing but the destructor may follow.
  void End();

 private:
  Client(const Settings& settings, const Callbacks& callbacks);
  static void OnLog(const rd_kafka_t* rk, int level, const char* facility, const char* text);
  static void OnError(rd_kafka_t* rk, int code, const char* reason, void* opaque);
  static void OnDelivery(rd_kafka_t* rk, const rd_kafka_message_t* message, void* opaque);
  static void OnRebalance(rd_kafka_t* rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* partitions, void* opaque);

  const Callbacks callbacks_;
  std::string bootstrap_servers_;
  std::string id_;
  rd_kafka_t* rk_ = nullptr;

  std::atomic<bool> silent_{false};
  std::atomic<bool> has_problem_{false};
  absl::Mutex mu_;
  absl::Status problem_ ABSL_GUARDED_BY(mu_);       // not yet taken
  absl::Status last_problem_ ABSL_GUARDED_BY(mu_);  // kept for Explain
};

// Ends `client`. While an offset commit is unanswered the library waits until the session, or the time of the request, is over;
// this waits for half a second and leaves the rest to the background.
void EndInTime(std::unique_ptr<Client> client);

// Waits for the one event that a request puts on `queue`. Null when the time is over.
EventPtr WaitForEvent(rd_kafka_queue_t* queue, int timeout_ms);

}  // namespace tailrace::kafka::rdkafka
