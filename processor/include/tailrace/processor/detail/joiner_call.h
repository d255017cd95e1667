// Calls a joiner with what it asks for: with or without the key, and pointers where a side may be missing.
#pragma once

#include <type_traits>

#include "tailrace/processor/detail/functions.h"

namespace tailrace::processor::detail {

enum class JoinKind { kInner, kLeft, kOuter };

template <class T, bool kMayBeMissing>
decltype(auto) Side(const T* value) {
  if constexpr (kMayBeMissing) return value;
  else return *value;
}

// `joiner` takes (V1, V2) or (key, V1, V2), where V1 and V2 are references, or pointers for the side that may be missing: the
// second of a left join, both of an outer join. Pointers are always fine. The key is a reference, or a pointer to see a null
// key (KIP-962); without a key a reference is to a default-constructed one.
template <JoinKind kKind, class K, class V1, class V2, class F>
decltype(auto) CallJoiner(F& joiner, const K* key, const V1* first, const V2* second) {
  constexpr bool kFirst = kKind == JoinKind::kOuter;
  constexpr bool kSecond = kKind != JoinKind::kInner;
  using A = std::conditional_t<kFirst, const V1*, const V1&>;
  using B = std::conditional_t<kSecond, const V2*, const V2&>;
  if constexpr (std::is_invocable_v<F&, A, B>) {
    return joiner(Side<V1, kFirst>(first), Side<V2, kSecond>(second));
  } else if constexpr (std::is_invocable_v<F&, const K&, A, B>) {
    return joiner(KeyOrDefault(key), Side<V1, kFirst>(first), Side<V2, kSecond>(second));
  } else if constexpr (std::is_invocable_v<F&, const K*, A, B>) {
    return joiner(key, Side<V1, kFirst>(first), Side<V2, kSecond>(second));
  } else if constexpr (std::is_invocable_v<F&, const V1*, const V2*>) {
    return joiner(first, second);
  } else {
    static_assert(std::is_invocable_v<F&, const K*, const V1*, const V2*>,
                  "the joiner takes (V1, V2) or (key, V1, V2): references for values that are always there, pointers for the "
                  "second value of a left join and for both of an outer join");
    return joiner(key, first, second);
  }
}

template <JoinKind kKind, class K, class V1, class V2, class F>
using JoinResult = std::remove_cvref_t<decltype(CallJoiner<kKind, K, V1, V2>(
    std::declval<F&>(), std::declval<const K*>(), std::declval<const V1*>(), std::declval<const V2*>()))>;

}  // namespace tailrace::processor::detail
