#include "tailrace/base/murmur3.h"

#include <bit>
#include <cstring>

namespace tailrace::base {
namespace {

constexpr uint64_t kSeed = 104729;
constexpr uint64_t kFirst = 0x87c37b91114253d5ULL;
constexpr uint64_t kSecond = 0x4cf5ad432745937fULL;

uint64_t MixFirst(uint64_t k) { return std::rotl(k * kFirst, 31) * kSecond; }
uint64_t MixSecond(uint64_t k) { return std::rotl(k * kSecond, 33) * kFirst; }

uint64_t Finish(uint64_t h) {
  h ^= h >> 33;
  h *= 0xff51afd7ed558ccdULL;
  h ^= h >> 33;
  h *= 0xc4ceb9fe1a85ec53ULL;
  return h ^ h >> 33;
}

// Up to eight bytes, little-endian.
uint64_t Load(const char* bytes, size_t size) {
  uint64_t value = 0;
  for (size_t i = 0; i < size; ++i) value |= uint64_t{static_cast<uint8_t>(bytes[i])} << (8 * i);
  return value;
}

}  // namespace

std::array<uint64_t, 2> Murmur3Hash128(std::string_view bytes) {
  uint64_t h1 = kSeed;
  uint64_t h2 = kSeed;
  const char* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= 16; left -= 16, at += 16) {
    h1 = (std::rotl(h1 ^ MixFirst(Load(at, 8)), 27) + h2) * 5 + 0x52dce729;
    h2 = (std::rotl(h2 ^ MixSecond(Load(at + 8, 8)), 31) + h1) * 5 + 0x38495ab5;
  }
  if (left > 8) h2 ^= MixSecond(Load(at + 8, left - 8));
  if (left > 0) h1 ^= MixFirst(Load(at, left < 8 ? left : 8));
  h1 ^= bytes.size();
  h2 ^= bytes.size();
  h1 += h2;
  h2 += h1;
  h1 = Finish(h1);
  h2 = Finish(h2);
  h1 += h2;
  h2 += h1;
  return {h1, h2};
}

}  // namespace tailrace::base
