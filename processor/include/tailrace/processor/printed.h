// How KStream::Print shows records.
#pragma once

#include <charconv>
#include <concepts>
#include <iosfwd>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "tailrace/processor/record.h"

namespace tailrace::processor {
namespace detail {

std::string RealText(double value);  // as Java prints a double: 1.0, 0.5, 1.0E10

// A key or value as Kafka Streams prints it; a type without a text form needs a function of yours.
template <class T>
std::string TextOf(const T& value) {
  if constexpr (std::is_convertible_v<const T&, std::string_view>) return std::string(std::string_view(value));
  else if constexpr (std::is_same_v<T, bool>) return value ? "true" : "false";
  else if constexpr (std::integral<T>) return std::to_string(value);
  else if constexpr (std::floating_point<T>) return RealText(value);
  else if constexpr (requires { value.ToString(); }) return value.ToString();
  else static_assert(sizeof(T) == 0, "this type has no text form: give Printed a function with WithKeyValueMapper");
}
template <class K>
std::string TextOf(const Windowed<K>& windowed) {
  return "[" + TextOf(windowed.key) + "@" + std::to_string(windowed.start_ms) + "/" + std::to_string(windowed.end_ms) + "]";
}

// "key, value"
struct KeyValueText {
  template <class K, class V>
  std::string operator()(const K* key, const V* value) const {
    return (key == nullptr ? "null" : TextOf(*key)) + ", " + (value == nullptr ? "null" : TextOf(*value));
  }
};

}  // namespace detail

// Where and how (org.apache.kafka.streams.kstream.Printed). The stream outlives the application, and threads that write to it
// at the same time mix their lines.
//
//   orders.Print(Printed<>::To(std::cout).WithLabel("orders"));      [orders]: key, value
template <class F = detail::KeyValueText>
struct Printed {
  static Printed To(std::ostream& out) { return {&out, {}, {}, {}}; }
  Printed WithLabel(std::string text) const { return {out, std::move(text), name, text_of}; }
  Printed WithName(std::string operator_name) const { return {out, label, std::move(operator_name), text_of}; }
  // std::string(const K*, const V*)
  template <class F2>
  Printed<F2> WithKeyValueMapper(F2 mapper) const {
    return {out, label, name, std::move(mapper)};
  }

  std::ostream* out = nullptr;
  std::string label;  // empty: the name of the operator that is printed
  std::string name;
  F text_of{};
};

}  // namespace tailrace::processor
