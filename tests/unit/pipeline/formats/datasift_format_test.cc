#include <gtest/gtest.h>

#include "../read_one.h"

namespace tailrace::pipeline {
namespace {

TEST(DatasiftFormatTest, ReadsAnInteraction) {
  const ReadOne read(
      "datasift",
      R"({"interaction":{"id":"1e5a","content":"short text","created_at":"Thu, 01 Jan 2026 02:00:00 +0200","hashtags":["a","b"],)"
      R"("author":{"id":10765432100123456789,"username":"writer"}},"language":{"tag":"nl"},)"
      R"("twitter":{"place":{"id":"p","name":"Gent","full_name":"Gent, Vlaanderen","place_type":"city","country_code":"BE"}}})");
  EXPECT_EQ(SkipReasonName(read.reason), "event");
  EXPECT_EQ(read.values, (Values{{"id", "\"1e5a\""},
                                 {"author_id", "\"10765432100123456789\""},
                                 {"author_name", "\"writer\""},
                                 {"created_at", "1767225600000"},
                                 {"text", "\"short text\""},
                                 {"lang", "\"nl\""},
                                 {"place.id", "\"p\""},
                                 {"place.name", "\"Gent\""},
                                 {"place.full_name", "\"Gent, Vlaanderen\""},
                                 {"place.type", "\"city\""},
                                 {"place.country_code", "\"BE\""},
                                 {"kind", "\"original\""},
                                 {"hashtags", "[\"a\",\"b\"]"},
                                 {"source", "\"datasift\""}}));
}

TEST(DatasiftFormatTest, TellsKindsApart) {
  const auto kind = [](std::string_view line) { return ReadOne("datasift", line, {}, {"kind", "ref_id", "retweet_count"}).values; };
  EXPECT_EQ(kind(R"({"interaction":{},"twitter":{"retweet":{"count":7},"retweeted":{"id":"5"},"in_reply_to_status_id":"6"}})"),
            (Values{{"kind", "\"retweet\""}, {"ref_id", "\"5\""}, {"retweet_count", "7"}}));
  EXPECT_EQ(kind(R"({"interaction":{},"twitter":{"in_reply_to_status_id":"6"}})"), (Values{{"kind", "\"reply\""}, {"ref_id", "\"6\""}}));
  EXPECT_EQ(kind(R"({"interaction":{}})"), (Values{{"kind", "\"original\""}}));
}

TEST(DatasiftFormatTest, CountsWhatIsNoInteraction) {
  const auto reason = [](std::string_view line) { return SkipReasonName(ReadOne("datasift", line).reason); };
  EXPECT_EQ(reason(R"({"deleted":true,"interaction":{"id":"1"}})"), "delete_notice");
  EXPECT_EQ(reason(R"({"status":"connected","message":"hello"})"), "control_frame");
  EXPECT_EQ(reason(R"({"tick":1,"status":"connected"})"), "control_frame");
  EXPECT_EQ(reason(R"({"other":1,"more":2})"), "missing_field");
  EXPECT_EQ(reason(R"({"interaction":"x"})"), "wrong_type");
  EXPECT_EQ(reason(R"({"interaction":{"created_at":"2026-13-01"}})"), "bad_timestamp");
}

}  // namespace
}  // namespace tailrace::pipeline
