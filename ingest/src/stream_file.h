// Files, pipes and standard streams, read and written so that a stop signal is never waited out.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "tailrace/base/status.h"
#include "tailrace/ingest/stop_signal.h"

namespace tailrace::ingest {

// An open file descriptor. Not thread-safe.
class StreamFile {
 public:
  enum class Mode { kRead, kWrite };
  // "-" is a standard stream. A named pipe is waited for until it has a reader; a regular file is made or emptied.
  static absl::StatusOr<StreamFile> Open(const std::string& name, Mode mode, const StopSignal& stop);
  StreamFile(StreamFile&& other) noexcept;
  StreamFile& operator=(StreamFile&& other) = delete;
  ~StreamFile();

  // Some bytes, or 0 at the end. kCancelled when stopped first.
  absl::StatusOr<size_t> Read(char* buffer, size_t size, const StopSignal& stop);
  // All of it. kCancelled when stopped while nobody reads.
  absl::Status Write(std::string_view bytes, const StopSignal& stop);

  const std::string& name() const { return name_; }

 private:
  StreamFile(std::string name, int descriptor, bool owned, bool regular)
      : name_(std::move(name)), descriptor_(descriptor), owned_(owned), regular_(regular) {}
  // Until the descriptor is ready for `events`.
  absl::Status AwaitReady(short events, const StopSignal& stop);

  std::string name_;
  int descriptor_;
  bool owned_;
  bool regular_;
};

}  // namespace tailrace::ingest
