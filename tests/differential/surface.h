// Serdes, extractors and partitioners that cases use: the same rules as Surface.java.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "functions.h"
#include "tailrace/processor/record.h"

namespace tailrace::differential {

// Strings, about 1 of n of which cannot be read.
struct PickySerde {
  std::string_view Serialize(const Text& value, Text&) const { return value; }
  bool Deserialize(std::string_view bytes, Text& value) const {
    value.assign(bytes);
    return Hash(value) % n != 0;
  }
  uint32_t n = 1;
};

// The record's time moved, the partition's, or none.
struct MovedTime {
  int64_t operator()(const processor::Record<Text, Text>& record, int64_t partition_time_ms) const {
    const uint32_t hash = Hash(record.key, record.value);
    if (hash % 16 == 0) return -1;
    return hash % 4 == 0 ? partition_time_ms : record.timestamp_ms + hash % 7;
  }
};

// Drops some records, leaves some to the default partitioner, and sends the others to partition 0.
struct SomePartitions {
  std::optional<std::vector<int32_t>> operator()(std::string_view, const Text* key, const Text* value, int32_t) const {
    const uint32_t hash = Hash(key, value) % 5;
    if (hash == 0) return std::vector<int32_t>{};
    if (hash == 1) return std::nullopt;
    return std::vector<int32_t>{0};
  }
};

}  // namespace tailrace::differential
