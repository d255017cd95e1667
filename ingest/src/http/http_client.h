// HTTP as the connectors need it: whole answers, and answers that never end.
//
//   HttpClient client({.token = token}, stop);
//   TAILRACE_ASSIGN_OR_RETURN(const HttpAnswer answer, client.Fetch({.url = "https://api.example.com/2/users"}));
//   if (answer.status == 200) Use(answer.body);
//
// Any status is an answer. Errors are those of the network: kUnavailable (no connection, broken off, a certificate that
// is not trusted), kDeadlineExceeded (nothing arrived for too long), kCancelled (stopped), kResourceExhausted (an answer
// above its bound). They name the URL without its query, and never a header.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tailrace/base/status.h"
#include "tailrace/ingest/stop_signal.h"

namespace tailrace::ingest {

struct HttpOptions {
  // Sent with every request, "Name: value" each: what tells the server who asks.
  std::vector<std::string> headers;
  int connect_timeout_ms = 10'000;
  // The longest time without a byte before the transfer is given up.
  int stall_timeout_ms = 30'000;
  // A file of certificates to trust instead of the system's.
  std::string ca_file;
};

struct HttpRequest {
  std::string url;
  std::optional<std::string> json;  // set: a POST with this body
  // "PUT" or "DELETE"; empty: GET, or POST with `json`. A PUT sends `body`, which stays where it is during the call.
  std::string method = {};
  std::string_view body = {};
};

struct HttpHead {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case; the last of several
  // Absent, or not a number: nullopt.
  std::optional<int64_t> Number(const std::string& header) const;
};

struct HttpAnswer : HttpHead {
  std::string body;
};

// Keeps its connections. One thread at a time. Lifetime: the stop signal outlives it.
class HttpClient {
 public:
  HttpClient(HttpOptions options, const StopSignal& stop);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // The whole answer, at most limits::kSourceAnswerBytesMax.
  absl::StatusOr<HttpAnswer> Fetch(const HttpRequest& request);

  // Hands over the body as it arrives, when the status is 200; the body of any other answer is left out. Returns when the
  // server ends it, or with the error of `on_bytes`.
  absl::StatusOr<HttpHead> Stream(const HttpRequest& request, const std::function<void(const HttpHead&)>& on_head,
                                  const std::function<absl::Status(std::string_view)>& on_bytes);

 private:
  class Transfer;
  const HttpOptions options_;
  const StopSignal& stop_;
  void* multi_;  // libcurl's, which keeps the connections
};

}  // namespace tailrace::ingest
