// Committed entries in memory. A store is a sorted vector of leaves; a snapshot copies the vector of leaf pointers, and a
// leaf that a snapshot may see is copied before it changes.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "backend.h"

namespace tailrace::state {

class MemoryTable {
 public:
  static constexpr size_t kLeafEntriesMax = 256;
  struct Leaf {
    uint64_t epoch = 0;
    std::vector<std::pair<std::string, std::string>> entries;  // sorted by key, never empty
  };
  using Leaves = std::vector<std::shared_ptr<const Leaf>>;  // shared between the table and its snapshots

  void Put(std::string key, std::string value);
  void Delete(std::string_view key);
  void DeleteRange(std::string_view from, std::string_view to);
  // Everything that is in the table now is copied before it changes.
  const Leaves& Freeze() {
    ++epoch_;
    return leaves_;
  }
  const Leaves& leaves() const { return leaves_; }

  static const std::string* Find(const Leaves& leaves, std::string_view key);
  static std::unique_ptr<BackendCursor> NewCursor(const Leaves& leaves);

 private:
  Leaf& Writable(size_t index);

  Leaves leaves_;
  uint64_t epoch_ = 1;
};

class MemoryBackend final : public Backend {
 public:
  explicit MemoryBackend(size_t stores) : tables_(stores) {}

  absl::StatusOr<bool> Get(int32_t store, std::string_view key, std::string& value) const override;
  std::unique_ptr<BackendCursor> NewCursor(int32_t store) const override;
  BackendBatch& NewBatch() override;
  absl::Status Write(std::string_view commit_record, Durability durability) override;
  std::shared_ptr<const BackendReader> Snapshot() override;
  absl::Status Flush() override { return absl::OkStatus(); }
  void ReleaseBefore(int32_t, std::string_view) override {}

 private:
  class Batch final : public BackendBatch {
   public:
    void Put(int32_t store, std::string_view key1, std::string_view key2, std::string_view value1,
             std::string_view value2) override;
    void Delete(int32_t store, std::string_view key1, std::string_view key2) override;
    void DeleteBefore(int32_t store, std::string_view to) override;

   private:
    friend class MemoryBackend;
    enum class Kind { kPut, kDelete, kDeleteBefore };
    struct Operation {
      Kind kind;
      int32_t store;
      std::string a;
      std::string b;
    };
    std::vector<Operation> operations_;
  };

  std::vector<MemoryTable> tables_;
  Batch batch_;
};

}  // namespace tailrace::state
