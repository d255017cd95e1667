#include "sources/finnhub_stream.h"

#include <memory>

#include "http/url_text.h"
#include "http/websocket.h"
#include "tailrace/base/log.h"
#include "tailrace/base/json_text.h"

namespace tailrace::ingest {
namespace {

using base::Reaction;

// How long a stop may go unnoticed.
constexpr int kReadMs = 100;
constexpr int kUnauthorized = 401;
constexpr int kForbidden = 403;
constexpr int kTooMany = 429;

std::string Subscription(const std::string& symbol) {
  std::string text = R"({"type":"subscribe","symbol":)";
  base::AppendJsonString(text, symbol);
  text += '}';
  return text;
}

// Until the connection is lost, which is the error, or the stop, which is none.
absl::Status ReadAll(const FinnhubStreamOptions& options, const StopSignal& stop, Reconnect& reconnect, int& http_status,
                     const std::function<absl::Status(std::string_view)>& on_frame, absl::Status& taken) {
  TAILRACE_ASSIGN_OR_RETURN(const auto socket, WebSocket::Connect({.url = options.url + "/" + QueryText({{"token", options.token}}),
                                                                   .stall_timeout_ms = options.stall_timeout_ms,
                                                                   .ca_file = options.ca_file},
                                                                  http_status));
  for (const std::string& symbol : options.symbols) TAILRACE_RETURN_IF_ERROR(socket->Send(Subscription(symbol)));
  base::LogInfo("ingest", "connected to the stream of trades", {{"url", UrlForMessages(options.url)}, {"symbols", options.symbols.size()}});
  std::string message;
  while (!stop.requested()) {
    TAILRACE_ASSIGN_OR_RETURN(const bool got, socket->Read(message, kReadMs));
    if (!got) continue;
    reconnect.Reset();
    taken = on_frame(message);
    if (!taken.ok()) return taken;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RunFinnhubStream(const FinnhubStreamOptions& options, const StopSignal& stop,
                              const std::function<absl::Status(std::string_view)>& on_frame) {
  Reconnect reconnect(options.reconnect);
  std::shared_ptr<base::Counter> reconnects;  // shared with the registry
  if (options.metrics != nullptr)
    reconnects = options.metrics->GetCounter("tailrace_ingest_reconnects_total", "Times that a source was connected to again.", {{"source", "finnhub-trades"}});
  while (!stop.requested()) {
    int http_status = 0;
    absl::Status taken;
    const absl::Status status = ReadAll(options, stop, reconnect, http_status, on_frame, taken);
    if (stop.requested()) return taken;
    if (!taken.ok() || base::ReactionOf(status) != Reaction::kRetry) return status;
    if (http_status == kUnauthorized || http_status == kForbidden)
      return base::Error(Reaction::kFatal, absl::StatusCode::kUnauthenticated, std::string(status.message()) + "; the token is missing, wrong or was withdrawn");
    const int64_t wait_ms = reconnect.NextMs(http_status == kTooMany ? ReconnectReason::kRateLimit : ReconnectReason::kNetwork);
    base::LogWarning("ingest", "the stream of trades broke off", {{"reason", status}, {"wait_ms", wait_ms}});
    if (reconnects) reconnects->Increment();
    (void)stop.WaitMs(wait_ms);
  }
  return absl::OkStatus();
}

}  // namespace tailrace::ingest
