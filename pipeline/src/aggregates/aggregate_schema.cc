#include "aggregates/aggregate_schema.h"

#include "simdjson.h"
#include "tailrace/base/json_text.h"

namespace tailrace::pipeline::aggregates {

std::optional<std::string> AggregateSchema::KeyToJson(std::string_view key) const {
  if (!simdjson::validate_utf8(key)) return std::nullopt;
  std::string out;
  base::AppendJsonString(out, key);
  return out;
}

std::optional<std::string> AggregateSchema::ValueToJson(std::string_view value) const {
  if (!plan_->IsValid(value)) return std::nullopt;
  std::string out;
  plan_->AppendJson(out, value);
  return out;
}

std::optional<std::string> AggregateSchema::KeyFromText(std::string_view text) const { return std::string(text); }

std::optional<std::string> AggregateSchema::Merge(std::string_view a, std::string_view b) const {
  if (!plan_->IsValid(a) || !plan_->IsValid(b)) return std::nullopt;
  return plan_->Merge(a, b);
}

std::optional<double> AggregateSchema::NumericField(std::string_view value, std::string_view field) const {
  if (!plan_->IsValid(value)) return std::nullopt;
  if (field.empty()) {
    if (plan_->fields().size() != 1) return std::nullopt;
    field = plan_->fields()[0].name;
  }
  return plan_->Numeric(value, field);
}

}  // namespace tailrace::pipeline::aggregates
