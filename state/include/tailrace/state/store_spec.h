// The description of one state store, made by the topology and shared by all tasks that open it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "tailrace/state/value_schema.h"

namespace tailrace::state {

enum class StoreKind {
  kKeyValue,
  kWindow,
  kSession,
  kVersioned,
  kTimeOrderedBuffer,  // what a suppression holds back; not for queries
};

struct StoreSpec {
  std::string name;
  StoreKind kind = StoreKind::kKeyValue;

  // Window stores only. Windows are [start, start + size).
  int64_t window_size_ms = 0;
  // A window is kept while its start, a session while its end > observed stream time - retention (Kafka Streams' retention).
  int64_t retention_ms = 0;
  // Window stores of joins keep every put of the same (key, start) under its own sequence number.
  bool retain_duplicates = false;
  // The operator reads what has closed: sessions are found by their end, too, and until their segment is deleted (Kafka
  // Streams' time-ordered stores; docs/formats.md). Such a window store on disk keeps the window at stream time - retention.
  bool emits_on_close = false;

  // Versioned stores only (versioned_store.h). How far back versions can be read, and how old a put may be.
  int64_t history_retention_ms = 0;
  // Old versions are deleted in steps of this; 0: Kafka Streams' default for the history.
  int64_t segment_interval_ms = 0;

  // Key-value stores only: an entry is gone once stream time >= its timestamp + this. 0: entries stay.
  int64_t time_to_live_ms = 0;

  // With caching, changes are logged and forwarded once per commit, in the order of their last updates; without, at every update.
  bool caching = true;
  // With logging, every change goes to the changelog topic and a lost store is rebuilt from it.
  bool logging = true;
  // Changelog records carry the headers of the record at hand (Kafka Streams' subscription stores).
  bool log_record_headers = false;
  // The change listener receives the value before the first update since the last flush.
  bool keep_old_values = false;
  // Kept in memory only, rebuilt from the changelog at every start.
  bool in_memory = false;

  // "<application.id>-<name>-changelog", or the source topic of an optimised table. Set by the topology.
  std::string changelog_topic;
  // Per-store overrides of the changelog topic's configuration (semantics: library < topic. prefix < store).
  std::map<std::string, std::string> changelog_config;

  bool windowed() const { return kind == StoreKind::kWindow || kind == StoreKind::kSession; }

  // May be null: queries then answer bytes only. Shared by every task of the store.
  std::shared_ptr<const ValueSchema> schema;
};

}  // namespace tailrace::state
