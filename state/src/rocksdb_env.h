// The file system as RocksDB sees it, for all databases of the process.
#pragma once

#include <rocksdb/env.h>

#include <string>

namespace tailrace::state {

// RocksDB can go on after "no space left" and gives up on every other failed write. An exceeded quota and a file-size
// limit are the same trouble, so this environment reports them as no space. It never goes on by itself: RocksdbBackend
// says when. Lives as long as the process.
rocksdb::Env* StateEnv();

// OK when something can be written to `directory`.
rocksdb::Status ProbeSpace(const std::string& directory);

}  // namespace tailrace::state
