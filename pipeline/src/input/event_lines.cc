#include "tailrace/pipeline/event_lines.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "tailrace/base/limits.h"
#include "tailrace/pipeline/canonical.h"
#include "tailrace/base/json_text.h"

namespace tailrace::pipeline {
namespace {

// Counted as malformed.
constexpr std::string_view kNoRow = "{";

// Formats with one flat object per event.
bool ComesAsCsv(const Format& format) {
  const auto canonical = CanonicalWriter::For(format);
  return canonical && &canonical->format() == &format &&
         std::none_of(format.fields().begin(), format.fields().end(),
                      [](const FieldInfo& info) { return info.name.find('.') != std::string_view::npos; });
}

// Takes the next cell off a row; false for quotes that do not fit. `more` says whether another one follows.
bool TakeCell(std::string_view& row, std::string& cell, bool& more) {
  cell.clear();
  if (!row.starts_with('"')) {
    const size_t comma = row.find(',');
    cell = row.substr(0, comma);
    more = comma != std::string_view::npos;
    row.remove_prefix(more ? comma + 1 : row.size());
    return true;
  }
  row.remove_prefix(1);
  for (;;) {
    const size_t quote = row.find('"');
    if (quote == std::string_view::npos) return false;
    cell += row.substr(0, quote);
    row.remove_prefix(quote + 1);
    if (!row.starts_with('"')) break;  // A doubled quote stands for one.
    cell += '"';
    row.remove_prefix(1);
  }
  more = row.starts_with(',');
  if (more) row.remove_prefix(1);
  return more || row.empty();
}

bool QuotesAreEven(std::string_view text) { return std::count(text.begin(), text.end(), '"') % 2 == 0; }

// As JSON writes numbers; everything else is a text, so that its type is found wrong.
bool IsJsonNumber(std::string_view text) {
  const auto digits = [&] {
    const size_t count = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(count);
    return count;
  };
  if (text.starts_with('-')) text.remove_prefix(1);
  const bool zero = text.starts_with('0');
  const size_t whole = digits();
  if (whole == 0 || (zero && whole > 1)) return false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (digits() == 0) return false;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
    if (digits() == 0) return false;
  }
  return text.empty();
}

}  // namespace

absl::StatusOr<bool> EventLines::NextLine(std::string_view& line) {
  TAILRACE_ASSIGN_OR_RETURN(const bool more, reader_.Next(line));
  if (more) ++lines_;
  return more;
}

absl::StatusOr<bool> EventLines::Next(std::string_view& piece) {
  TAILRACE_ASSIGN_OR_RETURN(bool more, NextLine(piece));
  if (more && !std::exchange(begun_, true) && ReadHeader(piece)) {
    TAILRACE_ASSIGN_OR_RETURN(more, NextLine(piece));
  }
  line_number_ = lines_;
  if (!more || !columns_) return more;
  TAILRACE_ASSIGN_OR_RETURN(piece, WholeRow(piece));
  piece = RowToJson(piece);
  return true;
}

bool EventLines::ReadHeader(std::string_view line) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  if (!ComesAsCsv(format_) || line.size() > base::limits::kEventBytesMax) return false;
  std::vector<Column> columns;
  int known = 0;
  for (bool more = true; more;) {
    if (!TakeCell(line, cell_, more) || columns.size() >= base::limits::kCsvColumnsMax) return false;
    absl::StripAsciiWhitespace(&cell_);
    const FieldInfo* field = format_.FindField(cell_);
    known += field != nullptr ? 1 : 0;
    columns.push_back({.name = cell_, .number = field != nullptr && (field->type == FieldType::kInt || field->type == FieldType::kDouble)});
  }
  if (known < 2) return false;
  columns_ = std::move(columns);
  return true;
}

absl::StatusOr<std::string_view> EventLines::WholeRow(std::string_view line) {
  if (QuotesAreEven(line)) return line;
  row_ = line;
  while (row_.size() <= base::limits::kEventBytesMax) {
    TAILRACE_ASSIGN_OR_RETURN(const bool more, NextLine(line));
    if (!more) break;
    row_ += '\n';
    row_ += line;
    if (!QuotesAreEven(line)) break;  // The other half.
  }
  return row_;
}

std::string_view EventLines::RowToJson(std::string_view row) {
  if (row.empty() || row.size() > base::limits::kEventBytesMax) return row;
  json_ = "{";
  size_t column = 0;
  for (bool more = true; more; ++column) {
    if (column == columns_->size() || !TakeCell(row, cell_, more)) return kNoRow;
    if (cell_.empty()) continue;
    if (json_.size() > 1) json_ += ',';
    base::AppendJsonString(json_, (*columns_)[column].name);
    json_ += ':';
    if ((*columns_)[column].number && IsJsonNumber(cell_)) {
      json_ += cell_;
    } else {
      base::AppendJsonString(json_, cell_);
    }
  }
  json_ += '}';
  return json_;
}

}  // namespace tailrace::pipeline
