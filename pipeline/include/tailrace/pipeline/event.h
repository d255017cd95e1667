// One event as a pipeline sees it: the few fields it uses, in slots.
//
// Everything is a view into the reader's buffers: valid until the reader is started on the next record. Not thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace tailrace::pipeline {

// What a field holds in this event. A JSON null and an absent field are both kNull.
enum class FieldType : uint8_t { kNull, kText, kInt, kDouble, kBool, kTextList };
std::string_view FieldTypeName(FieldType type);  // "text", "integer", ...

class FieldValue {
 public:
  constexpr FieldValue() = default;
  static constexpr FieldValue Text(std::string_view text) {
    FieldValue value;
    value.type_ = FieldType::kText;
    value.text_ = text.data();
    value.size_ = text.size();
    return value;
  }
  static constexpr FieldValue Int(int64_t integer) {
    FieldValue value;
    value.type_ = FieldType::kInt;
    value.integer_ = integer;
    return value;
  }
  static constexpr FieldValue Double(double number) {
    FieldValue value;
    value.type_ = FieldType::kDouble;
    value.number_ = number;
    return value;
  }
  static constexpr FieldValue Bool(bool boolean) {
    FieldValue value;
    value.type_ = FieldType::kBool;
    value.boolean_ = boolean;
    return value;
  }
  static constexpr FieldValue TextList(std::span<const std::string_view> list) {
    FieldValue value;
    value.type_ = FieldType::kTextList;
    value.list_ = list.data();
    value.size_ = list.size();
    return value;
  }

  constexpr FieldType type() const { return type_; }
  constexpr bool is_null() const { return type_ == FieldType::kNull; }
  // REQUIRES: the matching type.
  constexpr std::string_view text() const { return {text_, size_}; }
  constexpr int64_t integer() const { return integer_; }
  constexpr double number() const { return number_; }
  constexpr bool boolean() const { return boolean_; }
  constexpr std::span<const std::string_view> list() const { return {list_, size_}; }

  // Integers and doubles as a double. REQUIRES: kInt or kDouble.
  constexpr double AsDouble() const { return type_ == FieldType::kInt ? static_cast<double>(integer_) : number_; }

 private:
  FieldType type_ = FieldType::kNull;
  union {
    const char* text_ = nullptr;
    const std::string_view* list_;
    int64_t integer_;
    double number_;
    bool boolean_;
  };
  size_t size_ = 0;
};

// Slot i holds the i-th field that the reader was made for.
using Event = std::span<const FieldValue>;

}  // namespace tailrace::pipeline
