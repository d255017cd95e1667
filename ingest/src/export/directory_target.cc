// Files in a folder of this machine.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "export/export_target.h"
#include "export/file_name.h"

namespace tailrace::ingest {
namespace {

namespace fs = std::filesystem;
using base::Reaction;

constexpr mode_t kFileMode = 0644;

// A full disk is waited for; everything else needs somebody.
absl::Status FileError(const char* what, const std::string& path, int error) {
  if (error == ENOSPC || error == EDQUOT)
    return base::Error(Reaction::kRetry, absl::StatusCode::kUnavailable,
                       absl::StrCat("cannot ", what, " ", path, ": ", std::strerror(error), "; make room there"));
  const bool denied = error == EACCES || error == EPERM || error == EROFS;
  const auto code = denied ? absl::StatusCode::kPermissionDenied : absl::StatusCode::kFailedPrecondition;
  return base::Error(Reaction::kFatal, code, absl::StrCat("cannot ", what, " ", path, ": ", std::strerror(error),
                                                          "; see to that folder, then run the export again"));
}

// Closes itself.
class Descriptor {
 public:
  Descriptor(const std::string& path, int flags) : descriptor_(::open(path.c_str(), flags | O_CLOEXEC, kFileMode)) {}
  Descriptor(Descriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

bool WriteAll(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

class DirectoryTarget final : public ExportTarget {
 public:
  explicit DirectoryTarget(std::string path) : root_(std::move(path)) {}

  absl::Status Prepare(const std::string& folder) override {
    const fs::path path = root_ / folder;
    std::error_code error;
    fs::create_directories(path, error);
    if (error) return FileError("make", path.string(), error.value());
    return Lock(path.parent_path());
  }

  absl::StatusOr<std::vector<std::string>> List(const std::string& folder) override {
    const fs::path path = root_ / folder;
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) names.push_back(at->path().filename().string());
    if (error && error != std::errc::no_such_file_or_directory) return FileError("list", path.string(), error.value());
    return names;
  }

  absl::Status Put(const std::string& folder, const std::string& name, std::string_view content) override {
    const std::string path = (root_ / folder / name).string();
    const std::string temporary = (root_ / folder / TemporaryName(name)).string();
    {
      const Descriptor file(temporary, O_WRONLY | O_CREAT | O_TRUNC);
      if (file.get() < 0) return FileError("make", temporary, errno);
      if (!WriteAll(file.get(), content) || ::fsync(file.get()) != 0) return FileError("write to", temporary, errno);
    }
    if (std::rename(temporary.c_str(), path.c_str()) != 0) return FileError("rename to", path, errno);
    // The name has to outlive the machine, too, before the next file begins after it.
    const Descriptor parent((root_ / folder).string(), O_RDONLY | O_DIRECTORY);
    if (parent.get() < 0 || ::fsync(parent.get()) != 0) return FileError("sync the folder of", path, errno);
    return absl::OkStatus();
  }

  absl::Status Delete(const std::string& folder, const std::string& name) override {
    const std::string path = (root_ / folder / name).string();
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return FileError("delete", path, errno);
    return absl::OkStatus();
  }

 private:
  // The folder of the topic, until the end of this process.
  absl::Status Lock(const fs::path& topic) {
    if (locks_.contains(topic.string())) return absl::OkStatus();
    const std::string path = (topic / ".lock").string();
    Descriptor lock(path, O_RDWR | O_CREAT);
    if (lock.get() < 0) return FileError("open", path, errno);
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
      return base::Error(Reaction::kFatal, absl::StatusCode::kFailedPrecondition,
                         absl::StrCat("another export writes to ", topic.string(), "; wait for its end, or export to another folder"));
    locks_.emplace(topic.string(), std::move(lock));
    return absl::OkStatus();
  }

  const fs::path root_;
  std::map<std::string, Descriptor> locks_;
};

}  // namespace

std::unique_ptr<ExportTarget> NewDirectoryTarget(std::string path) { return std::make_unique<DirectoryTarget>(std::move(path)); }

}  // namespace tailrace::ingest
