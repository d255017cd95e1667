#include "export/file_name.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tailrace/base/units.h"

namespace tailrace::ingest {
namespace {

constexpr size_t kDigits = 20;
constexpr std::string_view kTemporary = ".tmp-";
constexpr std::array<std::string_view, 4> kSuffixes = {".jsonl", ".jsonl.gz", ".csv", ".csv.gz"};

std::optional<base::Offset> ParseOffset(std::string_view digits) {
  if (digits.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  const std::optional<int64_t> number = base::ParseInt(digits);
  if (!number) return std::nullopt;
  return base::Offset(*number);
}

}  // namespace

std::string ExportFileName(const OffsetSpan& span, std::string_view suffix) {
  return absl::StrFormat("%020d-%020d", span.first.value(), span.last.value()) + std::string(suffix);
}

std::optional<OffsetSpan> ParseExportFileName(std::string_view name) {
  if (name.size() < 2 * kDigits + 1 || name[kDigits] != '-') return std::nullopt;
  const std::string_view suffix = name.substr(2 * kDigits + 1);
  bool known = false;
  for (const std::string_view one : kSuffixes) known |= suffix == one;
  const auto first = ParseOffset(name.substr(0, kDigits));
  const auto last = ParseOffset(name.substr(kDigits + 1, kDigits));
  if (!known || !first || !last || *last < *first) return std::nullopt;
  return OffsetSpan{*first, *last};
}

std::string TemporaryName(std::string_view name) { return std::string(kTemporary) + std::string(name); }

bool IsTemporaryName(std::string_view name) {
  return name.starts_with(kTemporary) && ParseExportFileName(name.substr(kTemporary.size())).has_value();
}

}  // namespace tailrace::ingest
