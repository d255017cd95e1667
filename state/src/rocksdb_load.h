// Restore's way into the database: entries are staged in memory and go in as sorted files, many times faster than through
// RocksDB's log and write buffers. What is staged is not on disk; its offsets are written together with it, so a crash
// only makes restore repeat a part.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "arena.h"
#include "backend.h"

namespace tailrace::state {

struct RocksdbDatabase;

// Used by the task's thread only.
class RocksdbLoad final : public BackendBatch {
 public:
  RocksdbLoad(RocksdbDatabase* database, size_t stores);

  void Put(int32_t store, std::string_view key1, std::string_view key2, std::string_view value1,
           std::string_view value2) override;
  void Delete(int32_t store, std::string_view key1, std::string_view key2) override;
  // Applied after all puts of the load, none of which may follow it into the range.
  void DeleteBefore(int32_t store, std::string_view to) override;

  // Begins a call's part of the load; Drop removes it again.
  void Begin();
  void Drop();
  // Ends the part: everything staged so far reaches `commit_record`. Returns the record before.
  std::string Accept(std::string_view commit_record);

  // Whether enough is staged to be written.
  bool full() const;
  bool empty() const { return record_.empty(); }
  // Writes all that is staged; after an error it is still staged. Sets `deferred` when a part of it is now in write buffers
  // without a log, which survives once flushed.
  absl::Status Seal(bool& deferred);

 private:
  struct Item {
    uint64_t prefix[3];  // the key's first 24 bytes, zero-padded
    const char* key;
    const char* value;  // null: a delete
    uint32_t key_size;
    uint32_t value_size;
    uint32_t index;  // later ones win among equals
    std::string_view key_view() const { return {key, key_size}; }
  };
  struct Range {
    int32_t store;
    std::string to;
  };
  void Add(int32_t store, std::string_view key1, std::string_view key2, const char* value, size_t value_size);
  // Sorted, the latest of each key.
  static void SortLatest(std::vector<Item>& items);
  absl::Status WriteFiles(std::string_view record);
  absl::Status WriteBuffers(std::string_view record, bool with_items);
  std::string NextFile();

  RocksdbDatabase* const database_;
  BlockPool pool_;
  Arena arena_;
  std::vector<std::vector<Item>> items_;  // by store
  std::vector<Range> ranges_;
  std::string record_;  // what the staged entries reach
  size_t count_ = 0;
  uint32_t next_index_ = 0;
  uint64_t files_ = 0;
  // Sizes at Begin.
  std::vector<size_t> item_marks_;
  size_t range_mark_ = 0;
};

}  // namespace tailrace::state
