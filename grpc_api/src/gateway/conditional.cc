#include "gateway/conditional.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <string_view>

#include "common/page_token.h"

namespace tailrace::grpc_api {
namespace {

// "W/" and everything around the quotes do not matter: tags are compared weakly for reads.
bool Names(std::string_view if_none_match, std::string_view tag) {
  return if_none_match == "*" || if_none_match.find(tag) != std::string_view::npos;
}

}  // namespace

HttpResponse Revalidated(const HttpRequest& request, HttpResponse response) {
  if (response.status != 200 || response.stream || (request.method != "GET" && request.method != "HEAD")) return response;
  const auto has = [&response](std::string_view name, std::string_view value) {
    return std::any_of(response.headers.begin(), response.headers.end(),
                       [&](const auto& header) { return header.first == name && header.second == value; });
  };
  if (!has("Content-Type", "application/json") || !has("Cache-Control", "no-store")) return response;
  // The same on every copy of the gateway: a poll may reach another one each time.
  std::array<char, 24> tag;
  const int length = std::snprintf(tag.data(), tag.size(), "\"%016llx\"",
                                   static_cast<unsigned long long>(Fnv1a(response.body)));
  for (auto& [name, value] : response.headers) {
    if (name == "Cache-Control") value = "no-cache";
  }
  const std::string_view quoted(tag.data(), static_cast<size_t>(length));
  response.SetHeader("ETag", std::string(quoted));
  if (!Names(request.Header("if-none-match"), quoted)) return response;
  response.status = 304;
  response.body.clear();
  return response;
}

}  // namespace tailrace::grpc_api
