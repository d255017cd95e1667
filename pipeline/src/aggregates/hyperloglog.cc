#include "aggregates/hyperloglog.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

namespace tailrace::pipeline::aggregates {
namespace {

constexpr int kRankMax = 64 - kSketchPrecision + 1;  // all remaining bits are zero

// Ertl's sigma: the expected contribution of empty registers. x in [0, 1].
double Sigma(double x) {
  if (x == 1.0) return INFINITY;
  double y = 1;
  double z = x;
  for (double before = -1; z != before;) {
    before = z;
    x *= x;
    z += x * y;
    y += y;
  }
  return z;
}

// Ertl's tau: the same for saturated registers.
double Tau(double x) {
  if (x == 0.0 || x == 1.0) return 0;
  double y = 1;
  double z = 1 - x;
  for (double before = -1; z != before;) {
    before = z;
    x = std::sqrt(x);
    y *= 0.5;
    z -= (1 - x) * (1 - x) * y;
  }
  return z / 3;
}

}  // namespace

bool SketchAdd(char* registers, uint64_t hash) {
  const size_t index = hash >> (64 - kSketchPrecision);
  // The bit below the used ones ends the count of zeros, so the rank is at most kRankMax.
  const uint64_t rest = (hash << kSketchPrecision) | (uint64_t{1} << (kSketchPrecision - 1));
  const auto rank = static_cast<unsigned char>(std::countl_zero(rest) + 1);
  if (static_cast<unsigned char>(registers[index]) >= rank) return false;
  registers[index] = static_cast<char>(rank);
  return true;
}

void SketchMerge(char* into, const char* from) {
  for (size_t i = 0; i < kSketchBytes; ++i) {
    if (static_cast<unsigned char>(from[i]) > static_cast<unsigned char>(into[i])) into[i] = from[i];
  }
}

double SketchEstimate(const char* registers) {
  std::array<int, kRankMax + 1> registers_with_rank{};
  for (size_t i = 0; i < kSketchBytes; ++i) {
    // Bytes from a damaged store may hold more than any hash gives; they count as the largest rank.
    ++registers_with_rank[std::min<size_t>(static_cast<unsigned char>(registers[i]), kRankMax)];
  }
  const auto m = static_cast<double>(kSketchBytes);
  double z = m * Tau(1 - registers_with_rank[kRankMax] / m);
  for (int rank = kRankMax - 1; rank >= 1; --rank) z = 0.5 * (z + registers_with_rank[static_cast<size_t>(rank)]);
  z += m * Sigma(registers_with_rank[0] / m);
  constexpr double kAlpha = 0.7213475204444817;  // 1 / (2 ln 2)
  return kAlpha * m * m / z;
}

}  // namespace tailrace::pipeline::aggregates
