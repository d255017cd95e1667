// What queries need to know of a store with simple types: JSON text, keys from text, sums.
#pragma once

#include <charconv>
#include <cmath>
#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "tailrace/processor/serde.h"
#include "tailrace/state/value_schema.h"

namespace tailrace::processor::detail {

// `text` as a JSON string; bytes that are no UTF-8 become U+FFFD.
std::string JsonString(std::string_view text);
std::string JsonNumber(double number);

template <class T>
inline constexpr bool kHasJson = std::is_arithmetic_v<T> || std::is_convertible_v<const T&, std::string_view>;

template <class T>
std::optional<std::string> ToJson(const T& value) {
  if constexpr (std::is_convertible_v<const T&, std::string_view>) return JsonString(value);
  else if constexpr (std::integral<T>) return std::to_string(value);
  else if constexpr (std::floating_point<T>) return JsonNumber(value);
  else return std::nullopt;
}

// Whether two aggregates of different windows add up.
enum class Merging { kNone, kSum };

template <class K, class V, class KS, class VS>
class TypedSchema final : public state::ValueSchema {
 public:
  TypedSchema(KS key_serde, VS value_serde, Merging merging)
      : key_serde_(std::move(key_serde)), value_serde_(std::move(value_serde)), merging_(merging) {}

  std::optional<std::string> KeyToJson(std::string_view key) const override { return BytesToJson<K>(key_serde_, key); }
  std::optional<std::string> ValueToJson(std::string_view value) const override {
    return BytesToJson<V>(value_serde_, value);
  }
  std::optional<std::string> KeyFromText(std::string_view text) const override {
    K key{};
    if constexpr (std::integral<K>) {
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), key);
      if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    } else if constexpr (std::is_same_v<K, std::string> || std::is_same_v<K, std::string_view>) {
      key = text;
    } else {
      return std::nullopt;
    }
    std::string scratch;
    return std::string(key_serde_.Serialize(key, scratch));
  }
  std::optional<std::string> Merge(std::string_view a, std::string_view b) const override {
    if constexpr (std::is_arithmetic_v<V>) {
      V first{};
      V second{};
      if (merging_ != Merging::kSum || !value_serde_.Deserialize(a, first) || !value_serde_.Deserialize(b, second))
        return std::nullopt;
      std::string scratch;
      return std::string(value_serde_.Serialize(first + second, scratch));
    } else {
      return std::nullopt;
    }
  }
  std::optional<double> NumericField(std::string_view value, std::string_view field) const override {
    if constexpr (std::is_arithmetic_v<V>) {
      V number{};
      if (!field.empty() || !value_serde_.Deserialize(value, number)) return std::nullopt;
      return static_cast<double>(number);
    } else {
      return std::nullopt;
    }
  }

 private:
  template <class T, class S>
  static std::optional<std::string> BytesToJson(const S& serde, std::string_view bytes) {
    if constexpr (kHasJson<T>) {
      T typed{};
      if (!serde.Deserialize(bytes, typed)) return std::nullopt;
      return ToJson(typed);
    } else {
      return std::nullopt;
    }
  }

  const KS key_serde_;
  const VS value_serde_;
  const Merging merging_;
};

template <class K, class V, class KS, class VS>
std::shared_ptr<const state::ValueSchema> MakeSchema(KS key_serde, VS value_serde, Merging merging) {
  return std::make_shared<TypedSchema<K, V, KS, VS>>(std::move(key_serde), std::move(value_serde), merging);
}

}  // namespace tailrace::processor::detail
