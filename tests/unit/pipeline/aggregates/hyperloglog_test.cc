#include "aggregates/hyperloglog.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "tailrace/base/random.h"

namespace tailrace::pipeline::aggregates {
namespace {

std::string Sketch(uint64_t seed, int64_t count) {
  std::string registers(kSketchBytes, '\0');
  base::Random random(seed);
  for (int64_t i = 0; i < count; ++i) SketchAdd(registers.data(), random.Next());
  return registers;
}

TEST(HyperLogLogTest, EmptyIsZero) { EXPECT_EQ(SketchEstimate(Sketch(1, 0).data()), 0); }

// Over many seeds the mean error must be near zero and its spread near the stated standard error, at cardinalities from
// one to far above the number of registers.
TEST(HyperLogLogTest, ErrorIsWithinThreeStandardErrors) {
  for (const int64_t count : {1, 10, 100, 1'000, 5'000, 20'000, 100'000, 1'000'000}) {
    const int seeds = count > 200'000 ? 5 : 30;
    double sum = 0;
    for (int seed = 0; seed < seeds; ++seed) {
      const double estimate = SketchEstimate(Sketch(static_cast<uint64_t>(seed) * 7919 + 1, count).data());
      const double error = (estimate - static_cast<double>(count)) / static_cast<double>(count);
      EXPECT_LE(std::abs(error), 3.5 * kSketchStandardError) << count << " seed " << seed;
      sum += error;
    }
    EXPECT_LE(std::abs(sum / seeds), 3 * kSketchStandardError / std::sqrt(seeds)) << count;
  }
}

TEST(HyperLogLogTest, RepeatsChangeNothing) {
  std::string registers = Sketch(3, 5'000);
  base::Random random(3);
  for (int i = 0; i < 5'000; ++i) EXPECT_FALSE(SketchAdd(registers.data(), random.Next()));
}

TEST(HyperLogLogTest, MergeIsTheSketchOfTheUnion) {
  std::string merged = Sketch(1, 3'000);
  SketchMerge(merged.data(), Sketch(2, 4'000).data());
  std::string whole = Sketch(1, 3'000);
  base::Random random(2);
  for (int i = 0; i < 4'000; ++i) SketchAdd(whole.data(), random.Next());
  EXPECT_EQ(merged, whole);
}

TEST(HyperLogLogTest, ExtremeHashesAndDamagedBytesAreHarmless) {
  std::string registers(kSketchBytes, '\0');
  SketchAdd(registers.data(), 0);
  SketchAdd(registers.data(), ~uint64_t{0});
  EXPECT_NEAR(SketchEstimate(registers.data()), 2, 0.1);
  registers.assign(kSketchBytes, '\xff');
  EXPECT_GT(SketchEstimate(registers.data()), 0);
}

}  // namespace
}  // namespace tailrace::pipeline::aggregates
