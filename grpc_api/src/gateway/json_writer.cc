#include "gateway/json_writer.h"

#include "common/utf8.h"
#include "tailrace/base/json_text.h"

namespace tailrace::grpc_api {
namespace {

// Each byte of text that is no UTF-8 and may not be ASCII becomes a replacement character.
std::string Replaced(std::string_view text) {
  std::string replaced;
  for (const char c : text) {
    if (static_cast<uint8_t>(c) >= 0x80) replaced += "\xef\xbf\xbd";
    else replaced += c;
  }
  return replaced;
}

}  // namespace

void AppendJsonText(std::string& out, std::string_view text) {
  base::AppendJsonString(out, IsValidUtf8(text) ? text : Replaced(text));
}

void JsonWriter::BeginValue() {
  if (comma_) out_.push_back(',');
  comma_ = true;
}

JsonWriter& JsonWriter::Open(char bracket) {
  BeginValue();
  out_.push_back(bracket);
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::Close(char bracket) {
  out_.push_back(bracket);
  comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::Key(std::string_view name) {
  BeginValue();
  AppendJsonText(out_, name);
  out_.push_back(':');
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::String(std::string_view text) {
  BeginValue();
  AppendJsonText(out_, text);
  return *this;
}

JsonWriter& JsonWriter::Int(int64_t value) {
  BeginValue();
  base::AppendJsonInt(out_, value);
  return *this;
}

JsonWriter& JsonWriter::Number(double value) {
  BeginValue();
  base::AppendJsonDouble(out_, value);
  return *this;
}

JsonWriter& JsonWriter::Raw(std::string_view json) {
  BeginValue();
  out_ += json;
  return *this;
}

}  // namespace tailrace::grpc_api
