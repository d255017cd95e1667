// A suppression's buffer: an index in memory over a key-value store of encoded changes.
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "key_value_store.h"
#include "tailrace/state/time_ordered_buffer.h"

namespace tailrace::state {

// Changes are encoded once per commit: Flush writes them to the changelog and to the rows, which TaskState commits as
// those of any key-value store. The rows themselves log nothing.
class TimeOrderedBufferImpl final : public TimeOrderedBuffer, public TaskStore {
 public:
  TimeOrderedBufferImpl(const StoreSpec& spec, int32_t index, TaskContext* task, Backend* backend);

  const StoreSpec& spec() const override { return spec_; }
  void SetChangeListener(ChangeListener*) override {}
  void Flush() override;
  size_t uncommitted_bytes() const override { return rows_.uncommitted_bytes(); }

  absl::Status Load() override;
  absl::Status Put(int64_t time_ms, std::string_view key, kafka::NullableBytes new_value, kafka::NullableBytes old_value,
                   BufferedContext context) override;
  std::optional<Entry> Oldest() const override;
  absl::Status RemoveOldest() override;
  const BufferedChange* Find(std::string_view key) const override;
  int64_t record_count() const override { return static_cast<int64_t>(sorted_.size()); }
  int64_t byte_count() const override { return bytes_; }

  StoreCore& core() override { return rows_.core(); }
  StateStore& store() override { return *this; }
  void AddChanges(BackendBatch& batch) override { rows_.AddChanges(batch); }
  void OnCommitted() override { rows_.OnCommitted(); }
  void Discard(const StoreMark& mark) override;
  StoreMark mark() const override { return rows_.mark(); }
  absl::Status AddChangelog(std::span<const ChangelogRecord> records, BackendBatch& batch) override {
    return rows_.AddChangelog(records, batch);
  }
  size_t cache_bytes() const override { return rows_.cache_bytes(); }
  void ShrinkCache(size_t bytes_max) override { rows_.ShrinkCache(bytes_max); }

 private:
  using Position = std::pair<int64_t, std::string>;  // time, key
  using Sorted = std::map<Position, BufferedChange>;

  void Clear();
  void Insert(int64_t time_ms, std::string key, BufferedChange change);
  // Makes sure that the row is cached, so that Flush cannot fail, and that it will be flushed.
  absl::Status MarkDirty(std::string_view key);
  // Dirty keys as Java's HashSet<Bytes> gives them, in which order Kafka Streams logs them.
  void OrderDirty();

  const StoreSpec spec_;
  KeyValueStoreImpl rows_;
  Sorted sorted_;
  std::unordered_map<std::string, Sorted::iterator> index_;
  int64_t bytes_ = 0;
  std::vector<std::string> dirty_;  // each once
  std::unordered_map<std::string, bool> is_dirty_;
  uint32_t java_buckets_ = 16;  // of the hash set; it grows and never shrinks
  std::string scratch_;
};

}  // namespace tailrace::state
