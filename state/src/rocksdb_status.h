// The single place where RocksDB's statuses become ours.
#pragma once

#include <rocksdb/io_status.h>
#include <rocksdb/status.h>

#include <string_view>

#include "tailrace/base/status.h"

namespace tailrace::state {

// REQUIRES: !status.ok(). `what` is the action that failed, as in "commit".
absl::Status FromRocksdb(const rocksdb::Status& status, std::string_view what, std::string_view directory);

// The status as it is, or "no space" where a quota or a file-size limit was met.
rocksdb::IOStatus AsNoSpace(rocksdb::IOStatus status);

}  // namespace tailrace::state
