// Runs a topology without a log, a thread or a clock: pipe records in, read what comes out, look into the stores.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tailrace/base/clock.h"
#include "tailrace/base/status.h"
#include "tailrace/kafka/record.h"
#include "tailrace/processor/error_handlers.h"
#include "tailrace/processor/serde.h"
#include "tailrace/processor/topology.h"
#include "tailrace/state/read_view.h"

namespace tailrace::processor {

// A record that the topology wrote, to an output, repartition or changelog topic.
struct DriverRecord {
  std::optional<std::string> key;
  std::optional<std::string> value;
  int64_t timestamp_ms = 0;
  kafka::Headers headers;
};

struct TestDriverOptions {
  std::string application_id = "test";
  int64_t wall_time_ms = 0;
  // With caching off, every update of a store is logged and forwarded (statestore.cache.max.bytes=0).
  bool caching = true;
  // Commit after every record, as Kafka Streams' driver does. Otherwise only Commit does, and uncommitted bytes above
  // `commit_bytes`.
  bool commit_every_record = true;
  size_t commit_bytes = 64u << 20;
  int64_t max_future_skew_ms = -1;
  // Refuse generated names, as Streams does unless ensure.explicit.internal.resource.naming says otherwise.
  bool explicit_names = false;
  ErrorHandlers handlers;         // an empty one continues
  std::string dead_letter_topic;  // empty: none
  // How often operators look for windows that have closed, by the wall clock: at every record, as Kafka Streams' driver does
  // it. A running application looks once a second.
  int64_t emit_interval_ms = 0;
  // stream.time.idle.timeout.ms: AdvanceWallClock past it, without a record, advances stream time. 0: it does not.
  int64_t idle_timeout_ms = 0;
};

// Every topic has one partition, and one task runs the whole topology, as in Kafka Streams' driver of the same name: there is
// one stream time, and internal topics are read back by the smallest timestamp. Not thread-safe.
//
//   auto driver = TopologyTestDriver::Create(std::move(topology)).value();
//   auto input = driver->InputTopic<std::string, std::string>("text");
//   auto output = driver->OutputTopic<std::string, int64_t>("counts");
//   input.Pipe("k", "hello world", 0);
//   auto first = output.Read();
class TopologyTestDriver {
 public:
  static absl::StatusOr<std::unique_ptr<TopologyTestDriver>> Create(Topology topology, TestDriverOptions options = {});
  ~TopologyTestDriver();

  // Processes the record and everything that follows from it, and fires stream-time punctuations that are due.
  // `topic` must be a source of the topology.
  absl::Status Pipe(std::string_view topic, kafka::NullableBytes key, kafka::NullableBytes value, int64_t timestamp_ms,
                    const kafka::Headers& headers = {});
  absl::Status Commit();
  // Fires wall-clock punctuations that are due then, and advances stream time when that is asked for.
  absl::Status AdvanceWallClock(int64_t ms);

  // Takes the records written to a topic (its full name) since the last call, in order.
  std::vector<DriverRecord> TakeProduced(std::string_view topic);
  // Names of all topics that were written to, internal ones included.
  std::vector<std::string> ProducedTopics() const;

  // Committed content of a store. REQUIRES: the topology has it.
  std::shared_ptr<const state::ReadView> Store(std::string_view store) const;
  // All stores: those of tasks in the order in which they are flushed, then global ones.
  const std::vector<state::StoreSpec>& Stores() const;
  // What was committed with the offsets of each source topic from which a record was taken: partition time and operator
  // times, in Kafka Streams' encoding.
  std::map<std::string, std::string> CommittedMetadata() const;
  // Records that operators dropped, by reason name.
  std::map<std::string, int64_t> Dropped() const;

  template <class K, class V, class KS = DefaultSerde<K>, class VS = DefaultSerde<V>>
  auto InputTopic(std::string topic, KS key_serde = {}, VS value_serde = {}) {
    return TestInput<K, V, KS, VS>(*this, std::move(topic), std::move(key_serde), std::move(value_serde));
  }
  template <class K, class V, class KS = DefaultSerde<K>, class VS = DefaultSerde<V>>
  auto OutputTopic(std::string topic, KS key_serde = {}, VS value_serde = {}) {
    return TestOutput<K, V, KS, VS>(*this, std::move(topic), std::move(key_serde), std::move(value_serde));
  }

  template <class K, class V, class KS, class VS>
  class TestInput {
   public:
    TestInput(TopologyTestDriver& driver, std::string topic, KS key_serde, VS value_serde)
        : driver_(driver), topic_(std::move(topic)), key_serde_(std::move(key_serde)), value_serde_(std::move(value_serde)) {}
    // nullopt is Kafka's null.
    absl::Status Pipe(const std::optional<K>& key, const std::optional<V>& value, int64_t timestamp_ms) {
      std::string key_scratch;
      std::string value_scratch;
      kafka::NullableBytes key_bytes;
      kafka::NullableBytes value_bytes;
      if (key.has_value()) key_bytes = key_serde_.Serialize(*key, key_scratch);
      if (value.has_value()) value_bytes = value_serde_.Serialize(*value, value_scratch);
      return driver_.Pipe(topic_, key_bytes, value_bytes, timestamp_ms);
    }

   private:
    TopologyTestDriver& driver_;
    std::string topic_;
    KS key_serde_;
    VS value_serde_;
  };

  template <class K, class V>
  struct TypedRecord {
    std::optional<K> key;
    std::optional<V> value;
    int64_t timestamp_ms = 0;
    friend bool operator==(const TypedRecord&, const TypedRecord&) = default;
  };

  template <class K, class V, class KS, class VS>
  class TestOutput {
   public:
    TestOutput(TopologyTestDriver& driver, std::string topic, KS key_serde, VS value_serde)
        : driver_(driver), topic_(std::move(topic)), key_serde_(std::move(key_serde)), value_serde_(std::move(value_serde)) {}
    // Everything written since the last call. Bytes that the serdes cannot read are an error.
    absl::StatusOr<std::vector<TypedRecord<K, V>>> ReadAll() {
      std::vector<TypedRecord<K, V>> records;
      for (DriverRecord& raw : driver_.TakeProduced(topic_)) {
        TypedRecord<K, V> record{.key = {}, .value = {}, .timestamp_ms = raw.timestamp_ms};
        if (raw.key.has_value() && !key_serde_.Deserialize(*raw.key, record.key.emplace()))
          return absl::InvalidArgumentError("a key of " + topic_ + " cannot be decoded");
        if (raw.value.has_value() && !value_serde_.Deserialize(*raw.value, record.value.emplace()))
          return absl::InvalidArgumentError("a value of " + topic_ + " cannot be decoded");
        records.push_back(std::move(record));
      }
      return records;
    }

   private:
    TopologyTestDriver& driver_;
    std::string topic_;
    KS key_serde_;
    VS value_serde_;
  };

 private:
  struct Impl;
  explicit TopologyTestDriver(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailrace::processor
