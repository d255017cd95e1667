#include "tailrace/base/murmur2.h"

#include <cstring>

#include "tailrace/base/check.h"

namespace tailrace::base {

int32_t Murmur2(std::string_view key) {
  constexpr uint32_t kSeed = 0x9747b28c;
  constexpr uint32_t kM = 0x5bd1e995;
  constexpr int kR = 24;
  const size_t size = key.size();
  uint32_t h = kSeed ^ static_cast<uint32_t>(size);
  const char* data = key.data();
  for (size_t i = 0; i + 4 <= size; i += 4) {
    uint32_t k;
    std::memcpy(&k, data + i, 4);  // little-endian loads, as the JVM's code composes them
    k *= kM;
    k ^= k >> kR;
    k *= kM;
    h *= kM;
    h ^= k;
  }
  const char* tail = data + (size & ~size_t{3});
  switch (size & 3) {
    case 3: h ^= static_cast<uint32_t>(static_cast<uint8_t>(tail[2])) << 16; [[fallthrough]];
    case 2: h ^= static_cast<uint32_t>(static_cast<uint8_t>(tail[1])) << 8; [[fallthrough]];
    case 1:
      h ^= static_cast<uint8_t>(tail[0]);
      h *= kM;
      break;
    default: break;
  }
  h ^= h >> 13;
  h *= kM;
  h ^= h >> 15;
  return static_cast<int32_t>(h);
}

Partition PartitionForKey(std::string_view key, int32_t partition_count) {
  TAILRACE_CHECK(partition_count > 0, "a topic has at least one partition");
  return Partition((Murmur2(key) & 0x7fffffff) % partition_count);
}

}  // namespace tailrace::base
