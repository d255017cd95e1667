// Writes one flat JSON object into a string that is reused.
#pragma once

#include <string>
#include <string_view>

#include "tailrace/base/json_text.h"

namespace tailrace::ingest {

class JsonObject {
 public:
  explicit JsonObject(std::string& out) : out_(out) { out_ = '{'; }
  JsonObject& Text(std::string_view name, std::string_view text) {
    base::AppendJsonString(Member(name), text);
    return *this;
  }
  JsonObject& Int(std::string_view name, int64_t value) {
    base::AppendJsonInt(Member(name), value);
    return *this;
  }
  JsonObject& Double(std::string_view name, double value) {
    base::AppendJsonDouble(Member(name), value);
    return *this;
  }
  JsonObject& Raw(std::string_view name, std::string_view json) {
    Member(name) += json;
    return *this;
  }
  void Close() { out_ += '}'; }

 private:
  std::string& Member(std::string_view name) {
    if (out_.size() > 1) out_ += ',';
    out_ += '"';
    out_ += name;
    out_ += "\":";
    return out_;
  }
  std::string& out_;
};

}  // namespace tailrace::ingest
