// How typed keys and values become bytes, in the bytes of Kafka's own serdes.
//
// A serde for T is any class with
//   std::string_view Serialize(const T& value, std::string& scratch) const;  // returns the bytes: in `scratch`, or borrowed from `value`
//   bool Deserialize(std::string_view bytes, T& value) const;                // false: these bytes are no T
// Null never reaches a serde. Serdes are copied into every task, so they need no thread-safety of their own.
//
// DefaultSerde<T> is used where none is given. Specialise it for your own type, in namespace tailrace::processor:
//   template <> struct DefaultSerde<Order> : OrderSerde {};
// A type without a serde is a compile error at the operator that needs it. More serdes: serdes.h (lists, UUIDs, optional
// values), json_serde.h, protobuf_serde.h.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "tailrace/base/bytes.h"
#include "tailrace/processor/record.h"

namespace tailrace::processor {

template <class S, class T>
concept SerdeFor = requires(const S& serde, const T& in, T& out, std::string& scratch, std::string_view bytes) {
  { serde.Serialize(in, scratch) } -> std::same_as<std::string_view>;
  { serde.Deserialize(bytes, out) } -> std::same_as<bool>;
};

// Strings in UTF-8 (StringSerde). The bytes are not checked.
struct StringSerde {
  std::string_view Serialize(const std::string& value, std::string&) const { return value; }
  bool Deserialize(std::string_view bytes, std::string& value) const {
    value.assign(bytes);
    return true;
  }
};

// Bytes that are borrowed from the record: no copy, valid while the record is processed (BytesSerde).
struct BytesViewSerde {
  std::string_view Serialize(const std::string_view& value, std::string&) const { return value; }
  bool Deserialize(std::string_view bytes, std::string_view& value) const {
    value = bytes;
    return true;
  }
};

// Bytes of one's own (ByteArraySerde). Use it, not BytesViewSerde, where values are kept beyond the record.
struct BytesSerde {
  std::string_view Serialize(const std::vector<uint8_t>& value, std::string&) const {
    return {reinterpret_cast<const char*>(value.data()), value.size()};
  }
  bool Deserialize(std::string_view bytes, std::vector<uint8_t>& value) const {
    value.assign(bytes.begin(), bytes.end());
    return true;
  }
};

// One byte, 0 or 1 (BooleanSerde).
struct BoolSerde {
  std::string_view Serialize(const bool& value, std::string& scratch) const {
    scratch.assign(1, value ? '\1' : '\0');
    return scratch;
  }
  bool Deserialize(std::string_view bytes, bool& value) const {
    if (bytes.size() != 1 || (bytes[0] != 0 && bytes[0] != 1)) return false;
    value = bytes[0] == 1;
    return true;
  }
};

// Big-endian two's complement (ShortSerde, IntegerSerde, LongSerde).
template <class Int>
struct IntegerSerde {
  std::string_view Serialize(const Int& value, std::string& scratch) const {
    scratch.resize(sizeof(Int));
    base::StoreBigEndian(scratch.data(), value);
    return scratch;
  }
  bool Deserialize(std::string_view bytes, Int& value) const {
    if (bytes.size() != sizeof(Int)) return false;
    value = base::LoadBigEndian<Int>(bytes.data());
    return true;
  }
};

// IEEE 754 bits, big-endian (FloatSerde, DoubleSerde).
template <class Real>
struct RealSerde {
  using Bits = std::conditional_t<sizeof(Real) == 4, uint32_t, uint64_t>;
  std::string_view Serialize(const Real& value, std::string& scratch) const {
    return IntegerSerde<Bits>().Serialize(std::bit_cast<Bits>(value), scratch);
  }
  bool Deserialize(std::string_view bytes, Real& value) const {
    Bits bits = 0;
    if (!IntegerSerde<Bits>().Deserialize(bytes, bits)) return false;
    value = std::bit_cast<Real>(bits);
    return true;
  }
};
using DoubleSerde = RealSerde<double>;
using FloatSerde = RealSerde<float>;

template <class T>
struct MissingSerde : std::false_type {};

template <class T>
struct DefaultSerde {
  static_assert(MissingSerde<T>::value,
                "this type has no serde: specialise tailrace::processor::DefaultSerde<T>, or pass one with Consumed, Produced, "
                "Grouped or Materialized");
};
template <>
struct DefaultSerde<std::string> : StringSerde {};
template <>
struct DefaultSerde<std::string_view> : BytesViewSerde {};
template <>
struct DefaultSerde<std::vector<uint8_t>> : BytesSerde {};
template <>
struct DefaultSerde<bool> : BoolSerde {};
template <>
struct DefaultSerde<int16_t> : IntegerSerde<int16_t> {};
template <>
struct DefaultSerde<int32_t> : IntegerSerde<int32_t> {};
template <>
struct DefaultSerde<int64_t> : IntegerSerde<int64_t> {};
template <>
struct DefaultSerde<float> : FloatSerde {};
template <>
struct DefaultSerde<double> : DoubleSerde {};

// A windowed key as Kafka Streams writes it to topics: key bytes, then the window start (TimeWindowedSerializer). The end
// is not written: a reader gives the window size.
template <class KeySerde>
struct TimeWindowedSerde {
  // The bytes behind the key, which choose no partition.
  static constexpr size_t kWindowBytes = sizeof(int64_t);
  KeySerde key_serde;
  int64_t window_size_ms = 0;

  template <class K>
  std::string_view Serialize(const Windowed<K>& windowed, std::string& scratch) const {
    std::string key_scratch;
    const std::string_view key = key_serde.Serialize(windowed.key, key_scratch);
    scratch.assign(key);
    base::AppendBigEndian(scratch, windowed.start_ms);
    return scratch;
  }
  template <class K>
  bool Deserialize(std::string_view bytes, Windowed<K>& windowed) const {
    if (bytes.size() < kWindowBytes) return false;
    const size_t key_size = bytes.size() - kWindowBytes;
    windowed.start_ms = base::LoadBigEndian<int64_t>(bytes.data() + key_size);
    windowed.end_ms = windowed.start_ms > std::numeric_limits<int64_t>::max() - window_size_ms
                          ? std::numeric_limits<int64_t>::max()
                          : windowed.start_ms + window_size_ms;
    return key_serde.Deserialize(bytes.substr(0, key_size), windowed.key);
  }
};
template <class K>
struct DefaultSerde<Windowed<K>> : TimeWindowedSerde<DefaultSerde<K>> {};

// A session's key: key bytes, then the end, then the start (SessionWindowedSerializer). The default serde of windowed keys
// is that of time windows, so give this one where sessions are read, and where they are written with keys that no longer are
// those of a table.
template <class KeySerde>
struct SessionWindowedSerde {
  static constexpr size_t kWindowBytes = 2 * sizeof(int64_t);
  KeySerde key_serde;

  template <class K>
  std::string_view Serialize(const Windowed<K>& windowed, std::string& scratch) const {
    std::string key_scratch;
    const std::string_view key = key_serde.Serialize(windowed.key, key_scratch);
    scratch.assign(key);
    base::AppendBigEndian(scratch, windowed.end_ms);
    base::AppendBigEndian(scratch, windowed.start_ms);
    return scratch;
  }
  template <class K>
  bool Deserialize(std::string_view bytes, Windowed<K>& windowed) const {
    if (bytes.size() < kWindowBytes) return false;
    const size_t key_size = bytes.size() - kWindowBytes;
    windowed.end_ms = base::LoadBigEndian<int64_t>(bytes.data() + key_size);
    windowed.start_ms = base::LoadBigEndian<int64_t>(bytes.data() + key_size + sizeof(int64_t));
    return key_serde.Deserialize(bytes.substr(0, key_size), windowed.key);
  }
};

// Stands for "the default serde of whatever type is there".
struct UseDefaultSerde {};

namespace detail {
template <class S, class T>
struct ResolveSerde {
  static_assert(SerdeFor<S, T>, "this serde is not one for this type");
  using type = S;
  static type From(const S& serde) { return serde; }
};
template <class T>
struct ResolveSerde<UseDefaultSerde, T> {
  using type = DefaultSerde<T>;
  static type From(const UseDefaultSerde&) { return {}; }
};
template <class S, class T>
using SerdeType = typename ResolveSerde<S, T>::type;
}  // namespace detail

}  // namespace tailrace::processor
