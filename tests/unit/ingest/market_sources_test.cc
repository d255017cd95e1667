#include "tailrace/ingest/market_sources.h"

#include <set>

#include "nlohmann/json.hpp"
#include "support.h"
#include "tailrace/pipeline/canonical.h"

namespace tailrace::ingest {
namespace {

using Json = nlohmann::json;

const SourceOptions kOptions{.seed = 5, .start_ms = kStartMs, .rate = 100};

std::vector<GeneratedRecord> Records(RecordSource& source, int count) {
  std::vector<GeneratedRecord> records;
  for (int i = 0; i < count; ++i) records.push_back(source.Next());
  return records;
}

TEST(MarketSources, TheSameOptionsGiveTheSameRecords) {
  for (const auto make : {+[](const SourceOptions& o) { return NewTradeSource(o); }, +[](const SourceOptions& o) { return NewBarSource(o); },
                          +[](const SourceOptions& o) { return NewVisaSource(o); }}) {
    const auto once = Records(*make(kOptions), 500);
    const auto again = Records(*make(kOptions), 500);
    SourceOptions other = kOptions;
    other.seed = 6;
    const auto different = Records(*make(other), 500);
    int changed = 0;
    for (size_t i = 0; i < once.size(); ++i) {
      ASSERT_EQ(once[i].value, again[i].value);
      changed += once[i].value != different[i].value;
    }
    EXPECT_GT(changed, 400);
  }
}

// Read as its format and written again, every record is the same, with the same key.
TEST(MarketSources, RecordsAreCanonical) {
  const std::pair<const char*, std::unique_ptr<RecordSource>> sources[] = {
      {"trade", NewTradeSource(kOptions)}, {"bar", NewBarSource(kOptions)}, {"visa", NewVisaSource(kOptions)}};
  for (const auto& [name, source] : sources) {
    const pipeline::Format& format = *pipeline::FindFormat(name);
    const auto writer = pipeline::CanonicalWriter::For(format);
    ASSERT_TRUE(writer);
    const auto reader = format.NewReader(writer->fields(), writer->reader_options());
    for (const GeneratedRecord& record : Records(*source, 1'000)) {
      pipeline::ParseResult result;
      reader->Start(record.value);
      ASSERT_TRUE(reader->Next(result));
      ASSERT_EQ(pipeline::SkipReasonName(result.reason), "event") << record.value;
      std::string again;
      writer->Append(again, result.event, 1);
      ASSERT_EQ(again, record.value);
      ASSERT_EQ(writer->Key(result.event), record.key);
    }
  }
}

TEST(MarketSources, TradesAreOrderedBySequenceWhereTicksShareATime) {
  std::map<std::string, int64_t> sequence;
  int64_t last_ms = 0;
  int shared = 0;
  for (const GeneratedRecord& record : Records(*NewTradeSource(kOptions), 5'000)) {
    const Json trade = Json::parse(record.value);
    ASSERT_EQ(trade["symbol"], record.key);
    ASSERT_EQ(trade["type"], "trade");
    ASSERT_GT(trade["price"].get<double>(), 0);
    ASSERT_GT(trade["volume"].get<double>(), 0);
    ASSERT_TRUE(trade["conditions"].is_array());
    ASSERT_EQ(trade["seq"].get<int64_t>(), ++sequence[record.key]);
    ASSERT_GE(record.timestamp_ms, last_ms);
    ASSERT_EQ(trade["ts"].get<int64_t>(), record.timestamp_ms);
    shared += record.timestamp_ms == last_ms;
    last_ms = record.timestamp_ms;
  }
  EXPECT_GT(shared, 1'000);
}

TEST(MarketSources, BarsHoldTogetherAndComeAgainWithALaterVersion) {
  std::map<std::pair<std::string, std::string>, Json> newest;
  int corrections = 0;
  for (const GeneratedRecord& record : Records(*NewBarSource(kOptions, 10), 12 * 10 * 2)) {
    const Json bar = Json::parse(record.value);
    ASSERT_GE(bar["high"].get<double>(), std::max(bar["open"].get<double>(), bar["close"].get<double>()));
    ASSERT_LE(bar["low"].get<double>(), std::min(bar["open"].get<double>(), bar["close"].get<double>()));
    ASSERT_GT(bar["low"].get<double>(), 0);
    const std::string date = bar["date"];
    ASSERT_LE(date, "2026-01-01") << "never in the future";
    ASSERT_TRUE(date != "2025-12-27" && date != "2025-12-28") << "a weekend";
    Json& known = newest[{record.key, date}];
    if (!known.is_null()) {
      ++corrections;
      ASSERT_GT(bar["received"], known["received"]);
      ASSERT_EQ(bar["close"], known["close"]);
    }
    known = bar;
  }
  EXPECT_EQ(newest.size(), 120u);
  EXPECT_EQ(corrections, 120);
  EXPECT_TRUE(newest.contains({"AAPL", "2025-12-31"}));
  EXPECT_TRUE(newest.contains({"AAPL", "2026-01-01"})) << "the day of the start";
}

// Two days of 12 tickers at 24 bars a second: a round a second. The start is a Saturday, one second before midnight.
TEST(MarketSources, BarsFollowTheDayAlsoAtAWeekend) {
  constexpr int64_t kSaturdayMs = kStartMs + 2 * 86'400'000;
  std::vector<std::string> dates;
  for (const GeneratedRecord& record : Records(*NewBarSource({.seed = 5, .start_ms = kSaturdayMs + 86'399'000, .rate = 24}, 2), 12 * 7))
    if (record.key == "AAPL") dates.push_back(Json::parse(record.value)["date"]);
  const std::vector<std::string> expected{"2026-01-02", "2026-01-03", "2026-01-02", "2026-01-03", "2026-01-02", "2026-01-03", "2026-01-04"};
  EXPECT_EQ(dates, expected);
}

TEST(MarketSources, VisaApplicationsMixUnitsOfPay) {
  std::map<std::string, int> units;
  for (const GeneratedRecord& record : Records(*NewVisaSource(kOptions), 1'000)) {
    const Json visa = Json::parse(record.value);
    const double from = visa["wageRangeFrom"];
    const std::string unit = visa["wageUnitOfPay"];
    ++units[unit];
    if (unit == "Hour") ASSERT_TRUE(from > 30 && from < 200) << from;
    else ASSERT_TRUE(from > 70'000 && from < 300'000) << from;
    ASSERT_TRUE(visa["wageRangeTo"] == 0 || visa["wageRangeTo"] > visa["wageRangeFrom"]);
    ASSERT_EQ(visa["quarter"].get<int>(), (std::stoi(visa["receivedDate"].get<std::string>().substr(5, 2)) + 2) / 3);
  }
  EXPECT_NEAR(units["Hour"], 100, 40);
  EXPECT_EQ(units["Hour"] + units["Year"], 1'000);
}

}  // namespace
}  // namespace tailrace::ingest
