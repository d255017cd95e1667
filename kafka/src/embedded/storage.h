// Where the embedded log keeps its bytes: chunks per partition, and small metadata entries.
//
// Two implementations: RocksStorage (a directory) and MemoryStorage (the process's memory). All meaning, such as topics,
// offsets and fencing, is in LogEngine; a storage only keeps what it is given, atomically per Apply.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "embedded/chunk.h"
#include "tailrace/base/status.h"

namespace tailrace::kafka::embedded {

// One partition of one topic. Topic ids are never used again.
struct LogId {
  uint32_t topic = 0;
  uint32_t partition = 0;
  friend auto operator<=>(const LogId&, const LogId&) = default;
};

struct StoredChunk {
  int64_t base = 0;
  ChunkBytes bytes;
};

// What one Apply changes. Deletes happen before puts.
struct StorageBatch {
  struct Put {
    LogId log;
    StoredChunk chunk;
  };
  // Chunks whose base offset is in [from, to).
  struct Delete {
    LogId log;
    int64_t from = 0;
    int64_t to = 0;
  };
  std::vector<Delete> deletes;
  std::vector<Put> puts;
  std::vector<std::pair<std::string, std::optional<std::string>>> metadata;  // absent value: delete the entry
};

// Thread-safety: Apply and Reclaim from one thread at a time; the rest from any thread.
class Storage {
 public:
  virtual ~Storage() = default;

  // All or nothing, also when the process dies in the middle.
  virtual absl::Status Apply(const StorageBatch& batch) = 0;

  // Appends to `out`, in order, chunks that hold offsets >= `offset`, until they exceed `bytes_max` or the partition ends.
  // The first one may begin before `offset`.
  virtual absl::Status Read(LogId log, int64_t offset, size_t bytes_max, std::vector<StoredChunk>& out) = 0;

  // The newest chunk; bytes are null when there is none.
  virtual absl::StatusOr<StoredChunk> Last(LogId log) = 0;

  // Visits all metadata entries in key order; stops at the first error.
  using MetadataVisitor = std::function<absl::Status(std::string_view key, std::string_view value)>;
  virtual absl::Status VisitMetadata(const MetadataVisitor& visit) = 0;

  // Gives the room of deleted chunks back, when that takes a step of its own.
  virtual absl::Status Reclaim() = 0;

  // "embedded log at DIR" or "in-memory log".
  virtual std::string Description() const = 0;
};

std::unique_ptr<Storage> NewMemoryStorage();

// Creates the directory when it is absent. FAILED_PRECONDITION when another process has it open.
absl::StatusOr<std::unique_ptr<Storage>> OpenRocksStorage(const std::string& directory);

}  // namespace tailrace::kafka::embedded
