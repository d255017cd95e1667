// An input as pieces that a format reads: JSON lines as they are, rows of CSV as JSON objects.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tailrace/base/status.h"
#include "tailrace/pipeline/format.h"
#include "tailrace/pipeline/line_reader.h"

namespace tailrace::pipeline {

// trade, bar, visa and news also come as CSV (RFC 4180): a first line in which at least two columns have names of the
// format's fields. Other columns are passed on and looked at by nobody; empty cells are null. Not thread-safe.
class EventLines {
 public:
  EventLines(LineReader reader, const Format& format) : reader_(std::move(reader)), format_(format) {}

  // The next piece, valid until the next call; false at the end. A row that is no row of this file comes as text that is no
  // JSON, and a quoted cell without an end is given up at limits::kEventBytesMax, so that both are counted.
  absl::StatusOr<bool> Next(std::string_view& piece);

  // Of the last piece's first line, from 1.
  int64_t line_number() const { return line_number_; }
  const LineReader& reader() const { return reader_; }

 private:
  struct Column {
    std::string name;
    bool number = false;  // cells that are numbers are written as such
  };

  absl::StatusOr<bool> NextLine(std::string_view& line);
  // False when the line is no header.
  bool ReadHeader(std::string_view line);
  // Joins the lines of a row with line ends in quotes.
  absl::StatusOr<std::string_view> WholeRow(std::string_view line);
  std::string_view RowToJson(std::string_view row);

  LineReader reader_;
  const Format& format_;
  std::optional<std::vector<Column>> columns_;  // set for CSV
  bool begun_ = false;
  int64_t lines_ = 0;
  int64_t line_number_ = 0;
  std::string row_;
  std::string json_;
  std::string cell_;
};

}  // namespace tailrace::pipeline
