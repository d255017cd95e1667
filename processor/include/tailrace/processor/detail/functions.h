// Calls user functions with what they ask for, and null where they can take it.
//
// A function of (key, value) may take references or pointers. Pointers see Kafka's nulls. With references, a null key is
// a default-constructed key, and a null value does not call the function at all: the operator says what happens then.
#pragma once

#include <optional>
#include <type_traits>
#include <utility>

namespace tailrace::processor::detail {

template <class F, class K, class V>
inline constexpr bool kTakesPointers = std::is_invocable_v<F&, const K*, const V*>;

// Whether `f` can be called for a record with this value.
template <class F, class K, class V>
bool CanCall(const V* value) {
  return kTakesPointers<F, K, V> || value != nullptr;
}

template <class K>
const K& KeyOrDefault(const K* key) {
  static const K kNoKey{};
  return key != nullptr ? *key : kNoKey;
}

// REQUIRES: CanCall<F, K, V>(value).
template <class K, class V, class F>
decltype(auto) CallKeyValue(F& f, const K* key, const V* value) {
  if constexpr (kTakesPointers<F, K, V>) {
    return f(key, value);
  } else if constexpr (std::is_invocable_v<F&, const K&, const V&>) {
    return f(KeyOrDefault(key), *value);
  } else {
    static_assert(std::is_invocable_v<F&, const V&>, "the function takes (const K&, const V&), (const K*, const V*) or (const V&)");
    return f(*value);
  }
}

template <class F, class K, class V>
using KeyValueResult = std::remove_cvref_t<decltype(CallKeyValue<K, V>(std::declval<F&>(), std::declval<const K*>(),
                                                                       std::declval<const V*>()))>;

// A result may be std::optional<T>: nullopt is Kafka's null.
template <class T>
struct Nullable {
  using type = T;
  static const T* Pointer(const T& value) { return &value; }
};
template <class T>
struct Nullable<std::optional<T>> {
  using type = T;
  static const T* Pointer(const std::optional<T>& value) { return value.has_value() ? &*value : nullptr; }
};
template <class T>
using NullableType = typename Nullable<T>::type;
template <class T>
const NullableType<T>* PointerTo(const T& value) {
  return Nullable<T>::Pointer(value);
}

}  // namespace tailrace::processor::detail
