// Goal: the sorted leaves behave like std::map, and snapshots never change.
// Method: random puts, deletes and range deletes with snapshots taken on the way.
#include "memory_backend.h"

#include <map>

#include "support.h"
#include "tailrace/base/random.h"

namespace tailrace::state {
namespace {

using Map = std::map<std::string, std::string>;

Map Contents(const MemoryTable::Leaves& leaves) {
  Map map;
  auto cursor = MemoryTable::NewCursor(leaves);
  std::string last;
  for (cursor->Seek(""); cursor->Valid(); cursor->Next()) {
    EXPECT_TRUE(map.empty() || cursor->key() > last);
    last = cursor->key();
    map[last] = cursor->value();
  }
  return map;
}

TEST(MemoryTable, AgreesWithAMapAndSnapshotsStay) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    base::Random random(seed);
    MemoryTable table;
    Map model;
    std::vector<std::pair<MemoryTable::Leaves, Map>> snapshots;
    auto key = [&] { return std::to_string(random.Below(5'000)); };
    for (int i = 0; i < 20'000; ++i) {
      switch (random.Below(20)) {
        case 0: case 1: case 2: case 3: {
          const std::string k = key();
          table.Delete(k);
          model.erase(k);
          break;
        }
        case 4:
          if (random.Below(50) == 0) {
            std::string from = key();
            std::string to = key();
            if (to < from) std::swap(from, to);
            table.DeleteRange(from, to);
            model.erase(model.lower_bound(from), model.lower_bound(to));
          }
          break;
        case 5:
          if (random.Below(100) == 0) snapshots.emplace_back(table.Freeze(), model);
          break;
        default: {
          const std::string k = key();
          table.Put(k, std::to_string(i));
          model[k] = std::to_string(i);
        }
      }
      const std::string probe = key();
      const std::string* found = MemoryTable::Find(table.leaves(), probe);
      ASSERT_EQ(found != nullptr, model.contains(probe));
      if (found != nullptr) {
        ASSERT_EQ(*found, model[probe]);
      }
      auto cursor = MemoryTable::NewCursor(table.leaves());
      cursor->Seek(probe);
      auto it = model.lower_bound(probe);
      ASSERT_EQ(cursor->Valid(), it != model.end());
      if (cursor->Valid()) {
        ASSERT_EQ(cursor->key(), it->first);
      }
      cursor->SeekToLast();
      ASSERT_EQ(cursor->Valid(), !model.empty());
      if (cursor->Valid()) {
        ASSERT_EQ(cursor->key(), model.rbegin()->first);
      }
    }
    EXPECT_EQ(Contents(table.leaves()), model);
    EXPECT_FALSE(snapshots.empty());
    for (const auto& [leaves, contents] : snapshots) EXPECT_EQ(Contents(leaves), contents);
  }
}

}  // namespace
}  // namespace tailrace::state
