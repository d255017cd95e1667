#include "tailrace/pipeline/line_reader.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "tailrace/base/limits.h"

namespace tailrace::pipeline {
namespace {

constexpr size_t kBlockBytes = 256u << 10;

}  // namespace

void LineReader::Closer::operator()(std::FILE* file) const {
  if (file != stdin) std::fclose(file);
}

LineReader::LineReader(std::string name, std::FILE* file) : name_(std::move(name)), file_(file) {}

absl::StatusOr<LineReader> LineReader::Open(const std::string& file) {
  if (file == "-") return LineReader("standard input", stdin);
  std::error_code error;
  if (std::filesystem::is_directory(file, error)) {
    return base::Error(base::Reaction::kFatal, absl::StatusCode::kNotFound, "cannot read " + file + ": it is a directory; name its files");
  }
  std::FILE* opened = std::fopen(file.c_str(), "rb");
  if (opened == nullptr) {
    return base::Error(base::Reaction::kFatal, absl::StatusCode::kNotFound, "cannot read " + file + ": " + std::strerror(errno));
  }
  LineReader reader(file, opened);
  const auto size = std::filesystem::file_size(file, error);
  if (!error) reader.bytes_total_ = static_cast<int64_t>(size);
  return reader;
}

absl::StatusOr<bool> LineReader::Fill() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (buffer_.size() < end_ + kBlockBytes) buffer_.resize(end_ + kBlockBytes);
  const size_t got = std::fread(buffer_.data() + end_, 1, kBlockBytes, file_.get());
  if (got == 0 && std::ferror(file_.get()) != 0) {
    return base::Error(base::Reaction::kFatal, absl::StatusCode::kDataLoss, "cannot read on in " + name_ + ": " + std::strerror(errno));
  }
  end_ += got;
  bytes_read_ += static_cast<int64_t>(got);
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
