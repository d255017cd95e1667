#include "rocksdb_use.h"

#include <utility>
#include <vector>

#include "tailrace/base/check.h"

namespace tailrace::state {

void WriteStalls::OnStallConditionsChanged(const rocksdb::WriteStallInfo& info) {
  const bool was = info.condition.prev != rocksdb::WriteStallCondition::kNormal;
  const bool is = info.condition.cur != rocksdb::WriteStallCondition::kNormal;
  if (was == is) return;
  const std::lock_guard lock(mu_);
  if (is) {
    if (stalled_families_++ == 0) since_ = Clock::now();
  } else if (stalled_families_ > 0 && --stalled_families_ == 0) {
    seconds_ += std::chrono::duration<double>(Clock::now() - since_).count();
  }
}

double WriteStalls::Seconds() const {
  const std::lock_guard lock(mu_);
  return seconds_ + (stalled_families_ == 0 ? 0 : std::chrono::duration<double>(Clock::now() - since_).count());
}

void RocksdbUse::Add(rocksdb::DB* db, std::shared_ptr<const WriteStalls> stalls) {
  const std::lock_guard lock(mu_);
  TAILRACE_CHECK(open_.emplace(db, std::move(stalls)).second, "a database opens once");
}

void RocksdbUse::Remove(rocksdb::DB* db) {
  const std::lock_guard lock(mu_);
  const auto entry = open_.find(db);
  if (entry == open_.end()) return;
  closed_stall_seconds_ += entry->second->Seconds();
  open_.erase(entry);
}

EngineUse RocksdbUse::Read() const {
  const std::lock_guard lock(mu_);
  EngineUse use{.write_stall_seconds = closed_stall_seconds_};
  std::vector<rocksdb::LiveFileMetaData> files;
  for (const auto& [db, stalls] : open_) {
    const auto add = [db = db](const std::string& property, uint64_t& sum) {
      uint64_t value = 0;
      if (db->GetAggregatedIntProperty(property, &value)) sum += value;
    };
    add(rocksdb::DB::Properties::kCurSizeAllMemTables, use.memtable_bytes);
    add(rocksdb::DB::Properties::kEstimatePendingCompactionBytes, use.pending_compaction_bytes);
    uint64_t errors = 0;
    if (db->GetIntProperty(rocksdb::DB::Properties::kBackgroundErrors, &errors)) use.background_errors += errors;
    files.clear();
    db->GetLiveFilesMetaData(&files);
    use.files += files.size();
    use.write_stall_seconds += stalls->Seconds();
  }
  return use;
}

}  // namespace tailrace::state
