// Where bytes of a batch come from: files, standard input, URLs; what is compressed with gzip comes unpacked.
//
//   TAILRACE_ASSIGN_OR_RETURN(const auto names, ExpandInputs({"posts/", "http://127.0.0.1:8000/more.jsonl.gz"}));
//   for (const std::string& name : names) {
//     TAILRACE_ASSIGN_OR_RETURN(std::unique_ptr<ByteSource> source, OpenInput(name));
//     ...
//   }
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tailrace/base/status.h"

namespace tailrace::pipeline {

// Bytes in order, once. Not thread-safe.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Some bytes, or 0 at the end. Errors: kNotFound when there is nothing to read, kDataLoss when it breaks off or is
  // damaged, kCancelled.
  virtual absl::StatusOr<size_t> Read(char* buffer, size_t size) = 0;
  // For messages; a URL without its password.
  virtual const std::string& name() const = 0;
  // Of the file or transfer, compressed or not; a total of 0 is unknown.
  virtual int64_t bytes_read() const = 0;
  virtual int64_t bytes_total() const = 0;
};

struct InputOptions {
  // Asked while waiting for a URL; true ends the wait with kCancelled. Empty: nobody cancels.
  std::function<bool()> cancelled;
};

// A file, "-" for standard input, or a URL that begins with http:// or https://. Gzip is recognised by its first bytes,
// whatever the name; several members in a row are one text. Errors: kNotFound.
absl::StatusOr<std::unique_ptr<ByteSource>> OpenInput(const std::string& name, InputOptions options = {});

// What OpenInput does with gzip, for sources of other kinds.
absl::StatusOr<std::unique_ptr<ByteSource>> Unpacked(std::unique_ptr<ByteSource> source);

// The names with each folder replaced by its files, those of folders in it included, in the order of their paths. Files
// and folders whose name begins with a dot are left out. Errors: kNotFound for a folder that cannot be listed,
// kResourceExhausted above limits::kInputFilesMax.
absl::StatusOr<std::vector<std::string>> ExpandInputs(const std::vector<std::string>& names);

}  // namespace tailrace::pipeline
