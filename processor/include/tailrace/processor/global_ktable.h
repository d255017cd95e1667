// A table that every process has whole.
#pragma once

#include <string>
#include <utility>

#include "tailrace/processor/detail/any_serde.h"

namespace tailrace::processor {

// All partitions of a topic as one table (org.apache.kafka.streams.kstream.GlobalKTable): it is read to its end before
// processing starts and followed from then on, beside processing and without regard to event time. A stream is joined with it
// by any key, without repartitioning; use it for tables that are small and change slowly.
// A cheap handle, made by StreamsBuilder::GlobalTable. Not thread-safe.
template <class K, class V>
class GlobalKTable {
 public:
  GlobalKTable(std::string store, detail::AnySerde<K> key_serde, detail::AnySerde<V> value_serde)
      : store_(std::move(store)), key_serde_(std::move(key_serde)), value_serde_(std::move(value_serde)) {}

  const std::string& QueryableStoreName() const { return store_; }
  const detail::AnySerde<K>& key_serde() const { return key_serde_; }
  const detail::AnySerde<V>& value_serde() const { return value_serde_; }

 private:
  std::string store_;
  detail::AnySerde<K> key_serde_;
  detail::AnySerde<V> value_serde_;
};

}  // namespace tailrace::processor
