// The serde of a stream's keys. Windowed keys have one type and different bytes, for time windows and for sessions, so where none
// is given theirs is that of the table that they come from.
#pragma once

#include <any>
#include <string>
#include <string_view>
#include <type_traits>

#include "tailrace/processor/detail/any_serde.h"
#include "tailrace/processor/detail/stream_handle.h"

namespace tailrace::processor::detail {

// Empty for other keys, and for those that come from no table.
template <class K>
AnySerde<K> InheritedKeySerde(const StreamHandle& stream) {
  if constexpr (kIsWindowed<K>) {
    if (const auto* const serde = std::any_cast<AnySerde<K>>(&stream.windowed_key_serde)) return *serde;
  }
  return {};
}

// Of an operator that was given a `KS`.
template <class KS, class K>
using KeySerdeType = std::conditional_t<kInheritsKeySerde<K, KS>, AnySerde<K>, SerdeType<KS, K>>;

template <class K, class KS>
KeySerdeType<KS, K> KeySerdeOf(const KS& given, const StreamHandle& stream) {
  if constexpr (kInheritsKeySerde<K, KS>) return SerdeOr<KS, K>(given, InheritedKeySerde<K>(stream));
  else return ResolveSerde<KS, K>::From(given);
}

// Windowed keys whose windows choose the partition, too: those of repartition topics, where Kafka Streams sets no partitioner.
template <class KS>
struct WholeKeySerde {
  KS serde;

  template <class K>
  std::string_view Serialize(const K& key, std::string& scratch) const {
    return serde.Serialize(key, scratch);
  }
  template <class K>
  bool Deserialize(std::string_view bytes, K& key) const {
    return serde.Deserialize(bytes, key);
  }
};

}  // namespace tailrace::processor::detail
