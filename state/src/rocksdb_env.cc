#include "rocksdb_env.h"

#include <rocksdb/file_system.h>

#include <memory>
#include <string>
#include <utility>

#include "log_debt.h"
#include "rocksdb_status.h"

namespace tailrace::state {
namespace {

constexpr size_t kProbeBytes = 64u << 10;

class QuotaFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  using FSWritableFileOwnerWrapper::FSWritableFileOwnerWrapper;
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* context) override {
    return AsNoSpace(FSWritableFileOwnerWrapper::Append(data, options, context));
  }
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           const rocksdb::DataVerificationInfo& verification,
                           rocksdb::IODebugContext* context) override {
    return AsNoSpace(FSWritableFileOwnerWrapper::Append(data, options, verification, context));
  }
  rocksdb::IOStatus Flush(const rocksdb::IOOptions& options, rocksdb::IODebugContext* context) override {
    return AsNoSpace(FSWritableFileOwnerWrapper::Flush(options, context));
  }
  rocksdb::IOStatus Sync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* context) override {
    return AsNoSpace(FSWritableFileOwnerWrapper::Sync(options, context));
  }
  rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* context) override {
    return AsNoSpace(FSWritableFileOwnerWrapper::Fsync(options, context));
  }
  rocksdb::IOStatus Close(const rocksdb::IOOptions& options, rocksdb::IODebugContext* context) override {
    return AsNoSpace(FSWritableFileOwnerWrapper::Close(options, context));
  }
};

bool IsLog(const std::string& name) { return name.ends_with(".log"); }

class QuotaFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  QuotaFileSystem() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "TailraceFileSystem"; }
  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* context) override {
    return Wrap(FileSystemWrapper::NewWritableFile(name, options, result, context), name, result);
  }
  rocksdb::IOStatus ReopenWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                       std::unique_ptr<rocksdb::FSWritableFile>* result,
                                       rocksdb::IODebugContext* context) override {
    rocksdb::IOStatus status = FileSystemWrapper::ReopenWritableFile(name, options, result, context);
    if (status.ok()) *result = std::make_unique<QuotaFile>(std::move(*result));
    return AsNoSpace(std::move(status));
  }
  rocksdb::IOStatus ReuseWritableFile(const std::string& name, const std::string& old_name,
                                      const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSWritableFile>* result,
                                      rocksdb::IODebugContext* context) override {
    return Wrap(FileSystemWrapper::ReuseWritableFile(name, old_name, options, result, context), name, result);
  }
  // RocksDB's own recovery from a full disk asks for free space first, and is off where that is not supported. It would
  // lose an error that comes while a try ends, and then wait, and keep the database from closing, for ever:
  // RocksdbBackend resumes instead.
  rocksdb::IOStatus GetFreeSpace(const std::string& path, const rocksdb::IOOptions&, uint64_t*,
                                 rocksdb::IODebugContext*) override {
    return rocksdb::IOStatus::NotSupported("free space of " + path);
  }

 private:
  static rocksdb::IOStatus Wrap(rocksdb::IOStatus status, const std::string& name,
                                std::unique_ptr<rocksdb::FSWritableFile>* result) {
    if (!status.ok()) return AsNoSpace(std::move(status));
    if (IsLog(name)) {
      *result = LogFileWithDebt(std::move(*result), LogDebt::Of(name.substr(0, name.rfind('/'))));
    } else {
      *result = std::make_unique<QuotaFile>(std::move(*result));
    }
    return status;
  }
};

}  // namespace

rocksdb::Status ProbeSpace(const std::string& directory) {
  const std::string name = directory + "/space.probe";
  const std::string bytes(kProbeBytes, '\0');
  const rocksdb::Status status = rocksdb::WriteStringToFile(StateEnv(), bytes, name, /*should_sync=*/true);
  StateEnv()->DeleteFile(name).PermitUncheckedError();
  return status;
}

rocksdb::Env* StateEnv() {
  static rocksdb::Env* const env = rocksdb::NewCompositeEnv(std::make_shared<QuotaFileSystem>()).release();
  return env;
}

}  // namespace tailrace::state
