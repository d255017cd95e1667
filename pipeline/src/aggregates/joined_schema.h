// The rows of a join: the state of an aggregate beside that of the row of a table it points to.
//
// Bytes: u8 version (1), u32 size of the left state (little-endian), the left state, the right state (nothing: there is no row).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "aggregates/aggregate_schema.h"

namespace tailrace::pipeline::aggregates {

// `right` is nullopt where the left row points to nothing.
void EncodeJoined(std::string_view left, std::optional<std::string_view> right, std::string& out);

// Fields of the left aggregate, then those of the right one, which are as before its first event where there is no row.
// Thread-safe.
class JoinedSchema final : public state::ValueSchema {
 public:
  // Shared with the tasks that update the tables.
  JoinedSchema(std::shared_ptr<const AggregatePlan> left, std::shared_ptr<const AggregatePlan> right);

  std::optional<std::string> KeyToJson(std::string_view key) const override { return left_.KeyToJson(key); }
  std::optional<std::string> ValueToJson(std::string_view value) const override;
  std::optional<std::string> KeyFromText(std::string_view text) const override { return left_.KeyFromText(text); }
  // Rows of a table do not merge.
  std::optional<std::string> Merge(std::string_view, std::string_view) const override { return std::nullopt; }
  std::optional<double> NumericField(std::string_view value, std::string_view field) const override;

 private:
  struct Sides {
    std::string_view left;
    std::string_view right;
  };
  std::optional<Sides> Split(std::string_view value) const;

  const AggregateSchema left_;
  const AggregateSchema right_;
  std::string nothing_;  // the right state before the first event
};

}  // namespace tailrace::pipeline::aggregates
