// Requests and responses as the routes see them, free of the server's library.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tailrace::grpc_api {

struct HttpRequest {
  std::string method;
  std::string path;   // raw, still percent-encoded
  std::string query;  // raw, without '?'
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;

  // Empty when there is none.
  std::string_view Header(const std::string& lower_case_name) const {
    const auto found = headers.find(lower_case_name);
    return found == headers.end() ? std::string_view() : std::string_view(found->second);
  }
};

// A body without end, sent piece by piece as it comes.
class HttpStream {
 public:
  virtual ~HttpStream() = default;
  // What there is to send now; empty when there is nothing. After that, the callback of SetWake is called once when
  // something comes. One call at a time.
  virtual std::string Next() = 0;
  virtual std::string Heartbeat() = 0;
  // True when nothing comes after what Next has returned.
  virtual bool ended() const = 0;
  // Called from any thread; before the first Next.
  virtual void SetWake(std::function<void()> wake) = 0;
};

struct HttpResponse {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::unique_ptr<HttpStream> stream;  // instead of `body`

  void SetHeader(std::string name, std::string value) { headers.emplace_back(std::move(name), std::move(value)); }
};

HttpResponse JsonResponse(std::string body);
HttpResponse TextResponse(int status, std::string content_type, std::string body);
std::string_view HttpStatusText(int status);

}  // namespace tailrace::grpc_api
