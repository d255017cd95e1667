// What a canonical record says is what its layout said.
#include "tailrace/pipeline/canonical.h"

#include <gtest/gtest.h>

#include "../read_one.h"

namespace tailrace::pipeline {
namespace {

struct Written {
  std::string json;
  std::optional<std::string> key;
  int64_t timestamp_ms = 0;
};

std::vector<Written> Write(std::string_view layout, std::string_view bytes) {
  const Format* format = FindFormat(layout);
  const auto writer = CanonicalWriter::For(*format);
  const auto reader = format->NewReader(writer->fields(), writer->reader_options());
  std::vector<Written> written;
  reader->Start(bytes);
  ParseResult result;
  while (reader->Next(result)) {
    if (result.reason != SkipReason::kNone) continue;
    Written& record = written.emplace_back();
    writer->Append(record.json, result.event, 2'500);
    record.key = writer->Key(result.event);
    record.timestamp_ms = writer->TimestampMs(result.event, 2'500);
  }
  return written;
}

TEST(CanonicalTest, EveryLayoutHasACanonicalFormat) {
  std::map<std::string, std::string> canonical;
  for (const std::string_view name : FormatNames()) {
    const auto writer = CanonicalWriter::For(*FindFormat(name));
    ASSERT_TRUE(writer) << name;
    canonical[std::string(name)] = writer->format().name();
  }
  EXPECT_EQ(canonical, (std::map<std::string, std::string>{{"post", "post"}, {"x-v2", "post"}, {"x-v1", "post"}, {"datasift", "post"},
                                                           {"trade", "trade"}, {"finnhub-trades", "trade"}, {"bar", "bar"}, {"visa", "visa"},
                                                           {"news", "news"}}));
}

TEST(CanonicalTest, AFrameBecomesItsTrades) {
  const auto written = Write("finnhub-trades", R"({"type":"trade","data":[{"s":"A","p":1.5,"v":2,"t":7,"c":["1"]},{"s":"B","p":2,"v":0.5,"t":8}]})");
  ASSERT_EQ(written.size(), 2u);
  EXPECT_EQ(written[0].json, R"({"symbol":"A","price":1.5,"volume":2,"ts":7,"conditions":["1"],"type":"trade","seq":1,"received_at":2500})");
  EXPECT_EQ(written[1].key, "B");
  EXPECT_EQ(written[1].timestamp_ms, 8);
}

TEST(CanonicalTest, MembersOfAnObjectStandTogether) {
  const auto written = Write("datasift", R"({"interaction":{"id":"1","created_at":"2026-01-01","author":{"id":"7"}},)"
                                         R"("twitter":{"place":{"full_name":"Gent, Vlaanderen","place_type":"city"}}})");
  ASSERT_EQ(written.size(), 1u);
  EXPECT_EQ(written[0].json, R"({"id":"1","author_id":"7","created_at":1767225600000,"place":{"full_name":"Gent, Vlaanderen","type":"city"},)"
                             R"("kind":"original","source":"datasift","received_at":2500})");
  EXPECT_EQ(written[0].key, "Gent, Vlaanderen");
  EXPECT_EQ(Write("post", R"({"created_at":1,"author_id":"7"})")[0].key, "7");
}

TEST(CanonicalTest, DatesAndSecondsStayWhatTheyAre) {
  const auto bar = Write("bar", R"({"ticker":"A","date":"2026-01-02","open":1,"high":1,"low":1,"close":1,"volume":1})");
  EXPECT_EQ(bar[0].json, R"({"ticker":"A","date":"2026-01-02","open":1,"high":1,"low":1,"close":1,"volume":1,"received":2.5})");
  EXPECT_EQ(bar[0].timestamp_ms, 1'767'312'000'000);
  const auto news = Write("news", R"({"id":1,"datetime":1596589501,"headline":"h"})");
  EXPECT_EQ(news[0].json, R"({"id":1,"datetime":1596589501,"headline":"h"})");
  EXPECT_EQ(news[0].key, std::nullopt);
  EXPECT_EQ(news[0].timestamp_ms, 1'596'589'501'000);
  const auto visa = Write("visa", R"({"receivedDate":"2020-03-04","jobTitle":"x","wageRangeFrom":1})");
  EXPECT_EQ(visa[0].json, R"({"receivedDate":"2020-03-04","jobTitle":"x","wageRangeFrom":1})");
  EXPECT_EQ(visa[0].key, "x");
  EXPECT_EQ(visa[0].timestamp_ms, 2'500);
}

TEST(CanonicalTest, WithoutAnEventTimeThereIsNoRecord) {
  EXPECT_TRUE(Write("bar", R"({"ticker":"A","open":1,"high":1,"low":1,"close":1,"volume":1})").empty());
  EXPECT_TRUE(Write("post", R"({"id":"1"})").empty());
}

}  // namespace
}  // namespace tailrace::pipeline
