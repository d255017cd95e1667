#include "rocksdb_status.h"

#include <string>

#include "tailrace/base/check.h"

namespace tailrace::state {
namespace {

bool Contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

bool IsDiskFull(const rocksdb::Status& status, const std::string& text) {
  return status.IsNoSpace() || Contains(text, "No space left");
}

}  // namespace

absl::Status FromRocksdb(const rocksdb::Status& status, std::string_view what, std::string_view directory) {
  TAILRACE_CHECK(!status.ok(), "no error to convert");
  using base::Reaction;
  const std::string text = status.ToString();
  const std::string place = std::string(what) + " in " + std::string(directory) + ": ";
  if (IsDiskFull(status, text)) {
    return base::Error(Reaction::kRetry, absl::StatusCode::kResourceExhausted,
                       place + "the disk is full (" + text + "); free space or enlarge the volume, nothing is lost");
  }
  if (status.IsIOError() && (Contains(text, "lock hold by current process") || Contains(text, "While lock file"))) {
    return base::Error(
        Reaction::kRetry, absl::StatusCode::kUnavailable,
        place + "the directory is open elsewhere, by another process or by a query that still reads it (" + text + ")");
  }
  if (status.severity() >= rocksdb::Status::Severity::kFatalError) {
    return base::Error(Reaction::kTaskCorrupted, absl::StatusCode::kDataLoss,
                       place + text +
                           "; the disk failed in a way that this database cannot outlive: check it, then wipe this "
                           "directory and restore the task from its changelogs");
  }
  if (status.IsCorruption() || status.IsNotFound() || status.IsPathNotFound() || Contains(text, "No such file")) {
    return base::Error(Reaction::kTaskCorrupted, absl::StatusCode::kDataLoss,
                       place + text + "; wipe this directory and restore the task from its changelogs");
  }
  if (status.IsInvalidArgument() || status.IsNotSupported()) {
    return base::Error(Reaction::kTaskCorrupted, absl::StatusCode::kFailedPrecondition,
                       place + text + "; the files were written by something else: wipe this directory and restore");
  }
  return base::Error(Reaction::kRetry, absl::StatusCode::kUnavailable, place + text);
}

rocksdb::IOStatus AsNoSpace(rocksdb::IOStatus status) {
  if (status.ok() || !status.IsIOError() || status.IsNoSpace()) return status;
  const std::string text = status.ToString();
  if (text.find("File too large") == std::string::npos && text.find("quota exceeded") == std::string::npos)
    return status;
  rocksdb::IOStatus no_space = rocksdb::IOStatus::NoSpace(text);
  no_space.SetRetryable(true);
  return no_space;
}

}  // namespace tailrace::state
