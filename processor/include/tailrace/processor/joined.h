// What can be said about a join: its name, serdes and stores.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "tailrace/processor/serde.h"
#include "tailrace/state/store_spec.h"

namespace tailrace::processor {

// The part of StreamJoined that knows no types.
struct StreamJoinedOptions {
  // Of the operators, and of the repartition topics where some are needed: "<name>-left" and "<name>-right".
  std::string name;
  // Of the stores: "<store_name>-this-join-store", "<store_name>-other-join-store", ... Empty: generated.
  std::string store_name;
  // Stores of your own instead. They must retain duplicates, have the window's size, and its size and grace as retention.
  std::optional<state::StoreSpec> this_store;
  std::optional<state::StoreSpec> other_store;
  bool in_memory = false;
  bool logging = true;
  std::map<std::string, std::string> changelog_config;
};

// A join of two streams (org.apache.kafka.streams.kstream.StreamJoined). `KS`, `VS` and `VOS` are the serdes of the key, of
// this stream's values and of the other one's; the stores and repartition topics of the join use them.
template <class KS = UseDefaultSerde, class VS = UseDefaultSerde, class VOS = UseDefaultSerde>
struct StreamJoined : StreamJoinedOptions {
  StreamJoined() = default;
  StreamJoined(const char* n) { name = n; }              // NOLINT
  StreamJoined(std::string n) { name = std::move(n); }   // NOLINT

  template <class KS2, class VS2, class VOS2>
  StreamJoined<KS2, VS2, VOS2> WithSerdes(KS2 ks, VS2 vs, VOS2 vos) const {
    StreamJoined<KS2, VS2, VOS2> other;
    static_cast<StreamJoinedOptions&>(other) = *this;
    other.key_serde = std::move(ks);
    other.value_serde = std::move(vs);
    other.other_value_serde = std::move(vos);
    return other;
  }
  StreamJoined& WithName(std::string n) { name = std::move(n); return *this; }
  StreamJoined& WithStoreName(std::string n) { store_name = std::move(n); return *this; }
  StreamJoined& WithThisStoreSupplier(state::StoreSpec store) { this_store = std::move(store); return *this; }
  StreamJoined& WithOtherStoreSupplier(state::StoreSpec store) { other_store = std::move(store); return *this; }
  // Stores in memory, unless one is given.
  StreamJoined& InMemory() { in_memory = true; return *this; }
  StreamJoined& WithLoggingEnabled(std::map<std::string, std::string> config) {
    logging = true;
    changelog_config = std::move(config);
    return *this;
  }
  StreamJoined& WithLoggingDisabled() { logging = false; return *this; }

  KS key_serde{};
  VS value_serde{};
  VOS other_value_serde{};
};
StreamJoined(const char*) -> StreamJoined<>;
StreamJoined(std::string) -> StreamJoined<>;

// A join of a stream with a table (org.apache.kafka.streams.kstream.Joined). The serdes are used where the stream must be
// repartitioned, and by the buffer of a grace period.
template <class KS = UseDefaultSerde, class VS = UseDefaultSerde>
struct Joined {
  Joined() = default;
  Joined(const char* n) : name(n) {}             // NOLINT
  Joined(std::string n) : name(std::move(n)) {}  // NOLINT

  template <class KS2, class VS2>
  Joined<KS2, VS2> WithSerdes(KS2 ks, VS2 vs) const {
    Joined<KS2, VS2> other(name);
    other.key_serde = std::move(ks);
    other.value_serde = std::move(vs);
    other.grace_ms = grace_ms;
    return other;
  }
  Joined& WithName(std::string n) { name = std::move(n); return *this; }
  // Records wait until stream time is later than theirs by this much, so that the table has caught up. The table must be
  // versioned.
  Joined& WithGracePeriod(std::chrono::milliseconds grace) { grace_ms = grace.count(); return *this; }

  std::string name;
  KS key_serde{};
  VS value_serde{};
  std::optional<int64_t> grace_ms;
};
Joined(const char*) -> Joined<>;
Joined(std::string) -> Joined<>;

}  // namespace tailrace::processor
