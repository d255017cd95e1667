// A WebSocket as the connectors need it: texts in both directions, with time limits. Pings are answered, control frames
// never seen, and messages that come in several frames put together.
//
//   TAILRACE_ASSIGN_OR_RETURN(auto socket, WebSocket::Connect({.url = "wss://ws.example.com/?token=..."}));
//   TAILRACE_RETURN_IF_ERROR(socket->Send(R"({"type":"subscribe","symbol":"AAPL"})"));
//   std::string message;
//   TAILRACE_ASSIGN_OR_RETURN(const bool got, socket->Read(message, 100));
//
// Errors: kUnavailable for everything that another connection may heal, closing by the server included;
// kDeadlineExceeded when nothing was heard for the stall time, not even the answer to a ping. They name the URL without
// its query.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "tailrace/base/status.h"

namespace tailrace::ingest {

struct WebSocketOptions {
  std::string url;  // ws:// or wss://
  int connect_timeout_ms = 10'000;
  // After half of this without a byte a ping is sent, and after all of it the connection is given up.
  int stall_timeout_ms = 30'000;
  // A file of certificates to trust instead of the system's.
  std::string ca_file;
};

// One thread at a time.
class WebSocket {
 public:
  // When the server refuses the handshake the error has the status ("429 Too Many Requests"), and `http_status` is set.
  static absl::StatusOr<std::unique_ptr<WebSocket>> Connect(const WebSocketOptions& options, int& http_status);
  virtual ~WebSocket() = default;

  virtual absl::Status Send(std::string_view text) = 0;
  // The next whole message, at most limits::kEventBytesMax; false when there is none within that time.
  virtual absl::StatusOr<bool> Read(std::string& message, int timeout_ms) = 0;
};

}  // namespace tailrace::ingest
