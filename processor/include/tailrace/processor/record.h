// Records as operators see them: typed, with keys and values that may be null.
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

#include "tailrace/base/types.h"
#include "tailrace/kafka/record.h"
#include "tailrace/state/store.h"

namespace tailrace::processor {

// A record on its way through the operators of one task. Key and value are borrowed from the caller of Process and are
// valid during that call only; null pointers are Kafka's null keys and values.
template <class K, class V>
struct Record {
  const K* key = nullptr;
  const V* value = nullptr;
  int64_t timestamp_ms = 0;
  // Null: the headers of the input record travel on unchanged.
  const kafka::Headers* headers = nullptr;
};

// An update of a table: what the value was and what it is now; null means absent.
// `old_value` is set only when a downstream operator asked for old values.
template <class V>
struct Change {
  const V* new_value = nullptr;
  const V* old_value = nullptr;
  // False for an out-of-order update of a versioned table: the table still holds a later value.
  bool is_latest = true;
};

// A key in a window [start, end).
template <class K>
struct Windowed {
  K key;
  int64_t start_ms = 0;
  int64_t end_ms = 0;
  friend auto operator<=>(const Windowed&, const Windowed&) = default;
};

// Where the record that is being processed came from: topic, partition, offset and timestamp_ms.
using state::RecordContext;

}  // namespace tailrace::processor
