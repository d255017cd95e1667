// How KTable::Suppress holds changes back (org.apache.kafka.streams.kstream.Suppressed).
//
//   counts.Suppress(Suppressed::UntilWindowCloses(BufferConfig::Unbounded()))              one result per window
//   totals.Suppress(Suppressed::UntilTimeLimit(30s, BufferConfig::MaxRecords(10'000)))      at most one per key in 30 s
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "tailrace/processor/detail/suppress_node.h"
#include "tailrace/processor/ktable.h"

namespace tailrace::processor {

class StrictBufferConfig;
class EagerBufferConfig;

// Bounds of the buffer, which is kept in memory: the number of keys, and bytes by Kafka Streams' estimate. Limits of 0 or
// less hold nothing back.
class BufferConfig {
 public:
  static EagerBufferConfig MaxRecords(int64_t limit);
  static EagerBufferConfig MaxBytes(int64_t limit);
  static StrictBufferConfig Unbounded();

  // No bounds.
  StrictBufferConfig WithNoBound() const;
  // A full buffer stops the application: results are never emitted early.
  StrictBufferConfig ShutDownWhenFull() const;
  // A full buffer emits its oldest changes early.
  EagerBufferConfig EmitEarlyWhenFull() const;

  int64_t max_records = std::numeric_limits<int64_t>::max();
  int64_t max_bytes = std::numeric_limits<int64_t>::max();
  bool emits_when_full = false;
  bool logging = true;
  std::map<std::string, std::string> changelog_config;
};

class StrictBufferConfig : public BufferConfig {
 public:
  StrictBufferConfig& WithMaxRecords(int64_t limit) { max_records = limit; return *this; }
  StrictBufferConfig& WithMaxBytes(int64_t limit) { max_bytes = limit; return *this; }
  StrictBufferConfig& WithLoggingDisabled() { logging = false; return *this; }
  StrictBufferConfig& WithLoggingEnabled(std::map<std::string, std::string> config) {
    logging = true;
    changelog_config = std::move(config);
    return *this;
  }
};

class EagerBufferConfig : public BufferConfig {
 public:
  EagerBufferConfig() { emits_when_full = true; }
  EagerBufferConfig& WithMaxRecords(int64_t limit) { max_records = limit; return *this; }
  EagerBufferConfig& WithMaxBytes(int64_t limit) { max_bytes = limit; return *this; }
  EagerBufferConfig& WithLoggingDisabled() { logging = false; return *this; }
  EagerBufferConfig& WithLoggingEnabled(std::map<std::string, std::string> config) {
    logging = true;
    changelog_config = std::move(config);
    return *this;
  }
};

class Suppressed {
 public:
  // The last change of each window, when the window closes: its end plus the grace of the windowed aggregation above lies
  // behind the largest time seen. Deletes are dropped. The buffer must not emit early, so it is a strict one.
  static Suppressed UntilWindowCloses(StrictBufferConfig buffer) {
    return Suppressed(std::move(buffer), 0, true);
  }
  // The last change of each key, once `wait` of stream time has passed since its first one.
  static Suppressed UntilTimeLimit(std::chrono::milliseconds wait, BufferConfig buffer) {
    return Suppressed(std::move(buffer), wait.count(), false);
  }
  // Names the operator, and its store "<name>-store".
  Suppressed WithName(std::string name) const {
    Suppressed named = *this;
    named.name_ = std::move(name);
    return named;
  }

  const std::string& name() const { return name_; }
  const BufferConfig& buffer() const { return buffer_; }
  int64_t wait_ms() const { return wait_ms_; }
  bool until_window_closes() const { return until_window_closes_; }

 private:
  Suppressed(BufferConfig buffer, int64_t wait_ms, bool until_window_closes)
      : buffer_(std::move(buffer)), wait_ms_(wait_ms), until_window_closes_(until_window_closes) {}

  std::string name_;
  BufferConfig buffer_;
  int64_t wait_ms_;
  bool until_window_closes_;
};

namespace detail {
// Sets how long a final result waits; fails the graph when there is no window to wait for.
void SetWindowWait(const TableHandle& table, const std::string& name, SuppressOptions& options);
// Names the operator and its buffer.
std::string NameSuppression(StreamGraph& graph, const Suppressed& suppressed, state::StoreSpec& buffer,
                            SuppressOptions& options);
}  // namespace detail

template <class K, class V>
KTable<K, V> KTable<K, V>::Suppress(const Suppressed& suppressed) const {
  detail::SuppressOptions options;
  state::StoreSpec buffer;
  const std::string name = detail::NameSuppression(*handle_.graph, suppressed, buffer, options);
  if (suppressed.until_window_closes()) {
    if (!detail::kIsWindowed<K>)
      handle_.graph->Fail(base::UsageError("operator " + name + ": only a table with windowed keys has windows that close"));
    detail::SetWindowWait(handle_, name, options);
  }
  const auto key_serde = detail::SerdeOr<UseDefaultSerde, K>({}, key_serde_);
  const auto value_serde = detail::SerdeOr<UseDefaultSerde, V>({}, value_serde_);
  handle_.origin->EnableSendingOldValues(true);
  auto origin = detail::TableOrigin::Suppressed(handle_.origin, buffer.name);
  const auto id = handle_.graph->Add({handle_.id}, [=, parent = handle_.node, above = handle_.origin](Topology& topology) {
    if (above->versioned())
      topology.Fail(base::UsageError("operator " + name + ": a versioned table cannot be suppressed; give it a plain store"));
    topology.AddNode({.name = name, .predecessors = {parent}, .factory = [=] {
                        return detail::MakeNode<detail::SuppressNode<K, V>>(options, key_serde, value_serde);
                      }});
    topology.AddStateStore(buffer, {name});
  });
  detail::ValueGetterFactory<K, V> getter = [parent = getter_, store = buffer.name, key_serde, value_serde] {
    return std::make_unique<detail::SuppressGetter<K, V>>(parent(), store, key_serde, value_serde);
  };
  return KTable({handle_.graph, id, name, {handle_.node}, std::move(origin)}, std::move(getter), key_serde, value_serde);
}

}  // namespace tailrace::processor
