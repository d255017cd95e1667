#include "gateway/route_support.h"

#include <utility>

namespace tailrace::grpc_api {

HttpResponse Invalid(const HttpRequest& request, const Parameters& parameters) {
  return ProblemResponse(ValidationProblem(parameters.errors()), request.path);
}

HttpResponse Failed(const HttpRequest& request, const absl::Status& status) {
  return ProblemResponse(ProblemOf(status), request.path);
}

HttpResponse Expired(const HttpRequest& request, const StoreDescription& store) {
  return ProblemResponse(ExpiredProblem("Store " + store.name + " keeps windows for " +
                                        std::to_string(store.retention_ms / 1000) +
                                        " s of event time; the whole range is older."),
                         request.path);
}

HttpResponse Unknown(const HttpRequest& request, std::string type, std::string detail) {
  Problem problem = NotFoundProblem(std::move(detail));
  problem.type = std::move(type);
  return ProblemResponse(problem, request.path);
}

nlohmann::json ObjectOf(const std::string& json) {
  nlohmann::json value = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  return value.is_object() ? value : nlohmann::json::object();
}

double NumberOf(const nlohmann::json& value, std::string_view field) {
  const auto found = value.find(field);
  return found != value.end() && found->is_number() ? found->get<double>() : 0;
}

void WriteFields(JsonWriter& json, const nlohmann::json& value, std::span<const std::string_view> fields) {
  for (const std::string_view field : fields) {
    json.Key(field);
    const auto found = value.find(field);
    if (found == value.end()) {
      json.Null();
    } else if (found->is_number_integer()) {
      json.Raw(found->dump());
    } else if (found->is_number()) {
      json.Number(found->get<double>());
    } else {
      json.Raw(found->dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    }
  }
}

std::string TextOfKey(const std::string& key, const std::string& key_json) {
  const nlohmann::json parsed = nlohmann::json::parse(key_json, nullptr, /*allow_exceptions=*/false);
  return parsed.is_string() ? parsed.get<std::string>() : key;
}

}  // namespace tailrace::grpc_api
