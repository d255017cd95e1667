// Keys, values and windows of stores in JSON answers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "gateway/json_writer.h"
#include "tailrace/grpc_api/query_client.h"

namespace tailrace::grpc_api {

// The schema's JSON; without one the text, or {"base64": "..."} for bytes that are no text.
std::string KeyJsonText(std::string_view bytes, const std::string& json);
std::string ValueJsonText(const QueryValue& value);

// {"start","end"}; null without a window.
void WriteWindow(JsonWriter& json, int64_t start_ms, int64_t end_ms, const absl::TimeZone& zone = absl::UTCTimeZone());

}  // namespace tailrace::grpc_api
