#include "embedded/tail_cache.h"

#include "gtest/gtest.h"

namespace tailrace::kafka::embedded {
namespace {

// A chunk of `count` records with `bytes` of value each.
StoredChunk Chunk(int64_t base, int count, size_t bytes = 10) {
  ChunkBuilder builder;
  const std::string value(bytes, 'x');
  for (int i = 0; i < count; ++i) builder.Add(0, NullableBytes(), std::string_view(value), nullptr);
  return {base, builder.Seal()};
}

constexpr LogId kLog{1, 0};
constexpr LogId kOther{1, 1};
constexpr size_t kAll = size_t{1} << 30;

std::vector<int64_t> Bases(TailCache& cache, LogId log, int64_t offset, bool* here = nullptr) {
  std::vector<StoredChunk> chunks;
  const bool found = cache.Read(log, offset, kAll, chunks);
  if (here != nullptr) *here = found;
  std::vector<int64_t> bases;
  for (const StoredChunk& chunk : chunks) bases.push_back(chunk.base);
  return bases;
}

TEST(TailCacheTest, ReadsFromTheChunkThatHoldsTheOffset) {
  TailCache cache(kAll);
  cache.Insert(kLog, Chunk(10, 5), true);
  cache.Insert(kLog, Chunk(15, 5), true);
  EXPECT_EQ(Bases(cache, kLog, 12), (std::vector<int64_t>{10, 15}));
  EXPECT_EQ(Bases(cache, kLog, 15), (std::vector<int64_t>{15}));
  bool here = true;
  EXPECT_TRUE(Bases(cache, kLog, 9, &here).empty());
  EXPECT_FALSE(here);
  EXPECT_TRUE(Bases(cache, kOther, 12, &here).empty());
  EXPECT_FALSE(here);
  EXPECT_TRUE(Bases(cache, kLog, 20, &here).empty());
  EXPECT_TRUE(here);
}

TEST(TailCacheTest, TheOldestGoesFirst) {
  TailCache cache(4'000);
  for (int64_t base = 0; base < 50; ++base) cache.Insert(base % 2 == 0 ? kLog : kOther, Chunk(base, 1, 500), true);
  bool here = true;
  EXPECT_TRUE(Bases(cache, kLog, 40, &here).empty());
  EXPECT_FALSE(here);
  EXPECT_EQ(Bases(cache, kLog, 48), (std::vector<int64_t>{48}));
  EXPECT_EQ(Bases(cache, kOther, 49), (std::vector<int64_t>{49}));
}

// Goal: a read never jumps over what was erased in the middle, since the disk may hold something else there.
TEST(TailCacheTest, ErasingTheMiddleForgetsWhatIsBefore) {
  TailCache cache(kAll);
  for (int64_t base = 0; base < 10; ++base) cache.Insert(kLog, Chunk(base, 1), true);
  cache.Erase(kLog, 3, 5);
  bool here = true;
  EXPECT_TRUE(Bases(cache, kLog, 1, &here).empty());
  EXPECT_FALSE(here);
  EXPECT_EQ(Bases(cache, kLog, 5).size(), 5u);
}

// Goal: memory stays bounded when everything is erased again and again, as DeleteRecords does.
TEST(TailCacheTest, ErasedChunksAreForgotten) {
  TailCache cache(20'000);
  for (int64_t base = 0; base < 100'000; ++base) {
    cache.Insert(kLog, Chunk(base, 1), true);
    cache.Erase(kLog, 0, base);
  }
  EXPECT_EQ(Bases(cache, kLog, 99'999), (std::vector<int64_t>{99'999}));
  for (int64_t base = 0; base < 20; ++base) cache.Insert(kOther, Chunk(base, 1, 500), true);
  EXPECT_EQ(Bases(cache, kOther, 0).size(), 20u);
}

}  // namespace
}  // namespace tailrace::kafka::embedded
