#include "alias_table.h"

#include <numeric>

#include "tailrace/base/check.h"

namespace tailrace::ingest {

AliasTable::AliasTable(const std::vector<uint64_t>& weights)
    : columns_(weights.size()), total_(std::accumulate(weights.begin(), weights.end(), uint64_t{0})) {
  TAILRACE_CHECK(total_ > 0, "a distribution has some weight");
  TAILRACE_CHECK(total_ < (uint64_t{1} << 63) / weights.size(), "the weights are too large for their number");
  // Every column has room for `total_`; the surplus of heavy ones fills the light ones.
  std::vector<uint32_t> light;
  std::vector<uint32_t> heavy;
  for (uint32_t i = 0; i < weights.size(); ++i) {
    columns_[i] = {.cut = weights[i] * weights.size(), .alias = i};
    (columns_[i].cut < total_ ? light : heavy).push_back(i);
  }
  while (!light.empty() && !heavy.empty()) {
    const uint32_t small = light.back();
    const uint32_t large = heavy.back();
    light.pop_back();
    columns_[small].alias = large;
    columns_[large].cut -= total_ - columns_[small].cut;
    if (columns_[large].cut < total_) {
      heavy.pop_back();
      light.push_back(large);
    }
  }
}

AliasTable AliasTable::Zipf(size_t count, uint64_t shift) {
  std::vector<uint64_t> weights(count);
  for (size_t rank = 0; rank < count; ++rank) weights[rank] = (uint64_t{1} << 32) / (rank + shift);
  return AliasTable(weights);
}

}  // namespace tailrace::ingest
