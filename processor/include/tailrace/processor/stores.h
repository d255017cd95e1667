// Descriptions of stores for the Processor API (org.apache.kafka.streams.state.Stores).
//
//   builder.AddStateStore(Stores::PersistentKeyValueStore("seen").WithCachingEnabled());
//   topology.AddStateStore(Stores::InMemoryWindowStore("last-hour", 1h, 1min), {"my-processor"});
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <utility>

#include "tailrace/state/store_spec.h"

namespace tailrace::processor {

// As in Kafka Streams: logging is on, caching is off, so each put is one changelog record.
class StoreBuilder {
 public:
  explicit StoreBuilder(state::StoreSpec spec) : spec_(std::move(spec)) { spec_.caching = false; }
  // One changelog record and one forwarded change per key and commit.
  StoreBuilder& WithCachingEnabled() { spec_.caching = true; return *this; }
  // Nothing is restored when the store is lost.
  StoreBuilder& WithLoggingDisabled() { spec_.logging = false; return *this; }
  // Settings of the changelog topic, over those of the library and of topic.*.
  StoreBuilder& WithLoggingEnabled(std::map<std::string, std::string> config) {
    spec_.logging = true;
    spec_.changelog_config = std::move(config);
    return *this;
  }
  // An entry is gone once stream time has passed its timestamp by this. Key-value stores only.
  StoreBuilder& WithTimeToLive(std::chrono::milliseconds time) { spec_.time_to_live_ms = time.count() == 0 ? -1 : time.count(); return *this; }
  operator state::StoreSpec() const { return spec_; }  // NOLINT: a description is what it describes

 private:
  state::StoreSpec spec_;
};

struct Stores {
  static StoreBuilder PersistentKeyValueStore(std::string name) { return StoreBuilder({.name = std::move(name)}); }
  static StoreBuilder InMemoryKeyValueStore(std::string name) {
    return StoreBuilder({.name = std::move(name), .in_memory = true});
  }
  // Versions within `history` before the store's time are kept (versioned_store.h); never cached.
  static StoreBuilder PersistentVersionedKeyValueStore(std::string name, std::chrono::milliseconds history,
                                                       std::chrono::milliseconds segment_interval = std::chrono::milliseconds(0)) {
    return StoreBuilder({.name = std::move(name), .kind = state::StoreKind::kVersioned, .history_retention_ms = history.count(),
                         .segment_interval_ms = segment_interval.count()});
  }
  // Windows of `size` are kept while their start is later than stream time - `retention`. With `retain_duplicates` every put
  // of one key and start is kept.
  static StoreBuilder PersistentWindowStore(std::string name, std::chrono::milliseconds retention, std::chrono::milliseconds size,
                                            bool retain_duplicates = false) {
    return StoreBuilder({.name = std::move(name), .kind = state::StoreKind::kWindow, .window_size_ms = size.count(),
                         .retention_ms = retention.count(), .retain_duplicates = retain_duplicates});
  }
  static StoreBuilder InMemoryWindowStore(std::string name, std::chrono::milliseconds retention, std::chrono::milliseconds size,
                                          bool retain_duplicates = false) {
    return StoreBuilder({.name = std::move(name), .kind = state::StoreKind::kWindow, .window_size_ms = size.count(),
                         .retention_ms = retention.count(), .retain_duplicates = retain_duplicates, .in_memory = true});
  }
  // Sessions are kept while their end is later than stream time - `retention`.
  static StoreBuilder PersistentSessionStore(std::string name, std::chrono::milliseconds retention) {
    return StoreBuilder({.name = std::move(name), .kind = state::StoreKind::kSession, .retention_ms = retention.count()});
  }
  static StoreBuilder InMemorySessionStore(std::string name, std::chrono::milliseconds retention) {
    return StoreBuilder({.name = std::move(name), .kind = state::StoreKind::kSession, .retention_ms = retention.count(),
                         .in_memory = true});
  }
};

}  // namespace tailrace::processor
