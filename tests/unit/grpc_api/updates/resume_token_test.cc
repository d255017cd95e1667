// Goal: a resume token keeps every task's place, and damage is noticed.
#include "updates/resume_token.h"

#include <gtest/gtest.h>

namespace tailrace::grpc_api {
namespace {

base::TaskId Task(int32_t partition) { return {0, base::Partition(partition)}; }

TEST(ResumeToken, RoundTrip) {
  const ResumePosition position = {{Task(0), {-1, 0}}, {Task(3), {123, 4}}, {Task(7), {9, UpdatePlace::kWholeCommit}}};
  const absl::StatusOr<ResumePosition> decoded = DecodeResumeToken(EncodeResumeToken(position));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(*decoded, position);
  EXPECT_TRUE(DecodeResumeToken(EncodeResumeToken({}))->empty());
}

TEST(ResumeToken, DamageIsNoticed) {
  const std::string text = EncodeResumeToken({{Task(3), {123, 4}}});
  for (size_t size = 0; size < text.size(); ++size) EXPECT_FALSE(DecodeResumeToken(text.substr(0, size)).ok()) << size;
  for (size_t i = 0; i + 1 < text.size(); ++i) {
    std::string changed = text;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(DecodeResumeToken(changed).ok()) << i;
  }
  EXPECT_FALSE(DecodeResumeToken("not a token").ok());
}

}  // namespace
}  // namespace tailrace::grpc_api
