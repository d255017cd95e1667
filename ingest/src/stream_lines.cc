#include "stream_lines.h"

#include <cstring>

#include "tailrace/base/limits.h"

namespace tailrace::ingest {
namespace {

constexpr size_t kBlockBytes = 64u << 10;

}  // namespace

std::string_view StreamLines::Take(size_t size, size_t and_skip) {
  std::string_view line(buffer_.data() + begin_, size);
  begin_ += size + and_skip;
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

absl::StatusOr<bool> StreamLines::Next(std::string_view& line) {
  size_t scanned = 0;
  for (;;) {
    const char* start = buffer_.data() + begin_;
    const size_t available = end_ - begin_;
    const void* found = available > scanned ? std::memchr(start + scanned, '\n', available - scanned) : nullptr;
    if (found != nullptr) {
      const auto size = static_cast<size_t>(static_cast<const char*>(found) - start);
      line = Take(size, 1);
      if (!skipping_) return true;
      skipping_ = false;
      scanned = 0;
      continue;
    }
    scanned = available;
    if (skipping_) {
      begin_ = end_;
      scanned = 0;
    } else if (available > base::limits::kEventBytesMax) {
      line = {start, base::limits::kEventBytesMax + 1};
      skipping_ = true;
      begin_ = end_;  // The view stays valid: nothing moves before the next call.
      return true;
    }
    if (begin_ > 0) {
      std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    if (buffer_.size() < end_ + kBlockBytes) buffer_.resize(end_ + kBlockBytes);
    TAILRACE_ASSIGN_OR_RETURN(const size_t got, file_.Read(buffer_.data() + end_, kBlockBytes, stop_));
    end_ += got;
    if (got > 0) continue;
    if (begin_ == end_) return false;
    line = Take(end_ - begin_, 0);
    return true;
  }
}

}  // namespace tailrace::ingest
