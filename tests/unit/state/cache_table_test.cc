// Goal: the cache's hash table and arena never mix up or lose entries, and give all memory back.
// Method: random upserts of keys and values of all sizes against std::map; block accounting at the end.
#include "cache_table.h"

#include <map>

#include "support.h"
#include "tailrace/base/random.h"

namespace tailrace::state {
namespace {

std::string RandomBytes(base::Random& random, size_t size) {
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random.Below(4));
  return bytes;
}

TEST(CacheTable, AgreesWithAMap) {
  BlockPool pool;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    base::Random random(seed);
    std::map<std::string, std::string> model;
    CacheTable table(&pool, 5, true);
    const size_t key_max = 1 + random.Below(12);
    const size_t value_max = seed % 5 == 0 ? 400'000 : 300;
    for (int i = 0; i < 3'000; ++i) {
      const std::string key = RandomBytes(random, random.Below(key_max + 1));
      const uint32_t hash = CacheTable::Hash(key);
      CacheEntry* entry = table.Find(key, hash);
      ASSERT_EQ(entry != nullptr, model.contains(key));
      if (entry == nullptr) entry = table.Insert(key, hash);
      ASSERT_EQ(entry->key(), key);
      ASSERT_EQ(entry->window_start_ms(), 5);
      const std::string value = RandomBytes(random, random.Below(random.Below(20) == 0 ? value_max + 1 : 30));
      CacheTable::SetValue([&]() -> Arena& { return table.arena(); }, *entry, value, i);
      model[key] = value;
    }
    EXPECT_EQ(table.size(), model.size());
    size_t visited = 0;
    table.ForEach([&](const CacheEntry& entry) {
      ++visited;
      EXPECT_EQ(entry.value().view(), model.at(std::string(entry.key())));
    });
    EXPECT_EQ(visited, model.size());
  }
  EXPECT_EQ(pool.used_bytes(), 0u);
  EXPECT_GT(pool.kept_bytes(), 0u);
  pool.Trim(0);
  EXPECT_EQ(pool.kept_bytes(), 0u);
}

TEST(CacheTable, UpdatesInPlaceAndKeepsNullApartFromEmpty) {
  BlockPool pool;
  CacheTable table(&pool, kNoWindow, true);
  CacheEntry* entry = table.Insert("k", CacheTable::Hash("k"));
  auto arena = [&]() -> Arena& { return table.arena(); };
  EXPECT_TRUE(entry->value().is_null());
  CacheTable::SetValue(arena, *entry, std::string_view(""), 1);
  EXPECT_FALSE(entry->value().is_null());
  CacheTable::SetValue(arena, *entry, std::string_view("12345678"), 2);
  const char* buffer = entry->value().view().data();
  CacheTable::SetValue(arena, *entry, {}, 3);
  EXPECT_TRUE(entry->value().is_null());
  CacheTable::SetValue(arena, *entry, std::string_view("abc"), 4);
  EXPECT_EQ(entry->value().view(), "abc");
  EXPECT_EQ(entry->value().view().data(), buffer);
  // A value may point into the entry itself.
  CacheTable::SetValue(arena, *entry, entry->value().view().substr(1), 5);
  EXPECT_EQ(entry->value().view(), "bc");
}

TEST(BlockPool, ReusesMemoryWithinItsBound) {
  BlockPool pool;
  for (int window = 0; window < 10; ++window) {
    CacheTable table(&pool, window, true);
    for (int i = 0; i < 10'000; ++i) {
      const std::string key = std::to_string(i);
      CacheTable::SetValue([&]() -> Arena& { return table.arena(); }, *table.Insert(key, CacheTable::Hash(key)),
                           std::string_view("12345678"), 0);
    }
    EXPECT_LT(pool.used_bytes() + pool.kept_bytes(), 4u << 20) << window;
  }
  pool.Trim(100'000);
  EXPECT_LE(pool.kept_bytes(), 100'000u);
}

}  // namespace
}  // namespace tailrace::state
