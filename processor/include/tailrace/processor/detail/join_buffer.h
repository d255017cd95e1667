// Records of a stream that wait until the table they are joined with has caught up with them.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "tailrace/processor/detail/task_context.h"
#include "tailrace/state/time_ordered_buffer.h"

namespace tailrace::processor::detail {

// The buffer of a stream-table join with a grace period (RocksDBTimeOrderedKeyValueBuffer, KIP-923), over bytes. The records
// are in a key-value store under keys that begin with the time; the oldest keys, at most limits::kJoinBufferKeysMax, are also
// kept in memory. Owned by one operator. Not thread-safe.
class JoinBuffer {
 public:
  JoinBuffer(std::string store, int64_t grace_ms);
  ~JoinBuffer();
  JoinBuffer(const JoinBuffer&) = delete;
  JoinBuffer& operator=(const JoinBuffer&) = delete;
  absl::Status Init(TaskContext& context);

  // Keeps a record. False when it is earlier than the newest one that was kept by more than the grace: it is to be joined now.
  // The time of the newest one survives a restart.
  bool Put(std::string_view key, std::string_view value, int64_t timestamp_ms, const kafka::Headers& headers);

  // Calls `emit` for the records that have waited long enough, by time, as the records that are being processed, and forgets them.
  using Emit = absl::FunctionRef<void(std::string_view key, std::string_view value, int64_t timestamp_ms, const kafka::Headers& headers)>;
  void Evict(Emit emit);
  // Raises the time that decides who has waited long enough.
  void Observe(int64_t time_ms);

 private:
  void Remember(const std::string& key);
  // Reads the next oldest keys when all that were in memory have left. False when nothing waits, or after a failure.
  bool HasOldest();

  const std::string store_name_;
  const int64_t grace_ms_;
  TaskContext* context_ = nullptr;
  state::KeyValueStore* store_ = nullptr;
  std::set<std::string> keys_;  // the oldest that wait: byte 0 ‖ int64 time ‖ key ‖ int32 sequence
  std::optional<std::string> rest_;  // keys from this one on are in the store only; nullopt: there are none
  const int64_t* limit_ms_ = nullptr;
  int64_t newest_ms_ = -1;
  int32_t sequence_ = 0;
  std::string key_;
  std::string value_;
  state::BufferedChange change_;
};

}  // namespace tailrace::processor::detail
