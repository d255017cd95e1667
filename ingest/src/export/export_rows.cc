#include "export/export_rows.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "simdjson.h"
#include "tailrace/base/bytes.h"
#include "tailrace/base/units.h"
#include "tailrace/base/json_text.h"

namespace tailrace::ingest {
namespace {

using base::AppendJsonInt;
using base::AppendJsonString;

enum class Encoding { kText, kJson, kBase64 };

bool IsText(std::string_view bytes) { return simdjson::validate_utf8(bytes.data(), bytes.size()); }

// The JSON text null would be taken for a record without a value, so that it counts as text; and a byte order mark, which the
// parser passes over, may stand only at the beginning of a file.
Encoding EncodingOf(std::string_view value) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (!IsText(value)) return Encoding::kBase64;
  return value != "null" && !value.starts_with(kByteOrderMark) && nlohmann::json::accept(value.begin(), value.end()) ? Encoding::kJson : Encoding::kText;
}

void AppendCsvField(std::string& out, std::string_view text) {
  if (text.find_first_of("\",\r\n") == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

}  // namespace

absl::StatusOr<ExportKey> ParseExportKey(std::string_view text) {
  constexpr std::string_view kWindowed = "windowed:";
  if (text == "text") return ExportKey{};
  if (text == "session") return ExportKey{.kind = ExportKey::Kind::kSession};
  if (text.starts_with(kWindowed))
    if (const auto size_ms = base::ParseDurationMs(text.substr(kWindowed.size())); size_ms && *size_ms > 0)
      return ExportKey{.kind = ExportKey::Kind::kWindowed, .window_size_ms = *size_ms};
  return base::UsageError(absl::StrCat("keys are text, windowed:SIZE (such as windowed:5m) or session, not ", std::string(text)));
}

std::optional<ExportRows::Window> ExportRows::TakeWindow(std::string_view& key) const {
  constexpr size_t kTimeBytes = 8;
  const size_t size = key_.kind == ExportKey::Kind::kWindowed ? kTimeBytes : 2 * kTimeBytes;
  if (key_.kind == ExportKey::Kind::kPlain || key.size() < size) return std::nullopt;
  const char* const times = key.data() + key.size() - size;
  key.remove_suffix(size);
  const int64_t first = base::LoadBigEndian<int64_t>(times);
  // Sessions have their end first.
  if (key_.kind == ExportKey::Kind::kSession) return Window{base::LoadBigEndian<int64_t>(times + kTimeBytes), first};
  return Window{first, static_cast<int64_t>(static_cast<uint64_t>(first) + static_cast<uint64_t>(key_.window_size_ms))};
}

void ExportRows::AppendHead(std::string& out) const {
  if (format_ != ExportFormat::kCsv) return;
  out += "partition,offset,timestamp,";
  if (key_.kind != ExportKey::Kind::kPlain) out += "window_start,window_end,";
  out += "key,key_encoding,value,value_encoding\r\n";
}

void ExportRows::Append(std::string& out, base::Partition partition, const kafka::RecordView& record) const {
  if (format_ == ExportFormat::kCsv) AppendCsv(out, partition, record);
  else AppendJson(out, partition, record);
}

void ExportRows::AppendJson(std::string& out, base::Partition partition, const kafka::RecordView& record) const {
  out += "{\"partition\":";
  AppendJsonInt(out, partition.value());
  out += ",\"offset\":";
  AppendJsonInt(out, record.offset.value());
  out += ",\"timestamp\":";
  AppendJsonInt(out, record.timestamp_ms);
  if (record.key.is_null()) {
    out += ",\"key\":null";
  } else {
    std::string_view key = record.key.view();
    const std::optional<Window> window = TakeWindow(key);
    const bool text = IsText(key);
    out += text ? ",\"key\":" : ",\"key_base64\":";
    AppendJsonString(out, text ? key : base::Base64Encode(key));
    if (window) absl::StrAppend(&out, ",\"window\":{\"start\":", window->start_ms, ",\"end\":", window->end_ms, "}");
  }
  const std::string_view value = record.value.view();
  if (record.value.is_null()) {
    out += ",\"value\":null";
  } else {
    switch (EncodingOf(value)) {
      case Encoding::kJson: {
        out += ",\"value\":";
        const size_t begin = out.size();
        out += value;
        // Inside a text JSON has no line ends, so that these are only space.
        for (size_t i = begin; i < out.size(); ++i)
          if (out[i] == '\n' || out[i] == '\r') out[i] = ' ';
        break;
      }
      case Encoding::kText:
        out += ",\"value_text\":";
        AppendJsonString(out, value);
        break;
      case Encoding::kBase64:
        out += ",\"value_base64\":";
        AppendJsonString(out, base::Base64Encode(value));
        break;
    }
  }
  out += "}\n";
}

void ExportRows::AppendCsv(std::string& out, base::Partition partition, const kafka::RecordView& record) const {
  absl::StrAppend(&out, partition.value(), ",", record.offset.value(), ",", record.timestamp_ms, ",");
  std::string_view key = record.key.view();
  const std::optional<Window> window = record.key.is_null() ? std::nullopt : TakeWindow(key);
  if (window) absl::StrAppend(&out, window->start_ms, ",", window->end_ms, ",");
  else if (key_.kind != ExportKey::Kind::kPlain) out += ",,";
  if (record.key.is_null()) {
    out += ",,";
  } else {
    const bool text = IsText(key);
    AppendCsvField(out, text ? key : base::Base64Encode(key));
    out += text ? ",text," : ",base64,";
  }
  if (record.value.is_null()) {
    out += ",\r\n";
    return;
  }
  const std::string_view value = record.value.view();
  const Encoding encoding = EncodingOf(value);
  AppendCsvField(out, encoding == Encoding::kBase64 ? base::Base64Encode(value) : value);
  out += encoding == Encoding::kJson ? ",json\r\n" : encoding == Encoding::kText ? ",text\r\n" : ",base64\r\n";
}

}  // namespace tailrace::ingest
