#include "tailrace/pipeline/post.h"

#include <gtest/gtest.h>

#include "../read_one.h"
#include "tailrace/base/limits.h"

namespace tailrace::pipeline {
namespace {

constexpr std::string_view kPost =
    R"({"id":"1","author_id":"42","author_name":"a","created_at":1767225600000,"text":"h\u00e9 \"x\"","lang":"fr",)"
    R"("place":{"id":"p","name":"Montréal","full_name":"Montréal, Québec","type":"city","country_code":"CA"},)"
    R"("kind":"retweet","ref_id":"9","retweet_count":3,"favorite_count":4,"hashtags":["a","é"],"source":"s","received_at":1767225600001})";

TEST(PostFormatTest, ReadsEveryField) {
  const ReadOne read("post", kPost);
  EXPECT_EQ(read.reason, SkipReason::kNone);
  EXPECT_EQ(read.values, (Values{{"id", "\"1\""},
                                 {"author_id", "\"42\""},
                                 {"author_name", "\"a\""},
                                 {"created_at", "1767225600000"},
                                 {"text", "\"hé \\\"x\\\"\""},
                                 {"lang", "\"fr\""},
                                 {"place.id", "\"p\""},
                                 {"place.name", "\"Montréal\""},
                                 {"place.full_name", "\"Montréal, Québec\""},
                                 {"place.type", "\"city\""},
                                 {"place.country_code", "\"CA\""},
                                 {"kind", "\"retweet\""},
                                 {"ref_id", "\"9\""},
                                 {"retweet_count", "3"},
                                 {"favorite_count", "4"},
                                 {"hashtags", "[\"a\",\"é\"]"},
                                 {"source", "\"s\""},
                                 {"received_at", "1767225600001"}}));
}

TEST(PostFormatTest, WritesWhatItReads) {
  const Format* format = FindFormat("post");
  const auto reader = format->NewReader(PostFieldNames(), {});
  ParseResult result;
  reader->Start(kPost);
  ASSERT_TRUE(reader->Next(result));
  std::string out;
  AppendPostJson(out, result.event, 5);
  const ReadOne again("post", out);
  EXPECT_EQ(again.values, ReadOne("post", kPost).values);

  reader->Start(R"({"id":"1","created_at":"2026-01-01T00:00:00Z","place":null})");
  ASSERT_TRUE(reader->Next(result));
  out.clear();
  AppendPostJson(out, result.event, 5);
  EXPECT_EQ(out, R"({"id":"1","created_at":1767225600000,"received_at":5})");
}

TEST(PostFormatTest, ReadsOnlyWhatIsAsked) {
  // A wrong type in a field that is not used is nobody's business.
  const ReadOne read("post", R"({"text":17,"lang":"en"})", {}, {"lang"});
  EXPECT_EQ(read.values, (Values{{"lang", "\"en\""}}));
}

struct Bad {
  const char* bytes;
  SkipReason reason;
  const char* field;
};

TEST(PostFormatTest, CountsBadInputByReason) {
  const ReaderOptions options{.required = {"created_at"}, .timestamp_max_ms = 1'800'000'000'000};
  const std::vector<Bad> cases = {
      {"", SkipReason::kBlank, ""},
      {" \t\r\n", SkipReason::kBlank, ""},
      {"{", SkipReason::kMalformedJson, ""},
      {R"({"created_at":1}})", SkipReason::kMalformedJson, ""},
      {R"({"created_at":tru})", SkipReason::kMalformedJson, ""},
      {R"({"created_at":1,"unused":nul})", SkipReason::kMalformedJson, ""},
      {R"({"created_at":1,"text":"cut off)", SkipReason::kMalformedJson, ""},
      {R"({"created_at":01})", SkipReason::kMalformedJson, ""},
      {R"({"created_at":123456789012345678901234})", SkipReason::kNumberOutOfRange, ""},
      {R"({"created_at":18446744073709551615})", SkipReason::kBadTimestamp, "created_at"},
      {R"({"created_at":1,"retweet_count":18446744073709551615})", SkipReason::kNumberOutOfRange, "retweet_count"},
      {"{\"created_at\":1,\"text\":\"\xff\xfe\"}", SkipReason::kInvalidUtf8, ""},
      {"[1,2]", SkipReason::kNotAnObject, ""},
      {"\"text\"", SkipReason::kNotAnObject, ""},
      {"17", SkipReason::kNotAnObject, ""},
      {"null", SkipReason::kNotAnObject, ""},
      {R"({"delete":{"status":{"id":1}}})", SkipReason::kDeleteNotice, ""},
      {R"({"limit":{"track":5}})", SkipReason::kLimitNotice, ""},
      {R"({"disconnect":{"code":4}})", SkipReason::kControlFrame, ""},
      {R"({"id":"1"})", SkipReason::kMissingField, "created_at"},
      {R"({"id":"1","created_at":null})", SkipReason::kMissingField, "created_at"},
      {R"({"created_at":true})", SkipReason::kWrongType, "created_at"},
      {R"({"created_at":1.5})", SkipReason::kWrongType, "created_at"},
      {R"({"created_at":"soon"})", SkipReason::kBadTimestamp, "created_at"},
      {R"({"created_at":-1})", SkipReason::kNegativeTimestamp, "created_at"},
      {R"({"created_at":"1969-12-31T23:59:59Z"})", SkipReason::kNegativeTimestamp, "created_at"},
      {R"({"created_at":1800000000001})", SkipReason::kFutureTimestamp, "created_at"},
      {R"({"created_at":1,"author_id":7})", SkipReason::kWrongType, "author_id"},
      {R"({"created_at":1,"place":"Toronto"})", SkipReason::kWrongType, "place"},
      {R"({"created_at":1,"hashtags":[1]})", SkipReason::kWrongType, "hashtags"},
      {R"({"created_at":1,"retweet_count":"3"})", SkipReason::kWrongType, "retweet_count"},
  };
  for (const Bad& bad : cases) {
    const ReadOne read("post", bad.bytes, options);
    EXPECT_EQ(SkipReasonName(read.reason), SkipReasonName(bad.reason)) << bad.bytes;
    EXPECT_EQ(read.field, bad.field) << bad.bytes;
  }
}

TEST(PostFormatTest, RefusesRepeatedFieldsThatAreUsed) {
  const std::string_view repeated = R"({"id":"1","lang":"en","place":{"id":"p"},"lang":"fr","place":{"id":"q"}})";
  for (const char* field : {"lang", "place.id"}) {
    const ReadOne read("post", repeated, {}, {"id", field});
    EXPECT_EQ(SkipReasonName(read.reason), "duplicate_key");
    EXPECT_EQ(read.field, field);
  }
  EXPECT_EQ(ReadOne("post", repeated, {}, {"id"}).values, (Values{{"id", "\"1\""}}));
  EXPECT_EQ(ReadOne("x-v1", R"({"id_str":"1","lang":"en","lang":"en"})").field, "lang");
  EXPECT_EQ(ReadOne("x-v2", R"({"data":{"id":"1","id":"2"}})").reason, SkipReason::kDuplicateKey);
}

TEST(PostFormatTest, AcceptsWindowsLineEndsAndByteOrderMarks) {
  EXPECT_EQ(ReadOne("post", "\xEF\xBB\xBF{\"id\":\"1\"}\r").values, (Values{{"id", "\"1\""}}));
}

TEST(PostFormatTest, RefusesWhatIsTooLarge) {
  const std::string large = R"({"text":")" + std::string(base::limits::kEventBytesMax, 'x') + "\"}";
  EXPECT_EQ(ReadOne("post", large).reason, SkipReason::kTooLarge);
  // The reader goes on with the next record.
  const std::string fits = R"({"text":")" + std::string(base::limits::kEventBytesMax - 20, 'x') + "\"}";
  EXPECT_EQ(ReadOne("post", fits).reason, SkipReason::kNone);
}

TEST(ReasonCountsTest, DescribesWhatWasSkipped) {
  ReasonCounts counts;
  counts.Add(SkipReason::kNone);
  EXPECT_EQ(counts.Describe(), "");
  counts.Add(SkipReason::kWrongType);
  counts.Add(SkipReason::kBlank);
  counts.Add(SkipReason::kBlank);
  EXPECT_EQ(counts.Describe(), "blank 2, wrong_type 1");
  EXPECT_EQ(counts.skipped(), 3);
  EXPECT_EQ(counts.events(), 1);
}

}  // namespace
}  // namespace tailrace::pipeline
