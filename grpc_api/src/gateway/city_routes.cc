#include <algorithm>
#include <array>
#include <utility>

#include "gateway/json_values.h"
#include "gateway/route_support.h"
#include "gateway/routes.h"
#include "gateway/times.h"
#include "gateway/url.h"
#include "tailrace/base/limits.h"
#include "tailrace/base/product_limits.h"

namespace tailrace::grpc_api {
namespace {

constexpr std::array<std::string_view, 3> kMetrics = {"posts", "retweets", "active_users"};

class CityRoutes {
 public:
  explicit CityRoutes(const RouteContext& context) : context_(context) {}

  HttpResponse List(const HttpRequest& request) const;
  HttpResponse Metrics(const HttpRequest& request, const PathArguments& arguments) const;
  HttpResponse Top(const HttpRequest& request) const;

 private:
  const RouteContext context_;
};

void WriteMetric(JsonWriter& json, const nlohmann::json& value, std::string_view metric) {
  json.Key(metric).Number(NumberOf(value, metric));
  if (metric != "active_users") return;
  const auto exact = value.find("active_users_exact");
  json.Key("active_users_exact").Bool(exact == value.end() || !exact->is_boolean() || exact->get<bool>());
}
void WriteMetrics(JsonWriter& json, const nlohmann::json& value, const std::string& only) {
  for (const std::string_view metric : kMetrics) {
    if (only.empty() || only == metric) WriteMetric(json, value, metric);
  }
}

HttpResponse CityRoutes::List(const HttpRequest& request) const {
  Parameters parameters(request.query, context_.clock);
  WindowRange range = parameters.Range();
  const absl::TimeZone zone = parameters.Zone();
  if (!parameters.Finish()) return Invalid(request, parameters);
  const absl::StatusOr<StoreDescription> store = context_.client.Store(context_.city_store, context_.Options());
  if (!store.ok()) return Failed(request, store.status());
  range = AlignedToWindows(range, store->window_size_ms);
  const auto keys = context_.client.ListKeys(store->name, range, "posts", base::limits::kCitiesMax, context_.Options());
  if (!keys.ok()) return Failed(request, keys.status());
  if (keys->empty()) {
    // A list of keys does not tell whether they are gone or never were; a ranking does.
    const absl::StatusOr<TopAnswer> top =
        context_.client.Top({.store = store->name, .field = "posts", .n = 1, .range = range}, context_.Options());
    if (!top.ok()) return Failed(request, top.status());
    if (top->expired) return Expired(request, *store);
  }
  std::vector<std::pair<std::string, std::string>> cities;  // sort key, name
  for (const auto& [key, key_json] : *keys) {
    std::string name = TextOfKey(key, key_json);
    std::string sort_key = SortKey(name);
    cities.emplace_back(std::move(sort_key), std::move(name));
  }
  std::sort(cities.begin(), cities.end());
  JsonWriter json;
  json.BeginObject();
  json.Key("from").String(FormatTime(range.from_ms, zone));
  json.Key("to").String(FormatTime(range.to_ms, zone));
  json.Key("items").BeginArray();
  for (const auto& [sort_key, name] : cities) json.String(name);
  json.EndArray().EndObject();
  return JsonResponse(std::move(json).Take());
}

HttpResponse CityRoutes::Metrics(const HttpRequest& request, const PathArguments& arguments) const {
  const std::string& city = arguments[0];
  Parameters parameters(request.query, context_.clock);
  WindowRange range = parameters.Range();
  const std::string metric = parameters.OneOf("metric", "", {"posts", "retweets", "active_users"});
  const std::string zone_name = parameters.Has("zone") ? parameters.Text("zone") : "UTC";
  const absl::TimeZone zone = parameters.Zone();
  if (!parameters.Finish()) return Invalid(request, parameters);
  const absl::StatusOr<StoreDescription> store = context_.client.Store(context_.city_store, context_.Options());
  if (!store.ok()) return Failed(request, store.status());
  range = AlignedToWindows(range, store->window_size_ms);
  const absl::StatusOr<WindowsAnswer> answer =
      context_.client.FetchWindows(store->name, city, range, /*merge=*/true, context_.Options());
  if (!answer.ok()) return Failed(request, answer.status());
  if (answer->expired) return Expired(request, *store);
  if (!answer->key_known) {
    Problem problem = NotFoundProblem("There is no city '" + city + "' with posts that are still kept; "
                                      "/api/v1/cities lists the active ones.");
    problem.type = "unknown-city";
    return ProblemResponse(problem, request.path);
  }
  JsonWriter json;
  json.BeginObject();
  json.Key("city").String(city);
  json.Key("zone").String(zone_name);
  json.Key("window_ms").Int(store->window_size_ms);
  json.Key("from").String(FormatTime(range.from_ms, zone));
  json.Key("to").String(FormatTime(range.to_ms, zone));
  json.Key("points").BeginArray();
  for (const QueryRow& row : answer->rows) {
    json.BeginObject();
    json.Key("start").String(FormatTime(row.window_start_ms, zone));
    json.Key("end").String(FormatTime(row.window_end_ms, zone));
    WriteMetrics(json, ObjectOf(row.value.json), metric);
    json.EndObject();
  }
  json.EndArray();
  json.Key("total").BeginObject();
  WriteMetrics(json, answer->merged ? ObjectOf(answer->merged->json) : nlohmann::json::object(), metric);
  json.EndObject().EndObject();
  return JsonResponse(std::move(json).Take());
}

HttpResponse CityRoutes::Top(const HttpRequest& request) const {
  Parameters parameters(request.query, context_.clock);
  WindowRange range = parameters.Range();
  TopQuery query;
  query.field = parameters.OneOf("by", "posts", {"posts", "retweets", "active_users"});
  query.n = parameters.Int("n", 10, 1, base::limits::kTopEntriesMax);
  // Ranking by retweets asks for the worst, so the fewest come first unless said otherwise.
  const std::string order = parameters.OneOf("order", query.field == "retweets" ? "asc" : "desc", {"asc", "desc"});
  const absl::TimeZone zone = parameters.Zone();
  if (!parameters.Finish()) return Invalid(request, parameters);
  const absl::StatusOr<StoreDescription> store = context_.client.Store(context_.city_store, context_.Options());
  if (!store.ok()) return Failed(request, store.status());
  query.store = store->name;
  query.ascending = order == "asc";
  query.range = AlignedToWindows(range, store->window_size_ms);
  const absl::StatusOr<TopAnswer> answer = context_.client.Top(query, context_.Options());
  if (!answer.ok()) return Failed(request, answer.status());
  if (answer->expired) return Expired(request, *store);
  JsonWriter json;
  json.BeginObject();
  json.Key("by").String(query.field);
  json.Key("order").String(order);
  json.Key("from").String(FormatTime(query.range.from_ms, zone));
  json.Key("to").String(FormatTime(query.range.to_ms, zone));
  json.Key("items").BeginArray();
  for (const TopEntry& entry : answer->entries) {
    json.BeginObject();
    json.Key("city").String(TextOfKey(entry.key, entry.key_json));
    json.Key("value").Number(entry.score);
    WriteMetrics(json, ObjectOf(entry.value.json), "");
    json.EndObject();
  }
  json.EndArray().EndObject();
  return JsonResponse(std::move(json).Take());
}

}  // namespace

void AddCityRoutes(Router& router, const RouteContext& context) {
  const auto routes = std::make_shared<CityRoutes>(context);  // shared by the handlers below
  router.Add("/api/v1/cities", [routes](const HttpRequest& r, const PathArguments&) { return routes->List(r); });
  router.Add("/api/v1/cities/top", [routes](const HttpRequest& r, const PathArguments&) { return routes->Top(r); });
  router.Add("/api/v1/cities/{city}/metrics",
             [routes](const HttpRequest& r, const PathArguments& a) { return routes->Metrics(r, a); });
}

}  // namespace tailrace::grpc_api
