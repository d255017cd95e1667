// The state of a `distinct` aggregate: an exact, sorted set of 64-bit hashes up to a bound, a sketch above it.
//
// Exact means: two different values count once only if their 64-bit hashes are equal, which for 1,024 values has a
// probability of 3e-14.
//
// Fixed part (5 bytes): u8 mode (0 exact, 1 sketch), u32 size of the exact set (0 in a sketch).
// Variable part: the hashes, ascending, 8 bytes each; or kSketchBytes registers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tailrace::pipeline::aggregates {

inline constexpr size_t kDistinctFixedBytes = 5;

uint64_t HashValue(std::string_view bytes);

// Bytes of the variable part that `fixed` describes.
size_t DistinctVariableBytes(const char* fixed);
// False when `fixed` cannot be the head of a set with this bound.
bool DistinctHeadIsValid(const char* fixed, int64_t exact_max);

// True when adding `hash` would change nothing in the size of the state.
bool DistinctFits(const char* fixed, const char* variable, uint64_t hash);

// Adds to the set at state[fixed_at] with its variable part at state[variable_at]; grows or shrinks `state` as needed.
void DistinctAdd(std::string& state, size_t fixed_at, size_t variable_at, int64_t exact_max, uint64_t hash);
// The same when DistinctFits.
void DistinctAddInPlace(char* fixed, char* variable, uint64_t hash);

// Appends the union's variable part to `variable_out` and writes its fixed part.
void DistinctMerge(const char* fixed_a, const char* variable_a, const char* fixed_b, const char* variable_b,
                   int64_t exact_max, char* fixed_out, std::string& variable_out);

struct DistinctCount {
  int64_t count = 0;
  bool exact = true;
};
DistinctCount CountDistinct(const char* fixed, const char* variable);

}  // namespace tailrace::pipeline::aggregates
