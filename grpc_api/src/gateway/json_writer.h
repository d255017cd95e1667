// Writes JSON text front to back, without building a tree.
//
//   JsonWriter json;
//   json.BeginObject().Key("items").BeginArray().String("Montréal").EndArray().EndObject();
//   std::move(json).Take();   // {"items":["Montréal"]}
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace tailrace::grpc_api {

class JsonWriter {
 public:
  JsonWriter& BeginObject() { return Open('{'); }
  JsonWriter& EndObject() { return Close('}'); }
  JsonWriter& BeginArray() { return Open('['); }
  JsonWriter& EndArray() { return Close(']'); }
  JsonWriter& Key(std::string_view name);
  // Bytes that are not UTF-8 are shown as U+FFFD.
  JsonWriter& String(std::string_view text);
  JsonWriter& Int(int64_t value);
  // A number that JSON cannot hold (NaN, infinity) is null. Whole numbers have no fraction.
  JsonWriter& Number(double value);
  JsonWriter& Bool(bool value) { return Raw(value ? "true" : "false"); }
  JsonWriter& Null() { return Raw("null"); }
  // Text that is JSON already.
  JsonWriter& Raw(std::string_view json);

  std::string Take() && { return std::move(out_); }

 private:
  JsonWriter& Open(char bracket);
  JsonWriter& Close(char bracket);
  void BeginValue();

  std::string out_;
  bool comma_ = false;
};

// As base::AppendJsonString, for text that may be no UTF-8.
void AppendJsonText(std::string& out, std::string_view text);

}  // namespace tailrace::grpc_api
