#include "gateway/json_values.h"

#include <utility>

#include "common/utf8.h"
#include "gateway/times.h"
#include "tailrace/base/bytes.h"

namespace tailrace::grpc_api {
namespace {

std::string Base64Object(std::string_view bytes) {
  JsonWriter json;
  json.BeginObject().Key("base64").String(base::Base64Encode(bytes)).EndObject();
  return std::move(json).Take();
}

}  // namespace

std::string KeyJsonText(std::string_view bytes, const std::string& json) {
  if (!json.empty()) return json;
  if (!IsValidUtf8(bytes)) return Base64Object(bytes);
  std::string text;
  AppendJsonText(text, bytes);
  return text;
}

std::string ValueJsonText(const QueryValue& value) {
  return value.json.empty() ? Base64Object(value.bytes) : value.json;
}

void WriteWindow(JsonWriter& json, int64_t start_ms, int64_t end_ms, const absl::TimeZone& zone) {
  if (start_ms == state::kNoWindow) {
    json.Null();
    return;
  }
  json.BeginObject();
  json.Key("start").String(FormatTime(start_ms, zone));
  json.Key("end").String(FormatTime(end_ms, zone));
  json.EndObject();
}

}  // namespace tailrace::grpc_api
