// Where a subscription stands: per task the last change that was handled, and its text form, the resume token.
//
// Bytes before base64url (docs/formats.md): version 1, varint number of tasks, for each: varint subtopology, varint
// partition, varint changelog offset, varint index within the commit; then an int64 check (Fnv1a).
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>

#include "tailrace/base/status.h"
#include "tailrace/base/types.h"

namespace tailrace::grpc_api {

// A change's place in its task's history: the changelog offset that its commit reached, and its number in that commit.
struct UpdatePlace {
  // The index of a place behind everything in its commit.
  static constexpr int32_t kWholeCommit = std::numeric_limits<int32_t>::max();

  int64_t offset = -1;
  int32_t index = 0;
  friend auto operator<=>(const UpdatePlace&, const UpdatePlace&) = default;
};

using ResumePosition = std::map<base::TaskId, UpdatePlace>;

std::string EncodeResumeToken(const ResumePosition& position);
// INVALID_ARGUMENT with reason BAD_PAGE_TOKEN when the text is not a token.
absl::StatusOr<ResumePosition> DecodeResumeToken(std::string_view text);

}  // namespace tailrace::grpc_api
