// Records as rows of a file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tailrace/ingest/export.h"
#include "tailrace/kafka/record.h"

namespace tailrace::ingest {

// JSON: {"partition":0,"offset":5,"timestamp":1767225600000,"key":"Berlin","window":{"start":..,"end":..},"value":{...}}
// Bytes that are no UTF-8 are key_base64 and value_base64; a value that is text but no JSON is value_text. A null is null.
// CSV (RFC 4180): the same as columns, with key_encoding and value_encoding: text, json, base64, or empty for null.
//
// A windowed key that is too short to be one is written as it is, without a window. Thread-safe.
class ExportRows {
 public:
  ExportRows(ExportFormat format, const ExportKey& key) : format_(format), key_(key) {}

  // What a file begins with.
  void AppendHead(std::string& out) const;
  // One row with its line end.
  void Append(std::string& out, base::Partition partition, const kafka::RecordView& record) const;

 private:
  struct Window {
    int64_t start_ms = 0;
    int64_t end_ms = 0;
  };
  // Takes the window off the end of a key.
  std::optional<Window> TakeWindow(std::string_view& key) const;
  void AppendJson(std::string& out, base::Partition partition, const kafka::RecordView& record) const;
  void AppendCsv(std::string& out, base::Partition partition, const kafka::RecordView& record) const;

  const ExportFormat format_;
  const ExportKey key_;
};

}  // namespace tailrace::ingest
