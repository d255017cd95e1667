#include "aggregates/aggregate_schema.h"

#include <gtest/gtest.h>

namespace tailrace::pipeline::aggregates {
namespace {

std::shared_ptr<const AggregatePlan> Counts() {
  return std::make_shared<AggregatePlan>(std::vector<PlannedField>{{.name = "posts", .kind = AggregateKind::kCount}});
}

std::string State(const AggregatePlan& plan, int count) {
  std::string state;
  plan.Reset(state);
  for (int i = 0; i < count; ++i) plan.Update(state, {});
  return state;
}

TEST(AggregateSchemaTest, AnswersInJson) {
  const auto plan = Counts();
  const AggregateSchema schema(plan);
  EXPECT_EQ(schema.KeyToJson("Montréal, Québec"), "\"Montréal, Québec\"");
  EXPECT_EQ(schema.KeyFromText("Montréal, Québec"), "Montréal, Québec");
  EXPECT_EQ(schema.ValueToJson(State(*plan, 12)), R"({"posts":12})");
  EXPECT_EQ(schema.ValueToJson(*schema.Merge(State(*plan, 12), State(*plan, 3))), R"({"posts":15})");
  EXPECT_EQ(schema.NumericField(State(*plan, 12), "posts"), 12);
  EXPECT_EQ(schema.NumericField(State(*plan, 12), ""), 12);
}

TEST(AggregateSchemaTest, MalformedBytesGiveNothing) {
  const auto plan = Counts();
  const AggregateSchema schema(plan);
  EXPECT_EQ(schema.KeyToJson("\xff"), std::nullopt);
  EXPECT_EQ(schema.ValueToJson(""), std::nullopt);
  EXPECT_EQ(schema.ValueToJson("12345678901"), std::nullopt);
  EXPECT_EQ(schema.Merge(State(*plan, 1), ""), std::nullopt);
  EXPECT_EQ(schema.NumericField(State(*plan, 1), "users"), std::nullopt);
  EXPECT_EQ(schema.NumericField("", "posts"), std::nullopt);
}

}  // namespace
}  // namespace tailrace::pipeline::aggregates
