#include "rocksdb_env.h"

#include <rocksdb/file_system.h>

#include <memory>
#include <string>
#include <utility>

namespace tailrace::state {
namespace {

// What must be writable before a recovery is tried.
constexpr size_t kProbeBytes = 64u << 10;

rocksdb::IOStatus AsNoSpace(rocksdb::IOStatus status) {
  if (status.ok() || !status.IsIOError() || status.IsNoSpace()) return status;
  const std::string text = status.ToString();
  if (text.find("File too large") == std::string::npos && text.find("quota exceeded") == std::string::npos) return status;
  rocksdb::IOStatus no_space = rocksdb::IOStatus::NoSpace(text);
  no_space.SetRetryable(true);
  return no_space;
}

class QuotaFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  using FSWritableFileOwnerWrapper::FSWritableFileOwnerWrapper;
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* context) override {
    return AsNoSpace(FSWritableFileOwnerWrapper::Append(data, options, context));
  }
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           const rocksdb::DataVerificationInfo& verification, rocksdb::IODebugContext* context) override {
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

class QuotaFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  QuotaFileSystem() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "TailraceFileSystem"; }
  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* context) override {
    return Wrap(FileSystemWrapper::NewWritableFile(name, options, result, context), result);
  }
  rocksdb::IOStatus ReopenWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                       std::unique_ptr<rocksdb::FSWritableFile>* result,
                                       rocksdb::IODebugContext* context) override {
    return Wrap(FileSystemWrapper::ReopenWritableFile(name, options, result, context), result);
  }
  rocksdb::IOStatus ReuseWritableFile(const std::string& name, const std::string& old_name, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSWritableFile>* result,
                                      rocksdb::IODebugContext* context) override {
    return Wrap(FileSystemWrapper::ReuseWritableFile(name, old_name, options, result, context), result);
  }
  // Asked before each recovery from a full disk. What the volume has says nothing about a quota: recoveries would be tried, and
  // fail again, while nothing can be written, and RocksDB may lose an error that comes while it ends a recovery.
  rocksdb::IOStatus GetFreeSpace(const std::string& path, const rocksdb::IOOptions& options, uint64_t* free_bytes,
                                 rocksdb::IODebugContext* context) override {
    rocksdb::IOStatus status = FileSystemWrapper::GetFreeSpace(path, options, free_bytes, context);
    return status.ok() ? Probe(path + "/space.probe") : status;
  }

 private:
  rocksdb::IOStatus Probe(const std::string& name) {
    std::unique_ptr<rocksdb::FSWritableFile> file;
    rocksdb::IOStatus status = NewWritableFile(name, {}, &file, nullptr);
    if (!status.ok()) return status;
    status = file->Append(std::string(kProbeBytes, '\0'), {}, nullptr);
    if (status.ok()) status = file->Sync({}, nullptr);
    const rocksdb::IOStatus closed = file->Close({}, nullptr);
    if (status.ok()) status = closed;
    DeleteFile(name, {}, nullptr).PermitUncheckedError();
    return status;
  }

  static rocksdb::IOStatus Wrap(rocksdb::IOStatus status, std::unique_ptr<rocksdb::FSWritableFile>* result) {
    if (status.ok()) *result = std::make_unique<QuotaFile>(std::move(*result));
    return AsNoSpace(std::move(status));
  }
};

}  // namespace

rocksdb::Env* StateEnv() {
  static rocksdb::Env* const env = rocksdb::NewCompositeEnv(std::make_shared<QuotaFileSystem>()).release();
  return env;
}

}  // namespace tailrace::state
