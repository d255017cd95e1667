// The kinds of sources behind OpenInput.
#pragma once

#include <memory>
#include <string>

#include "tailrace/pipeline/byte_source.h"

namespace tailrace::pipeline::input {

bool IsUrl(const std::string& name);

absl::StatusOr<std::unique_ptr<ByteSource>> OpenFile(const std::string& name);
absl::StatusOr<std::unique_ptr<ByteSource>> OpenUrl(const std::string& url, InputOptions options);

}  // namespace tailrace::pipeline::input
