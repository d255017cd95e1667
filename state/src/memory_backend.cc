#include "memory_backend.h"

#include <algorithm>

#include "tailrace/base/check.h"

namespace tailrace::state {
namespace {

// The first leaf whose last key is >= key; leaves.size() when there is none.
size_t LeafFor(const MemoryTable::Leaves& leaves, std::string_view key) {
  auto it = std::partition_point(leaves.begin(), leaves.end(),
                                 [&](const auto& leaf) { return std::string_view(leaf->entries.back().first) < key; });
  return static_cast<size_t>(it - leaves.begin());
}

template <class Entries>
auto LowerBound(Entries& entries, std::string_view key) {
  return std::partition_point(entries.begin(), entries.end(),
                              [&](const auto& entry) { return std::string_view(entry.first) < key; });
}

class Cursor final : public BackendCursor {
 public:
  explicit Cursor(const MemoryTable::Leaves& leaves) : leaves_(leaves) {}
  void Seek(std::string_view key) override {
    leaf_ = LeafFor(leaves_, key);
    if (leaf_ == leaves_.size()) return;
    const auto& entries = leaves_[leaf_]->entries;
    entry_ = static_cast<size_t>(LowerBound(entries, key) - entries.begin());
  }
  void SeekToLast() override {
    if (leaves_.empty()) return;
    leaf_ = leaves_.size() - 1;
    entry_ = leaves_[leaf_]->entries.size() - 1;
  }
  void Next() override {
    if (++entry_ < leaves_[leaf_]->entries.size()) return;
    ++leaf_;
    entry_ = 0;
  }
  bool Valid() const override { return leaf_ < leaves_.size(); }
  std::string_view key() const override { return leaves_[leaf_]->entries[entry_].first; }
  std::string_view value() const override { return leaves_[leaf_]->entries[entry_].second; }
  absl::Status status() const override { return absl::OkStatus(); }

 private:
  const MemoryTable::Leaves& leaves_;
  size_t leaf_ = SIZE_MAX;
  size_t entry_ = 0;
};

class MemorySnapshot final : public BackendReader {
 public:
  explicit MemorySnapshot(std::vector<MemoryTable::Leaves> tables) : tables_(std::move(tables)) {}
  absl::StatusOr<bool> Get(int32_t store, std::string_view key, std::string& value) const override {
    const std::string* found = MemoryTable::Find(tables_[static_cast<size_t>(store)], key);
    if (found == nullptr) return false;
    value = *found;
    return true;
  }
  std::unique_ptr<BackendCursor> NewCursor(int32_t store) const override {
    return MemoryTable::NewCursor(tables_[static_cast<size_t>(store)]);
  }

 private:
  const std::vector<MemoryTable::Leaves> tables_;
};

std::string Join(std::string_view a, std::string_view b) {
  std::string out;
  out.reserve(a.size() + b.size());
  out.append(a).append(b);
  return out;
}

}  // namespace

MemoryTable::Leaf& MemoryTable::Writable(size_t index) {
  if (leaves_[index]->epoch != epoch_) {
    auto copy = std::make_shared<Leaf>(*leaves_[index]);
    copy->epoch = epoch_;
    leaves_[index] = std::move(copy);
  }
  // Made by this table in this epoch, so no snapshot sees it.
  return const_cast<Leaf&>(*leaves_[index]);
}

void MemoryTable::Put(std::string key, std::string value) {
  size_t index = LeafFor(leaves_, key);
  if (index == leaves_.size()) {
    if (index == 0 || leaves_[index - 1]->entries.size() >= kLeafEntriesMax) {
      auto leaf = std::make_shared<Leaf>();
      leaf->epoch = epoch_;
      leaf->entries.emplace_back(std::move(key), std::move(value));
      leaves_.push_back(std::move(leaf));
      return;
    }
    --index;
  }
  auto& entries = Writable(index).entries;
  auto it = LowerBound(entries, key);
  if (it != entries.end() && it->first == key) {
    it->second = std::move(value);
    return;
  }
  entries.emplace(it, std::move(key), std::move(value));
  if (entries.size() > kLeafEntriesMax) {
    auto upper = std::make_shared<Leaf>();
    upper->epoch = epoch_;
    const auto middle = entries.begin() + static_cast<ptrdiff_t>(entries.size() / 2);
    upper->entries.assign(std::make_move_iterator(middle), std::make_move_iterator(entries.end()));
    entries.erase(middle, entries.end());
    leaves_.insert(leaves_.begin() + static_cast<ptrdiff_t>(index) + 1, std::move(upper));
  }
}

void MemoryTable::Delete(std::string_view key) {
  const size_t index = LeafFor(leaves_, key);
  if (index == leaves_.size()) return;
  auto& entries = Writable(index).entries;
  auto it = LowerBound(entries, key);
  if (it == entries.end() || it->first != key) return;
  entries.erase(it);
  if (entries.empty()) leaves_.erase(leaves_.begin() + static_cast<ptrdiff_t>(index));
}

void MemoryTable::DeleteRange(std::string_view from, std::string_view to) {
  size_t index = LeafFor(leaves_, from);
  // The first leaf may keep a front part.
  if (index < leaves_.size() && leaves_[index]->entries.front().first < from) {
    auto& entries = Writable(index).entries;
    entries.erase(LowerBound(entries, from), LowerBound(entries, to));
    ++index;
  }
  size_t end = index;
  while (end < leaves_.size() && leaves_[end]->entries.back().first < to) ++end;
  leaves_.erase(leaves_.begin() + static_cast<ptrdiff_t>(index), leaves_.begin() + static_cast<ptrdiff_t>(end));
  if (index < leaves_.size() && leaves_[index]->entries.front().first < to) {
    auto& entries = Writable(index).entries;
    entries.erase(entries.begin(), LowerBound(entries, to));
  }
}

const std::string* MemoryTable::Find(const Leaves& leaves, std::string_view key) {
  const size_t index = LeafFor(leaves, key);
  if (index == leaves.size()) return nullptr;
  const auto& entries = leaves[index]->entries;
  auto it = LowerBound(entries, key);
  return it != entries.end() && it->first == key ? &it->second : nullptr;
}

std::unique_ptr<BackendCursor> MemoryTable::NewCursor(const Leaves& leaves) { return std::make_unique<Cursor>(leaves); }

absl::StatusOr<bool> MemoryBackend::Get(int32_t store, std::string_view key, std::string& value) const {
  const std::string* found = MemoryTable::Find(tables_[static_cast<size_t>(store)].leaves(), key);
  if (found == nullptr) return false;
  value = *found;
  return true;
}

std::unique_ptr<BackendCursor> MemoryBackend::NewCursor(int32_t store) const {
  return MemoryTable::NewCursor(tables_[static_cast<size_t>(store)].leaves());
}

BackendBatch& MemoryBackend::NewBatch() {
  batch_.operations_.clear();
  return batch_;
}

absl::Status MemoryBackend::Write(std::string_view, Durability) {
  for (Batch::Operation& operation : batch_.operations_) {
    MemoryTable& table = tables_[static_cast<size_t>(operation.store)];
    switch (operation.kind) {
      case Batch::Kind::kPut: table.Put(std::move(operation.a), std::move(operation.b)); break;
      case Batch::Kind::kDelete: table.Delete(operation.a); break;
      case Batch::Kind::kDeleteBefore: table.DeleteRange({}, operation.a); break;
    }
  }
  batch_.operations_.clear();
  return absl::OkStatus();
}

std::shared_ptr<const BackendReader> MemoryBackend::Snapshot() {
  std::vector<MemoryTable::Leaves> tables;
  tables.reserve(tables_.size());
  for (MemoryTable& table : tables_) tables.push_back(table.Freeze());
  return std::make_shared<MemorySnapshot>(std::move(tables));
}

void MemoryBackend::Batch::Put(int32_t store, std::string_view key1, std::string_view key2, std::string_view value1,
                               std::string_view value2) {
  operations_.push_back({Kind::kPut, store, Join(key1, key2), Join(value1, value2)});
}

void MemoryBackend::Batch::Delete(int32_t store, std::string_view key1, std::string_view key2) {
  operations_.push_back({Kind::kDelete, store, Join(key1, key2), {}});
}

void MemoryBackend::Batch::DeleteBefore(int32_t store, std::string_view to) {
  operations_.push_back({Kind::kDeleteBefore, store, std::string(to), {}});
}

}  // namespace tailrace::state
