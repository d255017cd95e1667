// The process that runs cases on Kafka Streams.
#pragma once

#include <sys/types.h>

#include <cstdio>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "twin.h"

namespace tailrace::differential {

// The class path of the programs in jvm/, compiled into `folder`/classes when their sources have changed.
// Errors: NOT_FOUND when there is no Java here.
absl::StatusOr<std::string> JvmClassPath(const std::string& source_folder, const std::string& folder);

// One JVM for many cases. Not thread-safe. Several cases may be in flight: Receive answers in the order of Send.
class JvmPeer {
 public:
  // Compiles the peer into `folder`/classes when its sources have changed, and starts it with its state in `folder`.
  // Errors: NOT_FOUND when there is no Java here.
  static absl::StatusOr<std::unique_ptr<JvmPeer>> Start(const std::string& source_folder, const std::string& folder);
  ~JvmPeer();

  absl::Status Send(const std::string& case_text);
  absl::StatusOr<Transcript> Receive();

 private:
  JvmPeer(pid_t pid, std::FILE* to, std::FILE* from) : pid_(pid), to_(to), from_(from) {}

  const pid_t pid_;
  std::FILE* const to_;
  std::FILE* const from_;
};

}  // namespace tailrace::differential
