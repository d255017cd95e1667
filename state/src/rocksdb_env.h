// The file system as RocksDB sees it, for all databases of the process.
#pragma once

#include <rocksdb/env.h>

namespace tailrace::state {

// RocksDB recovers by itself from "no space left" and gives up on every other failed write. An exceeded quota and a
// file-size limit are the same trouble, so this environment reports them as no space, and space as there only when it can be
// written to. Lives as long as the process.
rocksdb::Env* StateEnv();

}  // namespace tailrace::state
