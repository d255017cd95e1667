// Goal: the cause of an error survives the way over the wire, and decodes as google.rpc.ErrorInfo.
#include "common/error_info.h"

#include <gtest/gtest.h>

#include "tailrace/v1/error.pb.h"

namespace tailrace::grpc_api {
namespace {

TEST(ErrorInfo, SurvivesTheWire) {
  const absl::Status sent = QueryError(absl::StatusCode::kFailedPrecondition, reason::kNotActiveOwner, "not here",
                                       {{"owner_endpoint", "w1:9090"}, {"task", "0_3"}});
  const absl::Status got = StatusFromWire(static_cast<int>(sent.code()), "not here", DetailsOf(sent));
  EXPECT_EQ(got.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(got.message(), "not here");
  const std::optional<ErrorInfo> info = ErrorInfoOf(got);
  ASSERT_TRUE(info);
  EXPECT_EQ(info->reason, reason::kNotActiveOwner);
  EXPECT_EQ(info->metadata.at("owner_endpoint"), "w1:9090");
  EXPECT_EQ(base::ReactionOf(got), base::Reaction::kRetry);
}

TEST(ErrorInfo, DetailsAreWhatOtherClientsExpect) {
  v1::ErrorStatus wire;
  ASSERT_TRUE(wire.ParseFromString(DetailsOf(QueryError(absl::StatusCode::kNotFound, reason::kUnknownStore, "no store"))));
  EXPECT_EQ(wire.code(), 5);
  ASSERT_EQ(wire.details_size(), 1);
  EXPECT_EQ(wire.details(0).type_url(), "type.googleapis.com/google.rpc.ErrorInfo");
}

TEST(ErrorInfo, DamagedDetailsLeaveThePlainError) {
  const absl::Status got = StatusFromWire(14, "gone", "\xff\xff\xff");
  EXPECT_EQ(got.code(), absl::StatusCode::kUnavailable);
  EXPECT_FALSE(ErrorInfoOf(got));
  EXPECT_EQ(base::ReactionOf(got), base::Reaction::kRetry);
}

TEST(ErrorInfo, DefaultReasonKeepsAGivenOne) {
  EXPECT_EQ(ReasonOf(WithDefaultReason(absl::NotFoundError("x"))), reason::kUnknownStore);
  EXPECT_EQ(ReasonOf(WithDefaultReason(QueryError(absl::StatusCode::kUnavailable, reason::kTooStale, "x"))),
            reason::kTooStale);
  EXPECT_TRUE(WithDefaultReason(absl::OkStatus()).ok());
}

}  // namespace
}  // namespace tailrace::grpc_api
