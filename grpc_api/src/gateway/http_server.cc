#include "gateway/http_server.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <sys/socket.h>

#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <exception>
#include <map>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/tls_files.h"
#include "common/worker_pool.h"
#include "gateway/problem.h"
#include "tailrace/base/log.h"

namespace tailrace::grpc_api {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace net = boost::asio;
using tcp = net::ip::tcp;
using boost::system::error_code;

constexpr char kRequestIdHeader[] = "x-request-id";
constexpr size_t kRequestIdMax = 64;
constexpr std::string_view kPlainHttpAnswer =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 49\r\nConnection: close\r\n\r\n"
    "This port speaks HTTPS only: write https:// here.";

// An identifier of the caller's that is safe to send back.
bool IsRequestId(std::string_view text) {
  return !text.empty() && text.size() <= kRequestIdMax && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
  });
}

// The answer to bytes that are not an acceptable request; nullopt: the connection is simply over.
std::optional<Problem> ProblemOfRead(const error_code& error) {
  const auto bad = [](std::string detail) {
    return Problem{.status = 400, .type = "bad-request", .title = "Bad request", .detail = std::move(detail), .errors = {}};
  };
  if (error == http::error::header_limit) {
    return Problem{.status = 431, .type = "header-too-large", .title = "Header too large",
                   .detail = "The request's header is above " + std::to_string(base::limits::kHttpHeaderBytesMax) + " bytes.",
                   .errors = {}};
  }
  if (error == http::error::body_limit) {
    return Problem{.status = 413, .type = "body-too-large", .title = "Body too large",
                   .detail = "The request's body is above " + std::to_string(base::limits::kHttpBodyBytesMax) + " bytes.",
                   .errors = {}};
  }
  if (error == http::error::end_of_stream || error == beast::error::timeout) return std::nullopt;
  if (error.category() == make_error_code(http::error::bad_chunk).category()) {
    if (error == http::error::partial_message) return bad("The request ended before it was whole.");
    return bad("The request is not valid HTTP/1.1: " + error.message() + ".");
  }
  return std::nullopt;
}

using Parser = http::request_parser<http::string_body>;

// What the parser lets through and we do not.
std::optional<Problem> ProblemOfRequest(const Parser::value_type& request) {
  const auto bad = [](std::string detail) {
    return Problem{.status = 400, .type = "bad-request", .title = "Bad request", .detail = std::move(detail), .errors = {}};
  };
  if (request.version() != 11 && request.version() != 10) {
    return Problem{.status = 505, .type = "http-version", .title = "HTTP version not supported",
                   .detail = "This server speaks HTTP/1.1.", .errors = {}};
  }
  const auto hosts = request.count(http::field::host);
  if (hosts > 1 || (hosts == 0 && request.version() == 11)) return bad("The request needs exactly one Host header.");
  const auto transfer_codings = request.count(http::field::transfer_encoding);
  if (transfer_codings > 0) {
    // Whoever stands in front may read such a message differently: that is how requests are smuggled.
    if (request.count(http::field::content_length) > 0) return bad("Content-Length and Transfer-Encoding exclude each other.");
    if (transfer_codings > 1 || !beast::iequals(request[http::field::transfer_encoding], "chunked")) {
      return Problem{.status = 501, .type = "transfer-encoding", .title = "Transfer coding not supported",
                     .detail = "The only transfer coding is chunked.", .errors = {}};
    }
  }
  if (request.count(http::field::content_length) > 1) return bad("Content-Length is given more than once.");
  const auto length = request[http::field::content_length];
  if (!std::all_of(length.begin(), length.end(), [](unsigned char c) { return std::isdigit(c) != 0; })) {
    return bad("Content-Length is not one number.");
  }
  if (request.target().size() > base::limits::kHttpTargetBytesMax) {
    return Problem{.status = 414, .type = "target-too-long", .title = "Address too long",
                   .detail = "The request's target is above " + std::to_string(base::limits::kHttpTargetBytesMax) + " bytes.",
                   .errors = {}};
  }
  if (request.target().empty() || request.target().front() != '/') return bad("The request's target must begin with '/'.");
  return std::nullopt;
}

HttpRequest Convert(const Parser::value_type& message) {
  HttpRequest request;
  request.method = std::string(message.method_string());
  const std::string_view target(message.target().data(), message.target().size());
  const size_t question = target.find('?');
  request.path = std::string(target.substr(0, question));
  if (question != std::string_view::npos) request.query = std::string(target.substr(question + 1));
  for (const auto& field : message) {
    std::string name(field.name_string());
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    request.headers[std::move(name)] = std::string(field.value());
  }
  request.body = message.body();
  return request;
}

std::string ChunkOf(std::string_view data) {
  std::array<char, 20> size;
  const int length = std::snprintf(size.data(), size.size(), "%zx\r\n", data.size());
  std::string chunk(size.data(), static_cast<size_t>(length));
  chunk += data;
  chunk += "\r\n";
  return chunk;
}

}  // namespace

bool SplitHostPort(const std::string& listen, std::string& host, std::string& port) {
  const size_t colon = listen.rfind(':');
  if (colon == std::string::npos) return false;
  host = listen.substr(0, colon);
  port = listen.substr(colon + 1);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (host.empty()) host = "0.0.0.0";
  return !port.empty() && port.size() <= 5 &&
         std::all_of(port.begin(), port.end(), [](unsigned char c) { return std::isdigit(c) != 0; }) &&
         std::stoi(port) <= 65535;
}

class HttpServer::Impl {
 public:
  Impl(HttpServerOptions options, Handler handler)
      : options_(std::move(options)),
        handler_(std::move(handler)),
        pool_(std::make_unique<WorkerPool>(options_.handler_threads, options_.in_flight_max)) {}
  ~Impl() { Shutdown(0); }

  absl::Status Start() {
    std::string host, port;
    if (!SplitHostPort(options_.listen, host, port)) {
      return base::UsageError("'" + options_.listen + "' is not an address to listen on: write host:port");
    }
    error_code error;
    const net::ip::address address = net::ip::make_address(host == "localhost" ? "127.0.0.1" : host, error);
    if (error) return base::UsageError("'" + host + "' is not an IP address to listen on");
    if (options_.tls.any()) {
      TAILRACE_ASSIGN_OR_RETURN(tls_, ServerTls::Open(options_.tls));
    }
    const tcp::endpoint endpoint(address, static_cast<uint16_t>(std::stoi(port)));
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(net::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(net::socket_base::max_listen_connections, error);
    if (error) {
      return base::Error(base::Reaction::kFatal, absl::StatusCode::kUnavailable,
                         "cannot listen on " + options_.listen + ": " + error.message());
    }
    port_ = acceptor_.local_endpoint().port();
    Accept();
    for (size_t i = 0; i < options_.io_threads; ++i) threads_.emplace_back([this] { io_.run(); });
    return absl::OkStatus();
  }

  int port() const { return port_; }

  void Shutdown(int64_t deadline_ms);

 private:
  class Session;

  // Nothing a handler throws ends the process.
  HttpResponse Handle(const HttpRequest& request) const {
    try {
      return handler_(request);
    } catch (const std::exception& error) {
      base::LogError("http", "handler failed", {{"path", request.path}, {"error", error.what()}});
      return ProblemResponse({.status = 500, .type = "internal", .title = "Internal error",
                              .detail = "The request failed inside this server; its log has the cause.", .errors = {}},
                             request.path);
    }
  }

  void Accept() {
    acceptor_.async_accept(net::make_strand(io_), [this](error_code error, tcp::socket socket) {
      if (error == net::error::operation_aborted || !acceptor_.is_open()) return;
      if (!error) {
        bool full = false;
        {
          absl::MutexLock lock(&mu_);
          full = sessions_.size() >= options_.connections_max;
        }
        // A connection too many is closed at once: that costs nothing, and the caller tries again or elsewhere.
        if (!full) OpenSession(std::move(socket));
      }
      Accept();
    });
  }

  void OpenSession(tcp::socket socket);
  void CloseSession(uint64_t id) {
    absl::MutexLock lock(&mu_);
    sessions_.erase(id);
  }

  const HttpServerOptions options_;
  const Handler handler_;
  std::vector<std::thread> threads_;
  std::unique_ptr<WorkerPool> pool_;
  std::atomic<size_t> in_flight_{0};
  std::atomic<size_t> streams_{0};
  std::atomic<bool> stopped_{false};
  std::unique_ptr<ServerTls> tls_;  // null: HTTP; after Start only the acceptor's strand
  int port_ = 0;

  absl::Mutex mu_;
  std::map<uint64_t, std::weak_ptr<Session>> sessions_ ABSL_GUARDED_BY(mu_);
  uint64_t next_session_ ABSL_GUARDED_BY(mu_) = 1;

  // Last, so first to go: what still waits in it owns sessions, and those use everything above.
  net::io_context io_;
  std::optional<net::executor_work_guard<net::io_context::executor_type>> work_{net::make_work_guard(io_)};
  tcp::acceptor acceptor_{net::make_strand(io_)};
};

// One connection. Everything in it runs on its strand, except where noted.
class HttpServer::Impl::Session : public std::enable_shared_from_this<Session> {
 public:
  // `context` null: plain HTTP.
  Session(Impl& server, uint64_t id, tcp::socket socket, SSL_CTX* context)
      : server_(server), id_(id), stream_(std::move(socket)), heartbeat_(stream_.get_executor()) {
    if (context != nullptr) tls_.emplace(stream_, SSL_new(context));
    error_code ignored;
    stream_.socket().set_option(tcp::no_delay(true), ignored);
  }
  ~Session() {
    if (body_stream_) server_.streams_.fetch_sub(1);
    server_.CloseSession(id_);
  }

  void Start() {
    net::dispatch(stream_.get_executor(), [self = shared_from_this()] { self->tls_ ? self->Handshake() : self->Read(); });
  }

  // From any thread: no further request is read, and an event stream ends.
  void Drain() {
    net::post(stream_.get_executor(), [self = shared_from_this()] {
      self->draining_ = true;
      if (self->body_stream_ || !self->handling_) self->Close();
    });
  }

 private:
  std::chrono::milliseconds IdleTimeout() const { return std::chrono::milliseconds(server_.options_.idle_timeout_ms); }

  void Handshake() {
    if (draining_) return Close();
    stream_.expires_after(std::chrono::milliseconds(server_.options_.handshake_timeout_ms));
    tls_->async_handshake(net::ssl::stream_base::server, [self = shared_from_this()](error_code error) {
      if (error) return self->OnHandshakeFailed(error);
      self->secured_ = true;
      self->Read();
    });
  }

  // Who sent plain HTTP is told what to change, in plain HTTP; whoever else failed has been told by TLS.
  void OnHandshakeFailed(const error_code& error) {
    if (error.category() != net::error::get_ssl_category() || ERR_GET_REASON(static_cast<unsigned long>(error.value())) != SSL_R_HTTP_REQUEST) {
      return Close();
    }
    net::async_write(stream_, net::buffer(kPlainHttpAnswer), [self = shared_from_this()](error_code, size_t) { self->Close(); });
  }

  // Calls `use` with what requests are read from and answers written to.
  template <class Use>
  void WithStream(Use use) {
    tls_ ? use(*tls_) : use(stream_);
  }

  void Read() {
    if (draining_) return Close();
    parser_.emplace();
    parser_->header_limit(base::limits::kHttpHeaderBytesMax);
    parser_->body_limit(base::limits::kHttpBodyBytesMax);
    stream_.expires_after(IdleTimeout());
    WithStream([this](auto& stream) {
      http::async_read(stream, buffer_, *parser_, [self = shared_from_this()](error_code error, size_t) {
        self->OnRead(error);
      });
    });
  }

  void OnRead(const error_code& error) {
    if (error) {
      const std::optional<Problem> problem = ProblemOfRead(error);
      if (!problem) return Close();
      keep_alive_ = false;
      version_ = 11;
      return Write(ProblemResponse(*problem, "/"));
    }
    const Parser::value_type& message = parser_->get();
    keep_alive_ = parser_->keep_alive() && !draining_;
    version_ = message.version();
    head_ = message.method() == http::verb::head;
    if (const std::optional<Problem> problem = ProblemOfRequest(message)) {
      keep_alive_ = false;
      return Write(ProblemResponse(*problem, "/"));
    }
    HttpRequest request = Convert(message);
    const std::string_view request_id = request.Header(kRequestIdHeader);
    request_id_ = IsRequestId(request_id) ? std::string(request_id) : std::string();
    handling_ = true;
    stream_.expires_never();
    // The handler may wait for workers, so it runs elsewhere and the connection's threads stay free.
    const auto self = shared_from_this();
    const bool admitted = server_.in_flight_.fetch_add(1) < server_.options_.in_flight_max;
    if (admitted && server_.pool_->TryPost([self, request = std::move(request)] {
          // Shared, since a posted function has to be copyable.
          auto response = std::make_shared<HttpResponse>(self->server_.Handle(request));
          self->server_.in_flight_.fetch_sub(1);
          net::post(self->stream_.get_executor(), [self, response] { self->Write(std::move(*response)); });
        })) {
      return;
    }
    server_.in_flight_.fetch_sub(1);
    Write(ProblemResponse({.status = 503, .type = "overloaded", .title = "Too many requests",
                           .detail = "The gateway answers as many requests as it can; try again shortly.",
                           .errors = {}, .retry_after_s = 1},
                          "/"));
  }

  void Write(HttpResponse response) {
    if (response.stream && server_.streams_.fetch_add(1) >= server_.options_.streams_max) {
      server_.streams_.fetch_sub(1);
      response = ProblemResponse({.status = 503, .type = "overloaded", .title = "Too many event streams",
                                  .detail = "The gateway serves as many event streams as it can; try again later.",
                                  .errors = {}, .retry_after_s = 5},
                                 "/");
    }
    body_stream_ = std::move(response.stream);
    // HTTP/1.0 knows no chunks: there the end of the connection is the end of the body.
    chunked_ = body_stream_ != nullptr && version_ == 11;
    keep_alive_ = keep_alive_ && !draining_ && (!body_stream_ || chunked_);
    out_ = "HTTP/1.1 " + std::to_string(response.status) + " " + std::string(HttpStatusText(response.status)) + "\r\n";
    for (const auto& [name, value] : response.headers) out_ += name + ": " + value + "\r\n";
    out_ += "X-Content-Type-Options: nosniff\r\n";
    if (!request_id_.empty()) out_ += "X-Request-Id: " + request_id_ + "\r\n";
    if (chunked_) out_ += "Transfer-Encoding: chunked\r\n";
    if (!body_stream_ && response.status != 304) {
      out_ += "Content-Length: " + std::to_string(response.body.size()) + "\r\n";
    }
    out_ += keep_alive_ ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
    body_ = head_ || response.status == 304 ? std::string() : std::move(response.body);
    if (body_stream_ && head_) body_stream_ = nullptr, server_.streams_.fetch_sub(1);
    if (body_stream_) {
      body_stream_->SetWake([weak = weak_from_this(), executor = stream_.get_executor()] {
        net::post(executor, [weak] {
          if (auto self = weak.lock()) self->Pump();
        });
      });
      WatchForClose();
      ArmHeartbeat();
    }
    Send();
  }

  void Send() {
    writing_ = true;
    stream_.expires_after(IdleTimeout());
    const std::array<net::const_buffer, 2> buffers = {net::buffer(out_), net::buffer(body_)};
    WithStream([&](auto& stream) {
      net::async_write(stream, buffers, [self = shared_from_this()](error_code error, size_t) { self->OnSent(error); });
    });
  }

  void OnSent(const error_code& error) {
    writing_ = false;
    if (error) return Close();
    if (body_stream_) {
      stream_.expires_never();
      return Pump();
    }
    handling_ = false;
    if (!keep_alive_) return Close();
    Read();
  }

  // Sends what an event stream has, one piece at a time.
  void Pump() {
    if (writing_ || !body_stream_ || closed_) return;
    std::string data = body_stream_->Next();
    if (data.empty() && body_stream_->ended()) {
      // The last chunk tells the client that this is an end and not a break.
      if (!chunked_ || ended_) return Close();
      ended_ = true;
      out_ = "0\r\n\r\n";
    } else {
      if (std::exchange(heartbeat_due_, false)) data += body_stream_->Heartbeat();
      if (data.empty()) return;
      out_ = chunked_ ? ChunkOf(data) : std::move(data);
    }
    body_.clear();
    Send();
  }

  // Its timer is also what keeps an event stream's session alive while nothing is sent.
  void ArmHeartbeat() {
    heartbeat_.expires_after(std::chrono::milliseconds(server_.options_.heartbeat_ms));
    heartbeat_.async_wait([self = shared_from_this()](error_code error) {
      if (error || self->closed_) return;
      self->heartbeat_due_ = true;
      self->Pump();
      if (!self->closed_) self->ArmHeartbeat();
    });
  }

  // While events are sent nothing is expected from the client; what comes is its end, over TLS too (or noise, which ends it too).
  void WatchForClose() {
    stream_.socket().async_wait(tcp::socket::wait_read, [weak = weak_from_this()](error_code error) {
      auto self = weak.lock();
      if (!self || self->closed_) return;
      // The wait may end for bytes that were read long ago, so the socket itself is asked.
      char next = 0;
      const ssize_t got = ::recv(self->stream_.socket().native_handle(), &next, 1, MSG_PEEK | MSG_DONTWAIT);
      const bool nothing_yet = !error && got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
      nothing_yet ? self->WatchForClose() : self->Close();
    });
  }

  void Close() {
    if (std::exchange(closed_, true)) return;
    error_code ignored;
    heartbeat_.cancel(ignored);
    // Tells the client that this is the end and no break. It goes out with the first attempt to write, if at all: nobody waits
    // for the client's answer, and what is still under way ends with the socket.
    if (secured_) tls_->async_shutdown([self = shared_from_this()](error_code) {});
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    stream_.close();
  }

  Impl& server_;
  const uint64_t id_;
  beast::tcp_stream stream_;
  std::optional<net::ssl::stream<beast::tcp_stream&>> tls_;  // over stream_, whose time limits hold for it; empty: HTTP
  net::steady_timer heartbeat_;
  beast::flat_buffer buffer_{base::limits::kHttpHeaderBytesMax + base::limits::kHttpBodyBytesMax};
  std::optional<Parser> parser_;
  std::unique_ptr<HttpStream> body_stream_;
  std::string out_;
  std::string body_;
  std::string request_id_;
  unsigned version_ = 11;
  bool secured_ = false;  // the handshake is done
  bool head_ = false;
  bool keep_alive_ = false;
  bool chunked_ = false;
  bool handling_ = false;
  bool writing_ = false;
  bool ended_ = false;
  bool heartbeat_due_ = false;
  bool draining_ = false;
  bool closed_ = false;
};

void HttpServer::Impl::OpenSession(tcp::socket socket) {
  std::shared_ptr<Session> session;
  {
    absl::MutexLock lock(&mu_);
    const uint64_t id = next_session_++;
    session = std::make_shared<Session>(*this, id, std::move(socket), tls_ ? tls_->Current().get() : nullptr);
    sessions_[id] = session;
  }
  session->Start();
}

void HttpServer::Impl::Shutdown(int64_t deadline_ms) {
  if (stopped_.exchange(true)) return;
  net::post(acceptor_.get_executor(), [this] {
    error_code ignored;
    acceptor_.close(ignored);
  });
  std::vector<std::shared_ptr<Session>> open;
  {
    absl::MutexLock lock(&mu_);
    for (const auto& [id, session] : sessions_) {
      if (auto live = session.lock()) open.push_back(std::move(live));
    }
  }
  for (const std::shared_ptr<Session>& session : open) session->Drain();
  open.clear();
  {
    absl::MutexLock lock(&mu_);
    const auto none = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return sessions_.empty(); };
    mu_.AwaitWithTimeout(absl::Condition(&none), absl::Milliseconds(std::max<int64_t>(deadline_ms, 0)));
  }
  pool_.reset();  // Handlers end by their own deadlines.
  work_.reset();
  io_.stop();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

HttpServer::HttpServer(HttpServerOptions options, Handler handler)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(handler))) {}
HttpServer::~HttpServer() = default;
absl::Status HttpServer::Start() { return impl_->Start(); }
int HttpServer::port() const { return impl_->port(); }
void HttpServer::Shutdown(int64_t deadline_ms) { impl_->Shutdown(deadline_ms); }

}  // namespace tailrace::grpc_api
