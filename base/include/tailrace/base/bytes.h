// Byte encodings shared by every format: big-endian integers (Java's ByteBuffer) and Kafka's zig-zag varints.
//
// All functions are pure. Decoders check bounds and return false (or nullopt) on malformed input; they never read past
// the end.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace tailrace::base {

template <class T>
inline T ByteSwapToBigEndian(T value) {
  if constexpr (sizeof(T) == 8) return static_cast<T>(__builtin_bswap64(static_cast<uint64_t>(value)));
  if constexpr (sizeof(T) == 4) return static_cast<T>(__builtin_bswap32(static_cast<uint32_t>(value)));
  if constexpr (sizeof(T) == 2) return static_cast<T>(__builtin_bswap16(static_cast<uint16_t>(value)));
  return value;
}

// Writes sizeof(T) bytes at `out`.
template <class T>
inline void StoreBigEndian(char* out, T value) {
  value = ByteSwapToBigEndian(value);
  std::memcpy(out, &value, sizeof(T));
}

// Reads sizeof(T) bytes at `in`.
template <class T>
inline T LoadBigEndian(const char* in) {
  T value;
  std::memcpy(&value, in, sizeof(T));
  return ByteSwapToBigEndian(value);
}

template <class T>
inline void AppendBigEndian(std::string& out, T value) {
  char buffer[sizeof(T)];
  StoreBigEndian(buffer, value);
  out.append(buffer, sizeof(T));
}

// Takes sizeof(T) bytes off the front of `in`; false when there are fewer.
template <class T>
inline bool ConsumeBigEndian(std::string_view& in, T& value) {
  if (in.size() < sizeof(T)) return false;
  value = LoadBigEndian<T>(in.data());
  in.remove_prefix(sizeof(T));
  return true;
}

// Kafka's signed varint: zig-zag, then base-128 little-endian groups (org.apache.kafka.common.utils.ByteUtils.writeVarint).
void AppendVarint(std::string& out, int64_t value);
bool ConsumeVarint(std::string_view& in, int64_t& value);

// Takes `size` bytes off the front of `in`; false when there are fewer.
inline bool ConsumeBytes(std::string_view& in, size_t size, std::string_view& out) {
  if (in.size() < size) return false;
  out = in.substr(0, size);
  in.remove_prefix(size);
  return true;
}

std::string Base64Encode(std::string_view bytes);
std::optional<std::string> Base64Decode(std::string_view text);

// Lower-case hexadecimal, for messages and tests.
std::string HexEncode(std::string_view bytes);

}  // namespace tailrace::base
