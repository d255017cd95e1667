#include "absl/strings/str_cat.h"
#include "tailrace/processor/detail/topic_nodes.h"

namespace tailrace::processor::detail {

absl::Status UndecodableError(const std::string& source, const char* part, size_t size) {
  return base::Error(base::Reaction::kSkipRecord, absl::StatusCode::kInvalidArgument,
                     absl::StrCat("source ", source, ": the ", part, " of ", size,
                                  " bytes cannot be decoded by the source's serde"));
}

absl::Status ExtractorThrewError(const std::string& source, const char* what) {
  return base::Error(base::Reaction::kFatal, absl::StatusCode::kAborted,
                     absl::StrCat("source ", source, ": the timestamp extractor threw: ", what));
}

absl::StatusOr<int64_t> ExtractTimestamp(TimestampExtractor extractor, const std::string& source, int64_t record_ms,
                                         int64_t partition_time_ms, const TaskContext& context) {
  switch (extractor) {
    case TimestampExtractor::kWallclockTimestamp:
      return context.wall_time_ms();
    case TimestampExtractor::kUsePartitionTimeOnInvalidTimestamp:
      if (record_ms >= 0) return record_ms;
      if (partition_time_ms >= 0) return partition_time_ms;
      return base::Error(base::Reaction::kFatal, absl::StatusCode::kOutOfRange,
                         absl::StrCat("source ", source, ": the timestamp ", record_ms, " is below zero, and no earlier record of "
                                      "the partition has one to use instead; choose another timestamp extractor"));
    case TimestampExtractor::kFailOnInvalidTimestamp:
    case TimestampExtractor::kLogAndSkipOnInvalidTimestamp:
      break;
  }
  return record_ms;
}

}  // namespace tailrace::processor::detail
