// The machine-readable cause that travels with a query's error: a reason and facts about it.
//
// It lives in the status as a payload in the layout of google.rpc.ErrorInfo; the server puts it into the gRPC details and
// the client takes it out again, so both sides handle one absl::Status.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "tailrace/base/status.h"

namespace tailrace::grpc_api {

namespace reason {
inline constexpr std::string_view kBadRequest = "BAD_REQUEST";
inline constexpr std::string_view kBadPageToken = "BAD_PAGE_TOKEN";
inline constexpr std::string_view kUnknownStore = "UNKNOWN_STORE";
inline constexpr std::string_view kUnknownApplication = "UNKNOWN_APPLICATION";
inline constexpr std::string_view kUnknownField = "UNKNOWN_FIELD";
inline constexpr std::string_view kNoSchema = "NO_SCHEMA";
inline constexpr std::string_view kNotActiveOwner = "NOT_ACTIVE_OWNER";
inline constexpr std::string_view kRestoring = "RESTORING";
inline constexpr std::string_view kTooStale = "TOO_STALE";
inline constexpr std::string_view kPositionNotReached = "POSITION_NOT_REACHED";
inline constexpr std::string_view kOverloaded = "OVERLOADED";
inline constexpr std::string_view kSlowSubscriber = "SLOW_SUBSCRIBER";
inline constexpr std::string_view kTooLarge = "TOO_LARGE";
inline constexpr std::string_view kShuttingDown = "SHUTTING_DOWN";
inline constexpr std::string_view kNoWorker = "NO_WORKER";
inline constexpr std::string_view kCutOver = "CUT_OVER";
inline constexpr std::string_view kNoRegistry = "NO_REGISTRY";
}  // namespace reason

struct ErrorInfo {
  std::string reason;
  std::map<std::string, std::string> metadata;
};

// An error with its cause. UNAVAILABLE, RESOURCE_EXHAUSTED and NOT_ACTIVE_OWNER carry the reaction kRetry, others kFatal.
absl::Status QueryError(absl::StatusCode code, std::string_view reason, std::string_view message,
                        std::map<std::string, std::string> metadata = {});

// `status` with a cause, when it is an error that has none yet.
absl::Status WithDefaultReason(const absl::Status& status);

std::optional<ErrorInfo> ErrorInfoOf(const absl::Status& status);
// The reason, or empty.
std::string ReasonOf(const absl::Status& status);

// The gRPC details (a serialized google.rpc.Status) of an error, and the error they came from.
std::string DetailsOf(const absl::Status& status);
absl::Status StatusFromWire(int code, std::string_view message, std::string_view details);

}  // namespace tailrace::grpc_api
