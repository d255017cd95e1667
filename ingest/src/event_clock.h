// The event times of a stream at a rate.
#pragma once

#include "tailrace/ingest/record_source.h"

namespace tailrace::ingest {

class EventClock {
 public:
  explicit EventClock(const SourceOptions& options) : start_ms_(options.start_ms), rate_(options.rate) {}
  // Of record `index`; 128 bits because a long stream times 1,000 does not fit.
  int64_t At(int64_t index) const {
    return start_ms_ + static_cast<int64_t>(static_cast<__int128>(index) * 1'000 / rate_);
  }

 private:
  int64_t start_ms_;
  int64_t rate_;
};

}  // namespace tailrace::ingest
