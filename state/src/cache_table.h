// The write-back cache of one window, or of one generation of a key-value store: a flat hash table over entries in an
// arena. Entries never move. Nothing is erased: a table is dropped as a whole.
//
// A slot is 8 bytes (32 bits of hash, 32 bits of arena reference); a probe compares the stored hash first, so that a miss
// touches no entry.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "arena.h"
#include "tailrace/state/store.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace tailrace::state {

class CacheTable {
 public:
  static uint32_t Hash(std::string_view key) { return static_cast<uint32_t>(XXH3_64bits(key.data(), key.size()) >> 16); }

  CacheTable(BlockPool* pool, int64_t window_start_ms, bool complete)
      : arena_(pool), pool_(pool), window_start_ms_(window_start_ms), complete_(complete) {}
  CacheTable(const CacheTable&) = delete;
  CacheTable& operator=(const CacheTable&) = delete;
  ~CacheTable();

  CacheEntry* Find(std::string_view key, uint32_t hash) const {
    if (slots_ == nullptr) return nullptr;
    for (size_t i = hash & mask_;; i = (i + 1) & mask_) {
      const uint64_t slot = slots_[i];
      if (slot == 0) return nullptr;
      if (static_cast<uint32_t>(slot >> 32) == hash) {
        auto* entry = reinterpret_cast<CacheEntry*>(arena_.Resolve(static_cast<uint32_t>(slot)));
        if (entry->key() == key) [[likely]] return entry;
      }
    }
  }

  // A new absent entry. REQUIRES: the key is not in the table, its size is within limits::kKeyBytesMax.
  CacheEntry* Insert(std::string_view key, uint32_t hash);

  // An entry that is in no table, from `arena`.
  static CacheEntry* MakeEntry(Arena& arena, std::string_view key, int64_t window_start_ms, uint32_t* reference);

  // Sets an entry's content, in place when the value fits; else `arena_of()` says where. `value` may point into the entry.
  template <class ArenaOf>
  static void SetValue(ArenaOf arena_of, CacheEntry& entry, kafka::NullableBytes value, int64_t timestamp_ms) {
    entry.timestamp_ms_ = timestamp_ms;
    if (!value.is_null() && value.view().size() <= entry.value_capacity_) [[likely]] {
      entry.value_size_ = static_cast<uint32_t>(value.view().size());
      if (value.view().size() == 8) {
        std::memmove(entry.value_, value.view().data(), 8);
      } else {
        std::memmove(entry.value_, value.view().data(), value.view().size());
      }
      entry.present_ = true;
      return;
    }
    SetValueSlow(arena_of(), entry, value);
  }

  template <class F>
  void ForEach(F f) const {
    if (slots_ == nullptr) return;
    for (size_t i = 0; i <= mask_; ++i) {
      if (slots_[i] != 0) f(*reinterpret_cast<CacheEntry*>(arena_.Resolve(static_cast<uint32_t>(slots_[i]))));
    }
  }

  Arena& arena() { return arena_; }
  int64_t window_start_ms() const { return window_start_ms_; }
  size_t size() const { return size_; }
  // Memory held.
  size_t bytes() const { return arena_.bytes() + slot_bytes_ + sizeof(*this); }
  // Whether a key that is not here is not in the committed store either.
  bool complete() const { return complete_; }

 private:
  static void SetValueSlow(Arena& arena, CacheEntry& entry, kafka::NullableBytes value);
  void Grow();

  Arena arena_;
  BlockPool* const pool_;
  uint64_t* slots_ = nullptr;
  size_t slot_bytes_ = 0;
  size_t mask_ = 0;
  size_t size_ = 0;
  size_t grow_at_ = 0;
  const int64_t window_start_ms_;
  const bool complete_;
};

}  // namespace tailrace::state
