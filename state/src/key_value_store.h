// A key-value store: two generations of cache over a backend.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sorted_keys.h"
#include "store_core.h"

namespace tailrace::state {

// Entries found in the previous generation move to the current one; what is not asked for while the current one fills
// up goes with the previous one. While nothing has gone and the store was empty when first asked, a key that is not
// cached does not exist.
class KeyValueStoreImpl final : public KeyValueStore, public TaskStore {
 public:
  KeyValueStoreImpl(const StoreSpec& spec, int32_t index, TaskContext* task, Backend* backend);

  const StoreSpec& spec() const override { return core_.spec(); }
  void SetChangeListener(ChangeListener* listener) override { core_.set_listener(listener); }
  void Flush() override { core_.Flush(); }
  size_t uncommitted_bytes() const override { return core_.uncommitted_bytes(); }

  absl::StatusOr<CacheEntry*> Upsert(std::string_view key) override;
  void Update(CacheEntry& entry, kafka::NullableBytes value, int64_t timestamp_ms) override {
    core_.Update(entry, value, timestamp_ms, [this]() -> Arena& { return current_->arena(); });
  }
  absl::Status Range(std::optional<std::string_view> from, std::optional<std::string_view> to, RowVisitor visitor) override;

  StoreCore& core() override { return core_; }
  StateStore& store() override { return *this; }
  void AddChanges(BackendBatch& batch) override;
  void OnCommitted() override;
  void Discard(const StoreMark& mark) override;
  StoreMark mark() const override { return {}; }
  absl::Status AddChangelog(std::span<const ChangelogRecord> records, BackendBatch& batch) override;
  size_t cache_bytes() const override;
  void ShrinkCache(size_t bytes_max) override;

 private:
  absl::StatusOr<CacheEntry*> UpsertMiss(std::string_view key, uint32_t hash);
  BackendCursor& Cursor();

  StoreCore core_;
  Backend* const backend_;
  std::unique_ptr<CacheTable> current_;
  std::unique_ptr<CacheTable> previous_;  // clean entries only; may be null
  // Whether all that is committed is cached; unknown until the first miss asks.
  std::optional<bool> complete_;
  // On the committed store; valid until the next commit.
  std::unique_ptr<BackendCursor> cursor_;
  std::string value_buffer_;
  std::vector<const CacheEntry*> collected_;
  std::vector<SortItem> sorted_;
};

}  // namespace tailrace::state
