// Little-endian numbers at any address of a state buffer. docs/formats.md describes what is kept where.
#pragma once

#include <bit>
#include <cstring>

namespace tailrace::pipeline::aggregates {

static_assert(std::endian::native == std::endian::little, "aggregate states are little-endian and updated in place");

template <class T>
inline T Load(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}

template <class T>
inline void Store(char* at, T value) {
  std::memcpy(at, &value, sizeof(T));
}

}  // namespace tailrace::pipeline::aggregates
