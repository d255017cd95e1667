#include "gateway/problem.h"

#include <utility>

#include "common/error_info.h"
#include "gateway/json_writer.h"
#include "tailrace/base/log.h"

namespace tailrace::grpc_api {
namespace {

Problem BadRequestOf(const absl::Status& status, const std::string& reason) {
  std::string parameter = "request";
  if (reason == reason::kUnknownField || reason == reason::kNoSchema) parameter = "field";
  if (reason == reason::kBadPageToken) parameter = "page_token";
  return ValidationProblem({{parameter, std::string(status.message())}});
}

}  // namespace

HttpResponse ProblemResponse(const Problem& problem, std::string_view instance) {
  JsonWriter json;
  json.BeginObject();
  json.Key("type").String("urn:tailrace:problem:" + problem.type);
  json.Key("title").String(problem.title);
  json.Key("status").Int(problem.status);
  json.Key("detail").String(problem.detail);
  json.Key("instance").String(instance);
  if (!problem.errors.empty()) {
    json.Key("errors").BeginArray();
    for (const ParameterError& error : problem.errors) {
      json.BeginObject();
      json.Key("parameter").String(error.parameter);
      json.Key("message").String(error.message);
      json.EndObject();
    }
    json.EndArray();
  }
  json.EndObject();
  HttpResponse response = TextResponse(problem.status, "application/problem+json", std::move(json).Take());
  if (problem.retry_after_s > 0) response.SetHeader("Retry-After", std::to_string(problem.retry_after_s));
  return response;
}

Problem ValidationProblem(std::vector<ParameterError> errors) {
  std::string detail;
  for (const ParameterError& error : errors) {
    if (!detail.empty()) detail += "; ";
    detail += error.parameter + ": " + error.message;
  }
  return {.status = 400,
          .type = "validation",
          .title = "The request is not valid",
          .detail = std::move(detail),
          .errors = std::move(errors),
          .retry_after_s = 0};
}

Problem NotFoundProblem(std::string detail) {
  return {.status = 404, .type = "not-found", .title = "Not found", .detail = std::move(detail), .errors = {}};
}

Problem ExpiredProblem(std::string detail) {
  return {.status = 410,
          .type = "expired",
          .title = "The range has left the retention",
          .detail = std::move(detail),
          .errors = {}};
}

Problem ProblemOf(const absl::Status& status) {
  const std::string reason = ReasonOf(status);
  const std::string message(status.message());
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
      return BadRequestOf(status, reason);
    case absl::StatusCode::kNotFound:
      return {.status = 404, .type = "unknown-store", .title = "Not found", .detail = message, .errors = {}};
    case absl::StatusCode::kResourceExhausted:
      if (reason == reason::kTooLarge) {
        return {.status = 400, .type = "too-large", .title = "The answer would be too large", .detail = message,
                .errors = {{"from", message}}};
      }
      return {.status = 429, .type = "overloaded", .title = "Too many requests", .detail = message, .errors = {},
              .retry_after_s = 1};
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kCancelled:
      return {.status = 503, .type = "unavailable", .title = "Not available at the moment", .detail = message,
              .errors = {}, .retry_after_s = 1};
    case absl::StatusCode::kUnimplemented:
      return {.status = 501, .type = "no-registry", .title = "Not possible here", .detail = message, .errors = {}};
    case absl::StatusCode::kDeadlineExceeded:
      return {.status = 504, .type = "timeout", .title = "The answer took too long", .detail = message, .errors = {}};
    default:
      // The message may name files of the worker, which are nobody's business here.
      base::LogError("gateway", "query failed", {{"status", status}});
      return {.status = 500, .type = "internal", .title = "Internal error",
              .detail = "The query failed inside a worker; the gateway's log has the cause.", .errors = {}};
  }
}

}  // namespace tailrace::grpc_api
