#include "aggregates/distinct.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "aggregates/hyperloglog.h"
#include "aggregates/raw.h"
#include "tailrace/base/check.h"
#include "xxhash.h"

namespace tailrace::pipeline::aggregates {
namespace {

constexpr char kExact = 0;
constexpr char kSketch = 1;

uint32_t ExactSize(const char* fixed) { return Load<uint32_t>(fixed + 1); }

// The position of the first hash that is not below `hash`.
uint32_t LowerBound(const char* variable, uint32_t size, uint64_t hash) {
  uint32_t low = 0;
  while (size > 0) {
    const uint32_t half = size / 2;
    if (Load<uint64_t>(variable + (low + half) * 8) < hash) {
      low += half + 1;
      size -= half + 1;
    } else {
      size = half;
    }
  }
  return low;
}

std::vector<uint64_t> Hashes(const char* fixed, const char* variable) {
  std::vector<uint64_t> hashes(ExactSize(fixed));
  for (size_t i = 0; i < hashes.size(); ++i) hashes[i] = Load<uint64_t>(variable + i * 8);
  return hashes;
}

void AddAllToSketch(char* registers, const char* fixed, const char* variable) {
  if (fixed[0] == kSketch) {
    SketchMerge(registers, variable);
    return;
  }
  for (uint32_t i = 0; i < ExactSize(fixed); ++i) SketchAdd(registers, Load<uint64_t>(variable + i * 8));
}

}  // namespace

uint64_t HashValue(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

size_t DistinctVariableBytes(const char* fixed) {
  return fixed[0] == kSketch ? kSketchBytes : size_t{ExactSize(fixed)} * 8;
}

bool DistinctHeadIsValid(const char* fixed, int64_t exact_max) {
  if (fixed[0] == kSketch) return ExactSize(fixed) == 0;
  return fixed[0] == kExact && int64_t{ExactSize(fixed)} <= exact_max;
}

bool DistinctFits(const char* fixed, const char* variable, uint64_t hash) {
  if (fixed[0] == kSketch) return true;
  const uint32_t size = ExactSize(fixed);
  const uint32_t at = LowerBound(variable, size, hash);
  return at < size && Load<uint64_t>(variable + at * 8) == hash;
}

void DistinctAddInPlace(char* fixed, char* variable, uint64_t hash) {
  if (fixed[0] == kSketch) SketchAdd(variable, hash);
}

void DistinctAdd(std::string& state, size_t fixed_at, size_t variable_at, int64_t exact_max, uint64_t hash) {
  char* fixed = state.data() + fixed_at;
  char* variable = state.data() + variable_at;
  if (fixed[0] == kSketch) {
    SketchAdd(variable, hash);
    return;
  }
  const uint32_t size = ExactSize(fixed);
  TAILRACE_CHECK(int64_t{size} <= exact_max, "an exact set above its bound");
  const uint32_t at = LowerBound(variable, size, hash);
  if (at < size && Load<uint64_t>(variable + at * 8) == hash) return;
  if (int64_t{size} < exact_max) {
    Store<uint32_t>(fixed + 1, size + 1);
    char bytes[8];
    Store(bytes, hash);
    state.insert(variable_at + at * 8, bytes, 8);
    return;
  }
  std::string registers(kSketchBytes, '\0');  // Once in the life of an entry.
  AddAllToSketch(registers.data(), fixed, variable);
  SketchAdd(registers.data(), hash);
  fixed[0] = kSketch;
  Store<uint32_t>(fixed + 1, 0);
  state.replace(variable_at, size_t{size} * 8, registers);
}

void DistinctMerge(const char* fixed_a, const char* variable_a, const char* fixed_b, const char* variable_b,
                   int64_t exact_max, char* fixed_out, std::string& variable_out) {
  if (fixed_a[0] == kExact && fixed_b[0] == kExact) {
    const std::vector<uint64_t> a = Hashes(fixed_a, variable_a), b = Hashes(fixed_b, variable_b);
    std::vector<uint64_t> both;
    both.reserve(a.size() + b.size());
    std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
    if (static_cast<int64_t>(both.size()) <= exact_max) {
      fixed_out[0] = kExact;
      Store<uint32_t>(fixed_out + 1, static_cast<uint32_t>(both.size()));
      if (!both.empty()) variable_out.append(reinterpret_cast<const char*>(both.data()), both.size() * 8);
      return;
    }
  }
  fixed_out[0] = kSketch;
  Store<uint32_t>(fixed_out + 1, 0);
  const size_t at = variable_out.size();
  variable_out.append(kSketchBytes, '\0');
  AddAllToSketch(variable_out.data() + at, fixed_a, variable_a);
  AddAllToSketch(variable_out.data() + at, fixed_b, variable_b);
}

DistinctCount CountDistinct(const char* fixed, const char* variable) {
  if (fixed[0] == kExact) return {.count = ExactSize(fixed), .exact = true};
  return {.count = std::llround(SketchEstimate(variable)), .exact = false};
}

}  // namespace tailrace::pipeline::aggregates
