// What a task stores with every commit, as bytes (docs/formats.md).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tailrace/base/status.h"
#include "tailrace/state/task_state.h"

namespace tailrace::state {

// What a store remembers besides its entries.
struct StoreMark {
  base::Offset changelog_offset = base::kOffsetUnknown;
  int64_t stream_time_ms = -1;
  int32_t sequence = 0;
  friend bool operator==(const StoreMark&, const StoreMark&) = default;
};

struct CommitRecord {
  int64_t stream_time_ms = -1;
  Position position;
  std::map<std::string, int64_t> operator_times_ms;
  std::map<std::string, StoreMark, std::less<>> stores;
};

std::string EncodeCommitRecord(const CommitRecord& record);
// nullopt when the bytes are not a record of a known version.
std::optional<CommitRecord> DecodeCommitRecord(std::string_view bytes);

}  // namespace tailrace::state
