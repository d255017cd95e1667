// Goal: a page token continues exactly its own request, and anything else is refused with a reason.
#include "common/page_token.h"

#include <gtest/gtest.h>

#include "common/error_info.h"

namespace tailrace::grpc_api {
namespace {

PageToken Example() { return {HashRequest("Scan", "s", 0, 100, ""), 0, 100, 42, std::string("k\0\xff", 3)}; }

TEST(PageToken, RoundTrip) {
  const absl::StatusOr<PageToken> token = PageToken::Decode(Example().Encode());
  ASSERT_TRUE(token.ok()) << token.status();
  EXPECT_EQ(token->window_start_ms, 42);
  EXPECT_EQ(token->key, std::string("k\0\xff", 3));
  EXPECT_EQ(token->to_ms, 100);
}

TEST(PageToken, IsSafeInUrls) {
  EXPECT_EQ(Example().Encode().find_first_of("+/=&?#% "), std::string::npos);
}

TEST(PageToken, EveryChangedCharacterIsNoticed) {
  const std::string text = Example().Encode();
  for (size_t i = 0; i + 1 < text.size(); ++i) {  // The last character has bits that carry nothing.
    std::string changed = text;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    const absl::StatusOr<PageToken> token = PageToken::Decode(changed);
    ASSERT_FALSE(token.ok()) << i;
    EXPECT_EQ(ReasonOf(token.status()), reason::kBadPageToken);
    EXPECT_EQ(token.status().code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST(PageToken, TruncatedAndForeignTextIsRefused) {
  const std::string text = Example().Encode();
  for (size_t size = 0; size < text.size(); ++size) EXPECT_FALSE(PageToken::Decode(text.substr(0, size)).ok()) << size;
  for (const char* junk : {"%%%", "hello world", "AAAA", "////", "===="}) EXPECT_FALSE(PageToken::Decode(junk).ok());
  EXPECT_FALSE(PageToken::Decode(std::string(1 << 20, 'A')).ok());
}

TEST(PageToken, BelongsToOneRequest) {
  const std::string text = Example().Encode();
  EXPECT_TRUE(PageToken::DecodeFor(text, HashRequest("Scan", "s", 0, 100, "")).ok());
  EXPECT_FALSE(PageToken::DecodeFor(text, HashRequest("Scan", "t", 0, 100, "")).ok());
  EXPECT_FALSE(PageToken::DecodeFor(text, HashRequest("Scan", "s", 1, 100, "")).ok());
  EXPECT_FALSE(PageToken::DecodeFor(text, HashRequest("Scan", "s", 0, 101, "")).ok());
  EXPECT_FALSE(PageToken::DecodeFor(text, HashRequest("ListKeys", "s", 0, 100, "")).ok());
}

TEST(PageToken, RequestPartsDoNotRunIntoEachOther) {
  EXPECT_NE(HashRequest("Scan", "ab", 0, 1, "c"), HashRequest("Scan", "a", 0, 1, "bc"));
}

}  // namespace
}  // namespace tailrace::grpc_api
