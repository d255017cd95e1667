#include "java_order.h"

#include <algorithm>
#include <cstdint>

namespace tailrace::processor {
namespace {

// java.lang.String.hashCode, over UTF-16 units.
uint32_t JavaHash(const std::string& utf8) {
  uint32_t hash = 0;
  const auto add = [&](uint32_t unit) { hash = 31 * hash + unit; };
  for (size_t i = 0; i < utf8.size();) {
    const auto byte = [&](size_t at) { return at < utf8.size() ? static_cast<uint32_t>(static_cast<uint8_t>(utf8[at])) : 0u; };
    const uint32_t first = byte(i);
    if (first < 0x80) {
      add(first);
      i += 1;
    } else if (first < 0xe0) {
      add((first & 0x1f) << 6 | (byte(i + 1) & 0x3f));
      i += 2;
    } else if (first < 0xf0) {
      add((first & 0x0f) << 12 | (byte(i + 1) & 0x3f) << 6 | (byte(i + 2) & 0x3f));
      i += 3;
    } else {
      const uint32_t point = ((first & 0x07) << 18 | (byte(i + 1) & 0x3f) << 12 | (byte(i + 2) & 0x3f) << 6 | (byte(i + 3) & 0x3f)) - 0x10000;
      add(0xd800 + (point >> 10));
      add(0xdc00 + (point & 0x3ff));
      i += 4;
    }
  }
  return hash;
}

}  // namespace

std::vector<std::string> InJavaHashSetOrder(const std::vector<std::string>& names) {
  // The table begins with 16 buckets and doubles when it is filled by more than three quarters; a bucket keeps the order
  // of insertion.
  uint32_t buckets = 16;
  while (names.size() > buckets / 4 * 3) buckets *= 2;
  const auto bucket = [&](const std::string& name) {
    const uint32_t hash = JavaHash(name);
    return (hash ^ hash >> 16) & (buckets - 1);
  };
  std::vector<std::string> ordered = names;
  std::stable_sort(ordered.begin(), ordered.end(),
                   [&](const std::string& a, const std::string& b) { return bucket(a) < bucket(b); });
  return ordered;
}

}  // namespace tailrace::processor
