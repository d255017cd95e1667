// What can be said about an operator: its name, serdes, store. All are plain values; every field has a default.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "tailrace/processor/detail/topology_graph.h"
#include "tailrace/processor/serde.h"
#include "tailrace/state/value_schema.h"

namespace tailrace::processor {

using OffsetReset = detail::OffsetReset;

// The operator's name in the topology. Empty: Kafka Streams' generated name (KSTREAM-FILTER-0000000003).
struct Named {
  Named() = default;
  Named(const char* n) : name(n) {}                    // NOLINT
  Named(std::string n) : name(std::move(n)) {}         // NOLINT
  std::string name;
};

// Where a record's event time comes from (org.apache.kafka.streams.processor.TimestampExtractor). A time below zero is
// invalid: brokers before 0.10 and some clients write it.
enum class TimestampExtractor {
  kFailOnInvalidTimestamp,        // an invalid one is an error of the record, as one that cannot be decoded
  kLogAndSkipOnInvalidTimestamp,  // the record is dropped and counted
  kUsePartitionTimeOnInvalidTimestamp,  // the largest time seen on the record's partition; without one the application stops
  kWallclockTimestamp,                  // now, whatever the record says
};

// How a topic is read. Fields may be set by name: Stream<K, V>("in", Consumed<>{.name = "orders"}).
// TE is TimestampExtractor, or your function: int64_t(const Record<K, V>&, int64_t partition_time_ms); when it returns a
// negative time the record is dropped and counted, when it throws the application stops.
template <class KS = UseDefaultSerde, class VS = UseDefaultSerde, class TE = TimestampExtractor>
struct Consumed {
  template <class F>
  Consumed<KS, VS, F> WithTimestampExtractor(F extractor) const {
    return {key_serde, value_serde, name, offset_reset, std::move(extractor)};
  }

  KS key_serde{};
  VS value_serde{};
  std::string name;
  OffsetReset offset_reset = OffsetReset::kDefault;
  TE timestamp_extractor{};
};

// Stands for the default partitioner: murmur2 of the key's bytes, of a windowed key those of the key in it; a record
// without a key goes where the producer likes.
struct DefaultPartitioner {};

// How a topic is written. P is DefaultPartitioner, or your function (StreamPartitioner, KIP-873):
//   (std::string_view topic, const K* key, const V* value, int32_t partition_count)
// which returns an int32_t partition; a std::optional<int32_t>, where nullopt asks the default partitioner; or a
// std::vector<int32_t> (or std::optional of one) to send to several partitions, where an empty list drops the record and
// counts it.
template <class KS = UseDefaultSerde, class VS = UseDefaultSerde, class P = DefaultPartitioner>
struct Produced {
  template <class F>
  Produced<KS, VS, F> WithPartitioner(F f) const {
    return {key_serde, value_serde, name, std::move(f)};
  }

  KS key_serde{};
  VS value_serde{};
  std::string name;
  P partitioner{};
};

// How KStream::Repartition sends the stream through a topic of its own, "<application.id>-<name>-repartition".
template <class KS = UseDefaultSerde, class VS = UseDefaultSerde, class P = DefaultPartitioner>
struct Repartitioned {
  Repartitioned() = default;
  Repartitioned(std::string n) : name(std::move(n)) {}  // NOLINT
  Repartitioned(const char* n) : name(n) {}             // NOLINT
  Repartitioned(std::string n, std::optional<int32_t> count, KS ks = {}, VS vs = {}, P p = {})
      : name(std::move(n)), partitions(count), key_serde(std::move(ks)), value_serde(std::move(vs)), partitioner(std::move(p)) {}

  Repartitioned& WithNumberOfPartitions(int32_t count) { partitions = count; return *this; }
  template <class KS2, class VS2>
  Repartitioned<KS2, VS2, P> WithSerdes(KS2 ks, VS2 vs) const {
    return {name, partitions, std::move(ks), std::move(vs), partitioner};
  }
  template <class F>
  Repartitioned<KS, VS, F> WithPartitioner(F f) const {
    return {name, partitions, key_serde, value_serde, std::move(f)};
  }

  std::string name;
  std::optional<int32_t> partitions;  // absent: as many as the largest topic above
  KS key_serde{};
  VS value_serde{};
  P partitioner{};
};
Repartitioned(const char*) -> Repartitioned<>;
Repartitioned(std::string) -> Repartitioned<>;

// The name (of the repartition topic, when one is needed: "<name>-repartition") and serdes of a grouping.
template <class KS = UseDefaultSerde, class VS = UseDefaultSerde>
struct Grouped {
  Grouped() = default;
  Grouped(std::string n) : name(std::move(n)) {}       // NOLINT
  Grouped(const char* n) : name(n) {}                  // NOLINT
  Grouped(std::string n, KS ks, VS vs) : name(std::move(n)), key_serde(std::move(ks)), value_serde(std::move(vs)) {}
  std::string name;
  KS key_serde{};
  VS value_serde{};
};
Grouped(const char*) -> Grouped<>;
Grouped(std::string) -> Grouped<>;

// The part of Materialized that knows no types.
struct MaterializedOptions {
  MaterializedOptions();
  explicit MaterializedOptions(std::string name);
  MaterializedOptions(const MaterializedOptions&);
  MaterializedOptions(MaterializedOptions&&) noexcept;
  MaterializedOptions& operator=(const MaterializedOptions&);
  MaterializedOptions& operator=(MaterializedOptions&&) noexcept;
  ~MaterializedOptions();

  std::string store_name;
  bool caching = true;
  bool logging = true;
  bool in_memory = false;
  std::optional<std::chrono::milliseconds> retention;
  std::optional<std::chrono::milliseconds> history_retention;  // absent: the latest value only
  std::optional<std::chrono::milliseconds> segment_interval;
  std::optional<std::chrono::milliseconds> time_to_live;  // absent: entries stay
  std::map<std::string, std::string> changelog_config;
  std::shared_ptr<const state::ValueSchema> schema;  // null: made from the serdes where the types allow it
};

// The store behind a table.
template <class KS = UseDefaultSerde, class VS = UseDefaultSerde>
struct Materialized : MaterializedOptions {
  Materialized() = default;
  Materialized(std::string name) : MaterializedOptions(std::move(name)) {}  // NOLINT
  Materialized(const char* name) : MaterializedOptions(name) {}             // NOLINT

  template <class KS2, class VS2>
  Materialized<KS2, VS2> WithSerdes(KS2 ks, VS2 vs) const {
    Materialized<KS2, VS2> other;
    static_cast<MaterializedOptions&>(other) = *this;
    other.key_serde = std::move(ks);
    other.value_serde = std::move(vs);
    return other;
  }
  Materialized& WithCachingDisabled() { caching = false; return *this; }
  Materialized& WithLoggingDisabled() { logging = false; return *this; }
  Materialized& InMemory() { in_memory = true; return *this; }
  // May only raise what size and grace ask for.
  Materialized& WithRetention(std::chrono::milliseconds time) { retention = time; return *this; }
  // A versioned store (Stores.persistentVersionedKeyValueStore, KIP-889): joins see the row as it was at the record's time, up
  // to `history` back, and older updates are dropped. It never caches, and needs a name. `segment_interval`: in what steps old
  // versions are deleted; not given: a part of the history.
  Materialized& Versioned(std::chrono::milliseconds history, std::optional<std::chrono::milliseconds> interval = std::nullopt) {
    history_retention = history;
    segment_interval = interval;
    return *this;
  }
  // An entry is gone once stream time has passed its timestamp, that of its last update, by this: nobody reads it any more, and it
  // is deleted as by a null. For stores without windows or versions, which have a retention.
  Materialized& WithTimeToLive(std::chrono::milliseconds time) { time_to_live = time; return *this; }
  Materialized& WithSchema(std::shared_ptr<const state::ValueSchema> s) { schema = std::move(s); return *this; }

  KS key_serde{};
  VS value_serde{};
};
Materialized(const char*) -> Materialized<>;
Materialized(std::string) -> Materialized<>;

}  // namespace tailrace::processor
