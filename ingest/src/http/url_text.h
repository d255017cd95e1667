// URLs as text: for messages, and for queries.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tailrace::ingest {

// Without user name, password, query and fragment, which may hold secrets.
std::string UrlForMessages(std::string_view url);

// "?a=1&b=x%20y"; empty for no parameters.
std::string QueryText(const std::vector<std::pair<std::string, std::string>>& parameters);

// With everything but letters, digits and -_.~ as %XX.
std::string PercentEncoded(std::string_view text);

}  // namespace tailrace::ingest
