// Reads partitions that were assigned by hand.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tailrace/base/status.h"
#include "tailrace/base/types.h"
#include "tailrace/kafka/record.h"

namespace tailrace::kafka {

struct AssignedPartition {
  base::TopicPartition partition;
  base::Offset start;  // the first offset to read, or kOffsetBeginning / kOffsetEnd
};

// The readable range of a partition: [begin, end). Under read_committed `end` is the last stable offset.
struct OffsetRange {
  base::Offset begin;
  base::Offset end;
};

// A data consumer with manual assignment. It is a member of no group: offsets are committed through Membership or the
// Producer's transaction.
//
// Thread-safety: one thread at a time. Lifetime: the Cluster that made it outlives it.
// Errors: kRetry for transient trouble (Poll may just be called again); kTaskCorrupted when a start offset is outside
// the log (message names partition, offset and range); kFatal for authentication, authorization or a missing topic.
//
//   consumer->Assign({{{"posts", base::Partition{0}}, base::Offset{42}}});
//   kafka::RecordBatch batch;
//   while (running) {
//     TAILRACE_RETURN_IF_ERROR(consumer->Poll(batch, 50));
//     for (const kafka::RecordView& record : batch.records()) ...
//   }
class Consumer {
 public:
  virtual ~Consumer() = default;

  // Replaces the assignment. RecordView::source is the index into `partitions`. Records of partitions that were
  // assigned before and are no longer are never returned afterwards (librdkafka #3340). A start of kOffsetBeginning or
  // kOffsetEnd may cost a short question to the log, at most half a second.
  virtual absl::Status Assign(std::vector<AssignedPartition> partitions) = 0;

  // Clears `batch` and fills it with at most limits::kPollRecordsMax records, waiting up to `timeout_ms` for the first.
  // An empty batch is OK. It returns as soon as some records are there. A failed partition is reported once by an error,
  // and other partitions go on with the next call.
  virtual absl::Status Poll(RecordBatch& batch, int timeout_ms) = 0;

  // Stops and restarts delivery for the given indices into the assignment; position is kept. Cheap: what has been fetched
  // is kept too, up to a bound.
  virtual absl::Status Pause(std::span<const int32_t> sources) = 0;
  virtual absl::Status Resume(std::span<const int32_t> sources) = 0;

  // The next offset that Poll would deliver for this index: the position after the last delivered record, which under
  // transactions is past control records, and equals the end once everything was read. Before the first record: the start
  // of Assign; kOffsetUnknown while a start of kOffsetBeginning or kOffsetEnd is not resolved.
  virtual base::Offset Position(int32_t source) const = 0;

  // Asks the log; blocks up to `timeout_ms`.
  virtual absl::StatusOr<OffsetRange> QueryOffsets(const base::TopicPartition& partition, int timeout_ms) = 0;
  // The end of the partition as last heard with fetched data, without asking; kOffsetUnknown when never heard.
  virtual base::Offset KnownEnd(int32_t source) const = 0;
};

}  // namespace tailrace::kafka
