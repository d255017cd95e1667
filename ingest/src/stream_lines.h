// Lines of a stream as they arrive, with a bound on their length.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "stream_file.h"

namespace tailrace::ingest {

// Unlike a reader of whole files it gives a line as soon as the line is there, so that a pipe can be followed.
// Not thread-safe.
class StreamLines {
 public:
  StreamLines(StreamFile file, const StopSignal& stop) : file_(std::move(file)), stop_(stop) {}

  // The next line without "\n" or "\r\n", valid until the next call; false at the end. A line above
  // limits::kEventBytesMax comes cut, one byte longer than the bound, so that whoever reads it sees that it is too large.
  absl::StatusOr<bool> Next(std::string_view& line);
  // True when Next may have to wait for the writer.
  bool IsDrained() const { return begin_ == end_; }

 private:
  std::string_view Take(size_t size, size_t and_skip);

  StreamFile file_;
  const StopSignal& stop_;
  std::vector<char> buffer_;
  size_t begin_ = 0;       // of the next line
  size_t end_ = 0;         // of what was read
  bool skipping_ = false;  // the rest of a line that was cut
};

}  // namespace tailrace::ingest
