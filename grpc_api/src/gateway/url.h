// Percent-encoding, query strings and the order of names.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tailrace::grpc_api {

// nullopt for a broken escape, for bytes that are not UTF-8, and for a NUL. `plus_is_space` in query strings.
std::optional<std::string> PercentDecode(std::string_view text, bool plus_is_space);

// A parameter of a query string; nullopt is what cannot be decoded.
struct QueryPart {
  std::optional<std::string> name;
  std::optional<std::string> value;

  bool operator==(const QueryPart&) const = default;
};

// "a=1&b=x%20y" in order.
std::vector<QueryPart> ParseQuery(std::string_view query);

// "/a/b%2Fc" as {"a", "b%2Fc"}: still encoded, so that an encoded slash stays inside its segment.
std::vector<std::string_view> SplitPath(std::string_view path);

// A key for sorting names as people expect: Latin letters without accents and case, then the text itself.
std::string SortKey(std::string_view utf8);

}  // namespace tailrace::grpc_api
