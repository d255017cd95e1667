// The disk format of keys and values (docs/formats.md). Never renumber.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tailrace/base/bytes.h"
#include "tailrace/state/store.h"

namespace tailrace::state {

// Window stores: int64 start ‖ key.
inline constexpr size_t kStartBytes = 8;
// Stores that retain duplicates: int64 segment start ‖ int32 key size ‖ key ‖ int64 start ‖ int32 sequence.
inline constexpr size_t kDuplicateOverheadBytes = 8 + 4 + 8 + 4;
// Values: int64 timestamp ‖ value.
inline constexpr size_t kTimestampBytes = 8;

inline void AppendDuplicatePrefix(std::string& out, int64_t segment_start_ms, std::string_view key) {
  base::AppendBigEndian(out, segment_start_ms);
  base::AppendBigEndian(out, static_cast<int32_t>(key.size()));
  out.append(key);
}

inline void AppendDuplicateKey(std::string& out, int64_t segment_interval_ms, std::string_view key, int64_t start_ms,
                               int32_t sequence) {
  AppendDuplicatePrefix(out, start_ms - start_ms % segment_interval_ms, key);
  base::AppendBigEndian(out, start_ms);
  base::AppendBigEndian(out, sequence);
}

// Session stores: int64 segment start ‖ int32 key size ‖ key ‖ int64 end ‖ int64 start; segments divide the time of the end.
inline void AppendSessionDiskKey(std::string& out, int64_t segment_interval_ms, const SessionKey& session) {
  AppendDuplicatePrefix(out, session.end_ms - session.end_ms % segment_interval_ms, session.key);
  base::AppendBigEndian(out, session.end_ms);
  base::AppendBigEndian(out, session.start_ms);
}

// The index by end: int64 segment start ‖ int32 -1 ‖ int64 end ‖ int64 start ‖ key. It stands behind the keys of its segment.
inline constexpr int32_t kEndIndexMark = -1;
inline void AppendEndIndexKey(std::string& out, int64_t segment_interval_ms, const SessionKey& session) {
  base::AppendBigEndian(out, session.end_ms - session.end_ms % segment_interval_ms);
  base::AppendBigEndian(out, kEndIndexMark);
  base::AppendBigEndian(out, session.end_ms);
  base::AppendBigEndian(out, session.start_ms);
  out.append(session.key);
}

// Each returns false when the bytes are not of the format: the file is damaged.
inline bool ParseDiskValue(std::string_view bytes, Row& row) {
  if (!base::ConsumeBigEndian(bytes, row.timestamp_ms)) return false;
  row.value = bytes;
  return true;
}

inline bool ParseWindowDiskKey(std::string_view bytes, Row& row) {
  if (!base::ConsumeBigEndian(bytes, row.window_start_ms)) return false;
  row.key = bytes;
  return true;
}

inline bool ParseDuplicateDiskKey(std::string_view bytes, Row& row, int32_t& sequence) {
  int64_t segment = 0;
  int32_t key_size = 0;
  return base::ConsumeBigEndian(bytes, segment) && base::ConsumeBigEndian(bytes, key_size) && key_size >= 0 &&
         base::ConsumeBytes(bytes, static_cast<size_t>(key_size), row.key) &&
         base::ConsumeBigEndian(bytes, row.window_start_ms) && base::ConsumeBigEndian(bytes, sequence) && bytes.empty();
}

// `indexed` tells an entry of the index from a session.
inline bool ParseSessionDiskKey(std::string_view bytes, SessionKey& session, bool& indexed) {
  int64_t segment = 0;
  int32_t key_size = 0;
  if (!base::ConsumeBigEndian(bytes, segment) || !base::ConsumeBigEndian(bytes, key_size)) return false;
  indexed = key_size == kEndIndexMark;
  if (!indexed && (key_size < 0 || !base::ConsumeBytes(bytes, static_cast<size_t>(key_size), session.key))) return false;
  if (!base::ConsumeBigEndian(bytes, session.end_ms) || !base::ConsumeBigEndian(bytes, session.start_ms)) return false;
  if (indexed) session.key = bytes;
  return indexed || bytes.empty();
}

inline absl::Status DamagedEntry(std::string_view store) {
  std::string message = "store ";
  message.append(store);
  message += ": an entry on disk does not have the expected format; wipe this task's directory and restore";
  return base::Error(base::Reaction::kTaskCorrupted, absl::StatusCode::kDataLoss, message);
}

}  // namespace tailrace::state
