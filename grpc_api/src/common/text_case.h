// Names as pipelines write their keys: in one case, with letters and accents composed.
#pragma once

#include <string>
#include <string_view>

namespace tailrace::grpc_api {

// In lower case and composed (NFC), without white space around. `utf8` is valid UTF-8.
std::string LowerCase(std::string_view utf8);
// Likewise in upper case.
std::string UpperCase(std::string_view utf8);

// Of a user as stores and requests have it: in lower case, without a leading '@'.
std::string UserName(std::string_view utf8);
// Of a ticker: in upper case, without a leading '$'.
std::string TickerName(std::string_view utf8);

}  // namespace tailrace::grpc_api
