// What a request for a history is about, and the key it has in topic and store `requests`.
#pragma once

#include <string>
#include <string_view>

#include "tailrace/base/status.h"

namespace tailrace::grpc_api {

enum class RequestKind { kUnknown, kUser, kTicker };
// "user", "ticker".
std::string_view RequestKindName(RequestKind kind);

// The name as records have it: of a user in lower case without a leading @, of a ticker in upper case.
// Errors: INVALID_ARGUMENT that says what a name may hold.
absl::StatusOr<std::string> RequestName(RequestKind kind, std::string_view name);
// "user|alice", "ticker|AAPL"; `name` as RequestName gives it.
std::string RequestKey(RequestKind kind, std::string_view name);

}  // namespace tailrace::grpc_api
