#include <gtest/gtest.h>

#include "../read_one.h"

namespace tailrace::pipeline {
namespace {

constexpr std::string_view kLine =
    R"({"data":{"id":"1","author_id":"42","created_at":"2026-01-01T00:00:00.250Z","text":"hello","lang":"en",)"
    R"("geo":{"place_id":"b"},"public_metrics":{"retweet_count":3,"like_count":4,"reply_count":0},)"
    R"("entities":{"hashtags":[{"start":0,"end":1,"tag":"one"},{"tag":"two"}]}},)"
    R"("includes":{"places":[{"id":"a","full_name":"London, England"},)"
    R"({"id":"b","name":"London","full_name":"London, Ontario","place_type":"city","country_code":"CA"}],)"
    R"("users":[{"id":"7","username":"other"},{"id":"42","username":"writer","name":"W"}]},"matching_rules":[{"id":"r"}]})";

const Values kExpected{{"id", "\"1\""},
                       {"author_id", "\"42\""},
                       {"author_name", "\"writer\""},
                       {"created_at", "1767225600250"},
                       {"text", "\"hello\""},
                       {"lang", "\"en\""},
                       {"place.id", "\"b\""},
                       {"place.name", "\"London\""},
                       {"place.full_name", "\"London, Ontario\""},
                       {"place.type", "\"city\""},
                       {"place.country_code", "\"CA\""},
                       {"kind", "\"original\""},
                       {"retweet_count", "3"},
                       {"favorite_count", "4"},
                       {"hashtags", "[\"one\",\"two\"]"},
                       {"source", "\"x-v2\""}};

TEST(XV2FormatTest, ReadsAStreamLine) {
  const ReadOne read("x-v2", kLine);
  EXPECT_EQ(SkipReasonName(read.reason), "event");
  EXPECT_EQ(read.values, kExpected);
}

TEST(XV2FormatTest, ReadsADoubleEncodedLine) {
  std::string encoded;
  base::AppendJsonString(encoded, kLine);
  EXPECT_EQ(ReadOne("x-v2", encoded + "\r").values, kExpected);
}

TEST(XV2FormatTest, CountsBadInnerTextByItsOwnReason) {
  EXPECT_EQ(ReadOne("x-v2", R"("{\"data\":{")").reason, SkipReason::kMalformedJson);
  EXPECT_EQ(ReadOne("x-v2", R"("  ")").reason, SkipReason::kBlank);
  EXPECT_EQ(ReadOne("x-v2", R"("[1]")").reason, SkipReason::kNotAnObject);
  EXPECT_EQ(ReadOne("x-v2", R"("{\"delete\":{}}")").reason, SkipReason::kDeleteNotice);
}

std::string KindOf(std::string_view references) {
  std::string line = R"({"data":{"id":"1","referenced_tweets":)";
  line += references;
  line += "}}";
  const ReadOne read("x-v2", line, {}, {"kind", "ref_id"});
  const auto get = [&](const char* key) { return read.values.contains(key) ? read.values.at(key) : ""; };
  return get("kind") + get("ref_id");
}

TEST(XV2FormatTest, TellsKindsApart) {
  EXPECT_EQ(KindOf(R"([{"type":"retweeted","id":"5"}])"), R"("retweet""5")");
  EXPECT_EQ(KindOf(R"([{"type":"quoted","id":"5"}])"), R"("quote""5")");
  EXPECT_EQ(KindOf(R"([{"type":"replied_to","id":"5"}])"), R"("reply""5")");
  EXPECT_EQ(KindOf(R"([{"type":"replied_to","id":"5"},{"type":"quoted","id":"6"}])"), R"("quote""6")");
  EXPECT_EQ(KindOf(R"([{"type":"quoted","id":"6"},{"type":"retweeted","id":"7"},{"type":"replied_to","id":"5"}])"), R"("retweet""7")");
  EXPECT_EQ(KindOf("[]"), R"("original")");
  EXPECT_EQ(KindOf("null"), R"("original")");
  EXPECT_EQ(KindOf(R"([{"type":"mentioned","id":"7"}])"), R"("original")");
}

TEST(XV2FormatTest, MissingPartsAreNull) {
  EXPECT_EQ(ReadOne("x-v2", R"({"data":{"id":"1"}})").values,
            (Values{{"id", "\"1\""}, {"kind", "\"original\""}, {"source", "\"x-v2\""}}));
  // The place is not among the included ones; geo may also hold only coordinates.
  EXPECT_EQ(ReadOne("x-v2", R"({"data":{"id":"1","geo":{"place_id":"z"}},"includes":{"places":[]}})", {}, {"place.full_name", "place.id"}).values,
            (Values{{"place.id", "\"z\""}}));
  EXPECT_TRUE(ReadOne("x-v2", R"({"data":{"geo":{"coordinates":{}}}})", {}, {"place.full_name"}).values.empty());
  EXPECT_TRUE(ReadOne("x-v2", R"({"data":{"geo":{}}})", {}, {"place.full_name"}).values.empty());
}

TEST(XV2FormatTest, FallsBackToTheFirstIncludedUser) {
  EXPECT_EQ(ReadOne("x-v2", R"({"data":{"id":"1"},"includes":{"users":[{"id":"8","name":"N"},{"id":"9"}]}})", {}, {"author_id", "author_name"}).values,
            (Values{{"author_id", "\"8\""}, {"author_name", "\"N\""}}));
}

TEST(XV2FormatTest, OrderOfPartsDoesNotMatter) {
  const ReadOne read("x-v2", R"({"includes":{"places":[{"id":"b","full_name":"Toronto, Ontario"}]},"data":{"geo":{"place_id":"b"}}})", {},
                     {"place.full_name"});
  EXPECT_EQ(read.values, (Values{{"place.full_name", "\"Toronto, Ontario\""}}));
}

TEST(XV2FormatTest, NamesWhatIsMissingOrWrong) {
  ReadOne read("x-v2", R"({"includes":{},"matching_rules":[]})");
  EXPECT_EQ(SkipReasonName(read.reason), "missing_field");
  EXPECT_EQ(read.field, "data");
  read = ReadOne("x-v2", R"({"data":[]})");
  EXPECT_EQ(SkipReasonName(read.reason), "wrong_type");
  read = ReadOne("x-v2", R"({"data":{"id":"1"}})", {.required = {"created_at"}});
  EXPECT_EQ(SkipReasonName(read.reason), "missing_field");
  EXPECT_EQ(read.field, "created_at");
  EXPECT_EQ(ReadOne("x-v2", R"({"errors":[{"title":"x"}],"title":"y"})").reason, SkipReason::kControlFrame);
}

}  // namespace
}  // namespace tailrace::pipeline
