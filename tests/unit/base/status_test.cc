// Goal: an error keeps its reaction on its way up, and an unclassified one is never ignored.
#include "tailrace/base/status.h"

#include <gtest/gtest.h>

namespace tailrace::base {
namespace {

TEST(Status, AnErrorWithoutAReactionIsFatal) {
  EXPECT_EQ(ReactionOf(absl::InternalError("x")), Reaction::kFatal);
  EXPECT_EQ(ReactionOf(absl::OkStatus()), Reaction::kNone);
}

TEST(Status, AnnotateKeepsCodeAndReaction) {
  const absl::Status status =
      Annotate(Error(Reaction::kTaskMigrated, absl::StatusCode::kAborted, "fenced"), "task 0_3");
  EXPECT_EQ(ReactionOf(status), Reaction::kTaskMigrated);
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(status.message(), "task 0_3: fenced");
  EXPECT_TRUE(Annotate(absl::OkStatus(), "task 0_3").ok());
}

absl::StatusOr<int> Half(int value) {
  if (value % 2 != 0) return UsageError("odd");
  return value / 2;
}

absl::StatusOr<int> Quarter(int value) {
  TAILRACE_ASSIGN_OR_RETURN(const int half, Half(value));
  TAILRACE_ASSIGN_OR_RETURN(const int quarter, Half(half));
  return quarter;
}

TEST(Status, AssignOrReturnPassesErrorsOn) {
  EXPECT_EQ(*Quarter(12), 3);
  EXPECT_EQ(Quarter(6).status().message(), "odd");
  EXPECT_EQ(ReactionOf(Quarter(6).status()), Reaction::kFatal);
}

TEST(StatusDeathTest, OkCarriesNoReaction) {
  EXPECT_DEATH(WithReaction(absl::OkStatus(), Reaction::kRetry), "belongs to an error");
}

}  // namespace
}  // namespace tailrace::base
