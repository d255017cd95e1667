// Lines of files, URLs and standard input, with a bound on their length.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tailrace/base/status.h"
#include "tailrace/pipeline/byte_source.h"

namespace tailrace::pipeline {

// Reads in large blocks; a line is a view into the block. Not thread-safe.
class LineReader {
 public:
  explicit LineReader(std::unique_ptr<ByteSource> source) : source_(std::move(source)) {}
  // Names as OpenInput takes them.
  static absl::StatusOr<LineReader> Open(const std::string& name);

  // The next line without its end ("\n" or "\r\n"), valid until the next call; false at the end. A line above
  // limits::kEventBytesMax comes cut, one byte longer than the bound, so that whoever reads it sees that it is too large.
  absl::StatusOr<bool> Next(std::string_view& line);

  int64_t bytes_read() const { return source_->bytes_read(); }
  // 0 when unknown.
  int64_t bytes_total() const { return source_->bytes_total(); }

 private:
  // Appends a block to what is left; false at the end.
  absl::StatusOr<bool> Fill();

  std::unique_ptr<ByteSource> source_;
  std::vector<char> buffer_;
  size_t begin_ = 0;  // of the next line
  size_t end_ = 0;    // of what was read
  bool skipping_ = false;  // the rest of a line that was cut
};

}  // namespace tailrace::pipeline
