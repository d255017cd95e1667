#include "sources/polls.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "http/url_text.h"
#include "nlohmann/json.hpp"
#include "sources/x_rules.h"
#include "tailrace/base/clock.h"
#include "tailrace/base/ingest_limits.h"
#include "tailrace/base/limits.h"
#include "tailrace/base/log.h"
#include "tailrace/pipeline/timestamps.h"

namespace tailrace::ingest {
namespace {

using base::Reaction;
using nlohmann::json;

constexpr int kTooMany = 429;
constexpr int64_t kMsPerSecond = 1'000;
constexpr int64_t kLastSecond = 253'402'300'799;  // of the year 9999
constexpr int64_t kExactMax = int64_t{1} << 53;

absl::Status NotUnderstood(const std::string& what) {
  return base::Error(Reaction::kFatal, absl::StatusCode::kDataLoss, absl::StrCat("the answer for ", what, " is not what the service documents"));
}

std::string DateOf(int64_t ms) {
  constexpr size_t kDateSize = 10;
  return pipeline::FormatTimestamp(ms).substr(0, kDateSize);
}

// A number without a fraction, from 0 to `max`.
std::optional<int64_t> WholeNumber(const json& value, int64_t max) {
  if (value.is_number_unsigned() ? value.get<uint64_t>() > static_cast<uint64_t>(max) : !value.is_number()) return std::nullopt;
  const double number = value.get<double>();
  if (!(number >= 0 && number <= static_cast<double>(max))) return std::nullopt;
  return value.is_number_integer() ? value.get<int64_t>() : static_cast<int64_t>(number);
}

std::string TextAt(const json& object, const char* outer, const char* inner) {
  const auto found = object.is_object() ? object.find(outer) : object.end();
  if (found == object.end() || !found->is_object()) return "";
  const auto value = found->find(inner);
  return value != found->end() && value->is_string() ? value->get<std::string>() : "";
}

std::optional<int64_t> UntilReset(const HttpHead& head) {
  if (const auto after = head.Number("retry-after")) return *after * kMsPerSecond;
  const auto reset = head.headers.contains("x-rate-limit-reset") ? head.Number("x-rate-limit-reset") : head.Number("x-ratelimit-reset");
  if (!reset) return std::nullopt;
  return std::max<int64_t>(0, *reset * kMsPerSecond - base::SystemClock().WallMs());
}

}  // namespace

absl::StatusOr<std::string> Polls::Get(const std::string& path_and_query) {
  const std::string url = url_ + path_and_query;
  Reconnect reconnect(reconnect_);
  for (int attempt = 1;; ++attempt) {
    auto answer = client_.Fetch({.url = url});
    absl::Status status;
    int64_t wait_ms = 0;
    if (!answer.ok()) {
      status = answer.status();
      wait_ms = reconnect.NextMs(ReconnectReason::kNetwork);
    } else if (answer->status == 200) {
      return std::move(answer->body);
    } else {
      status = StatusOfAnswer(url, *answer);
      wait_ms = answer->status == kTooMany ? reconnect.NextMs(ReconnectReason::kRateLimit, UntilReset(*answer)) : reconnect.NextMs(ReconnectReason::kHttp);
    }
    if (absl::IsCancelled(status) || base::ReactionOf(status) != Reaction::kRetry || attempt >= base::limits::kRetriesMax) return status;
    base::LogWarning("ingest", "a poll is tried again", {{"reason", status}, {"wait_ms", wait_ms}});
    if (stop_.WaitMs(wait_ms)) return base::Error(Reaction::kRetry, absl::StatusCode::kCancelled, "stopped");
  }
}

absl::Status Polls::UserHistory(const std::string& name, int64_t from_ms, const OnObject& on_object) {
  TAILRACE_ASSIGN_OR_RETURN(const std::string found, Get("/2/users/by/username/" + PercentEncoded(name)));
  const std::string id = TextAt(json::parse(found, nullptr, false), "data", "id");
  // X answers 200 with a list of errors for a name that nobody has.
  if (id.empty()) return base::Error(Reaction::kFatal, absl::StatusCode::kNotFound, absl::StrCat("X knows no user ", name));
  std::vector<std::pair<std::string, std::string>> parameters = {
      {"max_results", "100"},
      {"start_time", pipeline::FormatTimestamp(from_ms / kMsPerSecond * kMsPerSecond)},
      {"tweet.fields", "created_at,lang,author_id,geo,public_metrics,referenced_tweets,entities,source"},
      {"expansions", "geo.place_id,author_id"},
      {"place.fields", "id,name,full_name,place_type,country_code,geo"},
      {"user.fields", "id,name,username"},
  };
  const size_t fixed = parameters.size();
  for (int page = 0; page < base::limits::kSourcePagesMax; ++page) {
    TAILRACE_ASSIGN_OR_RETURN(const std::string text, Get("/2/users/" + PercentEncoded(id) + "/tweets" + QueryText(parameters)));
    const json answer = json::parse(text, nullptr, false);
    if (!answer.is_object()) return NotUnderstood("the posts of " + name);
    const json includes = answer.value("includes", json::object());
    if (const auto posts = answer.find("data"); posts != answer.end() && posts->is_array())
      for (const json& post : *posts) TAILRACE_RETURN_IF_ERROR(on_object(json{{"data", post}, {"includes", includes}}.dump()));
    const std::string next = TextAt(answer, "meta", "next_token");
    if (next.empty()) return absl::OkStatus();
    parameters.resize(fixed);
    parameters.emplace_back("pagination_token", next);
  }
  base::LogWarning("ingest", "a history has more pages than are read", {{"user", name}, {"pages", base::limits::kSourcePagesMax}});
  return absl::OkStatus();
}

absl::Status Polls::DailyBars(const std::string& ticker, int64_t from_ms, int64_t to_ms, int64_t now_ms, const OnObject& on_object) {
  TAILRACE_ASSIGN_OR_RETURN(const std::string text,
                            Get("/stock/candle" + QueryText({{"symbol", ticker},
                                                             {"resolution", "D"},
                                                             {"from", absl::StrCat(from_ms / kMsPerSecond)},
                                                             {"to", absl::StrCat(to_ms / kMsPerSecond)}})));
  const json answer = json::parse(text, nullptr, false);
  if (!answer.is_object()) return NotUnderstood("the bars of " + ticker);
  const auto said = answer.find("s");
  if (said != answer.end() && *said == "no_data")
    return base::Error(Reaction::kFatal, absl::StatusCode::kNotFound, absl::StrCat("Finnhub has no bars of ", ticker, " since ", DateOf(from_ms)));
  constexpr const char* kColumns[] = {"t", "o", "h", "l", "c", "v"};
  size_t count = 0;
  for (const char* column : kColumns) {
    const auto found = answer.find(column);
    if (found == answer.end() || !found->is_array() || (column != kColumns[0] && found->size() != count)) return NotUnderstood("the bars of " + ticker);
    count = found->size();
  }
  for (size_t i = 0; i < count; ++i) {
    const std::optional<int64_t> time = WholeNumber(answer["t"][i], kLastSecond);
    const std::optional<int64_t> volume = WholeNumber(answer["v"][i], kExactMax);
    if (!time || !volume) return NotUnderstood("the bars of " + ticker);
    TAILRACE_RETURN_IF_ERROR(on_object(json{{"ticker", ticker},
                                            {"date", DateOf(*time * kMsPerSecond)},
                                            {"open", answer["o"][i]},
                                            {"high", answer["h"][i]},
                                            {"low", answer["l"][i]},
                                            {"close", answer["c"][i]},
                                            {"volume", *volume},
                                            {"received", static_cast<double>(now_ms) / kMsPerSecond}}
                                           .dump()));
  }
  return absl::OkStatus();
}

absl::Status Polls::VisaApplications(const std::string& ticker, int64_t from_ms, int64_t to_ms, const OnObject& on_object) {
  TAILRACE_ASSIGN_OR_RETURN(const std::string text,
                            Get("/stock/visa-application" + QueryText({{"symbol", ticker}, {"from", DateOf(from_ms)}, {"to", DateOf(to_ms)}})));
  const json answer = json::parse(text, nullptr, false);
  const auto data = answer.is_object() ? answer.find("data") : answer.end();
  if (data == answer.end() || !data->is_array()) return NotUnderstood("the visa applications of " + ticker);
  for (const json& application : *data) TAILRACE_RETURN_IF_ERROR(on_object(application.dump()));
  return absl::OkStatus();
}

absl::Status Polls::MarketNews(const std::string& category, int64_t& after_id, const OnObject& on_object) {
  TAILRACE_ASSIGN_OR_RETURN(const std::string text, Get("/news" + QueryText({{"category", category}, {"minId", absl::StrCat(after_id)}})));
  const json answer = json::parse(text, nullptr, false);
  if (!answer.is_array()) return NotUnderstood("the news of category " + category);
  int64_t largest = after_id;
  for (const json& item : answer) {
    const auto id = item.is_object() ? item.find("id") : item.end();
    const bool known = id != item.end() && id->is_number_integer();
    if (known && id->get<int64_t>() <= after_id) continue;
    TAILRACE_RETURN_IF_ERROR(on_object(item.dump()));
    if (known) largest = std::max(largest, id->get<int64_t>());
  }
  after_id = largest;
  return absl::OkStatus();
}

}  // namespace tailrace::ingest
