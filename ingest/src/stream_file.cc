#include "stream_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace tailrace::ingest {
namespace {

// How long a stop request may go unnoticed while a file is waited for.
constexpr int kStopCheckMs = 100;
// A pipe that is ready takes this much without blocking.
constexpr size_t kPipeWriteBytes = 4'096;
constexpr mode_t kNewFileMode = 0644;

absl::Status FileError(const char* what, const std::string& name) {
  const auto code = errno == ENOENT ? absl::StatusCode::kNotFound : absl::StatusCode::kDataLoss;
  return base::Error(base::Reaction::kFatal, code, absl::StrCat("cannot ", what, " ", name, ": ", std::strerror(errno)));
}

absl::Status Stopped(const std::string& name) {
  return base::Error(base::Reaction::kFatal, absl::StatusCode::kCancelled, absl::StrCat("stopped while waiting for ", name));
}

}  // namespace

absl::StatusOr<StreamFile> StreamFile::Open(const std::string& name, Mode mode, const StopSignal& stop) {
  const bool reading = mode == Mode::kRead;
  if (name == "-") {
    return StreamFile(reading ? "standard input" : "standard output", reading ? STDIN_FILENO : STDOUT_FILENO, false, false);
  }
  struct stat status {};
  const bool exists = ::stat(name.c_str(), &status) == 0;
  const bool regular = !exists || S_ISREG(status.st_mode);
  if (exists && S_ISDIR(status.st_mode)) {
    errno = EISDIR;
    return FileError(reading ? "read" : "write", name);
  }
  const int flags = (reading ? O_RDONLY : O_WRONLY) | O_CLOEXEC | (regular ? (reading ? 0 : O_CREAT | O_TRUNC) : O_NONBLOCK);
  for (;;) {
    const int descriptor = ::open(name.c_str(), flags, kNewFileMode);
    if (descriptor >= 0) return StreamFile(name, descriptor, true, regular);
    // A pipe without a reader.
    if (errno != ENXIO && errno != EINTR) return FileError(reading ? "read" : "write", name);
    if (stop.WaitMs(kStopCheckMs)) return Stopped(name);
  }
}

StreamFile::StreamFile(StreamFile&& other) noexcept
    : name_(std::move(other.name_)), descriptor_(other.descriptor_), owned_(std::exchange(other.owned_, false)), regular_(other.regular_) {}

StreamFile::~StreamFile() {
  if (owned_) ::close(descriptor_);
}

absl::Status StreamFile::AwaitReady(short events, const StopSignal& stop) {
  if (regular_) return absl::OkStatus();
  for (;;) {
    pollfd waiting{.fd = descriptor_, .events = events, .revents = 0};
    const int ready = ::poll(&waiting, 1, kStopCheckMs);
    if (ready > 0) return absl::OkStatus();  // Also for a hang-up: the call that follows says so.
    if (ready < 0 && errno != EINTR) return FileError("wait for", name_);
    if (stop.requested()) return Stopped(name_);
  }
}

absl::StatusOr<size_t> StreamFile::Read(char* buffer, size_t size, const StopSignal& stop) {
  for (;;) {
    TAILRACE_RETURN_IF_ERROR(AwaitReady(POLLIN, stop));
    const ssize_t got = ::read(descriptor_, buffer, size);
    if (got >= 0) return static_cast<size_t>(got);
    if (errno != EINTR && errno != EAGAIN) return FileError("read on in", name_);
  }
}

absl::Status StreamFile::Write(std::string_view bytes, const StopSignal& stop) {
  while (!bytes.empty()) {
    TAILRACE_RETURN_IF_ERROR(AwaitReady(POLLOUT, stop));
    const size_t size = regular_ ? bytes.size() : std::min(bytes.size(), kPipeWriteBytes);
    const ssize_t written = ::write(descriptor_, bytes.data(), size);
    if (written >= 0) bytes.remove_prefix(static_cast<size_t>(written));
    else if (errno == EPIPE) return FileError("write on, since the reader has gone, to", name_);
    else if (errno != EINTR && errno != EAGAIN) return FileError("write to", name_);
  }
  return absl::OkStatus();
}

}  // namespace tailrace::ingest
