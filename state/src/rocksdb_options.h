// How a task's database is tuned.
#pragma once

#include <rocksdb/options.h>

#include "rocksdb_memory.h"

namespace tailrace::state {

rocksdb::DBOptions DatabaseOptions(const RocksdbMemory& memory);
rocksdb::ColumnFamilyOptions StoreFamilyOptions(const RocksdbMemory& memory);
rocksdb::ColumnFamilyOptions MetadataFamilyOptions(const RocksdbMemory& memory);

}  // namespace tailrace::state
