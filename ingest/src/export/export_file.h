// A file in the making: rows, packed or not, in memory.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace tailrace::ingest {

// Not thread-safe. Packed bytes depend on nothing but the rows: they have no time and no name in them.
class ExportFile {
 public:
  explicit ExportFile(bool gzip);
  ~ExportFile();

  void Append(std::string_view rows);
  // As far as they are packed.
  size_t bytes() const { return content_.size(); }
  // What it needs, the packer included.
  size_t memory_bytes() const;
  // The whole file; nothing may be appended afterwards.
  const std::string& Finish();

 private:
  class Packer;
  std::string content_;
  std::unique_ptr<Packer> packer_;
};

}  // namespace tailrace::ingest
