#include "common/error_info.h"

#include <utility>

#include "absl/strings/cord.h"
#include "tailrace/v1/error.pb.h"

namespace tailrace::grpc_api {
namespace {

constexpr char kTypeUrl[] = "type.googleapis.com/google.rpc.ErrorInfo";
constexpr char kDomain[] = "tailrace.v1";

std::string Serialize(std::string_view reason, const std::map<std::string, std::string>& metadata) {
  v1::ErrorInfo info;
  info.set_reason(std::string(reason));
  info.set_domain(kDomain);
  for (const auto& [name, value] : metadata) (*info.mutable_metadata())[name] = value;
  return info.SerializeAsString();
}

bool IsWorthRetrying(absl::StatusCode code, std::string_view reason) {
  return code == absl::StatusCode::kUnavailable || code == absl::StatusCode::kResourceExhausted ||
         code == absl::StatusCode::kDeadlineExceeded || reason == reason::kNotActiveOwner;
}

}  // namespace

absl::Status QueryError(absl::StatusCode code, std::string_view reason, std::string_view message,
                        std::map<std::string, std::string> metadata) {
  absl::Status status = base::Error(
      IsWorthRetrying(code, reason) ? base::Reaction::kRetry : base::Reaction::kFatal, code, message);
  status.SetPayload(kTypeUrl, absl::Cord(Serialize(reason, metadata)));
  return status;
}

absl::Status WithDefaultReason(const absl::Status& status) {
  if (status.ok() || status.GetPayload(kTypeUrl).has_value()) return status;
  std::string_view reason;
  switch (status.code()) {
    case absl::StatusCode::kNotFound: reason = reason::kUnknownStore; break;
    case absl::StatusCode::kUnavailable: reason = reason::kRestoring; break;
    case absl::StatusCode::kInvalidArgument: reason = reason::kBadRequest; break;
    case absl::StatusCode::kResourceExhausted: reason = reason::kOverloaded; break;
    default: return status;
  }
  absl::Status result = status;
  result.SetPayload(kTypeUrl, absl::Cord(Serialize(reason, {})));
  return result;
}

std::optional<ErrorInfo> ErrorInfoOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kTypeUrl);
  if (!payload.has_value()) return std::nullopt;
  v1::ErrorInfo parsed;
  if (!parsed.ParseFromString(std::string(*payload))) return std::nullopt;
  ErrorInfo info{.reason = parsed.reason(), .metadata = {}};
  for (const auto& [name, value] : parsed.metadata()) info.metadata[name] = value;
  return info;
}

std::string ReasonOf(const absl::Status& status) {
  std::optional<ErrorInfo> info = ErrorInfoOf(status);
  return info ? std::move(info->reason) : std::string();
}

std::string DetailsOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kTypeUrl);
  if (!payload.has_value()) return {};
  v1::ErrorStatus wire;
  wire.set_code(static_cast<int>(status.code()));
  wire.set_message(std::string(status.message()));
  google::protobuf::Any* any = wire.add_details();
  any->set_type_url(kTypeUrl);
  any->set_value(std::string(*payload));
  return wire.SerializeAsString();
}

absl::Status StatusFromWire(int code, std::string_view message, std::string_view details) {
  const auto status_code = static_cast<absl::StatusCode>(code);
  if (status_code == absl::StatusCode::kOk) return absl::OkStatus();
  v1::ErrorStatus wire;
  if (!details.empty() && wire.ParseFromArray(details.data(), static_cast<int>(details.size()))) {
    for (const google::protobuf::Any& any : wire.details()) {
      v1::ErrorInfo info;
      if (any.type_url() != kTypeUrl || !info.ParseFromString(any.value())) continue;
      return QueryError(status_code, info.reason(), message, {info.metadata().begin(), info.metadata().end()});
    }
  }
  const bool retry = IsWorthRetrying(status_code, {});
  return base::Error(retry ? base::Reaction::kRetry : base::Reaction::kFatal, status_code, message);
}

}  // namespace tailrace::grpc_api
