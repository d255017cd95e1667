// The shares of which bars are made, and which posts mention.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace tailrace::ingest {

struct Ticker {
  std::string_view name;
  int64_t first_close = 0;  // in hundredths
};
// Generated bars follow this list: changing it changes every stream of bars.
inline constexpr auto kTickers = std::to_array<Ticker>({{"AAPL", 21'043}, {"TSLA", 24'815}, {"MSFT", 41'520}, {"SHOP", 10'266},
                                                        {"AMZN", 18'807}, {"RY", 12'135}, {"ENB", 4'011}, {"CNR", 11'804},
                                                        {"GOOGL", 17'650}, {"BNS", 6'612}, {"NVDA", 12'110}, {"META", 50'120}});

}  // namespace tailrace::ingest
