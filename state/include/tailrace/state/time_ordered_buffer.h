// The buffer of a suppression: the latest change per key, leaving in the order of a time that each key got when it came.
//
// Kafka Streams' InMemoryTimeOrderedKeyValueChangeBuffer: everything is kept in memory; at each commit the keys that have
// changed go to the changelog, in its format (docs/formats.md). Here the buffer is committed with the task's other stores,
// too, so that a restart on the same disk reads no changelog.
//
// Thread-safety: only the thread that owns the task. Lifetime: owned by TaskState.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tailrace/base/status.h"
#include "tailrace/kafka/record.h"
#include "tailrace/state/store.h"

namespace tailrace::state {

// Where a buffered change came from; it leaves the buffer with this.
struct BufferedContext {
  int64_t timestamp_ms = 0;
  int64_t offset = 0;
  std::string topic;
  int32_t partition = 0;
  kafka::Headers headers;
};

struct BufferedChange {
  std::optional<std::string> prior_value;  // what the key was before its first buffered change
  std::optional<std::string> old_value;
  std::optional<std::string> new_value;
  BufferedContext context;
};

// The changelog record's value, version 3.
void AppendBufferedChange(std::string& out, const BufferedChange& change, int64_t time_ms);
// False when these are none.
bool ParseBufferedChange(std::string_view bytes, BufferedChange& change, int64_t& time_ms);

class TimeOrderedBuffer : public StateStore {
 public:
  struct Entry {
    int64_t time_ms = 0;
    std::string_view key;
    const BufferedChange* change = nullptr;
  };

  // Reads what is committed. REQUIRED before any other call after TaskState was opened, restored or reverted.
  virtual absl::Status Load() = 0;

  // Keeps a change of a key. A key that is in the buffer keeps its time and its prior value. Errors as KeyValueStore::Upsert.
  virtual absl::Status Put(int64_t time_ms, std::string_view key, kafka::NullableBytes new_value,
                           kafka::NullableBytes old_value, BufferedContext context) = 0;

  // The entry with the smallest time, of several the one with the smallest key; nullopt when empty. Valid until the next
  // call that changes the buffer.
  virtual std::optional<Entry> Oldest() const = 0;
  virtual absl::Status RemoveOldest() = 0;

  // Null when the key is not in the buffer. Valid until the next call that changes the buffer.
  virtual const BufferedChange* Find(std::string_view key) const = 0;

  virtual int64_t record_count() const = 0;
  // By Kafka Streams' estimate of the memory that it would need.
  virtual int64_t byte_count() const = 0;
};

}  // namespace tailrace::state
