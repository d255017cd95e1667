// Reads one record with a format, for tests.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tailrace/pipeline/format.h"
#include "tailrace/base/json_text.h"

namespace tailrace::pipeline {

struct ReadOne {
  SkipReason reason = SkipReason::kNone;
  std::string field;
  std::map<std::string, std::string> values;  // non-null fields as JSON text

  ReadOne(std::string_view format_name, std::string_view bytes, ReaderOptions options = {}, std::vector<std::string> names = {}) {
    const Format* format = FindFormat(format_name);
    if (names.empty()) {
      for (const FieldInfo& info : format->fields()) names.emplace_back(info.name);
    }
    const std::unique_ptr<EventReader> reader = format->NewReader(names, options);
    reader->Start(bytes);
    ParseResult result;
    int pieces = 0;
    while (reader->Next(result)) {
      ++pieces;
      reason = result.reason;
      field = result.field;
      for (size_t i = 0; reason == SkipReason::kNone && i < names.size(); ++i) {
        if (!result.event[i].is_null()) values[names[i]] = Render(result.event[i]);
      }
    }
    if (pieces != 1) reason = SkipReason::kTooLarge;  // No test expects it for another cause.
  }

  static std::string Render(const FieldValue& value) {
    std::string out;
    switch (value.type()) {
      case FieldType::kText: base::AppendJsonString(out, value.text()); break;
      case FieldType::kInt: base::AppendJsonInt(out, value.integer()); break;
      case FieldType::kDouble: base::AppendJsonDouble(out, value.number()); break;
      case FieldType::kBool: out = value.boolean() ? "true" : "false"; break;
      case FieldType::kTextList:
        for (const std::string_view item : value.list()) {
          out += out.empty() ? "" : ",";
          base::AppendJsonString(out, item);
        }
        out = "[" + out + "]";
        break;
      case FieldType::kNull: out = "null"; break;
    }
    return out;
  }
};

using Values = std::map<std::string, std::string>;

}  // namespace tailrace::pipeline
