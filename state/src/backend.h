// Where committed entries live: RocksDB or memory, as sorted byte strings per store. Internal to this room.
//
// Threads: a Backend belongs to the task's thread. A BackendReader made by Snapshot may be used by any thread and keeps
// alive what it reads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tailrace/base/status.h"

namespace tailrace::state {

// Walks one store in byte order. Views are valid until the cursor moves.
class BackendCursor {
 public:
  virtual ~BackendCursor() = default;
  virtual void Seek(std::string_view key) = 0;
  virtual void SeekToLast() = 0;
  virtual void Next() = 0;
  // False at the end and after an error: ask status() then.
  virtual bool Valid() const = 0;
  virtual std::string_view key() const = 0;
  virtual std::string_view value() const = 0;
  virtual absl::Status status() const = 0;
};

class BackendReader {
 public:
  virtual ~BackendReader() = default;
  // Stores the value in `value` and returns whether there is one.
  virtual absl::StatusOr<bool> Get(int32_t store, std::string_view key, std::string& value) const = 0;
  virtual std::unique_ptr<BackendCursor> NewCursor(int32_t store) const = 0;
};

// Changes that become visible and durable together. Keys and values come in two parts so that nobody joins them first.
class BackendBatch {
 public:
  virtual ~BackendBatch() = default;
  virtual void Put(int32_t store, std::string_view key1, std::string_view key2, std::string_view value1,
                   std::string_view value2) = 0;
  virtual void Delete(int32_t store, std::string_view key1, std::string_view key2) = 0;
  // Deletes keys below `to`. There is no lower end on purpose: see OneHint in rocksdb_options.cc.
  virtual void DeleteBefore(int32_t store, std::string_view to) = 0;
};

enum class Durability {
  kLogged,    // survives the death of the process
  kDeferred,  // survives some time later, whole or not at all: restore, which can be repeated
};

class Backend : public BackendReader {
 public:
  // An empty batch; the same object is reused.
  virtual BackendBatch& NewBatch() = 0;
  // Writes the batch together with the task's commit record. On an error nothing of it is visible.
  virtual absl::Status Write(std::string_view commit_record, Durability durability) = 0;
  virtual std::shared_ptr<const BackendReader> Snapshot() = 0;
  // Starts writing memory to disk.
  virtual absl::Status Flush() = 0;
  // After a DeleteBefore that every view is younger than: frees the disk space of whole files below `to`.
  virtual void ReleaseBefore(int32_t store, std::string_view to) = 0;
};

}  // namespace tailrace::state
