#include "aggregates/joined_schema.h"

#include "aggregates/raw.h"

namespace tailrace::pipeline::aggregates {
namespace {

constexpr char kVersion = 1;
constexpr size_t kHeaderBytes = 1 + sizeof(uint32_t);

}  // namespace

void EncodeJoined(std::string_view left, std::optional<std::string_view> right, std::string& out) {
  out.assign(kHeaderBytes, kVersion);
  Store(out.data() + 1, static_cast<uint32_t>(left.size()));
  out += left;
  if (right) out += *right;
}

JoinedSchema::JoinedSchema(std::shared_ptr<const AggregatePlan> left, std::shared_ptr<const AggregatePlan> right)
    : left_(std::move(left)), right_(right) {
  right->Reset(nothing_);
}

std::optional<JoinedSchema::Sides> JoinedSchema::Split(std::string_view value) const {
  if (value.size() < kHeaderBytes || value[0] != kVersion) return std::nullopt;
  const auto left_bytes = Load<uint32_t>(value.data() + 1);
  value.remove_prefix(kHeaderBytes);
  if (left_bytes > value.size()) return std::nullopt;
  Sides sides{.left = value.substr(0, left_bytes), .right = value.substr(left_bytes)};
  if (sides.right.empty()) sides.right = nothing_;
  return sides;
}

std::optional<std::string> JoinedSchema::ValueToJson(std::string_view value) const {
  const auto sides = Split(value);
  if (!sides) return std::nullopt;
  std::optional<std::string> left = left_.ValueToJson(sides->left);
  const std::optional<std::string> right = right_.ValueToJson(sides->right);
  if (!left || !right) return std::nullopt;
  // Both are objects with at least one member: {"a":1} and {"b":2} make {"a":1,"b":2}.
  left->back() = ',';
  left->append(*right, 1);
  return left;
}

std::optional<double> JoinedSchema::NumericField(std::string_view value, std::string_view field) const {
  const auto sides = Split(value);
  if (!sides || field.empty()) return std::nullopt;
  const std::optional<double> left = left_.NumericField(sides->left, field);
  return left ? left : right_.NumericField(sides->right, field);
}

}  // namespace tailrace::pipeline::aggregates
