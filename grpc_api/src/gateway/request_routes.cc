#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "gateway/route_support.h"
#include "gateway/routes.h"
#include "gateway/times.h"
#include "tailrace/base/limits.h"
#include "tailrace/base/product_limits.h"
#include "tailrace/grpc_api/request_kind.h"

namespace tailrace::grpc_api {
namespace {

constexpr std::string_view kRequests = "requests";
constexpr std::array<std::string_view, 8> kFields = {"id", "kind", "name", "user_id", "state", "requested_at", "updated_at", "reason"};

class RequestRoutes {
 public:
  explicit RequestRoutes(const RouteContext& context) : context_(context) {}

  HttpResponse List(const HttpRequest& request) const;
  HttpResponse One(const HttpRequest& request, const PathArguments& arguments) const;
  HttpResponse Submit(const HttpRequest& request) const;

 private:
  const RouteContext context_;
};

RequestKind KindOf(std::string_view text) {
  return text == "user" ? RequestKind::kUser : text == "ticker" ? RequestKind::kTicker : RequestKind::kUnknown;
}

// Members that the record lacks are left out; its times are milliseconds.
void WriteRecord(JsonWriter& json, const nlohmann::json& record) {
  json.BeginObject();
  for (const std::string_view field : kFields) {
    const auto found = record.find(field);
    if (found == record.end() || found->is_null()) continue;
    if (field.ends_with("_at") && found->is_number_integer()) {
      json.Key(field).String(FormatTime(found->get<int64_t>()));
    } else {
      WriteFields(json, record, {&field, 1});
    }
  }
  json.EndObject();
}

// For sorting: when the record last changed.
int64_t ChangedMs(const nlohmann::json& record) {
  return static_cast<int64_t>(std::max(NumberOf(record, "updated_at"), NumberOf(record, "requested_at")));
}

// A name as one segment of a path.
std::string PathSegment(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string segment;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || c == '-' || c == '_' || c == '.' || c == '~' || c == ':') {
      segment += c;
    } else {
      segment += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return segment;
}

HttpResponse RequestRoutes::List(const HttpRequest& request) const {
  Parameters parameters(request.query, context_.clock);
  const std::string kind = parameters.OneOf("kind", "", {"user", "ticker"});
  const std::string state = parameters.OneOf("state", "", {"requested", "computing", "ready", "failed"});
  const int n = parameters.Int("n", 100, 1, base::limits::kTopEntriesMax);
  if (!parameters.Finish()) return Invalid(request, parameters);
  std::vector<std::pair<int64_t, nlohmann::json>> records;  // by when they changed
  std::string token;
  size_t read = 0;
  do {
    absl::StatusOr<ScanAnswer> page = context_.client.Scan(kRequests, {}, base::limits::kPageSizeMax, token, context_.Options(),
                                                           kind.empty() ? "" : kind + "|");
    if (!page.ok()) return Failed(request, page.status());
    for (const QueryRow& row : page->rows) {
      nlohmann::json record = ObjectOf(row.value.json);
      const auto has = record.find("state");
      if (!state.empty() && (has == record.end() || *has != state)) continue;
      const int64_t changed_ms = ChangedMs(record);
      records.emplace_back(changed_ms, std::move(record));
    }
    read += page->rows.size();
    token = std::move(page->next_page_token);
  } while (!token.empty() && read < base::limits::kRequestsReadMax);
  std::stable_sort(records.begin(), records.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  const size_t found = records.size();
  if (records.size() > static_cast<size_t>(n)) records.resize(static_cast<size_t>(n));
  JsonWriter json;
  json.BeginObject();
  json.Key("total").Int(static_cast<int64_t>(found));
  json.Key("items").BeginArray();
  for (const auto& [changed_ms, record] : records) WriteRecord(json, record);
  json.EndArray().EndObject();
  return JsonResponse(std::move(json).Take());
}

// The name as records have it. Where the kind is wrong too it is still checked, as a user's, so that both errors come together.
std::string NameOf(RequestKind kind, const std::string& text, Parameters& parameters) {
  absl::StatusOr<std::string> name = RequestName(kind == RequestKind::kUnknown ? RequestKind::kUser : kind, text);
  if (name.ok()) return *std::move(name);
  parameters.AddError("name", std::string(name.status().message()));
  return {};
}

HttpResponse RequestRoutes::One(const HttpRequest& request, const PathArguments& arguments) const {
  Parameters parameters(request.query, context_.clock);
  const RequestKind kind = KindOf(arguments[0]);
  if (kind == RequestKind::kUnknown) parameters.AddError("kind", "is not one of user, ticker");
  const std::string name = NameOf(kind, arguments[1], parameters);
  if (!parameters.Finish()) return Invalid(request, parameters);
  absl::StatusOr<PointAnswer> answer = context_.client.Get(kRequests, RequestKey(kind, name), std::nullopt, context_.Options());
  if (!answer.ok()) return Failed(request, answer.status());
  if (!answer->found) {
    return Unknown(request, "unknown-request", "Nobody has asked for the " + arguments[0] + " '" + name + "'; POST /api/v1/requests does.");
  }
  JsonWriter json;
  WriteRecord(json, ObjectOf(answer->row.value.json));
  return JsonResponse(std::move(json).Take());
}

HttpResponse RequestRoutes::Submit(const HttpRequest& request) const {
  // A form of another site can send any other type without being asked, but not this one.
  if (!request.Header("content-type").starts_with("application/json")) {
    return ProblemResponse({.status = 415, .type = "media-type", .title = "Not JSON",
                            .detail = "The body has to be JSON, and Content-Type application/json.", .errors = {}},
                           request.path);
  }
  Parameters parameters(request.query, context_.clock);
  // The parser keeps the last of several members of one name; nobody can know which was meant.
  std::set<std::string> members, repeated;
  const auto note_members = [&](int depth, nlohmann::json::parse_event_t event, const nlohmann::json& parsed) {
    if (event == nlohmann::json::parse_event_t::key && depth == 1 && !members.insert(parsed.get<std::string>()).second)
      repeated.insert(parsed.get<std::string>());
    return true;
  };
  const nlohmann::json body = nlohmann::json::parse(request.body, note_members, /*allow_exceptions=*/false);
  RequestKind kind = RequestKind::kUnknown;
  std::string name;
  if (!body.is_object()) {
    parameters.AddError("body", R"(is not a JSON object such as {"kind":"user","name":"alice"})");
  } else {
    for (const std::string& member : repeated) parameters.AddError(member, "is given more than once");
    for (const auto& [member, value] : body.items()) {
      if (member != "kind" && member != "name") {
        parameters.AddError(member, "is not a member of a request; it has kind, name");
      } else if (!value.is_string()) {
        parameters.AddError(member, "is not text");
      }
    }
    for (const char* member : {"kind", "name"}) {
      if (!body.contains(member)) parameters.AddError(member, "is missing");
    }
    // Null where it is missing or no text, which was said above.
    const auto text = [&body](const char* member) {
      const auto found = body.find(member);
      return found != body.end() ? found->get_ptr<const std::string*>() : nullptr;
    };
    if (const std::string* const asked = text("kind")) {
      kind = KindOf(*asked);
      if (kind == RequestKind::kUnknown) parameters.AddError("kind", "is not one of user, ticker");
    }
    if (const std::string* const asked = text("name")) name = NameOf(kind, *asked, parameters);
  }
  if (!parameters.Finish()) return Invalid(request, parameters);
  const absl::StatusOr<SubmitAnswer> answer = context_.client.SubmitRequest(kind, name, context_.Options());
  if (!answer.ok()) return Failed(request, answer.status());
  JsonWriter json;
  WriteRecord(json, ObjectOf(answer->row.value.json));
  HttpResponse response = JsonResponse(std::move(json).Take());
  if (!answer->created) return response;
  response.status = 201;
  response.SetHeader("Location", "/api/v1/requests/" + std::string(RequestKindName(kind)) + "/" + PathSegment(name));
  return response;
}

}  // namespace

void AddRequestRoutes(Router& router, const RouteContext& context) {
  const auto routes = std::make_shared<RequestRoutes>(context);  // shared by the handlers below
  router.Add("/api/v1/requests", [routes](const HttpRequest& r, const PathArguments&) { return routes->List(r); });
  router.AddPost("/api/v1/requests", [routes](const HttpRequest& r, const PathArguments&) { return routes->Submit(r); });
  router.Add("/api/v1/requests/{kind}/{name}", [routes](const HttpRequest& r, const PathArguments& a) { return routes->One(r, a); });
}

}  // namespace tailrace::grpc_api
