#include <algorithm>
#include <utility>

#include "common/application_token.h"
#include "common/page_token.h"
#include "gateway/json_values.h"
#include "gateway/route_support.h"
#include "gateway/routes.h"
#include "gateway/times.h"
#include "query/query_handlers.h"
#include "tailrace/base/limits.h"

namespace tailrace::grpc_api {
namespace {

class StoreRoutes {
 public:
  explicit StoreRoutes(const RouteContext& context) : context_(context) {}

  HttpResponse List(const HttpRequest& request) const;
  HttpResponse Key(const HttpRequest& request, const PathArguments& arguments) const;
  HttpResponse Windows(const HttpRequest& request, const PathArguments& arguments) const;
  HttpResponse Keys(const HttpRequest& request, const PathArguments& arguments) const;
  HttpResponse Top(const HttpRequest& request, const PathArguments& arguments) const;
  HttpResponse Events(const HttpRequest& request, const PathArguments& arguments) const;

 private:
  HttpResponse WindowsOfKey(const HttpRequest& request, const StoreDescription& store, const std::string& key) const;
  HttpResponse Page(const HttpRequest& request, const StoreDescription& store, WindowRange range,
                    Parameters& parameters, const CallOptions& options) const;

  const RouteContext context_;
};

bool IsWindowed(const StoreDescription& store) { return store.kind != state::StoreKind::kKeyValue; }

// How old and from which kind of copy an answer is: the oldest part counts.
template <class Sources>
void DescribeSources(HttpResponse& response, const Sources& sources) {
  int64_t staleness_ms = 0;
  bool active = true;
  for (const QuerySource& source : sources) {
    staleness_ms = std::max(staleness_ms, source.staleness_ms);
    active = active && source.role == processor::TaskRole::kActive;
  }
  response.SetHeader("Tailrace-Staleness-Ms", std::to_string(staleness_ms));
  response.SetHeader("Tailrace-Role", active ? "active" : "standby");
}

void WriteRows(JsonWriter& json, const std::vector<QueryRow>& rows, bool with_key) {
  json.BeginArray();
  for (const QueryRow& row : rows) {
    json.BeginObject();
    if (with_key) json.Key("key").Raw(KeyJsonText(row.key, row.key_json));
    if (row.window_start_ms != state::kNoWindow) {
      json.Key("window");
      WriteWindow(json, row.window_start_ms, row.window_end_ms);
    }
    json.Key("value").Raw(ValueJsonText(row.value));
    json.EndObject();
  }
  json.EndArray();
}

HttpResponse StoreRoutes::List(const HttpRequest& request) const {
  Parameters parameters(request.query, context_.clock);
  if (!parameters.Finish()) return Invalid(request, parameters);
  const absl::StatusOr<std::vector<StoreDescription>> stores = context_.client.ListStores(context_.Options());
  if (!stores.ok()) return Failed(request, stores.status());
  JsonWriter json;
  json.BeginObject().Key("items").BeginArray();
  for (const StoreDescription& store : *stores) {
    json.BeginObject();
    json.Key("name").String(store.name);
    json.Key("kind").String(store.kind == state::StoreKind::kSession ? "session" : IsWindowed(store) ? "window" : "key-value");
    json.Key("window_size_ms");
    IsWindowed(store) ? json.Int(store.window_size_ms) : json.Null();
    json.Key("retention_ms");
    IsWindowed(store) ? json.Int(store.retention_ms) : json.Null();
    json.Key("partitions").Int(store.partition_count);
    json.EndObject();
  }
  json.EndArray().EndObject();
  return JsonResponse(std::move(json).Take());
}

HttpResponse StoreRoutes::Key(const HttpRequest& request, const PathArguments& arguments) const {
  const std::string& key = arguments[1];
  const absl::StatusOr<StoreDescription> store = context_.client.Store(arguments[0], context_.Options());
  if (!store.ok()) return Failed(request, store.status());
  if (IsWindowed(*store)) return WindowsOfKey(request, *store, key);

  Parameters parameters(request.query, context_.clock);
  for (const char* name : {"from", "to"}) {
    if (parameters.Has(name)) parameters.AddError(name, "does not apply: store " + store->name + " has no windows");
  }
  const CallOptions options = parameters.ReadOptions(context_.query_timeout_ms);
  if (!parameters.Finish()) return Invalid(request, parameters);
  absl::StatusOr<PointAnswer> answer = context_.client.Get(store->name, key, std::nullopt, options);
  if (!answer.ok()) return Failed(request, answer.status());
  if (!answer->found) {
    return ProblemResponse(NotFoundProblem("Store " + store->name + " has no key '" + key + "'."), request.path);
  }
  JsonWriter json;
  json.BeginObject();
  json.Key("store").String(store->name);
  json.Key("key").Raw(KeyJsonText(answer->row.key, answer->row.key_json));
  json.Key("value").Raw(ValueJsonText(answer->row.value));
  json.Key("timestamp").String(FormatTime(answer->row.value.timestamp_ms));
  json.EndObject();
  HttpResponse response = JsonResponse(std::move(json).Take());
  DescribeSources(response, std::vector<QuerySource>{answer->source});
  return response;
}

HttpResponse StoreRoutes::WindowsOfKey(const HttpRequest& request, const StoreDescription& store,
                                       const std::string& key) const {
  Parameters parameters(request.query, context_.clock);
  const WindowRange range = AlignedToWindows(parameters.Range(), store.window_size_ms);
  const CallOptions options = parameters.ReadOptions(context_.query_timeout_ms);
  if (!parameters.Finish()) return Invalid(request, parameters);
  absl::StatusOr<WindowsAnswer> answer = context_.client.FetchWindows(store.name, key, range, /*merge=*/false, options);
  if (!answer.ok()) return Failed(request, answer.status());
  if (answer->expired) return Expired(request, store);
  if (!answer->key_known) {
    return ProblemResponse(NotFoundProblem("Store " + store.name + " has no window of key '" + key + "'."), request.path);
  }
  JsonWriter json;
  json.BeginObject();
  json.Key("store").String(store.name);
  json.Key("key").Raw(answer->rows.empty() ? KeyJsonText(key, {})
                                           : KeyJsonText(answer->rows[0].key, answer->rows[0].key_json));
  json.Key("from").String(FormatTime(range.from_ms));
  json.Key("to").String(FormatTime(range.to_ms));
  json.Key("items");
  WriteRows(json, answer->rows, /*with_key=*/false);
  json.EndObject();
  HttpResponse response = JsonResponse(std::move(json).Take());
  DescribeSources(response, std::vector<QuerySource>{answer->source});
  return response;
}

HttpResponse StoreRoutes::Page(const HttpRequest& request, const StoreDescription& store, WindowRange range,
                               Parameters& parameters, const CallOptions& options) const {
  const int page_size = parameters.Int("page_size", base::limits::kPageSizeDefault, 1, base::limits::kPageSizeMax);
  const std::string token_text = parameters.Text("page_token");
  const std::string prefix = parameters.Text("prefix");
  if (!token_text.empty()) {
    if (const absl::StatusOr<PageToken> token = PageToken::Decode(ReadToken(store.application_id, token_text).token); !token.ok()) {
      parameters.AddError("page_token", std::string(token.status().message()));
    } else {
      // The default range moves with the clock; the token remembers the one of the first page.
      if (!parameters.Has("from")) range.from_ms = token->from_ms;
      if (!parameters.Has("to")) range.to_ms = token->to_ms;
      if (token->request_hash != ScanHash(store.name, {range.from_ms, range.to_ms}, prefix)) {
        parameters.AddError("page_token", "belongs to another request (store, from, to or prefix differ); start again without one");
      }
    }
  }
  if (!parameters.Finish()) return Invalid(request, parameters);
  absl::StatusOr<ScanAnswer> answer = context_.client.Scan(store.name, range, page_size, token_text, options, prefix);
  if (!answer.ok()) return Failed(request, answer.status());
  if (answer->expired) return Expired(request, store);
  JsonWriter json;
  json.BeginObject().Key("items");
  WriteRows(json, answer->rows, /*with_key=*/true);
  json.Key("next_page_token").String(answer->next_page_token);
  json.EndObject();
  HttpResponse response = JsonResponse(std::move(json).Take());
  DescribeSources(response, answer->sources);
  return response;
}

HttpResponse StoreRoutes::Windows(const HttpRequest& request, const PathArguments& arguments) const {
  const absl::StatusOr<StoreDescription> store = context_.client.Store(arguments[0], context_.Options());
  if (!store.ok()) return Failed(request, store.status());
  Parameters parameters(request.query, context_.clock);
  if (!IsWindowed(*store)) {
    parameters.AddError("store", store->name + " has no windows; /api/v1/stores/" + store->name + "/keys lists its entries");
  }
  const WindowRange range = AlignedToWindows(parameters.Range(), store->window_size_ms);
  const CallOptions options = parameters.ReadOptions(context_.query_timeout_ms);
  return Page(request, *store, range, parameters, options);
}

HttpResponse StoreRoutes::Keys(const HttpRequest& request, const PathArguments& arguments) const {
  const absl::StatusOr<StoreDescription> store = context_.client.Store(arguments[0], context_.Options());
  if (!store.ok()) return Failed(request, store.status());
  Parameters parameters(request.query, context_.clock);
  if (IsWindowed(*store)) {
    parameters.AddError("store", store->name + " is windowed; /api/v1/stores/" + store->name + "/windows lists its entries");
  }
  const CallOptions options = parameters.ReadOptions(context_.query_timeout_ms);
  return Page(request, *store, WindowRange{}, parameters, options);
}

HttpResponse StoreRoutes::Top(const HttpRequest& request, const PathArguments& arguments) const {
  const absl::StatusOr<StoreDescription> store = context_.client.Store(arguments[0], context_.Options());
  if (!store.ok()) return Failed(request, store.status());
  Parameters parameters(request.query, context_.clock);
  TopQuery query;
  query.store = store->name;
  query.field = parameters.Text("field");
  query.key_prefix = parameters.Text("prefix");
  query.n = parameters.Int("n", 10, 1, base::limits::kTopEntriesMax);
  const std::string order = parameters.OneOf("order", "desc", {"asc", "desc"});
  query.ascending = order == "asc";
  if (IsWindowed(*store)) {
    query.range = AlignedToWindows(parameters.Range(), store->window_size_ms);
  } else {
    for (const char* name : {"from", "to"}) {
      if (parameters.Has(name)) parameters.AddError(name, "does not apply: store " + store->name + " has no windows");
    }
  }
  const CallOptions options = parameters.ReadOptions(context_.query_timeout_ms);
  if (!parameters.Finish()) return Invalid(request, parameters);
  absl::StatusOr<TopAnswer> answer = context_.client.Top(query, options);
  if (!answer.ok()) return Failed(request, answer.status());
  if (answer->expired) return Expired(request, *store);
  JsonWriter json;
  json.BeginObject();
  json.Key("store").String(store->name);
  json.Key("field").String(query.field);
  json.Key("order").String(order);
  if (IsWindowed(*store)) {
    json.Key("from").String(FormatTime(query.range.from_ms));
    json.Key("to").String(FormatTime(query.range.to_ms));
  }
  json.Key("items").BeginArray();
  for (const TopEntry& entry : answer->entries) {
    json.BeginObject();
    json.Key("key").Raw(KeyJsonText(entry.key, entry.key_json));
    json.Key("score").Number(entry.score);
    json.Key("value").Raw(ValueJsonText(entry.value));
    json.EndObject();
  }
  json.EndArray().EndObject();
  HttpResponse response = JsonResponse(std::move(json).Take());
  DescribeSources(response, answer->sources);
  return response;
}

HttpResponse StoreRoutes::Events(const HttpRequest& request, const PathArguments& arguments) const {
  Parameters parameters(request.query, context_.clock);
  // For clients that cannot set headers on their first request.
  std::string last_event_id = parameters.Text("last_event_id");
  std::optional<std::string> key;
  if (parameters.Has("key")) key = parameters.Text("key");
  if (!parameters.Finish()) return Invalid(request, parameters);
  if (const std::string_view header = request.Header("last-event-id"); !header.empty()) last_event_id = header;
  absl::StatusOr<std::unique_ptr<HttpStream>> stream =
      context_.events.Open(arguments[0], key, last_event_id, context_.Options());
  if (!stream.ok()) {
    Problem problem = ProblemOf(stream.status());
    for (ParameterError& error : problem.errors) error.parameter = "Last-Event-ID";
    return ProblemResponse(problem, request.path);
  }
  HttpResponse response;
  response.SetHeader("Content-Type", "text/event-stream; charset=utf-8");
  response.SetHeader("Cache-Control", "no-store");
  response.SetHeader("X-Accel-Buffering", "no");  // proxies pass events on at once
  response.stream = *std::move(stream);
  return response;
}

}  // namespace

void AddStoreRoutes(Router& router, const RouteContext& context) {
  const auto routes = std::make_shared<StoreRoutes>(context);  // shared by the handlers below
  router.Add("/api/v1/stores", [routes](const HttpRequest& r, const PathArguments&) { return routes->List(r); });
  router.Add("/api/v1/stores/{store}/keys",
             [routes](const HttpRequest& r, const PathArguments& a) { return routes->Keys(r, a); });
  router.Add("/api/v1/stores/{store}/keys/{key}",
             [routes](const HttpRequest& r, const PathArguments& a) { return routes->Key(r, a); });
  router.Add("/api/v1/stores/{store}/windows",
             [routes](const HttpRequest& r, const PathArguments& a) { return routes->Windows(r, a); });
  router.Add("/api/v1/stores/{store}/top",
             [routes](const HttpRequest& r, const PathArguments& a) { return routes->Top(r, a); });
  router.Add("/api/v1/stores/{store}/events",
             [routes](const HttpRequest& r, const PathArguments& a) { return routes->Events(r, a); });
}

}  // namespace tailrace::grpc_api
