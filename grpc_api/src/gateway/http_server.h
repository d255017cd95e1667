// A bounded HTTP/1.1 server: reads requests strictly, hands them to a handler on its own threads, writes answers.
//
// Refused before any handler sees it: a header, target or body above its limit (431, 414, 413), Content-Length together
// with chunked coding, any other transfer coding, a missing or repeated Host, a broken chunk, bytes that are not HTTP
// (400). A connection on which no whole request arrives in time is closed. Every answer is written by the connection's own
// strand; a client that does not take its answer in time is cut off.
//
// With certificates the port speaks HTTPS (TLS 1.2 or newer) and nothing else. A connection counts from when it is accepted, so
// one that does not finish its handshake holds a place until handshake_timeout_ms; one that sends anything else is closed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "gateway/http_types.h"
#include "tailrace/base/limits.h"
#include "tailrace/base/status.h"
#include "tailrace/grpc_api/tls.h"

namespace tailrace::grpc_api {

struct HttpServerOptions {
  std::string listen;  // host:port
  TlsOptions tls;      // certificate and key; none: HTTP
  size_t io_threads = 2;
  size_t handler_threads = 8;
  int64_t idle_timeout_ms = 30'000;
  int64_t handshake_timeout_ms = 10'000;
  int64_t heartbeat_ms = 15'000;
  size_t streams_max = 512;
  size_t connections_max = base::limits::kHttpConnectionsMax;
  size_t in_flight_max = base::limits::kHttpRequestsInFlightMax;
};

// Thread-safe. The handler is called by several threads at once and may block; it outlives the server's Shutdown.
class HttpServer {
 public:
  using Handler = std::function<HttpResponse(const HttpRequest&)>;

  HttpServer(HttpServerOptions options, Handler handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  absl::Status Start();
  int port() const;
  void Shutdown(int64_t deadline_ms);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// "127.0.0.1:8080", "[::1]:8080", ":8080" (all addresses).
bool SplitHostPort(const std::string& listen, std::string& host, std::string& port);

}  // namespace tailrace::grpc_api
