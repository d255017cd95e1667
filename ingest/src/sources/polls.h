// The REST interfaces that connectors poll: histories of users from X, bars, visa applications and news from Finnhub.
//
// Each hands over JSON objects in a layout that a format reads. A refused or broken request is repeated, as often as
// limits::kRetriesMax and with the waits of `reconnect`; then its error is kRetry. Everything else that is no answer is kFatal:
// kNotFound for a user that does not exist, kUnauthenticated for a token that is not accepted.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "http/http_client.h"
#include "sources/reconnect.h"
#include "tailrace/base/status.h"
#include "tailrace/ingest/stop_signal.h"

namespace tailrace::ingest {

using OnObject = std::function<absl::Status(std::string_view json)>;

// One service. Not thread-safe. Lifetime: the stop signal outlives it.
class Polls {
 public:
  Polls(std::string url, HttpOptions options, const ReconnectTimes& reconnect, const StopSignal& stop)
      : url_(std::move(url)), client_(std::move(options), stop), reconnect_(reconnect), stop_(stop) {}

  // Of X: the posts of a user since `from_ms`, newest first, in layout x-v2.
  absl::Status UserHistory(const std::string& name, int64_t from_ms, const OnObject& on_object);
  // Of Finnhub: the daily bars of a ticker, in layout bar, `received` being `now_ms`.
  absl::Status DailyBars(const std::string& ticker, int64_t from_ms, int64_t to_ms, int64_t now_ms, const OnObject& on_object);
  // In layout visa.
  absl::Status VisaApplications(const std::string& ticker, int64_t from_ms, int64_t to_ms, const OnObject& on_object);
  // In layout news: what has a larger id than `after_id`, which becomes the largest.
  absl::Status MarketNews(const std::string& category, int64_t& after_id, const OnObject& on_object);

 private:
  absl::StatusOr<std::string> Get(const std::string& path_and_query);

  const std::string url_;
  HttpClient client_;
  const ReconnectTimes reconnect_;
  const StopSignal& stop_;
};

}  // namespace tailrace::ingest
