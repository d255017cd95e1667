#include "gateway/router.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "gateway/problem.h"
#include "gateway/url.h"
#include "tailrace/base/check.h"

namespace tailrace::grpc_api {
namespace {

bool IsArgument(std::string_view segment) { return segment.size() > 2 && segment.front() == '{'; }

bool Matches(const std::vector<std::string>& pattern, const std::vector<std::string_view>& path) {
  if (pattern.size() != path.size()) return false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (IsArgument(pattern[i]) ? path[i].empty() : pattern[i] != path[i]) return false;
  }
  return true;
}

HttpResponse MethodNotAllowed(const HttpRequest& request, bool posts) {
  HttpResponse response =
      ProblemResponse({.status = 405, .type = "method-not-allowed", .title = "Method not allowed",
                       .detail = request.method + " is not possible here; this address answers " +
                                 (posts ? "GET, HEAD and POST." : "GET and HEAD."),
                       .errors = {}},
                      request.path);
  response.SetHeader("Allow", posts ? "GET, HEAD, POST" : "GET, HEAD");
  return response;
}

}  // namespace

void Router::Add(std::string pattern, RouteHandler handler) {
  Entry entry{.pattern = pattern, .segments = {}, .handler = std::move(handler), .post = {}};
  for (const std::string_view segment : SplitPath(pattern)) entry.segments.emplace_back(segment);
  entries_.push_back(std::move(entry));
}

void Router::AddPost(std::string_view pattern, RouteHandler handler) {
  const auto entry = std::find_if(entries_.begin(), entries_.end(),
                                  [pattern](const Entry& candidate) { return candidate.pattern == pattern; });
  TAILRACE_CHECK(entry != entries_.end(), "POST is added to a route that answers GET");
  entry->post = std::move(handler);
}

std::vector<std::string> Router::Operations() const {
  std::vector<std::string> operations;
  for (const Entry& entry : entries_) {
    operations.push_back("GET " + entry.pattern);
    if (entry.post) operations.push_back("POST " + entry.pattern);
  }
  return operations;
}

HttpResponse Router::Route(const HttpRequest& request, std::string* route) const {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  const std::vector<std::string_view> path = SplitPath(request.path);
  for (const Entry& entry : entries_) {
    if (!Matches(entry.segments, path)) continue;
    *route = entry.pattern;
    const RouteHandler& handler = request.method == "POST" ? entry.post : entry.handler;
    if (!handler || (!reads && request.method != "POST")) return MethodNotAllowed(request, entry.post != nullptr);
    PathArguments arguments;
    std::vector<ParameterError> errors;
    for (size_t i = 0; i < path.size(); ++i) {
      if (!IsArgument(entry.segments[i])) continue;
      std::optional<std::string> argument = PercentDecode(path[i], /*plus_is_space=*/false);
      if (argument) {
        arguments.push_back(*std::move(argument));
      } else {
        errors.push_back({entry.segments[i].substr(1, entry.segments[i].size() - 2), "the path is not valid percent-encoded UTF-8"});
      }
    }
    if (!errors.empty()) return ProblemResponse(ValidationProblem(std::move(errors)), request.path);
    return handler(request, arguments);
  }
  *route = "other";
  if (fallback_ && !request.path.starts_with("/api/")) {
    if (!reads) return MethodNotAllowed(request, /*posts=*/false);
    return fallback_(request, {});
  }
  return ProblemResponse(NotFoundProblem("There is nothing at this address; /openapi.yaml lists what there is."),
                         request.path);
}

}  // namespace tailrace::grpc_api
