// Chance that depends on nothing but the seed: the same case on every platform and with every standard library.
#pragma once

#include <cstdint>
#include <vector>

namespace tailrace::differential {

// SplitMix64.
class Draw {
 public:
  // The state moves by the same constant at each draw, so that states of neighbouring seeds must be far apart: otherwise a
  // seed's draws are those of the one before, moved by one.
  explicit Draw(uint64_t seed) : state_(seed) { state_ = Bits(); }

  uint64_t Bits() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  // from <= result <= to
  int64_t Between(int64_t from, int64_t to) {
    return from + static_cast<int64_t>(Bits() % static_cast<uint64_t>(to - from + 1));
  }
  bool Percent(int64_t percent) { return Between(0, 99) < percent; }
  template <class T>
  const T& Of(const std::vector<T>& values) {
    return values[Bits() % values.size()];
  }

 private:
  uint64_t state_;
};

}  // namespace tailrace::differential
