// What a full disk keeps the write-ahead log from writing.
#pragma once

#include <rocksdb/file_system.h>

#include <memory>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace tailrace::state {

class LogFile;

// What the write-ahead log of one database owes to a full disk. RocksDB takes a log file that failed once for lost, and
// goes on with it all the same when its memtable is empty just then; so a log file of this environment takes what finds
// no space, keeps it in memory, within a bound, and writes it later. A commit is one only when nothing is owed.
// Thread-safe.
class LogDebt {
 public:
  // The one of the database in `directory`, for as long as somebody holds it.
  static std::shared_ptr<LogDebt> Of(const std::string& directory);

  bool owed() const;
  // OK when nothing is owed any more.
  rocksdb::IOStatus Pay();

 private:
  friend class LogFile;
  mutable absl::Mutex mu_;
  std::set<LogFile*> debtors_ ABSL_GUARDED_BY(mu_);
};

// `file`, which is new and empty, as one that takes what finds no space.
std::unique_ptr<rocksdb::FSWritableFile> LogFileWithDebt(std::unique_ptr<rocksdb::FSWritableFile> file,
                                                         std::shared_ptr<LogDebt> debt);

}  // namespace tailrace::state
