#include "alias_table.h"

#include <gtest/gtest.h>

namespace tailrace::ingest {
namespace {

std::vector<int> Draws(const AliasTable& table, int count) {
  base::Random random(3);
  std::vector<int> hits(table.size());
  for (int i = 0; i < count; ++i) ++hits[table.Draw(random)];
  return hits;
}

TEST(AliasTable, DrawsInProportionToTheWeights) {
  const std::vector<int> hits = Draws(AliasTable({6, 0, 3, 1}), 100'000);
  EXPECT_NEAR(hits[0], 60'000, 1'000);
  EXPECT_EQ(hits[1], 0);
  EXPECT_NEAR(hits[2], 30'000, 1'000);
  EXPECT_NEAR(hits[3], 10'000, 700);
}

TEST(AliasTable, ZipfHalvesWithTheRank) {
  const std::vector<int> hits = Draws(AliasTable::Zipf(100), 500'000);
  // The 100th harmonic number is 5.187.
  EXPECT_NEAR(hits[0], 96'390, 1'500);
  EXPECT_NEAR(hits[1], 48'195, 1'000);
  EXPECT_NEAR(hits[9], 9'639, 500);
}

TEST(AliasTable, OneEntryIsAlwaysDrawn) { EXPECT_EQ(Draws(AliasTable::Zipf(1), 10)[0], 10); }

}  // namespace
}  // namespace tailrace::ingest
