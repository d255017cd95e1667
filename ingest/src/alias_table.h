// Draws from a discrete distribution in constant time, in integers only, so that every platform draws the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tailrace/base/random.h"

namespace tailrace::ingest {

// Walker's alias method. Immutable after construction.
class AliasTable {
 public:
  // REQUIRES: not empty, some weight above 0, and (sum of weights) * count below 2^63.
  explicit AliasTable(const std::vector<uint64_t>& weights);
  // Weights 2^32 / (rank + shift): Zipf's law with exponent 1, flattened at its head by a larger shift.
  static AliasTable Zipf(size_t count, uint64_t shift = 1);

  uint32_t Draw(base::Random& random) const {
    const auto column = static_cast<uint32_t>(random.Below(columns_.size()));
    return random.Below(total_) < columns_[column].cut ? column : columns_[column].alias;
  }
  size_t size() const { return columns_.size(); }

 private:
  struct Column {
    uint64_t cut = 0;  // below it: the column's own number, else `alias`
    uint32_t alias = 0;
  };
  std::vector<Column> columns_;
  uint64_t total_ = 0;
};

}  // namespace tailrace::ingest
