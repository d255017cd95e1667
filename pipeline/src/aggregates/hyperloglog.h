// HyperLogLog on one byte per register: counts distinct 64-bit hashes in fixed space and merges without loss.
//
// 2^13 registers give a standard error of 1.04 / sqrt(8192) = 1.15 %. The estimate is Ertl's ("New cardinality estimation
// algorithms for HyperLogLog sketches", 2017), which needs no corrections by tables for small or large counts.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tailrace::pipeline::aggregates {

inline constexpr int kSketchPrecision = 13;
inline constexpr size_t kSketchBytes = size_t{1} << kSketchPrecision;
inline constexpr double kSketchStandardError = 0.0115;

// All functions work on kSketchBytes bytes, zero for an empty sketch.

// Returns whether the sketch changed. `hash` must be well mixed.
bool SketchAdd(char* registers, uint64_t hash);
void SketchMerge(char* into, const char* from);
// Any bytes give some estimate.
double SketchEstimate(const char* registers);

}  // namespace tailrace::pipeline::aggregates
