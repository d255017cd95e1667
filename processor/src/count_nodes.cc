#include "tailrace/processor/detail/count_nodes.h"

namespace tailrace::processor::detail {
namespace {

class Schema final : public state::ValueSchema {
 public:
  explicit Schema(std::shared_ptr<const state::ValueSchema> aggregates) : aggregates_(std::move(aggregates)) {}

  std::optional<std::string> KeyToJson(std::string_view key) const override { return aggregates_->KeyToJson(key); }
  std::optional<std::string> KeyFromText(std::string_view text) const override { return aggregates_->KeyFromText(text); }
  std::optional<std::string> ValueToJson(std::string_view value) const override {
    const auto aggregate = Aggregate(value);
    return aggregate.has_value() ? aggregates_->ValueToJson(*aggregate) : std::nullopt;
  }
  std::optional<double> NumericField(std::string_view value, std::string_view field) const override {
    const auto aggregate = Aggregate(value);
    return aggregate.has_value() ? aggregates_->NumericField(*aggregate, field) : std::nullopt;
  }
  // Windows of different records do not add up.
  std::optional<std::string> Merge(std::string_view, std::string_view) const override { return std::nullopt; }

 private:
  static std::optional<std::string_view> Aggregate(std::string_view value) {
    int64_t records = 0;
    int8_t present = 0;
    if (!base::ConsumeBigEndian(value, records) || !base::ConsumeBigEndian(value, present) || present != 1) return std::nullopt;
    return value;
  }

  const std::shared_ptr<const state::ValueSchema> aggregates_;  // shared as the store's own would be
};

}  // namespace

std::shared_ptr<const state::ValueSchema> CountWindowSchema(std::shared_ptr<const state::ValueSchema> aggregates) {
  if (aggregates == nullptr) return nullptr;
  return std::make_shared<Schema>(std::move(aggregates));
}

}  // namespace tailrace::processor::detail
