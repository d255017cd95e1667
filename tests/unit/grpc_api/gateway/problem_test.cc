// Goal: each kind of error has its HTTP status, and internal ones tell nothing about the inside.
#include "gateway/problem.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/error_info.h"

namespace tailrace::grpc_api {
namespace {

TEST(ProblemOf, StatusTable) {
  using Code = absl::StatusCode;
  struct Row {
    absl::Status status;
    int http;
    bool retry_after;
  };
  const std::vector<Row> rows = {
      {absl::InvalidArgumentError("x"), 400, false},
      {QueryError(Code::kInvalidArgument, reason::kBadPageToken, "x"), 400, false},
      {absl::NotFoundError("x"), 404, false},
      {QueryError(Code::kUnavailable, reason::kRestoring, "x"), 503, true},
      {QueryError(Code::kFailedPrecondition, reason::kNotActiveOwner, "x"), 503, true},
      {QueryError(Code::kResourceExhausted, reason::kOverloaded, "x"), 429, true},
      {QueryError(Code::kResourceExhausted, reason::kTooLarge, "x"), 400, false},
      {absl::DeadlineExceededError("x"), 504, false},
      {absl::InternalError("x"), 500, false},
  };
  for (const Row& row : rows) {
    const Problem problem = ProblemOf(row.status);
    EXPECT_EQ(problem.status, row.http) << row.status;
    EXPECT_EQ(problem.retry_after_s > 0, row.retry_after) << row.status;
  }
}

TEST(ProblemOf, InternalErrorsStayInside) {
  EXPECT_EQ(ProblemOf(absl::InternalError("/data/state/0_1/000012.sst is broken")).detail.find("/data"), std::string::npos);
}

TEST(ProblemResponse, IsProblemJson) {
  const HttpResponse response =
      ProblemResponse(ValidationProblem({{"n", "is \"bad\""}, {"zone", "unknown"}}), "/api/v1/cities/top");
  EXPECT_EQ(response.status, 400);
  const auto type = std::find_if(response.headers.begin(), response.headers.end(),
                                 [](const auto& header) { return header.first == "Content-Type"; });
  ASSERT_NE(type, response.headers.end());
  EXPECT_EQ(type->second, "application/problem+json");
  const nlohmann::json body = nlohmann::json::parse(response.body);
  EXPECT_EQ(body["status"], 400);
  EXPECT_EQ(body["instance"], "/api/v1/cities/top");
  EXPECT_EQ(body["errors"].size(), 2u);
  EXPECT_EQ(body["errors"][0]["parameter"], "n");
  for (const char* field : {"type", "title", "detail"}) EXPECT_TRUE(body[field].is_string());
}

}  // namespace
}  // namespace tailrace::grpc_api
