// "<state.dir>/<application.id>": the lock that keeps a second process out, and the instance's name.
#pragma once

#include <memory>
#include <string>

#include "tailrace/base/status.h"

namespace tailrace::processor {

// Holds the lock while it lives. Thread-compatible.
class StateDirectory {
 public:
  // Creates the directory when needed. FAILED_PRECONDITION (kFatal) when another process holds it.
  static absl::StatusOr<std::unique_ptr<StateDirectory>> Open(const std::string& path);
  ~StateDirectory();
  StateDirectory(const StateDirectory&) = delete;
  StateDirectory& operator=(const StateDirectory&) = delete;

  // A name like a UUID, made once per directory, so that a restart keeps its place in the group.
  absl::StatusOr<std::string> InstanceId() const;

 private:
  StateDirectory(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  const std::string path_;
  const int fd_;
};

// A fresh name, for processes that keep nothing.
std::string NewInstanceId();

}  // namespace tailrace::processor
