#include "runtime/state_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tailrace/base/random.h"

namespace tailrace::processor {
namespace {

constexpr char kLockName[] = ".lock";
constexpr char kInstanceName[] = "instance-id";

absl::Status DirectoryError(const std::string& path, std::string_view what, int error) {
  return base::Error(base::Reaction::kFatal, absl::StatusCode::kFailedPrecondition,
                     absl::StrCat("state directory ", path, ": ", std::string(what), ": ", std::strerror(error),
                                  "; set state.dir to a folder that this process may write"));
}

}  // namespace

std::string NewInstanceId() {
  base::Random random(base::EntropySeed());
  const uint64_t high = random.Next();
  const uint64_t low = random.Next();
  return absl::StrFormat("%08x-%04x-%04x-%04x-%012x", high >> 32, (high >> 16) & 0xffff, (high & 0x0fff) | 0x4000,
                         (low >> 48 & 0x3fff) | 0x8000, low & 0xffffffffffff);
}

absl::StatusOr<std::unique_ptr<StateDirectory>> StateDirectory::Open(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return DirectoryError(path, "cannot be created", error.value());
  const std::string lock = path + "/" + kLockName;
  const int fd = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (fd < 0) return DirectoryError(path, "its lock cannot be opened", errno);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const int reason = errno;
    ::close(fd);
    if (reason != EWOULDBLOCK) return DirectoryError(path, "cannot be locked", reason);
    return base::Error(base::Reaction::kFatal, absl::StatusCode::kFailedPrecondition,
                       absl::StrCat("state directory ", path, " is in use by another process of this application; "
                                    "give each process its own state.dir"));
  }
  return std::unique_ptr<StateDirectory>(new StateDirectory(path, fd));
}

StateDirectory::~StateDirectory() { ::close(fd_); }

absl::StatusOr<std::string> StateDirectory::InstanceId() const {
  const std::string file = path_ + "/" + kInstanceName;
  std::string id;
  if (std::ifstream in(file); in && std::getline(in, id) && id.size() == 36 &&
                              id.find_first_not_of("0123456789abcdef-") == std::string::npos)
    return id;
  id = NewInstanceId();
  const std::string temporary = file + ".new";
  {
    std::ofstream out(temporary);
    out << id << "\n";
    if (!out.flush()) return DirectoryError(path_, "the instance's name cannot be written", errno);
  }
  std::error_code error;
  std::filesystem::rename(temporary, file, error);
  if (error) return DirectoryError(path_, "the instance's name cannot be written", error.value());
  return id;
}

}  // namespace tailrace::processor
