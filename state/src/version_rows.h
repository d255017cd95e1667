// The rows of a versioned store (docs/formats.md): the latest version of each key, and older versions in segments of time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "backend.h"
#include "tailrace/kafka/record.h"
#include "tailrace/state/versioned_store.h"

namespace tailrace::state {

// Kafka Streams' segment interval of a versioned store.
int64_t VersionSegmentInterval(int64_t history_retention_ms);

// Disk keys. Segments stand in front, so that expired ones are one range from the start.
void SetSegmentRowKey(std::string& out, int64_t segment, std::string_view key);
void SetLatestRowKey(std::string& out, std::string_view key);
// Where the rows of the first segment that is kept begin.
std::string SegmentsBefore(int64_t segment);
// The key of a latest row; nullopt for rows of segments.
std::optional<std::string_view> ParseLatestRowKey(std::string_view row_key);

// All versions of a key whose end lies in one segment, and that end (RocksDBVersionedStoreSegmentValueFormatter):
//   int64 end of the newest ‖ int64 begin of the oldest ‖ { int64 begin ‖ int32 size, -1: no value }, newest first ‖ values,
//   oldest first
// A row of one version without a value that begins where it ends is the trace of a delete that nothing came before.
class VersionRow {
 public:
  // `bytes` is the row without its first number. False when it is damaged.
  bool Parse(int64_t end_ms, std::string_view bytes);
  // A row of one version.
  void Reset(kafka::NullableBytes value, int64_t from_ms, int64_t to_ms);

  int64_t end_ms() const { return end_ms_; }
  int64_t begin_ms() const { return versions_.back().from_ms; }
  size_t size() const { return versions_.size(); }
  // Newest first.
  int64_t from_ms(size_t i) const { return versions_[i].from_ms; }
  int64_t to_ms(size_t i) const { return i == 0 ? end_ms_ : versions_[i - 1].from_ms; }
  kafka::NullableBytes value(size_t i) const { return versions_[i].View(bytes_); }
  // The version that is valid at a time. REQUIRES: begin <= time < end.
  size_t Find(int64_t time_ms) const;

  // A version that begins at or after the end. What lies between is without a value.
  void InsertAsLatest(kafka::NullableBytes value, int64_t from_ms, int64_t to_ms);
  void InsertAsEarliest(kafka::NullableBytes value, int64_t from_ms);
  void Insert(size_t at, kafka::NullableBytes value, int64_t from_ms);
  void Replace(size_t at, kafka::NullableBytes value, int64_t from_ms);

  // The row without its first number; valid until the next call.
  std::string_view Encode();

 private:
  // Values are places in bytes_, to which new ones are appended.
  struct Place {
    int64_t from_ms;
    size_t offset;
    int32_t size;  // -1: no value
    kafka::NullableBytes View(const std::string& bytes) const {
      if (size < 0) return {};
      return std::string_view(bytes).substr(offset, static_cast<size_t>(size));
    }
  };
  Place Keep(kafka::NullableBytes value, int64_t from_ms);
  bool is_trace() const { return begin_ms() == end_ms_; }

  int64_t end_ms_ = 0;
  std::vector<Place> versions_;
  std::string bytes_;
  std::string encoded_;
};

// A store's row as bytes: false when there is none. `number` is the int64 in front of a row.
using VersionRowReader = absl::FunctionRef<absl::StatusOr<bool>(std::string_view row_key, int64_t& number, std::string& bytes)>;

// How both the store and views look versions up. Buffers are reused; the result's value lies in one of them.
class VersionLookup {
 public:
  struct Store {
    std::string_view name;
    int64_t history_retention_ms;
    int64_t segment_interval_ms;
    int64_t stream_time_ms;
  };

  absl::StatusOr<std::optional<Version>> Latest(std::string_view key, VersionRowReader read);
  // `segments` are those that exist, ascending.
  absl::StatusOr<std::optional<Version>> AsOf(const Store& store, const std::vector<int64_t>& segments, std::string_view key,
                                              int64_t as_of_ms, VersionRowReader read);
  absl::Status Versions(const Store& store, const std::vector<int64_t>& segments, std::string_view key, int64_t from_ms,
                        int64_t to_ms, VersionRowReader read, VersionVisitor visitor);

 private:
  std::string row_key_;
  std::string bytes_;
  VersionRow row_;
};

// The segments that have rows, ascending.
absl::StatusOr<std::vector<int64_t>> ListSegments(BackendCursor& cursor, std::string_view store);

}  // namespace tailrace::state
