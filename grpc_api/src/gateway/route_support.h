// What the handlers of all route groups share: error answers, and values of stores out of their JSON.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "gateway/http_types.h"
#include "gateway/json_writer.h"
#include "gateway/parameters.h"
#include "gateway/problem.h"
#include "tailrace/grpc_api/query_client.h"

namespace tailrace::grpc_api {

HttpResponse Invalid(const HttpRequest& request, const Parameters& parameters);
HttpResponse Failed(const HttpRequest& request, const absl::Status& status);
// The whole range has left the store's retention.
HttpResponse Expired(const HttpRequest& request, const StoreDescription& store);
// 404 of the given type ("unknown-user").
HttpResponse Unknown(const HttpRequest& request, std::string type, std::string detail);

// A value of a store; an empty object when its JSON is none, so that fields it lacks read as zero or null.
nlohmann::json ObjectOf(const std::string& json);
// Zero when the field is absent or no number.
double NumberOf(const nlohmann::json& value, std::string_view field);
// The fields that the value has; null for one that it lacks.
void WriteFields(JsonWriter& json, const nlohmann::json& value, std::span<const std::string_view> fields);

// A key as text: the schema's JSON string where there is one.
std::string TextOfKey(const std::string& key, const std::string& key_json);

}  // namespace tailrace::grpc_api
