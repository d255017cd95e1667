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

// How a topic is read.
template <class KS = UseDefaultSerde, class VS = UseDefaultSerde>
struct Consumed {
  KS key_serde{};
  VS value_serde{};
  std::string name;
  OffsetReset offset_reset = OffsetReset::kDefault;
};

// How a topic is written.
template <class KS = UseDefaultSerde, class VS = UseDefaultSerde>
struct Produced {
  KS key_serde{};
  VS value_serde{};
  std::string name;
};

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

// The store behind a table.
template <class KS = UseDefaultSerde, class VS = UseDefaultSerde>
struct Materialized {
  Materialized() = default;
  Materialized(std::string name) : store_name(std::move(name)) {}  // NOLINT
  Materialized(const char* name) : store_name(name) {}             // NOLINT

  template <class KS2, class VS2>
  Materialized<KS2, VS2> WithSerdes(KS2 ks, VS2 vs) const {
    Materialized<KS2, VS2> other(store_name);
    other.key_serde = std::move(ks);
    other.value_serde = std::move(vs);
    other.caching = caching;
    other.logging = logging;
    other.in_memory = in_memory;
    other.retention = retention;
    other.changelog_config = changelog_config;
    other.schema = schema;
    return other;
  }
  Materialized& WithCachingDisabled() { caching = false; return *this; }
  Materialized& WithLoggingDisabled() { logging = false; return *this; }
  Materialized& InMemory() { in_memory = true; return *this; }
  // May only raise what size and grace ask for.
  Materialized& WithRetention(std::chrono::milliseconds time) { retention = time; return *this; }
  Materialized& WithSchema(std::shared_ptr<const state::ValueSchema> s) { schema = std::move(s); return *this; }

  std::string store_name;
  KS key_serde{};
  VS value_serde{};
  bool caching = true;
  bool logging = true;
  bool in_memory = false;
  std::optional<std::chrono::milliseconds> retention;
  std::map<std::string, std::string> changelog_config;
  std::shared_ptr<const state::ValueSchema> schema;  // null: made from the serdes where the types allow it
};
Materialized(const char*) -> Materialized<>;
Materialized(std::string) -> Materialized<>;

}  // namespace tailrace::processor
