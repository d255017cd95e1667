// The epoch of the task that wrote a changelog record under at-least-once: header "e" (docs/formats.md).
#pragma once

#include <cstdint>
#include <string_view>

#include "tailrace/base/bytes.h"
#include "tailrace/kafka/record.h"

namespace tailrace::processor {

// -1 when the record has none.
inline int32_t EpochOf(const kafka::Headers& headers) {
  for (const kafka::Header& header : headers) {
    if (header.name != "e" || !header.value.has_value()) continue;
    std::string_view bytes = *header.value;
    int32_t epoch = -1;
    if (base::ConsumeBigEndian(bytes, epoch)) return epoch;
  }
  return -1;
}

}  // namespace tailrace::processor
