#include <algorithm>
#include <array>
#include <vector>

#include "alias_table.h"
#include "event_clock.h"
#include "json_object.h"
#include "tailrace/base/random.h"
#include "tailrace/ingest/market_sources.h"

namespace tailrace::ingest {
namespace {

struct Symbol {
  std::string_view name;
  int64_t first_price = 0;  // in hundredths
  bool crypto = false;
};
constexpr auto kSymbols = std::to_array<Symbol>(
    {{"BINANCE:BTCUSDT", 6'412'550, true}, {"AAPL", 21'043, false}, {"BINANCE:ETHUSDT", 318'240, true}, {"TSLA", 24'815, false},
     {"MSFT", 41'520, false}, {"SHOP", 10'266, false}, {"AMZN", 18'807, false}, {"RY", 12'135, false}, {"ENB", 4'011, false},
     {"BINANCE:SOLUSDT", 14'570, true}, {"CNR", 11'804, false}, {"GOOGL", 17'650, false}});

class TradeSource : public RecordSource {
 public:
  explicit TradeSource(const SourceOptions& options)
      : random_(options.seed), clock_(options), symbols_(AliasTable::Zipf(kSymbols.size())) {
    for (const Symbol& symbol : kSymbols) prices_.push_back(symbol.first_price);
    sequence_.resize(kSymbols.size());
  }

  const GeneratedRecord& Next() override {
    // A third of the ticks belong to the order that made the one before: same symbol, same millisecond.
    if (index_ == 0 || !random_.Chance(1.0 / 3)) {
      symbol_ = symbols_.Draw(random_);
      record_.timestamp_ms = clock_.At(index_);
    }
    const Symbol& symbol = kSymbols[symbol_];
    int64_t& price = prices_[symbol_];
    // Steps of up to two thousandths; the price stays between a half and the double of the first one.
    const int64_t reach = std::max<int64_t>(price / 500, 1);
    price += static_cast<int64_t>(random_.Below(static_cast<uint64_t>(2 * reach + 1))) - reach;
    price = std::clamp(price, symbol.first_price / 2, symbol.first_price * 2);
    const uint64_t size = 1 + random_.Below(random_.Chance(0.1) ? 100'000 : 500);
    const double volume = symbol.crypto ? static_cast<double>(size) / 10'000 : static_cast<double>(size);
    constexpr std::array<std::string_view, 4> kConditions = {"[]", "[\"1\"]", "[\"1\",\"12\"]", "[\"1\",\"8\",\"24\",\"12\"]"};
    record_.key = symbol.name;
    JsonObject trade(record_.value);
    trade.Text("symbol", symbol.name)
        .Double("price", static_cast<double>(price) / 100)
        .Double("volume", volume)
        .Int("ts", record_.timestamp_ms)
        .Raw("conditions", kConditions[random_.Below(kConditions.size())])
        .Text("type", "trade")
        .Int("seq", ++sequence_[symbol_])
        .Int("received_at", clock_.At(index_));
    trade.Close();
    ++index_;
    return record_;
  }

 private:
  base::Random random_;
  const EventClock clock_;
  const AliasTable symbols_;
  std::vector<int64_t> prices_;
  std::vector<int64_t> sequence_;
  GeneratedRecord record_;
  uint32_t symbol_ = 0;
  int64_t index_ = 0;
};

}  // namespace

std::unique_ptr<RecordSource> NewTradeSource(const SourceOptions& options) { return std::make_unique<TradeSource>(options); }

}  // namespace tailrace::ingest
