#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "input/sources.h"
#include "tailrace/base/limits.h"

namespace tailrace::pipeline {
namespace {

namespace fs = std::filesystem;

absl::Status CannotRead(absl::StatusCode code, const std::string& name, std::string_view why) {
  return base::Error(base::Reaction::kFatal, code, absl::StrCat("cannot read ", name, ": ", std::string(why)));
}

class FileSource final : public ByteSource {
 public:
  FileSource(std::string name, int descriptor, bool owned, int64_t bytes_total)
      : name_(std::move(name)), descriptor_(descriptor), owned_(owned), bytes_total_(bytes_total) {}
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;
  ~FileSource() override {
    if (owned_) ::close(descriptor_);
  }

  absl::StatusOr<size_t> Read(char* buffer, size_t size) override {
    for (;;) {
      const ssize_t got = ::read(descriptor_, buffer, size);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return CannotRead(absl::StatusCode::kDataLoss, name_, std::strerror(errno));
      bytes_read_ += got;
      return static_cast<size_t>(got);
    }
  }
  const std::string& name() const override { return name_; }
  int64_t bytes_read() const override { return bytes_read_; }
  int64_t bytes_total() const override { return bytes_total_; }

 private:
  const std::string name_;
  const int descriptor_;
  const bool owned_;
  const int64_t bytes_total_;
  int64_t bytes_read_ = 0;
};

bool IsHidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

absl::Status AddFiles(const std::string& folder, std::vector<std::string>& files) {
  std::error_code error;
  fs::recursive_directory_iterator it(folder, error);
  for (; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    std::error_code ignored;  // What has gone meanwhile is no file any more.
    if (it->is_directory(ignored)) {
      if (IsHidden(it->path()) || it.depth() >= base::limits::kInputFolderDepthMax) it.disable_recursion_pending();
    } else if (it->is_regular_file(ignored) && !IsHidden(it->path())) {
      if (files.size() >= base::limits::kInputFilesMax) {
        return base::Error(base::Reaction::kFatal, absl::StatusCode::kResourceExhausted,
                           absl::StrCat("folder ", folder, " holds more than ", base::limits::kInputFilesMax, " files; name parts of it"));
      }
      files.push_back(it->path().string());
    }
  }
  return error ? CannotRead(absl::StatusCode::kNotFound, folder, error.message()) : absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<ByteSource>> input::OpenFile(const std::string& name) {
  if (name == "-") return std::make_unique<FileSource>("standard input", STDIN_FILENO, false, 0);
  const int descriptor = ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return CannotRead(absl::StatusCode::kNotFound, name, std::strerror(errno));
  struct stat status {};
  const bool known = ::fstat(descriptor, &status) == 0;
  auto source = std::make_unique<FileSource>(name, descriptor, true, known && S_ISREG(status.st_mode) ? status.st_size : 0);
  if (known && S_ISDIR(status.st_mode)) return CannotRead(absl::StatusCode::kNotFound, name, "it is a folder");
  return source;
}

absl::StatusOr<std::unique_ptr<ByteSource>> OpenInput(const std::string& name, InputOptions options) {
  TAILRACE_ASSIGN_OR_RETURN(auto source, input::IsUrl(name) ? input::OpenUrl(name, std::move(options)) : input::OpenFile(name));
  return Unpacked(std::move(source));
}

absl::StatusOr<std::vector<std::string>> ExpandInputs(const std::vector<std::string>& names) {
  std::vector<std::string> expanded;
  for (const std::string& name : names) {
    std::error_code error;
    if (name == "-" || input::IsUrl(name) || !fs::is_directory(name, error)) {
      expanded.push_back(name);
      continue;
    }
    std::vector<std::string> files;
    TAILRACE_RETURN_IF_ERROR(AddFiles(name, files));
    std::sort(files.begin(), files.end());
    expanded.insert(expanded.end(), files.begin(), files.end());
  }
  return expanded;
}

}  // namespace tailrace::pipeline
