#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "common/text_case.h"
#include "gateway/periods.h"
#include "gateway/route_support.h"
#include "gateway/routes.h"
#include "gateway/times.h"
#include "tailrace/base/limits.h"

namespace tailrace::grpc_api {
namespace {

constexpr std::string_view kCandles = "ohlcv";
constexpr std::string_view kWages = "wages";

class MarketRoutes {
 public:
  explicit MarketRoutes(const RouteContext& context) : context_(context) {}

  HttpResponse Candles(const HttpRequest& request, const PathArguments& arguments) const;
  HttpResponse Wages(const HttpRequest& request) const;

 private:
  const RouteContext context_;
};

struct Candle {
  int64_t start_ms = 0;
  double open = 0, high = 0, low = 0, close = 0, volume = 0, trades = 0;

  static Candle Of(int64_t start_ms, const nlohmann::json& value) {
    return {start_ms,
            NumberOf(value, "open"), NumberOf(value, "high"), NumberOf(value, "low"), NumberOf(value, "close"),
            NumberOf(value, "volume"), NumberOf(value, "trades")};
  }
  // `later` comes behind this one.
  void Add(const Candle& later) {
    high = std::max(high, later.high);
    low = std::min(low, later.low);
    close = later.close;
    volume += later.volume;
    trades += later.trades;
  }
  void Write(JsonWriter& json) const {
    json.Key("open").Number(open);
    json.Key("high").Number(high);
    json.Key("low").Number(low);
    json.Key("close").Number(close);
    json.Key("volume").Number(volume);
    json.Key("trades").Number(trades);
  }
};

HttpResponse MarketRoutes::Candles(const HttpRequest& request, const PathArguments& arguments) const {
  std::string symbol = arguments[0];
  const absl::StatusOr<StoreDescription> store = context_.client.Store(kCandles, context_.Options());
  Parameters parameters(request.query, context_.clock);
  WindowRange range = parameters.Range();
  const int64_t window_ms = store.ok() ? std::max<int64_t>(store->window_size_ms, 1) : 60'000;
  const int64_t interval_ms = parameters.DurationMs("interval").value_or(window_ms);
  if (store.ok() && interval_ms % window_ms != 0) {
    parameters.AddError("interval", "is not a multiple of " + std::to_string(window_ms / 1000) + " s, the length of a stored candle");
  }
  const std::string zone_name = parameters.Has("zone") ? parameters.Text("zone") : "UTC";
  const absl::TimeZone zone = parameters.Zone();
  if (!parameters.Finish()) return Invalid(request, parameters);
  if (!store.ok()) return Failed(request, store.status());
  range.from_ms = std::max<int64_t>(CalendarPeriodStart(range.from_ms, std::max(interval_ms, window_ms), zone), 0);
  range = AlignedToWindows(range, window_ms);
  absl::StatusOr<WindowsAnswer> answer = context_.client.FetchWindows(kCandles, symbol, range, /*merge=*/false, context_.Options());
  if (answer.ok() && !answer->key_known && !answer->expired) {
    // Exchanges write their symbols in capitals; people do not.
    if (std::string upper = UpperCase(symbol); upper != symbol) {
      symbol = std::move(upper);
      answer = context_.client.FetchWindows(kCandles, symbol, range, /*merge=*/false, context_.Options());
    }
  }
  if (!answer.ok()) return Failed(request, answer.status());
  if (answer->expired) return Expired(request, *store);
  if (!answer->key_known) {
    return Unknown(request, "unknown-symbol",
                   "There is no symbol '" + symbol + "' with trades that are still kept; /api/v1/stores/ohlcv/top?field=trades lists "
                   "those that trade.");
  }
  std::vector<Candle> candles;
  std::optional<Candle> total;
  for (const QueryRow& row : answer->rows) {
    const Candle one = Candle::Of(CalendarPeriodStart(row.window_start_ms, interval_ms, zone), ObjectOf(row.value.json));
    if (candles.empty() || candles.back().start_ms != one.start_ms) {
      candles.push_back(one);
    } else {
      candles.back().Add(one);
    }
    if (!total) {
      total = one;
    } else {
      total->Add(one);
    }
  }
  JsonWriter json;
  json.BeginObject();
  json.Key("symbol").String(symbol);
  json.Key("zone").String(zone_name);
  json.Key("interval_ms").Int(interval_ms);
  json.Key("from").String(FormatTime(range.from_ms, zone));
  json.Key("to").String(FormatTime(range.to_ms, zone));
  json.Key("candles").BeginArray();
  for (const Candle& candle : candles) {
    json.BeginObject();
    json.Key("start").String(FormatTime(candle.start_ms, zone));
    json.Key("end").String(FormatTime(NextCalendarPeriod(candle.start_ms, interval_ms, zone), zone));
    candle.Write(json);
    json.EndObject();
  }
  json.EndArray();
  json.Key("total");
  if (total) {
    json.BeginObject();
    total->Write(json);
    json.Key("change");
    total->open != 0 ? json.Number((total->close - total->open) / total->open) : json.Null();
    json.EndObject();
  } else {
    json.Null();
  }
  json.EndObject();
  return JsonResponse(std::move(json).Take());
}

HttpResponse MarketRoutes::Wages(const HttpRequest& request) const {
  Parameters parameters(request.query, context_.clock);
  TopQuery query{.store = std::string(kWages)};
  query.range = parameters.Range();
  query.field = parameters.OneOf("by", "average", {"average", "count"});
  const std::string order = parameters.OneOf("order", "desc", {"asc", "desc"});
  query.ascending = order == "asc";
  query.n = parameters.Int("n", 10, 1, base::limits::kTopEntriesMax);
  // Wages per hour and per year do not compare, so a ranking is of one unit unless all are asked for.
  const std::string unit = parameters.Has("unit") ? parameters.Text("unit") : "Year";
  if (unit.empty() || unit.find('|') != std::string::npos) {
    parameters.AddError("unit", "is no unit of pay: write one such as Year or Hour, or all");
  }
  const absl::TimeZone zone = parameters.Zone();
  if (!parameters.Finish()) return Invalid(request, parameters);
  if (unit != "all") query.key_suffix = "|" + unit;
  const absl::StatusOr<StoreDescription> store = context_.client.Store(kWages, context_.Options());
  if (!store.ok()) return Failed(request, store.status());
  query.range = AlignedToWindows(query.range, store->window_size_ms);
  const absl::StatusOr<TopAnswer> answer = context_.client.Top(query, context_.Options());
  if (!answer.ok()) return Failed(request, answer.status());
  if (answer->expired) return Expired(request, *store);
  JsonWriter json;
  json.BeginObject();
  json.Key("by").String(query.field);
  json.Key("unit").String(unit);
  json.Key("order").String(order);
  json.Key("from").String(FormatTime(query.range.from_ms, zone));
  json.Key("to").String(FormatTime(query.range.to_ms, zone));
  json.Key("items").BeginArray();
  for (const TopEntry& entry : answer->entries) {
    const std::string key = TextOfKey(entry.key, entry.key_json);
    const size_t bar = key.rfind('|');
    const nlohmann::json value = ObjectOf(entry.value.json);
    json.BeginObject();
    json.Key("job_title").String(key.substr(0, bar));
    json.Key("unit").String(bar == std::string::npos ? "" : key.substr(bar + 1));
    json.Key("average").Number(NumberOf(value, "average"));
    json.Key("count").Number(NumberOf(value, "count"));
    json.EndObject();
  }
  json.EndArray().EndObject();
  return JsonResponse(std::move(json).Take());
}

}  // namespace

void AddMarketRoutes(Router& router, const RouteContext& context) {
  const auto routes = std::make_shared<MarketRoutes>(context);  // shared by the handlers below
  router.Add("/api/v1/tickers/{symbol}/candles",
             [routes](const HttpRequest& r, const PathArguments& a) { return routes->Candles(r, a); });
  router.Add("/api/v1/wages/top", [routes](const HttpRequest& r, const PathArguments&) { return routes->Wages(r); });
}

}  // namespace tailrace::grpc_api
