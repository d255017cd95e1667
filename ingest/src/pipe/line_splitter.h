// Cuts bytes that arrive in pieces into lines, with a bound on their length.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "tailrace/base/limits.h"

namespace tailrace::ingest {

// Not thread-safe.
class LineSplitter {
 public:
  // Calls `on_line(std::string_view) -> absl::Status` for every line that ends in `bytes`, without its end ("\n" or
  // "\r\n"). A line above the bound comes cut, one byte longer than the bound, so that whoever reads it sees that it is too
  // large; the rest of it is dropped.
  template <class OnLine>
  absl::Status Add(std::string_view bytes, OnLine on_line) {
    while (!bytes.empty()) {
      const size_t end = bytes.find('\n');
      const std::string_view piece = bytes.substr(0, end);
      const bool whole = end != std::string_view::npos;
      bytes.remove_prefix(whole ? end + 1 : bytes.size());
      std::string_view line = piece;
      if (!whole || !begun_.empty()) {
        begun_ += piece.substr(0, base::limits::kEventBytesMax + 1 - begun_.size());
        line = begun_;
      }
      if (!whole) continue;
      line = line.substr(0, base::limits::kEventBytesMax + 1);
      if (line.ends_with('\r')) line.remove_suffix(1);
      const absl::Status status = on_line(line);
      begun_.clear();
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }
  // Forgets a line that has not ended: its rest will not come.
  void Clear() { begun_.clear(); }

 private:
  std::string begun_;
};

}  // namespace tailrace::ingest
