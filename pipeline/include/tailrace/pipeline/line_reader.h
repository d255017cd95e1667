// Lines of files and of standard input, with a bound on their length.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tailrace/base/status.h"

namespace tailrace::pipeline {

// Reads in large blocks; a line is a view into the block. Not thread-safe.
class LineReader {
 public:
  // "-" is standard input.
  static absl::StatusOr<LineReader> Open(const std::string& file);

  // The next line without its end ("\n" or "\r\n"); false at the end. A line above limits::kEventBytesMax comes cut, one
  // byte longer than the bound, so that whoever reads it sees that it is too large.
  absl::StatusOr<bool> Next(std::string_view& line);

  int64_t bytes_read() const { return bytes_read_; }
  // 0 when unknown.
  int64_t bytes_total() const { return bytes_total_; }

 private:
  struct Closer {
    void operator()(std::FILE* file) const;
  };
  LineReader(std::string name, std::FILE* file);
  // Appends a block to what is left; false at the end of the file.
  absl::StatusOr<bool> Fill();

  std::string name_;
  std::unique_ptr<std::FILE, Closer> file_;
  std::vector<char> buffer_;
  size_t begin_ = 0;  // of the next line
  size_t end_ = 0;    // of what was read
  bool skipping_ = false;  // the rest of a line that was cut
  int64_t bytes_read_ = 0;
  int64_t bytes_total_ = 0;
};

}  // namespace tailrace::pipeline
