#include "cache_table.h"

#include <algorithm>
#include <new>

#include "tailrace/base/check.h"
#include "tailrace/base/limits.h"

namespace tailrace::state {

static_assert(sizeof(CacheEntry) == 48);
static_assert(sizeof(CacheEntry) + base::limits::kKeyBytesMax <= Arena::kAddressableBytesMax);

CacheTable::~CacheTable() {
  if (slots_ != nullptr) pool_->Give(reinterpret_cast<char*>(slots_), slot_bytes_);
}

CacheEntry* CacheTable::MakeEntry(Arena& arena, std::string_view key, int64_t window_start_ms, uint32_t* reference) {
  auto [memory, ref] = arena.AllocateAddressable(sizeof(CacheEntry) + key.size());
  auto* entry = new (memory) CacheEntry();
  entry->window_start_ms_ = window_start_ms;
  entry->key_size_ = static_cast<uint32_t>(key.size());
  if (!key.empty()) std::memcpy(memory + sizeof(CacheEntry), key.data(), key.size());
  entry->value_ = memory;  // any address but null: capacity is 0
  if (reference != nullptr) *reference = ref;
  return entry;
}

CacheEntry* CacheTable::Insert(std::string_view key, uint32_t hash) {
  if (size_ >= grow_at_) Grow();
  uint32_t reference = 0;
  CacheEntry* entry = MakeEntry(arena_, key, window_start_ms_, &reference);
  size_t i = hash & mask_;
  while (slots_[i] != 0) i = (i + 1) & mask_;
  slots_[i] = static_cast<uint64_t>(hash) << 32 | reference;
  ++size_;
  return entry;
}

void CacheTable::Grow() {
  uint64_t* const old_slots = slots_;
  const size_t old_bytes = slot_bytes_;
  const size_t old_mask = mask_;
  slot_bytes_ = old_slots == nullptr ? BlockPool::kBlockBytesMin : old_bytes * 2;
  char* block = pool_->Take(slot_bytes_);
  std::memset(block, 0, slot_bytes_);
  slots_ = reinterpret_cast<uint64_t*>(block);
  const size_t count = slot_bytes_ / sizeof(uint64_t);
  mask_ = count - 1;
  grow_at_ = count / 8 * 5;
  if (old_slots == nullptr) return;
  for (size_t i = 0; i <= old_mask; ++i) {
    if (old_slots[i] == 0) continue;
    size_t to = (old_slots[i] >> 32) & mask_;
    while (slots_[to] != 0) to = (to + 1) & mask_;
    slots_[to] = old_slots[i];
  }
  pool_->Give(reinterpret_cast<char*>(old_slots), old_bytes);
}

void CacheTable::SetValueSlow(Arena& arena, CacheEntry& entry, kafka::NullableBytes value) {
  if (value.is_null()) {
    entry.present_ = false;
    entry.value_size_ = 0;
    return;
  }
  const size_t size = value.view().size();
  TAILRACE_CHECK(size <= UINT32_MAX / 2, "value above 2 GiB");
  // Doubling bounds what growing values leave behind in the arena by their own size; the first value gets its exact size
  // because most never grow.
  const size_t capacity = (std::max(size, entry.value_capacity_ == 0 ? size : size_t{entry.value_capacity_} * 2) + 7) & ~size_t{7};
  char* buffer = arena.Allocate(std::max<size_t>(capacity, 8));
  std::memcpy(buffer, value.view().data(), size);
  entry.value_ = buffer;
  entry.value_capacity_ = static_cast<uint32_t>(std::max<size_t>(capacity, 8));
  entry.value_size_ = static_cast<uint32_t>(size);
  entry.present_ = true;
}

}  // namespace tailrace::state
