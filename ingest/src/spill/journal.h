// Records on disk, in order, from the moment they were taken until the log has them.
//
// One writer appends, one reader reads and releases; they may be two threads. A process that dies loses nothing that was
// appended, since the system keeps what was written; a machine that dies may lose the last moments (no fsync per record).
// The bytes are in docs/formats.md.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tailrace/base/status.h"
#include "tailrace/kafka/record.h"

namespace tailrace::ingest {

// Valid until the next Read of the journal that it came from.
struct JournalEntry {
  uint64_t sequence = 0;
  int64_t timestamp_ms = 0;
  kafka::NullableBytes key;
  std::string_view value;
};

class Journal {
 public:
  // Where reading has come to: before the entry of this sequence number.
  struct Position {
    uint64_t sequence = 0;
    uint64_t segment = 0;  // the first sequence number of the segment that holds it
    int64_t offset = 0;    // in the segment's file; 0: not looked up yet
  };
  struct Batch {
    std::span<const JournalEntry> entries;
    Position end;
  };

  // Makes the directory when it is absent, and keeps what an earlier process left in it. An entry that the end of a
  // process cut short is dropped. Errors: kFailedPrecondition while another process has it open; kDataLoss for files that
  // are no journal or are damaged, naming them.
  static absl::StatusOr<std::unique_ptr<Journal>> Open(const std::string& directory, int64_t bytes_max);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // Errors: kResourceExhausted when it would exceed the bound, or the disk is full; the record is then not in it.
  absl::Status Append(kafka::NullableBytes key, std::string_view value, int64_t timestamp_ms);

  // Entries from `from` on, none when there are no more.
  absl::StatusOr<Batch> Read(const Position& from);
  // Everything before `position` is in the log; its files go.
  void Release(const Position& position);
  // Where the entry `sequence` begins. REQUIRES: it was not released.
  Position PositionOf(uint64_t sequence) const;
  // Waits until there is an entry at or after `sequence`; false when the time is over.
  bool WaitFor(uint64_t sequence, int timeout_ms);

  // A number that no other journal has.
  uint64_t id() const { return id_; }
  // Of the oldest entry that is kept, and of the next one to come.
  uint64_t begin_sequence() const;
  uint64_t end_sequence() const;
  // Bytes of entries that were not released.
  int64_t pending_bytes() const;
  const std::string& directory() const { return directory_; }

 private:
  struct Segment {
    uint64_t first = 0;
    int64_t bytes = 0;
    std::string path;
  };

  Journal(std::string directory, int64_t bytes_max) : directory_(std::move(directory)), bytes_max_(bytes_max) {}
  absl::Status Load();
  absl::Status LoadSegment(Segment segment, bool last);
  absl::Status BeginSegment();
  int64_t TotalBytes() const;
  absl::StatusOr<int> FileOf(const Segment& segment);

  const std::string directory_;
  const int64_t bytes_max_;
  uint64_t id_ = 0;
  int lock_file_ = -1;

  // Of the writer.
  int file_ = -1;
  std::string scratch_;
  // Of the reader.
  int read_file_ = -1;
  uint64_t read_segment_ = 0;
  std::string block_;
  std::vector<JournalEntry> entries_;

  mutable std::mutex mu_;
  std::condition_variable appended_;
  // Guarded by mu_.
  std::deque<Segment> segments_;  // the last one is written to
  uint64_t end_sequence_ = 1;
  Position released_;
};

}  // namespace tailrace::ingest
