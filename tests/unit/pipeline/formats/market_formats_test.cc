// trade, bar, visa and news: every field, and every way to be wrong.
#include <gtest/gtest.h>

#include "../read_one.h"

namespace tailrace::pipeline {
namespace {

TEST(MarketFormatsTest, ReadsATrade) {
  EXPECT_EQ(ReadOne("trade", R"({"symbol":"AAPL","price":122.1,"volume":3,"ts":1615909802020,"conditions":["1","8"],"type":"trade","seq":4,)"
                             R"("received_at":1615909802021})").values,
            (Values{{"symbol", "\"AAPL\""}, {"price", "122.1"}, {"volume", "3"}, {"ts", "1615909802020"}, {"conditions", "[\"1\",\"8\"]"},
                    {"type", "\"trade\""}, {"seq", "4"}, {"received_at", "1615909802021"}}));
}

TEST(MarketFormatsTest, ReadsABar) {
  EXPECT_EQ(ReadOne("bar", R"({"ticker":"RY","date":"2026-01-02","open":1.5,"high":2,"low":1,"close":1.75,"volume":12e3,"received":1767400000.25})").values,
            (Values{{"ticker", "\"RY\""}, {"date", "1767312000000"}, {"open", "1.5"}, {"high", "2"}, {"low", "1"}, {"close", "1.75"},
                    {"volume", "12000"}, {"received", "1767400000.25"}}));
}

TEST(MarketFormatsTest, ReadsAVisaApplication) {
  const ReadOne read("visa",
                     R"({"symbol":"AAPL","company":"c","year":2026,"quarter":1,"caseNumber":"I-1","caseStatus":"Certified","visaClass":"H-1B",)"
                     R"("receivedDate":"2026-01-02","beginDate":"2026-07-01","endDate":"2029-07-01","jobTitle":"Engineer","socCode":"15-1252",)"
                     R"("employerName":"e","fullTimePosition":true,"worksiteAddress":"a","worksiteCity":"b","worksiteCounty":"d","worksiteState":"CA",)"
                     R"("worksitePostalCode":95014,"wageRangeFrom":60.25,"wageRangeTo":0,"wageUnitOfPay":"Hour","wageLevel":"II","h1bDependent":"N"})");
  EXPECT_EQ(SkipReasonName(read.reason), "event");
  EXPECT_EQ(read.values.size(), 24u);
  EXPECT_EQ(read.values.at("receivedDate"), "1767312000000");
  EXPECT_EQ(read.values.at("endDate"), "\"2029-07-01\"");
  EXPECT_EQ(read.values.at("fullTimePosition"), "\"Y\"");
  EXPECT_EQ(read.values.at("worksitePostalCode"), "\"95014\"");
  EXPECT_EQ(read.values.at("wageRangeFrom"), "60.25");
  EXPECT_EQ(read.values.at("h1bDependent"), "\"N\"");
  // What is unknown comes as an empty date.
  EXPECT_EQ(ReadOne("visa", R"({"receivedDate":"","jobTitle":"x"})").values, (Values{{"jobTitle", "\"x\""}}));
}

TEST(MarketFormatsTest, NewsCountsSeconds) {
  EXPECT_EQ(ReadOne("news", R"({"category":"top news","datetime":1596589501,"headline":"h","id":5085164,"image":"","related":"AAPL,MSFT",)"
                            R"("source":"s","summary":"t","url":"u"})").values,
            (Values{{"category", "\"top news\""}, {"datetime", "1596589501000"}, {"headline", "\"h\""}, {"id", "5085164"}, {"image", "\"\""},
                    {"related", "\"AAPL,MSFT\""}, {"source", "\"s\""}, {"summary", "\"t\""}, {"url", "\"u\""}}));
}

struct Bad {
  const char* format;
  const char* bytes;
  const char* reason;
  const char* field;
};

TEST(MarketFormatsTest, CountsBadInputByReason) {
  const std::vector<Bad> cases = {
      {"trade", R"({"price":1,"volume":1,"ts":1})", "missing_field", "symbol"},
      {"trade", R"({"symbol":"A","volume":1,"ts":1})", "missing_field", "price"},
      {"trade", R"({"symbol":"A","price":1,"volume":1})", "missing_field", "ts"},
      {"trade", R"({"symbol":"A","price":"1","volume":1,"ts":1})", "wrong_type", "price"},
      {"trade", R"({"symbol":"A","price":0,"volume":1,"ts":1})", "number_out_of_range", "price"},
      {"trade", R"({"symbol":"A","price":1,"volume":-0.5,"ts":1})", "number_out_of_range", "volume"},
      {"trade", R"({"symbol":"A","price":9007199254740994,"volume":1,"ts":1})", "number_out_of_range", "price"},
      {"trade", R"({"symbol":"A","price":18446744073709551615,"volume":1,"ts":1})", "number_out_of_range", "price"},
      {"trade", R"({"symbol":"A","price":1,"price":2,"volume":1,"ts":1})", "duplicate_key", "price"},
      {"trade", R"({"symbol":"A","price":1,"volume":1,"ts":-1})", "negative_timestamp", "ts"},
      {"trade", R"({"symbol":"A","price":1,"volume":1,"ts":9000000000000000})", "future_timestamp", "ts"},
      {"trade", R"({"symbol":"A","price":1,"volume":1,"ts":"noon"})", "bad_timestamp", "ts"},
      {"trade", "{\"symbol\":\"\xc3\",\"price\":1,\"volume\":1,\"ts\":1}", "invalid_utf8", ""},
      {"bar", R"({"ticker":"A","date":"2026-02-30","open":1,"high":1,"low":1,"close":1,"volume":1})", "bad_timestamp", "date"},
      // Which day this is depends on a zone.
      {"bar", R"({"ticker":"A","date":"2026-01-02T00:00:00+05:00","open":1,"high":1,"low":1,"close":1,"volume":1})", "bad_timestamp", "date"},
      {"bar", R"({"ticker":"A","date":"","open":1,"high":1,"low":1,"close":1,"volume":1})", "missing_field", "date"},
      {"bar", R"({"ticker":"A","date":"2026-01-02","open":1,"high":1,"low":1,"close":1,"volume":1.5})", "wrong_type", "volume"},
      {"visa", R"({"wageRangeFrom":-1})", "number_out_of_range", "wageRangeFrom"},
      {"visa", R"({"fullTimePosition":1})", "wrong_type", "fullTimePosition"},
      {"news", R"({"id":"x","datetime":1})", "wrong_type", "id"},
      {"news", R"({"id":1,"datetime":9223372036854775807})", "bad_timestamp", "datetime"},
      {"news", R"({"id":1})", "missing_field", "datetime"},
  };
  for (const Bad& bad : cases) {
    const ReadOne read(bad.format, bad.bytes, {.timestamp_max_ms = 1'800'000'000'000});
    EXPECT_EQ(SkipReasonName(read.reason), bad.reason) << bad.bytes;
    EXPECT_EQ(read.field, bad.field) << bad.bytes;
  }
}

}  // namespace
}  // namespace tailrace::pipeline
