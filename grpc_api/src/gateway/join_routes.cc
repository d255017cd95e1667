#include <algorithm>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "common/error_info.h"
#include "common/text_case.h"
#include "gateway/linear_fit.h"
#include "gateway/periods.h"
#include "gateway/route_support.h"
#include "gateway/routes.h"
#include "gateway/times.h"
#include "tailrace/base/limits.h"
#include "tailrace/base/product_limits.h"

namespace tailrace::grpc_api {
namespace {

constexpr std::string_view kSentiment = "sentiment";

// A key of the store, "user|ticker|2026-01-01", in its parts.
struct PairKey {
  std::string user, ticker, date;

  static std::optional<PairKey> Of(const std::string& key) {
    const size_t last = key.rfind('|');
    if (last == std::string::npos || last == 0) return std::nullopt;
    const size_t first = key.rfind('|', last - 1);
    if (first == std::string::npos) return std::nullopt;
    return PairKey{key.substr(0, first), key.substr(first + 1, last - first - 1), key.substr(last + 1)};
  }
};
struct Pair {
  PairKey key;
  double sentiment = 0;
  double posts = 0;
  std::optional<double> day_change;
};

class JoinRoutes {
 public:
  explicit JoinRoutes(const RouteContext& context) : context_(context) {}

  HttpResponse Sentiment(const HttpRequest& request) const;

 private:
  absl::Status Read(const std::string& user, const std::string& ticker, const std::string& from, const std::string& to,
                    std::vector<Pair>& pairs) const;

  const RouteContext context_;
};

// Dates are compared as text.
absl::Status JoinRoutes::Read(const std::string& user, const std::string& ticker, const std::string& from,
                              const std::string& to, std::vector<Pair>& pairs) const {
  std::string prefix = user.empty() ? "" : user + "|";
  if (!user.empty() && !ticker.empty()) prefix += ticker + "|";
  std::string token;
  size_t read = 0;
  do {
    TAILRACE_ASSIGN_OR_RETURN(ScanAnswer page, context_.client.Scan(kSentiment, {}, base::limits::kPageSizeMax, token,
                                                                    context_.Options(), prefix));
    for (const QueryRow& row : page.rows) {
      const std::optional<PairKey> key = PairKey::Of(TextOfKey(row.key, row.key_json));
      if (!key || (!user.empty() && key->user != user) || (!ticker.empty() && key->ticker != ticker)) continue;
      if ((!from.empty() && key->date < from) || (!to.empty() && key->date >= to)) continue;
      const nlohmann::json value = ObjectOf(row.value.json);
      Pair pair{*key, NumberOf(value, "sentiment"), NumberOf(value, "posts"), std::nullopt};
      if (const auto change = value.find("day_change"); change != value.end() && change->is_number()) {
        pair.day_change = change->get<double>();
      }
      pairs.push_back(std::move(pair));
    }
    read += page.rows.size();
    token = std::move(page.next_page_token);
  } while (!token.empty() && read < base::limits::kSentimentDaysMax);
  if (token.empty()) return absl::OkStatus();
  return QueryError(absl::StatusCode::kResourceExhausted, reason::kTooLarge,
                    "there are more than " + std::to_string(base::limits::kSentimentDaysMax) + " days of users and tickers; name a user");
}

HttpResponse JoinRoutes::Sentiment(const HttpRequest& request) const {
  Parameters parameters(request.query, context_.clock);
  const std::string user = UserName(parameters.Text("user"));
  const std::string ticker = TickerName(parameters.Text("ticker"));
  for (const auto& [name, text] : {std::pair<const char*, const std::string&>{"user", user}, {"ticker", ticker}}) {
    if (text.find('|') != std::string::npos) parameters.AddError(name, "holds a '|', which no name does");
  }
  const int n = parameters.Int("n", 100, 1, base::limits::kTopEntriesMax);
  const std::optional<int64_t> from_ms = parameters.Time("from");
  const std::optional<int64_t> to_ms = parameters.Time("to");
  if (from_ms && to_ms && *from_ms > *to_ms) parameters.AddError("from", "is after to");
  if (!parameters.Finish()) return Invalid(request, parameters);
  const std::string from = from_ms ? DayWindows::Name(*from_ms) : "";
  // A day belongs to the range when its beginning does.
  const std::string to = to_ms ? DayWindows::Name(*to_ms + kDayMs - 1) : "";
  std::vector<Pair> pairs;
  if (const absl::Status read = Read(user, ticker, from, to, pairs); !read.ok()) {
    Problem problem = ProblemOf(read);
    for (ParameterError& error : problem.errors) error.parameter = "user";
    return ProblemResponse(problem, request.path);
  }
  std::sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) {
    if (a.key.date != b.key.date) return a.key.date > b.key.date;
    return std::tie(a.key.user, a.key.ticker) < std::tie(b.key.user, b.key.ticker);
  });
  LinearFit fit;
  std::vector<DatedPair> priced;
  for (auto pair = pairs.rbegin(); pair != pairs.rend(); ++pair) {
    if (!pair->day_change) continue;
    fit.Add(pair->sentiment, *pair->day_change);
    priced.push_back({pair->key.date, pair->sentiment, *pair->day_change});
  }
  const size_t found = pairs.size();
  if (pairs.size() > static_cast<size_t>(n)) pairs.resize(static_cast<size_t>(n));

  JsonWriter json;
  json.BeginObject();
  json.Key("user");
  user.empty() ? json.Null() : json.String(user);
  json.Key("ticker");
  ticker.empty() ? json.Null() : json.String(ticker);
  json.Key("days").Int(static_cast<int64_t>(found));
  json.Key("pairs").Int(fit.count());
  const std::optional<LinearFit::Line> line = fit.line();
  json.Key("correlation");
  line ? json.Number(line->correlation) : json.Null();
  json.Key("fit");
  if (line) {
    json.BeginObject();
    json.Key("slope").Number(line->slope);
    json.Key("intercept").Number(line->intercept);
    json.Key("r_squared").Number(line->r_squared);
    json.EndObject();
  } else {
    json.Null();
  }
  json.Key("held_out");
  if (const std::optional<HeldOut> held_out = PredictHeldOut(priced)) {
    json.BeginObject();
    json.Key("pairs").Int(held_out->pairs);
    json.Key("r_squared").Number(held_out->r_squared);
    json.EndObject();
  } else {
    json.Null();
  }
  json.Key("items").BeginArray();
  for (const Pair& pair : pairs) {
    json.BeginObject();
    json.Key("user").String(pair.key.user);
    json.Key("ticker").String(pair.key.ticker);
    json.Key("date").String(pair.key.date);
    json.Key("sentiment").Number(pair.sentiment);
    json.Key("posts").Number(pair.posts);
    json.Key("day_change");
    pair.day_change ? json.Number(*pair.day_change) : json.Null();
    json.EndObject();
  }
  json.EndArray().EndObject();
  return JsonResponse(std::move(json).Take());
}

}  // namespace

void AddJoinRoutes(Router& router, const RouteContext& context) {
  const auto routes = std::make_shared<JoinRoutes>(context);  // shared by the handlers below
  router.Add("/api/v1/joins/sentiment", [routes](const HttpRequest& r, const PathArguments&) { return routes->Sentiment(r); });
}

}  // namespace tailrace::grpc_api
