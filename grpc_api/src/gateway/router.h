// Finds the handler of a request by its path.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/http_types.h"

namespace tailrace::grpc_api {

// The decoded values of a pattern's {names}, in order.
using PathArguments = std::vector<std::string>;
using RouteHandler = std::function<HttpResponse(const HttpRequest&, const PathArguments&)>;

// Thread-safe once filled. Every route answers GET and HEAD, and POST where a handler was added for it; anything else is 405.
class Router {
 public:
  // "/api/v1/stores/{store}/keys/{key}". Of two patterns that match, the one added first wins.
  void Add(std::string pattern, RouteHandler handler);
  // What answers POST to a pattern that was added before.
  void AddPost(std::string_view pattern, RouteHandler handler);
  // What answers a path without a route (the dashboard's files); it answers 404 itself.
  void SetFallback(RouteHandler handler) { fallback_ = std::move(handler); }

  // `route` is set to the pattern, for metrics.
  HttpResponse Route(const HttpRequest& request, std::string* route) const;

  // "GET /api/v1/stores" of every route, in the order in which they were added.
  std::vector<std::string> Operations() const;

 private:
  struct Entry {
    std::string pattern;
    std::vector<std::string> segments;
    RouteHandler handler;
    RouteHandler post;  // may be empty
  };
  std::vector<Entry> entries_;
  RouteHandler fallback_;
};

}  // namespace tailrace::grpc_api
