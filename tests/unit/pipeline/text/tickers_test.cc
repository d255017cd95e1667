#include "text/tickers.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tailrace/base/limits.h"

namespace tailrace::pipeline::text {
namespace {

using Tickers = std::vector<std::string>;

Tickers TickersOf(std::string_view text) {
  static TickerReader reader;
  Tickers tickers;
  for (const std::string_view ticker : reader.Read(text)) tickers.emplace_back(ticker);
  return tickers;
}

TEST(TickersTest, EachOnceInUpperCase) {
  EXPECT_EQ(TickersOf("$aapl beats $MSFT, ($AAPL)!"), (Tickers{"AAPL", "MSFT"}));
  EXPECT_EQ(TickersOf("no tickers"), Tickers{});
  EXPECT_EQ(TickersOf(""), Tickers{});
}

TEST(TickersTest, ASuffixBehindADotBelongsToIt) {
  EXPECT_EQ(TickersOf("$BRK.B $brk_a"), (Tickers{"BRK.B", "BRK_A"}));
  // The end of a sentence does not, nor does a word.
  EXPECT_EQ(TickersOf("I sold $RY. And $ENB.next"), (Tickers{"RY", "ENB"}));
}

TEST(TickersTest, WhatOnlyLooksLikeOne) {
  EXPECT_EQ(TickersOf("$5 $ US$A $$A $TOOLONG $A1 $A_BCD $\xC3\xA9 $A\xC3\xA9 caf\xC3\xA9$B"), Tickers{});
}

TEST(TickersTest, ThereIsABound) {
  std::string text;
  for (char a = 'A'; a <= 'Z'; ++a) {
    for (char b = 'A'; b <= 'Z'; ++b) text += std::string(" $") + a + b;
  }
  EXPECT_EQ(TickersOf(text).size(), base::limits::kTickersPerEventMax);
}

}  // namespace
}  // namespace tailrace::pipeline::text
