// Errors as application/problem+json (RFC 9457).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/http_types.h"
#include "tailrace/base/status.h"

namespace tailrace::grpc_api {

struct ParameterError {
  std::string parameter;
  std::string message;
};

struct Problem {
  int status = 500;
  std::string type = "internal";  // the last part of urn:tailrace:problem:
  std::string title;
  std::string detail;
  std::vector<ParameterError> errors;
  int retry_after_s = 0;  // 0: no Retry-After
};

// `instance` is the request's path.
HttpResponse ProblemResponse(const Problem& problem, std::string_view instance);

// All that is wrong with a request, in one answer.
Problem ValidationProblem(std::vector<ParameterError> errors);
Problem NotFoundProblem(std::string detail);
Problem ExpiredProblem(std::string detail);

// What an error of the query client means over HTTP.
Problem ProblemOf(const absl::Status& status);

}  // namespace tailrace::grpc_api
