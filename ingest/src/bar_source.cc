#include <algorithm>
#include <array>
#include <vector>

#include "event_clock.h"
#include "json_object.h"
#include "tailrace/base/check.h"
#include "tailrace/base/random.h"
#include "tailrace/ingest/market_sources.h"
#include "tailrace/pipeline/timestamps.h"
#include "tickers.h"

namespace tailrace::ingest {
namespace {

constexpr int64_t kDayMs = 86'400'000;

// 1970-01-01 was a Thursday: 0 is Monday here.
bool IsWeekday(int64_t day) { return ((day + 3) % 7 + 7) % 7 < 5; }

// The `count` - 1 weekdays before `day`, oldest first, and `day` itself.
std::vector<int64_t> DaysUpTo(int64_t day, int64_t count) {
  std::vector<int64_t> days{day};
  while (static_cast<int64_t>(days.size()) < count)
    if (IsWeekday(--day)) days.push_back(day);
  std::reverse(days.begin(), days.end());
  return days;
}

class BarSource : public RecordSource {
 public:
  BarSource(const SourceOptions& options, int64_t days)
      : seed_(options.seed), clock_(options), days_(DaysUpTo(options.start_ms / kDayMs, days)) {
    for (const Ticker& ticker : kTickers) closes_.push_back(ticker.first_close);
  }

  const GeneratedRecord& Next() override {
    record_.timestamp_ms = clock_.At(index_);
    const size_t ticker = ticker_;
    const size_t day = day_;
    if (day == 0) closes_[ticker] = kTickers[ticker].first_close;
    // Seeded by ticker and day, so that a correction is of the same bar.
    base::Random random(seed_ * 1'000'003 + static_cast<uint64_t>(days_[day]) * 31 + ticker);
    const auto within = [&](int64_t reach) {
      return static_cast<int64_t>(random.Below(static_cast<uint64_t>(2 * reach + 1))) - reach;
    };
    const int64_t reach = std::max<int64_t>(closes_[ticker] / 50, 1);
    const int64_t open = std::max<int64_t>(closes_[ticker] + within(reach) / 2, 100);
    const int64_t close = std::max<int64_t>(open + within(reach), 100);
    const int64_t high = std::max(open, close) + static_cast<int64_t>(random.Below(static_cast<uint64_t>(reach)));
    const int64_t low = std::max<int64_t>(std::min(open, close) - static_cast<int64_t>(random.Below(static_cast<uint64_t>(reach))), 50);
    const auto volume = static_cast<int64_t>(500'000 + random.Below(40'000'000)) + correction_;
    closes_[ticker] = close;

    record_.key = kTickers[ticker].name;
    date_.clear();
    pipeline::AppendTimestamp(date_, days_[day] * kDayMs);
    const auto price = [](int64_t hundredths) { return static_cast<double>(hundredths) / 100; };
    JsonObject bar(record_.value);
    bar.Text("ticker", record_.key)
        .Text("date", std::string_view(date_).substr(0, 10))
        .Double("open", price(open))
        .Double("high", price(high))
        .Double("low", price(low))
        .Double("close", price(close))
        .Int("volume", volume)
        .Double("received", static_cast<double>(record_.timestamp_ms) / 1'000);
    bar.Close();
    Advance();
    return record_;
  }

 private:
  // To the next ticker, day and round. The round after a midnight has one day more.
  void Advance() {
    ++index_;
    if (++ticker_ < kTickers.size()) return;
    ticker_ = 0;
    if (++day_ < days_.size()) return;
    day_ = 0;
    ++correction_;
    const int64_t today = record_.timestamp_ms / kDayMs;
    if (today > days_.back()) days_.push_back(today);
  }

  const uint64_t seed_;
  const EventClock clock_;
  std::vector<int64_t> days_;
  std::vector<int64_t> closes_;
  GeneratedRecord record_;
  std::string date_;
  int64_t index_ = 0;
  size_t ticker_ = 0;
  size_t day_ = 0;
  int64_t correction_ = 0;
};

}  // namespace

std::unique_ptr<RecordSource> NewBarSource(const SourceOptions& options, int64_t days) {
  TAILRACE_CHECK(days > 0, "bars are of some day");
  return std::make_unique<BarSource>(options, days);
}

}  // namespace tailrace::ingest
