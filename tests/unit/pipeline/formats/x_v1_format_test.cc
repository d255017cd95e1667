#include <gtest/gtest.h>

#include "../read_one.h"

namespace tailrace::pipeline {
namespace {

TEST(XV1FormatTest, ReadsAStatus) {
  const ReadOne read(
      "x-v1",
      R"({"created_at":"Wed Aug 27 13:08:45 +0000 2008","id":10765432100123456789,"id_str":"10765432100123456789","text":"short",)"
      R"("truncated":true,"extended_tweet":{"full_text":"the longer text"},"user":{"id":42,"id_str":"42","screen_name":"writer"},)"
      R"("place":{"id":"p","place_type":"city","name":"Toronto","full_name":"Toronto, Ontario","country_code":"CA"},)"
      R"("is_quote_status":false,"retweet_count":1,"favorite_count":2,"lang":"en","entities":{"hashtags":[{"text":"one","indices":[0,1]}]}})");
  EXPECT_EQ(SkipReasonName(read.reason), "event");
  EXPECT_EQ(read.values, (Values{{"id", "\"10765432100123456789\""},
                                 {"author_id", "\"42\""},
                                 {"author_name", "\"writer\""},
                                 {"created_at", "1219842525000"},
                                 {"text", "\"the longer text\""},
                                 {"lang", "\"en\""},
                                 {"place.id", "\"p\""},
                                 {"place.name", "\"Toronto\""},
                                 {"place.full_name", "\"Toronto, Ontario\""},
                                 {"place.type", "\"city\""},
                                 {"place.country_code", "\"CA\""},
                                 {"kind", "\"original\""},
                                 {"retweet_count", "1"},
                                 {"favorite_count", "2"},
                                 {"hashtags", "[\"one\"]"},
                                 {"source", "\"x-v1\""}}));
}

TEST(XV1FormatTest, TellsKindsApart) {
  const auto kind = [](std::string_view line) { return ReadOne("x-v1", line, {}, {"kind", "ref_id"}).values; };
  EXPECT_EQ(kind(R"({"id":1,"retweeted_status":{"id_str":"5"},"is_quote_status":true})"), (Values{{"kind", "\"retweet\""}, {"ref_id", "\"5\""}}));
  EXPECT_EQ(kind(R"({"id":1,"is_quote_status":true,"quoted_status_id_str":"6","in_reply_to_status_id_str":"7"})"),
            (Values{{"kind", "\"quote\""}, {"ref_id", "\"6\""}}));
  EXPECT_EQ(kind(R"({"id":1,"in_reply_to_status_id_str":"7"})"), (Values{{"kind", "\"reply\""}, {"ref_id", "\"7\""}}));
  EXPECT_EQ(kind(R"({"id":1,"in_reply_to_status_id_str":null,"retweeted_status":null})"), (Values{{"kind", "\"original\""}}));
}

TEST(XV1FormatTest, ReadsIdsThatComeAsNumbers) {
  EXPECT_EQ(ReadOne("x-v1", R"({"id":10765432100123456789,"user":{"id":42}})", {}, {"id", "author_id"}).values,
            (Values{{"id", "\"10765432100123456789\""}, {"author_id", "\"42\""}}));
}

TEST(XV1FormatTest, CountsNotices) {
  EXPECT_EQ(ReadOne("x-v1", R"({"delete":{"status":{"id":1}}})").reason, SkipReason::kDeleteNotice);
  EXPECT_EQ(ReadOne("x-v1", R"({"limit":{"track":1}})").reason, SkipReason::kLimitNotice);
}

}  // namespace
}  // namespace tailrace::pipeline
