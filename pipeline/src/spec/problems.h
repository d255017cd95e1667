// The problems of one pipeline file, collected so that one answer names them all.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tailrace/base/status.h"
#include "tailrace/pipeline/spec.h"

namespace tailrace::pipeline::spec {

class Problems {
 public:
  explicit Problems(std::string file) : file_(std::move(file)) {}

  void Add(Location at, std::string_view what);
  // "unknown WHAT 'name'; did you mean 'x'? Allowed: a, b, c".
  void AddUnknown(Location at, std::string_view what, std::string_view name, std::span<const std::string_view> allowed);

  bool empty() const { return problems_.empty(); }
  size_t count() const { return problems_.size(); }
  const std::string& file() const { return file_; }
  // OK when there are none; otherwise one line each, in the order of the file.
  absl::Status ToStatus() const;

 private:
  struct Problem {
    Location at;
    std::string what;
  };
  std::string file_;
  std::vector<Problem> problems_;
};

// "a, b, c"
std::string Join(std::span<const std::string_view> names);

}  // namespace tailrace::pipeline::spec
