// The only file of this room that includes Boost.Beast, which takes long to compile.
#include "http/websocket.h"

#include <openssl/ssl.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "http/url_text.h"
#include "tailrace/base/clock.h"
#include "tailrace/base/limits.h"

namespace tailrace::ingest {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;

struct Address {
  bool tls = false;
  std::string host;
  std::string port;
  std::string target;
};

absl::StatusOr<Address> Split(const std::string& url) {
  Address address;
  std::string_view rest = url;
  if (rest.starts_with("wss://")) address.tls = true;
  else if (!rest.starts_with("ws://")) return base::UsageError(absl::StrCat(UrlForMessages(url), " does not begin with ws:// or wss://"));
  rest.remove_prefix(address.tls ? 6 : 5);
  const size_t end = std::min(rest.find_first_of("/?"), rest.size());
  const std::string_view authority = rest.substr(0, end);
  address.target = std::string(rest.substr(end));
  if (address.target.empty() || address.target[0] != '/') address.target.insert(0, "/");
  const size_t colon = authority.rfind(':');
  const bool has_port = colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos;
  address.host = std::string(authority.substr(0, has_port ? colon : authority.size()));
  address.port = has_port ? std::string(authority.substr(colon + 1)) : address.tls ? "443" : "80";
  if (address.host.starts_with('[') && address.host.ends_with(']')) address.host = address.host.substr(1, address.host.size() - 2);
  if (address.host.empty()) return base::UsageError(absl::StrCat(UrlForMessages(url), " names no host"));
  return address;
}

// Stream is a TCP connection, or TLS over one.
template <class Stream>
class Connection final : public WebSocket {
 public:
  template <class... Arguments>
  Connection(const WebSocketOptions& options, Arguments&&... arguments)
      : name_(UrlForMessages(options.url)), socket_(context_, std::forward<Arguments>(arguments)...) {}
  ~Connection() override {
    // No closing handshake: what the server still sends interests nobody, and waiting for it could take long.
    error_code ignored;
    beast::get_lowest_layer(socket_).socket().close(ignored);
  }

  absl::Status Open(const WebSocketOptions& options, const Address& address, int& http_status) {
    auto& tcp = beast::get_lowest_layer(socket_);
    tcp.expires_after(std::chrono::milliseconds(options.connect_timeout_ms));
    TAILRACE_RETURN_IF_ERROR(Await("look up the host", options.connect_timeout_ms, [&](auto done) {
      resolver_.async_resolve(address.host, address.port, [this, done](error_code error, auto results) {
        found_ = std::move(results);
        done(error);
      });
    }));
    TAILRACE_RETURN_IF_ERROR(Await("connect", options.connect_timeout_ms, [&](auto done) {
      tcp.async_connect(found_, [done](error_code error, const auto&) { done(error); });
    }));
    if constexpr (!std::is_same_v<Stream, beast::tcp_stream>) {
      auto& tls = socket_.next_layer();
      SSL_set_tlsext_host_name(tls.native_handle(), address.host.c_str());
      tls.set_verify_callback(asio::ssl::host_name_verification(address.host));
      TAILRACE_RETURN_IF_ERROR(Await("agree on TLS", options.connect_timeout_ms, [&](auto done) {
        tls.async_handshake(asio::ssl::stream_base::client, [done](error_code error) { done(error); });
      }));
    }
    // From here on the WebSocket has time limits of its own.
    tcp.expires_never();
    websocket::stream_base::timeout limits{};
    limits.handshake_timeout = std::chrono::milliseconds(options.connect_timeout_ms);
    limits.idle_timeout = std::chrono::milliseconds(options.stall_timeout_ms);
    limits.keep_alive_pings = true;
    socket_.set_option(limits);
    socket_.control_callback([this](websocket::frame_type kind, beast::string_view) { closed_ = closed_ || kind == websocket::frame_type::close; });
    socket_.read_message_max(base::limits::kEventBytesMax);
    socket_.set_option(websocket::stream_base::decorator([](websocket::request_type& request) { request.set(beast::http::field::user_agent, "tailrace"); }));
    const absl::Status status = Await("open the WebSocket", options.connect_timeout_ms, [&](auto done) {
      socket_.async_handshake(answer_, absl::StrCat(address.host, ":", address.port), address.target, [done](error_code error) { done(error); });
    });
    http_status = static_cast<int>(answer_.result_int());
    if (!status.ok() && http_status != 0 && answer_.result() != beast::http::status::switching_protocols)
      return base::Annotate(status, absl::StrCat("the server answered ", http_status, " ", std::string(answer_.reason())));
    return status;
  }

  absl::Status Send(std::string_view text) override {
    return Await("send", kSendTimeoutMs, [&](auto done) {
      socket_.text(true);
      socket_.async_write(asio::buffer(text.data(), text.size()), [done](error_code error, size_t) { done(error); });
    });
  }

  absl::StatusOr<bool> Read(std::string& message, int timeout_ms) override {
    if (!reading_) {
      reading_ = true;
      read_done_.reset();
      socket_.async_read(buffer_, [this](error_code error, size_t) { read_done_ = error; });
    }
    RunUntil(timeout_ms, [this] { return read_done_.has_value() || closed_; });
    // The read itself ends only when the server has closed the connection, which not all of them do.
    if (!read_done_ && closed_) return Failed("read", websocket::error::closed);
    if (!read_done_) return false;
    reading_ = false;
    if (*read_done_) return Failed("read", *read_done_);
    const auto bytes = buffer_.cdata();
    message.assign(static_cast<const char*>(bytes.data()), bytes.size());
    buffer_.consume(bytes.size());
    return true;
  }

 private:
  static constexpr int kSendTimeoutMs = 10'000;

  // Runs what is due until the condition holds or the time is over.
  template <class Condition>
  void RunUntil(int timeout_ms, Condition condition) {
    const base::Clock& clock = base::SystemClock();
    const int64_t end_ms = clock.SteadyMs() + timeout_ms;
    for (;;) {
      context_.restart();
      context_.poll();
      const int64_t left_ms = end_ms - clock.SteadyMs();
      if (condition() || left_ms <= 0) return;
      context_.restart();
      // Nothing to wait for any more: the condition will not come true.
      if (context_.run_one_for(std::chrono::milliseconds(left_ms)) == 0 && context_.stopped()) return;
    }
  }

  template <class Start>
  absl::Status Await(const char* what, int timeout_ms, Start start) {
    // Shared with the handler, which may come after this function has given up.
    auto result = std::make_shared<std::optional<error_code>>();
    start([result](error_code error) { *result = error; });
    RunUntil(timeout_ms, [&] { return result->has_value(); });
    if (!result->has_value()) return Failed(what, beast::error::timeout);
    return **result ? Failed(what, **result) : absl::OkStatus();
  }

  absl::Status Failed(const char* what, error_code error) const {
    const auto code = error == beast::error::timeout ? absl::StatusCode::kDeadlineExceeded : absl::StatusCode::kUnavailable;
    return base::Error(base::Reaction::kRetry, code, absl::StrCat("cannot ", what, " at ", name_, ": ", error.message()));
  }

  const std::string name_;
  asio::io_context context_;
  asio::ip::tcp::resolver resolver_{context_};
  // Members, since a handler may still write to them when the wait for it was given up.
  asio::ip::tcp::resolver::results_type found_;
  websocket::response_type answer_;
  websocket::stream<Stream> socket_;
  beast::flat_buffer buffer_;
  bool reading_ = false;
  bool closed_ = false;  // by the server
  std::optional<error_code> read_done_;
};

// TLS with the context that it needs as long as it lives.
class TlsConnection final : public WebSocket {
 public:
  explicit TlsConnection(std::unique_ptr<asio::ssl::context> tls) : tls_(std::move(tls)) {}
  absl::Status Open(const WebSocketOptions& options, const Address& address, int& http_status) {
    inner_ = std::make_unique<Connection<beast::ssl_stream<beast::tcp_stream>>>(options, *tls_);
    return inner_->Open(options, address, http_status);
  }
  absl::Status Send(std::string_view text) override { return inner_->Send(text); }
  absl::StatusOr<bool> Read(std::string& message, int timeout_ms) override { return inner_->Read(message, timeout_ms); }

 private:
  const std::unique_ptr<asio::ssl::context> tls_;
  std::unique_ptr<Connection<beast::ssl_stream<beast::tcp_stream>>> inner_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<WebSocket>> WebSocket::Connect(const WebSocketOptions& options, int& http_status) {
  http_status = 0;
  TAILRACE_ASSIGN_OR_RETURN(const Address address, Split(options.url));
  if (!address.tls) {
    auto connection = std::make_unique<Connection<beast::tcp_stream>>(options);
    TAILRACE_RETURN_IF_ERROR(connection->Open(options, address, http_status));
    return connection;
  }
  auto tls = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_client);
  error_code error;
  if (options.ca_file.empty()) tls->set_default_verify_paths(error);
  else tls->load_verify_file(options.ca_file, error);
  if (error) return base::UsageError(absl::StrCat("cannot read the certificates to trust", options.ca_file.empty() ? "" : " in " + options.ca_file, ": ", error.message()));
  tls->set_verify_mode(asio::ssl::verify_peer);
  auto connection = std::make_unique<TlsConnection>(std::move(tls));
  TAILRACE_RETURN_IF_ERROR(connection->Open(options, address, http_status));
  return connection;
}

}  // namespace tailrace::ingest
