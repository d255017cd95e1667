#include "rocksdb_options.h"

#include <rocksdb/convenience.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>

#include <algorithm>

#include "rocksdb_env.h"

namespace tailrace::state {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

rocksdb::CompressionType BestCompression() {
  static const rocksdb::CompressionType best = [] {
    const auto supported = rocksdb::GetSupportedCompressions();
    const bool lz4 = std::find(supported.begin(), supported.end(), rocksdb::kLZ4Compression) != supported.end();
    return lz4 ? rocksdb::kLZ4Compression : rocksdb::kNoCompression;
  }();
  return best;
}

// One insertion hint for all keys: a sorted batch is inserted by walking on from its last place instead of from the top.
// The empty key is left out: RocksDB would use the same hint for range deletions, which live in a list of their own, and
// all of ours begin at the empty key.
class OneHint final : public rocksdb::SliceTransform {
 public:
  const char* Name() const override { return "tailrace.OneHint"; }
  rocksdb::Slice Transform(const rocksdb::Slice& key) const override { return {key.data(), 0}; }
  bool InDomain(const rocksdb::Slice& key) const override { return !key.empty(); }
};

rocksdb::BlockBasedTableOptions TableOptions(const RocksdbMemory& memory) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = memory.block_cache();
  // Index and filter blocks live in the shared cache, so that the budget bounds them too.
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.optimize_filters_for_memory = true;
  table.block_size = 16 << 10;
  table.format_version = 5;
  return table;
}

}  // namespace

rocksdb::DBOptions DatabaseOptions(const RocksdbMemory& memory) {
  rocksdb::DBOptions options;
  options.env = StateEnv();
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.paranoid_checks = true;
  // Data and offsets live in different column families: they reach the disk together or not at all.
  options.atomic_flush = true;
  // After a torn log tail the state is that of an earlier commit, with that commit's offsets.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  options.write_buffer_manager = memory.write_buffers();
  options.sst_file_manager = memory.file_manager();
  options.info_log = memory.logger();
  options.info_log_level = rocksdb::InfoLogLevel::HEADER_LEVEL;
  // A thousand tasks share a host: no timer threads, no statistics, few descriptors, quick opening.
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.skip_stats_update_on_db_open = true;
  options.max_file_opening_threads = 1;
  options.max_open_files = 256;
  options.max_background_jobs = 2;
  options.bytes_per_sync = kMiB;
  return options;
}

rocksdb::ColumnFamilyOptions StoreFamilyOptions(const RocksdbMemory& memory) {
  rocksdb::ColumnFamilyOptions options;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(TableOptions(memory)));
  options.memtable_insert_with_hint_prefix_extractor = std::make_shared<const OneHint>();
  options.write_buffer_size = std::clamp(memory.total_bytes() / 8, kMiB, 64 * kMiB);
  options.max_write_buffer_number = 3;
  options.arena_block_size = std::min<size_t>(options.write_buffer_size / 8, kMiB / 4);
  options.level0_file_num_compaction_trigger = 6;
  options.level0_slowdown_writes_trigger = 24;
  options.level0_stop_writes_trigger = 40;
  options.target_file_size_base = 32 * kMiB;
  options.max_bytes_for_level_base = 256 * kMiB;
  options.level_compaction_dynamic_level_bytes = true;
  // Young files are rewritten soon: compressing them would cost more than it saves.
  const auto compression = BestCompression();
  options.compression = compression;
  options.compression_per_level = {rocksdb::kNoCompression, rocksdb::kNoCompression, compression,
                                   compression, compression, compression, compression};
  return options;
}

rocksdb::ColumnFamilyOptions MetadataFamilyOptions(const RocksdbMemory& memory) {
  rocksdb::ColumnFamilyOptions options;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(TableOptions(memory)));
  options.write_buffer_size = 4 * kMiB;
  options.arena_block_size = 16 << 10;
  options.compression = rocksdb::kNoCompression;
  return options;
}

}  // namespace tailrace::state
