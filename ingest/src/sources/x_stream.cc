#include "sources/x_stream.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "http/url_text.h"
#include "pipe/line_splitter.h"
#include "tailrace/base/clock.h"
#include "tailrace/base/log.h"

namespace tailrace::ingest {
namespace {

using base::Reaction;

constexpr int kOk = 200;
constexpr int kTooMany = 429;

std::string StreamUrl(const XStreamOptions& options) {
  std::vector<std::pair<std::string, std::string>> parameters = {
      {"tweet.fields", "created_at,lang,author_id,geo,public_metrics,referenced_tweets,entities,source"},
      {"expansions", "geo.place_id,author_id"},
      {"place.fields", "id,name,full_name,place_type,country_code,geo"},
      {"user.fields", "id,name,username"},
  };
  if (options.backfill_minutes > 0) parameters.emplace_back("backfill_minutes", absl::StrCat(options.backfill_minutes));
  return options.url + "/2/tweets/search/stream" + QueryText(parameters);
}

// Milliseconds until the time that an answer names, in seconds since the epoch.
std::optional<int64_t> UntilReset(const HttpHead& head) {
  constexpr int64_t kMsPerSecond = 1'000;
  if (const auto after = head.Number("retry-after")) return *after * kMsPerSecond;
  const auto reset = head.Number("x-rate-limit-reset");
  if (!reset) return std::nullopt;
  return std::max<int64_t>(0, *reset * kMsPerSecond - base::SystemClock().WallMs());
}

class XStream {
 public:
  XStream(const XStreamOptions& options, const StopSignal& stop, const std::function<absl::Status(std::string_view)>& on_line)
      : options_(options),
        stop_(stop),
        on_line_(on_line),
        url_(StreamUrl(options)),
        client_({.headers = {"Authorization: Bearer " + options.token}, .stall_timeout_ms = options.stall_timeout_ms, .ca_file = options.ca_file}, stop),
        reconnect_(options.reconnect) {
    if (options_.metrics != nullptr)
      reconnects_ = options_.metrics->GetCounter("tailrace_ingest_reconnects_total", "Times that a source was connected to again.", {{"source", "x-stream"}});
  }

  absl::Status Run() {
    bool rules_set = options_.rules.empty();
    while (!stop_.requested()) {
      absl::StatusOr<int64_t> wait_ms = rules_set ? StreamOnce() : SetRules();
      TAILRACE_RETURN_IF_ERROR(wait_ms.status());
      if (!rules_set && *wait_ms == 0) {
        rules_set = true;
        continue;
      }
      if (stop_.requested()) break;
      if (reconnects_) reconnects_->Increment();
      (void)stop_.WaitMs(*wait_ms);
    }
    return absl::OkStatus();
  }

 private:
  // Each answers how long to wait before the next attempt.
  absl::StatusOr<int64_t> SetRules() {
    const absl::Status status = SetXRules(client_, options_.url + "/2/tweets/search/stream/rules", options_.rules);
    if (status.ok()) {
      reconnect_.Reset();
      return 0;
    }
    if (absl::IsCancelled(status)) return 0;
    if (base::ReactionOf(status) != Reaction::kRetry) return status;
    const int64_t wait_ms = std::max<int64_t>(1, reconnect_.NextMs(ReconnectReason::kHttp));
    base::LogWarning("ingest", "cannot set the rules of the stream", {{"reason", status}, {"wait_ms", wait_ms}});
    return wait_ms;
  }

  absl::StatusOr<int64_t> StreamOnce() {
    LineSplitter lines;
    absl::Status taken;
    const auto head = client_.Stream(
        {.url = url_},
        [&](const HttpHead&) {
          reconnect_.Reset();
          base::LogInfo("ingest", "connected to the stream", {{"url", UrlForMessages(url_)}});
        },
        [&](std::string_view bytes) {
          taken = lines.Add(bytes, [&](std::string_view line) { return line.empty() ? absl::OkStatus() : on_line_(line); });
          return taken;
        });
    if (!taken.ok()) return taken;
    if (stop_.requested()) return 0;
    if (!head.ok()) {
      // A stall is answered at once: X has gone on without us.
      const int64_t wait_ms = absl::IsDeadlineExceeded(head.status()) ? 0 : reconnect_.NextMs(ReconnectReason::kNetwork);
      base::LogWarning("ingest", "the stream broke off", {{"reason", head.status()}, {"wait_ms", wait_ms}});
      return wait_ms;
    }
    if (head->status == kOk) {
      const int64_t wait_ms = reconnect_.NextMs(ReconnectReason::kNetwork);
      base::LogInfo("ingest", "the server ended the stream", {{"wait_ms", wait_ms}});
      return wait_ms;
    }
    HttpAnswer answer;
    static_cast<HttpHead&>(answer) = *head;
    const absl::Status status = StatusOfAnswer(url_, answer);
    if (base::ReactionOf(status) != Reaction::kRetry) return status;
    const int64_t wait_ms =
        head->status == kTooMany ? reconnect_.NextMs(ReconnectReason::kRateLimit, UntilReset(*head)) : reconnect_.NextMs(ReconnectReason::kHttp);
    base::LogWarning("ingest", "the stream is refused for now", {{"status", head->status}, {"wait_ms", wait_ms}});
    return wait_ms;
  }

  const XStreamOptions& options_;
  const StopSignal& stop_;
  const std::function<absl::Status(std::string_view)>& on_line_;
  const std::string url_;
  HttpClient client_;
  Reconnect reconnect_;
  std::shared_ptr<base::Counter> reconnects_;  // shared with the registry
};

}  // namespace

absl::Status RunXStream(const XStreamOptions& options, const StopSignal& stop, const std::function<absl::Status(std::string_view)>& on_line) {
  return XStream(options, stop, on_line).Run();
}

}  // namespace tailrace::ingest
