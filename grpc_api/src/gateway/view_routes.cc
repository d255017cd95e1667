#include <array>
#include <memory>
#include <optional>
#include <span>
#include <tuple>
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

constexpr std::array<std::string_view, 5> kUserFields = {"posts", "retweets", "favorites", "sentiment_sum", "sentiment_avg"};
constexpr std::array<std::string_view, 7> kTickerFields = {"days", "open", "close", "high", "low", "change", "volume"};

// Users or tickers: daily windows of one key, and everything there is of it.
struct View {
  std::string_view noun;            // "user"
  std::string_view daily_store;     // by day
  std::string_view all_time_store;  // empty: all days of the daily store
  std::span<const std::string_view> fields;
  std::string_view by;  // what lists are ranked by unless said otherwise
  std::string (*key_of)(std::string_view name);
};

const View kUsers{"user", "user-views", "user-views-all-time", kUserFields, "posts", UserName};
const View kTickers{"ticker", "ticker-views", "", kTickerFields, "volume", TickerName};

class ViewRoutes {
 public:
  ViewRoutes(const RouteContext& context, const View& view) : context_(context), view_(view) {}

  HttpResponse List(const HttpRequest& request) const;
  HttpResponse One(const HttpRequest& request, const PathArguments& arguments) const;

 private:
  bool IsTicker() const { return view_.noun == "ticker"; }
  // The fields, and what the day or the range changed by where they are prices.
  void Write(JsonWriter& json, const nlohmann::json& value) const {
    WriteFields(json, value, view_.fields);
    if (!IsTicker()) return;
    const double open = NumberOf(value, "open");
    json.Key("day_change");
    open != 0 ? json.Number((NumberOf(value, "close") - open) / open) : json.Null();
  }
  void WriteOrNull(JsonWriter& json, const std::optional<QueryValue>& value) const {
    if (!value) {
      json.Null();
      return;
    }
    json.BeginObject();
    Write(json, ObjectOf(value->json));
    json.EndObject();
  }

  const RouteContext context_;
  const View& view_;
};

void WriteRange(JsonWriter& json, const WindowRange& range) {
  json.Key("from").String(DayWindows::Name(range.from_ms));
  json.Key("to").String(DayWindows::Name(range.to_ms - kDayMs));
}

HttpResponse ViewRoutes::List(const HttpRequest& request) const {
  Parameters parameters(request.query, context_.clock);
  const std::string over = parameters.OneOf("range", "week_with_today", {"all_time", "week", "week_with_today"});
  TopQuery query;
  query.field = IsTicker() ? parameters.OneOf("by", std::string(view_.by), {"days", "open", "close", "high", "low", "change", "volume"})
                           : parameters.OneOf("by", std::string(view_.by), {"posts", "retweets", "favorites", "sentiment_sum", "sentiment_avg"});
  const std::string order = parameters.OneOf("order", "desc", {"asc", "desc"});
  query.ascending = order == "asc";
  query.n = parameters.Int("n", 10, 1, base::limits::kTopEntriesMax);
  query.key_prefix = view_.key_of(parameters.Text("prefix"));
  const std::string zone_name = parameters.Has("zone") ? parameters.Text("zone") : "UTC";
  const DayWindows days(context_.clock.WallMs(), parameters.Zone());
  if (!parameters.Finish()) return Invalid(request, parameters);
  const bool all_time = over == "all_time";
  query.store = all_time && !view_.all_time_store.empty() ? view_.all_time_store : view_.daily_store;
  if (!all_time) query.range = over == "week" ? days.Week() : days.WeekWithToday();
  const absl::StatusOr<TopAnswer> answer = context_.client.Top(query, context_.Options());
  if (!answer.ok()) return Failed(request, answer.status());
  JsonWriter json;
  json.BeginObject();
  json.Key("range").String(over);
  json.Key("by").String(query.field);
  json.Key("order").String(order);
  json.Key("zone").String(zone_name);
  if (all_time) {
    json.Key("from").Null().Key("to").Null();
  } else {
    WriteRange(json, query.range);
  }
  json.Key("items").BeginArray();
  for (const TopEntry& entry : answer->entries) {
    json.BeginObject();
    json.Key(view_.noun).String(TextOfKey(entry.key, entry.key_json));
    json.Key("value").Number(entry.score);
    Write(json, ObjectOf(entry.value.json));
    json.EndObject();
  }
  json.EndArray().EndObject();
  return JsonResponse(std::move(json).Take());
}

HttpResponse ViewRoutes::One(const HttpRequest& request, const PathArguments& arguments) const {
  const std::string key = view_.key_of(arguments[0]);
  const std::string noun(view_.noun);
  Parameters parameters(request.query, context_.clock);
  const std::string zone_name = parameters.Has("zone") ? parameters.Text("zone") : "UTC";
  const DayWindows days(context_.clock.WallMs(), parameters.Zone());
  if (key.empty()) parameters.AddError(noun == "user" ? "name" : "symbol", "is empty");
  if (!parameters.Finish()) return Invalid(request, parameters);

  std::optional<QueryValue> all_time;
  bool known = false;
  if (!view_.all_time_store.empty()) {
    absl::StatusOr<PointAnswer> point = context_.client.Get(view_.all_time_store, key, std::nullopt, context_.Options());
    if (!point.ok()) return Failed(request, point.status());
    if (point->found) all_time = std::move(point->row.value);
    known = point->found;
  } else {
    absl::StatusOr<WindowsAnswer> everything = context_.client.FetchWindows(view_.daily_store, key, {}, /*merge=*/true, context_.Options());
    if (!everything.ok()) return Failed(request, everything.status());
    all_time = std::move(everything->merged);
    known = everything->key_known;
  }
  absl::StatusOr<WindowsAnswer> week = context_.client.FetchWindows(view_.daily_store, key, days.Week(), /*merge=*/true, context_.Options());
  if (!week.ok()) return Failed(request, week.status());
  absl::StatusOr<WindowsAnswer> with_today =
      context_.client.FetchWindows(view_.daily_store, key, days.WeekWithToday(), /*merge=*/true, context_.Options());
  if (!with_today.ok()) return Failed(request, with_today.status());
  if (!known && !week->key_known && !with_today->key_known) {
    return Unknown(request, "unknown-" + noun,
                   "There is no " + noun + " '" + key + "' yet; POST /api/v1/requests asks for a " + noun + "'s history, and /api/v1/" +
                       noun + "s lists those that are known.");
  }

  JsonWriter json;
  json.BeginObject();
  json.Key(noun).String(key);
  json.Key("zone").String(zone_name);
  json.Key("today").String(DayWindows::Name(DayWindows::StartOf(days.today())));
  json.Key("all_time");
  WriteOrNull(json, all_time);
  for (const auto& [name, range, answer] : {std::tuple<std::string_view, WindowRange, const WindowsAnswer*>{"week", days.Week(), &*week},
                                           {"week_with_today", days.WeekWithToday(), &*with_today}}) {
    json.Key(name).BeginObject();
    WriteRange(json, range);
    json.Key("values");
    WriteOrNull(json, answer->merged);
    json.EndObject();
  }
  json.Key("days").BeginArray();
  const auto write_day = [&](const QueryRow& row) {
    json.BeginObject();
    json.Key("date").String(DayWindows::Name(row.window_start_ms));
    Write(json, ObjectOf(row.value.json));
    json.EndObject();
  };
  for (const QueryRow& row : week->rows) write_day(row);
  for (const QueryRow& row : with_today->rows) {
    if (row.window_start_ms >= days.Week().to_ms) write_day(row);
  }
  json.EndArray().EndObject();
  return JsonResponse(std::move(json).Take());
}

}  // namespace

void AddViewRoutes(Router& router, const RouteContext& context) {
  const auto add = [&](const char* list, const char* one, const View& view) {
    const auto routes = std::make_shared<ViewRoutes>(context, view);  // shared by the handlers below
    router.Add(list, [routes](const HttpRequest& r, const PathArguments&) { return routes->List(r); });
    router.Add(one, [routes](const HttpRequest& r, const PathArguments& a) { return routes->One(r, a); });
  };
  add("/api/v1/users", "/api/v1/users/{name}", kUsers);
  add("/api/v1/tickers", "/api/v1/tickers/{symbol}", kTickers);
}

}  // namespace tailrace::grpc_api
