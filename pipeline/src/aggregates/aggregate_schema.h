// What the bytes of an aggregate's store mean, for queries.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "aggregates/aggregate_plan.h"
#include "tailrace/state/value_schema.h"

namespace tailrace::pipeline::aggregates {

// Keys are UTF-8 text, values are states of `plan`. Thread-safe.
class AggregateSchema final : public state::ValueSchema {
 public:
  // Shared with the tasks that update the store.
  explicit AggregateSchema(std::shared_ptr<const AggregatePlan> plan) : plan_(std::move(plan)) {}

  std::optional<std::string> KeyToJson(std::string_view key) const override;
  std::optional<std::string> ValueToJson(std::string_view value) const override;
  std::optional<std::string> KeyFromText(std::string_view text) const override;
  std::optional<std::string> Merge(std::string_view a, std::string_view b) const override;
  // The empty field is the only field of a step that has one.
  std::optional<double> NumericField(std::string_view value, std::string_view field) const override;

 private:
  std::shared_ptr<const AggregatePlan> plan_;
};

}  // namespace tailrace::pipeline::aggregates
