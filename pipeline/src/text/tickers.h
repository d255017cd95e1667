// The tickers that a text mentions as cashtags.
//
// A cashtag is a dollar sign, one to six letters of ASCII and, after a dot or underscore, one or two more: $AAPL, $BRK.B. Neither a
// letter, digit, underscore or dollar sign stands before it, nor a letter, digit or underscore behind it: $5 and US$A are none.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tailrace::pipeline::text {

// Not thread-safe: it reuses its buffers.
class TickerReader {
 public:
  // Each ticker once, in upper case, in the order of the text; at most kTickersPerEventMax. Valid until the next call.
  const std::vector<std::string_view>& Read(std::string_view text);

 private:
  std::string upper_;
  std::vector<std::string_view> tickers_;
};

}  // namespace tailrace::pipeline::text
