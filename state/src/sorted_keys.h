// Sorting keys into disk order, most comparisons on three integers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "tailrace/base/bytes.h"

namespace tailrace::state {

struct SortItem {
  SortItem(uint64_t major_value, std::string_view key_bytes, uint32_t index_value)
      : major(major_value), key(key_bytes), index(index_value) {
    char head[16] = {};
    std::memcpy(head, key.data(), std::min(key.size(), sizeof(head)));
    prefix[0] = base::LoadBigEndian<uint64_t>(head);
    prefix[1] = base::LoadBigEndian<uint64_t>(head + 8);
  }

  uint64_t major;      // window start; 0 in key-value stores
  uint64_t prefix[2];  // the key's first 16 bytes, zero-padded
  std::string_view key;
  uint32_t index;  // of what the item stands for; later ones win among equals
};

inline bool SameKey(const SortItem& a, const SortItem& b) {
  return a.major == b.major && a.prefix[0] == b.prefix[0] && a.prefix[1] == b.prefix[1] && a.key == b.key;
}

// By (major, key, index).
inline void SortIntoDiskOrder(std::vector<SortItem>& items) {
  std::sort(items.begin(), items.end(), [](const SortItem& a, const SortItem& b) {
    if (a.major != b.major) return a.major < b.major;
    if (a.prefix[0] != b.prefix[0]) return a.prefix[0] < b.prefix[0];
    if (a.prefix[1] != b.prefix[1]) return a.prefix[1] < b.prefix[1];
    // Beyond 16 bytes, or one key is the other with zeros behind.
    if (const int order = a.key.compare(b.key); order != 0) return order < 0;
    return a.index < b.index;
  });
}

// Calls `f(index)` for the last item of each key. REQUIRES: sorted.
template <class F>
void ForEachLatest(const std::vector<SortItem>& items, F f) {
  for (size_t i = 0; i < items.size(); ++i) {
    if (i + 1 < items.size() && SameKey(items[i], items[i + 1])) continue;
    f(items[i].index);
  }
}

}  // namespace tailrace::state
