#include "tailrace/pipeline/line_reader.h"

#include <cstring>
#include <utility>

#include "tailrace/base/limits.h"

namespace tailrace::pipeline {
namespace {

constexpr size_t kBlockBytes = 256u << 10;

}  // namespace

absl::StatusOr<LineReader> LineReader::Open(const std::string& name) {
  TAILRACE_ASSIGN_OR_RETURN(auto source, OpenInput(name));
  return LineReader(std::move(source));
}

absl::StatusOr<bool> LineReader::Fill() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (buffer_.size() < end_ + kBlockBytes) buffer_.resize(end_ + kBlockBytes);
  TAILRACE_ASSIGN_OR_RETURN(const size_t got, source_->Read(buffer_.data() + end_, kBlockBytes));
  end_ += got;
  return got > 0;
}

absl::StatusOr<bool> LineReader::Next(std::string_view& line) {
  size_t scanned = 0;
  for (;;) {
    const char* start = buffer_.data() + begin_;
    const size_t available = end_ - begin_;
    const auto* found = available > scanned
                            ? static_cast<const char*>(std::memchr(start + scanned, '\n', available - scanned))
                            : nullptr;
    if (found != nullptr) {
      size_t size = static_cast<size_t>(found - start);
      begin_ += size + 1;
      if (std::exchange(skipping_, false)) {
        scanned = 0;
        continue;
      }
      if (size > 0 && start[size - 1] == '\r') --size;
      line = {start, size};
      return true;
    }
    if (skipping_) {
      begin_ = end_;
      scanned = 0;
    } else if (available > base::limits::kEventBytesMax) {
      skipping_ = true;
      line = {start, base::limits::kEventBytesMax + 1};
      begin_ = end_;  // The view stays valid: nothing moves before the next call.
      return true;
    } else {
      scanned = available;
    }
    TAILRACE_ASSIGN_OR_RETURN(const bool more, Fill());
    if (more) continue;
    if (begin_ == end_) return false;
    size_t size = end_ - begin_;
    line = {buffer_.data() + begin_, size};
    begin_ = end_;
    if (line.ends_with('\r')) line.remove_suffix(1);
    return true;
  }
}

}  // namespace tailrace::pipeline
