// Where records go: a topic (TopicWriter) or a file of lines (LineWriter).
#pragma once

#include <cstdint>
#include <string_view>

#include "tailrace/base/status.h"
#include "tailrace/kafka/record.h"

namespace tailrace::ingest {

// Not thread-safe. After an error it is of no further use.
class RecordSink {
 public:
  virtual ~RecordSink() = default;
  // OK: the sink has taken the record. Waits for room, within the sink's bound.
  virtual absl::Status Write(kafka::NullableBytes key, std::string_view value, int64_t timestamp_ms) = 0;
  // Called before the writer rests: readers shall see what was written.
  virtual absl::Status Idle() = 0;
  // Everything that was taken has arrived when this is OK.
  virtual absl::Status Finish() = 0;
};

}  // namespace tailrace::ingest
