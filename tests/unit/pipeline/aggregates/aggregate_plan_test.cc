// Random events go through the plan and through a recomputation that keeps every event; both must give the same JSON.
#include "aggregates/aggregate_plan.h"

#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <nlohmann/json.hpp>
#include <set>

#include "aggregates/hyperloglog.h"
#include "tailrace/base/random.h"

namespace tailrace::pipeline::aggregates {
namespace {

using nlohmann::json;

// Slots of the test events.
enum Slot : size_t { kName, kAmount, kPrice, kTags, kKind, kSlots };

struct TestEvent {
  std::optional<std::string> name;
  std::optional<int64_t> amount;
  std::optional<double> price;
  std::vector<std::string> tags;
  std::string kind;
  int64_t timestamp_ms = 0;
  int64_t offset = 0;
};

class EventSlots {
 public:
  explicit EventSlots(const TestEvent& event) {
    if (event.name) slots_[kName] = FieldValue::Text(*event.name);
    if (event.amount) slots_[kAmount] = FieldValue::Int(*event.amount);
    if (event.price) slots_[kPrice] = FieldValue::Double(*event.price);
    for (const std::string& tag : event.tags) tags_.push_back(tag);
    slots_[kTags] = FieldValue::TextList(tags_);
    slots_[kKind] = FieldValue::Text(event.kind);
  }
  Event event() const { return slots_; }

 private:
  FieldValue slots_[kSlots];
  std::vector<std::string_view> tags_;
};

compile::Predicate KindIs(const char* kind) {
  compile::Predicate predicate;
  predicate.op = compile::Predicate::Op::kTextIn;
  predicate.slot = kKind;
  predicate.texts = {kind};
  return predicate;
}

AggregatePlan EveryKind(int64_t exact_max) {
  return AggregatePlan({
      {.name = "n", .kind = AggregateKind::kCount},
      {.name = "retweets", .kind = AggregateKind::kCountIf, .condition = KindIs("retweet")},
      {.name = "names", .kind = AggregateKind::kDistinct, .type = FieldType::kText, .slot = kName, .exact_max = exact_max},
      {.name = "total", .kind = AggregateKind::kSum, .type = FieldType::kInt, .slot = kAmount},
      {.name = "total_price", .kind = AggregateKind::kSum, .type = FieldType::kDouble, .slot = kPrice},
      {.name = "low", .kind = AggregateKind::kMin, .type = FieldType::kInt, .slot = kAmount},
      {.name = "first_name", .kind = AggregateKind::kFirst, .type = FieldType::kText, .slot = kName},
      {.name = "high", .kind = AggregateKind::kMax, .type = FieldType::kDouble, .slot = kPrice},
      {.name = "mean", .kind = AggregateKind::kAvg, .type = FieldType::kDouble, .slot = kPrice},
      {.name = "mean_amount", .kind = AggregateKind::kAvg, .type = FieldType::kInt, .slot = kAmount},
      {.name = "open", .kind = AggregateKind::kFirst, .type = FieldType::kDouble, .slot = kPrice},
      {.name = "close", .kind = AggregateKind::kLast, .type = FieldType::kDouble, .slot = kPrice},
      {.name = "tags", .kind = AggregateKind::kDistinct, .type = FieldType::kTextList, .slot = kTags, .exact_max = exact_max},
      {.name = "last_name", .kind = AggregateKind::kLast, .type = FieldType::kText, .slot = kName},
      {.name = "last_amount", .kind = AggregateKind::kLast, .type = FieldType::kInt, .slot = kAmount},
  });
}

std::vector<TestEvent> RandomEvents(uint64_t seed, int count, uint64_t names) {
  base::Random random(seed);
  std::vector<TestEvent> events;
  for (int i = 0; i < count; ++i) {
    TestEvent event;
    // Prices are sixteenths, so that sums are exact in any order.
    if (!random.Chance(0.1)) event.price = static_cast<double>(random.Below(100'000)) / 16;
    if (!random.Chance(0.1)) event.amount = static_cast<int64_t>(random.Below(2'000)) - 1'000;
    if (!random.Chance(0.1)) event.name = std::string(random.Below(20), 'x') + std::to_string(random.Below(names));
    for (uint64_t tags = random.Below(4); tags > 0; --tags) event.tags.push_back("t" + std::to_string(random.Below(50)));
    event.kind = random.Chance(0.3) ? "retweet" : "original";
    event.timestamp_ms = static_cast<int64_t>(random.Below(50));  // Many ties, decided by the offset.
    event.offset = i;
    events.push_back(event);
  }
  return events;
}

// The recomputation: everything from the list of events.
json Recompute(const std::vector<TestEvent>& events) {
  json out;
  std::set<std::string> names, tags;
  int64_t retweets = 0, total = 0, amounts = 0, low = 0;
  double price = 0, high = 0;
  int64_t prices = 0;
  std::vector<TestEvent> sorted = events;
  std::stable_sort(sorted.begin(), sorted.end(), [](const TestEvent& a, const TestEvent& b) {
    return std::pair(a.timestamp_ms, a.offset) < std::pair(b.timestamp_ms, b.offset);
  });
  for (const char* key : {"first_name", "last_name", "open", "close", "last_amount", "low", "high", "mean", "mean_amount"}) out[key] = nullptr;
  for (const TestEvent& event : sorted) {
    retweets += event.kind == "retweet" ? 1 : 0;
    for (const std::string& tag : event.tags) tags.insert(tag);
    if (event.name) {
      names.insert(*event.name);
      if (out["first_name"].is_null()) out["first_name"] = *event.name;
      out["last_name"] = *event.name;
    }
    if (event.amount) {
      total += *event.amount;
      low = amounts++ == 0 ? *event.amount : std::min(low, *event.amount);
      out["low"] = low;
      out["last_amount"] = *event.amount;
    }
    if (event.price) {
      price += *event.price;
      high = prices++ == 0 ? *event.price : std::max(high, *event.price);
      out["high"] = high;
      if (out["open"].is_null()) out["open"] = *event.price;
      out["close"] = *event.price;
    }
  }
  if (prices > 0) out["mean"] = price / static_cast<double>(prices);
  if (amounts > 0) out["mean_amount"] = static_cast<double>(total) / static_cast<double>(amounts);
  out["n"] = events.size();
  out["retweets"] = retweets;
  out["names"] = names.size();
  out["names_exact"] = true;
  out["tags"] = tags.size();
  out["tags_exact"] = true;
  out["total"] = total;
  out["total_price"] = price;
  return out;
}

std::string Apply(const AggregatePlan& plan, const std::vector<TestEvent>& events, bool try_in_place) {
  std::string state;
  plan.Reset(state);
  for (const TestEvent& event : events) {
    const EventSlots slots(event);
    const AggregateInput input{.event = slots.event(), .timestamp_ms = event.timestamp_ms, .offset = event.offset};
    if (!try_in_place || !plan.UpdateInPlace(state.data(), input)) plan.Update(state, input);
    EXPECT_TRUE(plan.IsValid(state));
  }
  return state;
}

json ToJson(const AggregatePlan& plan, std::string_view state) {
  std::string text;
  plan.AppendJson(text, state);
  return json::parse(text);
}

TEST(AggregatePlanTest, EqualsARecomputation) {
  const AggregatePlan plan = EveryKind(1'024);
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    const std::vector<TestEvent> events = RandomEvents(seed, static_cast<int>(seed * 7 % 200), 100);
    const std::string state = Apply(plan, events, false);
    EXPECT_EQ(ToJson(plan, state), Recompute(events)) << "seed " << seed;
    EXPECT_EQ(Apply(plan, events, true), state) << "in place, seed " << seed;
  }
}

TEST(AggregatePlanTest, MergeEqualsTheUnionAndIsCommutativeAndAssociative) {
  const AggregatePlan plan = EveryKind(40);  // Some of the sets become sketches.
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    const std::vector<TestEvent> all = RandomEvents(seed, 150, 10 * seed);
    std::vector<TestEvent> part[3];
    for (size_t i = 0; i < all.size(); ++i) part[(i * seed) % 7 % 3].push_back(all[i]);
    std::string state[3];
    for (int i = 0; i < 3; ++i) state[i] = Apply(plan, part[i], true);
    const json whole = ToJson(plan, Apply(plan, all, true));
    EXPECT_EQ(plan.Merge(state[0], state[1]), plan.Merge(state[1], state[0]));
    const std::string left = plan.Merge(plan.Merge(state[0], state[1]), state[2]);
    const std::string right = plan.Merge(state[0], plan.Merge(state[1], state[2]));
    EXPECT_TRUE(plan.IsValid(left));
    EXPECT_EQ(ToJson(plan, left), whole) << "seed " << seed;
    EXPECT_EQ(ToJson(plan, right), whole) << "seed " << seed;
  }
}

TEST(AggregatePlanTest, AnEmptyStateHasZerosAndNulls) {
  const AggregatePlan plan = EveryKind(1'024);
  EXPECT_EQ(ToJson(plan, Apply(plan, {}, false)), Recompute({}));
}

TEST(AggregatePlanTest, JsonKeepsTheOrderOfFields) {
  const AggregatePlan plan({{.name = "posts", .kind = AggregateKind::kCount},
                            {.name = "users", .kind = AggregateKind::kDistinct, .type = FieldType::kText, .slot = kName, .exact_max = 10}});
  std::string text;
  TestEvent event;
  event.name = "x";
  plan.AppendJson(text, Apply(plan, {event, event}, false));
  EXPECT_EQ(text, R"({"posts":2,"users":1,"users_exact":true})");
}

TEST(AggregatePlanTest, DistinctBecomesASketchAboveItsBound) {
  const AggregatePlan plan({{.name = "u", .kind = AggregateKind::kDistinct, .type = FieldType::kText, .slot = kName, .exact_max = 1'024}});
  std::string state;
  plan.Reset(state);
  for (int i = 0; i < 50'000; ++i) {
    TestEvent event;
    event.name = "user" + std::to_string(i);
    const EventSlots slots(event);
    plan.Update(state, {.event = slots.event()});
    if (i == 1'023) {
      EXPECT_EQ(ToJson(plan, state), (json{{"u", 1'024}, {"u_exact", true}}));
    }
    if (i == 1'024) {
      EXPECT_EQ(ToJson(plan, state)["u_exact"], false);
    }
  }
  EXPECT_TRUE(plan.IsValid(state));
  EXPECT_NEAR(ToJson(plan, state)["u"].get<double>(), 50'000, 3 * kSketchStandardError * 50'000);
}

// A day has the values of its latest version; many days have the average, the largest and the smallest of theirs.
AggregatePlan Days() {
  const auto day = [](const char* name, MergeRule rule, FieldType type, size_t slot) {
    return PlannedField{.name = name, .kind = AggregateKind::kLast, .type = type, .slot = slot, .by_slot = kAmount, .merge = rule};
  };
  return AggregatePlan({{.name = "days", .kind = AggregateKind::kWindows},
                        day("mean", MergeRule::kAvg, FieldType::kDouble, kPrice),
                        day("high", MergeRule::kMax, FieldType::kDouble, kPrice),
                        day("low", MergeRule::kMin, FieldType::kDouble, kPrice),
                        day("version", MergeRule::kAvg, FieldType::kInt, kAmount),
                        {.name = "newest", .kind = AggregateKind::kLast, .type = FieldType::kText, .slot = kName, .by_slot = kAmount}});
}

TEST(AggregatePlanTest, WindowsMergeByAnotherRuleThanEvents) {
  const AggregatePlan plan = Days();
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    std::vector<std::string> states;
    json expected{{"days", 0}, {"mean", nullptr}, {"high", nullptr}, {"low", nullptr}, {"version", nullptr}, {"newest", nullptr}};
    double sum = 0, versions = 0;
    int64_t prices = 0, versioned = 0, newest = std::numeric_limits<int64_t>::min();
    for (uint64_t window = 0; window < 1 + seed % 5; ++window) {
      std::vector<TestEvent> events = RandomEvents(seed * 100 + window, 1 + static_cast<int>(seed), 100);
      // Offsets go on over the windows, and versions without a tie between windows make the newest unique.
      for (TestEvent& event : events) {
        if (event.amount) event.amount = *event.amount * 10 + static_cast<int64_t>(window);
      }
      states.push_back(Apply(plan, events, seed % 2 == 0));
      // The latest version; without one it is older than all others; of equals the one with the larger offset.
      const auto latest = [&](auto has) {
        const TestEvent* best = nullptr;
        for (const TestEvent& event : events) {
          if (has(event) && (best == nullptr || event.amount >= best->amount)) best = &event;
        }
        return best;
      };
      expected["days"] = expected["days"].get<int64_t>() + 1;
      if (const TestEvent* event = latest([](const TestEvent& e) { return e.price.has_value(); })) {
        sum += *event->price;
        ++prices;
        expected["mean"] = sum / static_cast<double>(prices);
        expected["high"] = prices == 1 ? *event->price : std::max(expected["high"].get<double>(), *event->price);
        expected["low"] = prices == 1 ? *event->price : std::min(expected["low"].get<double>(), *event->price);
      }
      if (const TestEvent* event = latest([](const TestEvent& e) { return e.amount.has_value(); })) {
        versions += static_cast<double>(*event->amount);
        expected["version"] = versions / static_cast<double>(++versioned);
      }
      if (const TestEvent* event = latest([](const TestEvent& e) { return e.name.has_value() && e.amount.has_value(); })) {
        if (*event->amount >= newest) expected["newest"] = *event->name;
        newest = std::max(newest, *event->amount);
      }
    }
    std::string forward = states[0], backward = states.back();
    for (size_t i = 1; i < states.size(); ++i) {
      forward = plan.Merge(forward, states[i]);
      backward = plan.Merge(states[states.size() - 1 - i], backward);
    }
    EXPECT_TRUE(plan.IsValid(forward));
    EXPECT_EQ(ToJson(plan, forward), expected) << "seed " << seed;
    EXPECT_EQ(ToJson(plan, backward), expected) << "seed " << seed;
    if (!expected["mean"].is_null()) {
      EXPECT_EQ(plan.Numeric(forward, "mean"), expected["mean"].get<double>());
    }
    EXPECT_EQ(plan.Numeric(forward, "days"), expected["days"].get<double>());
  }
}

TEST(AggregatePlanTest, EmptyWindowsChangeNoAverage) {
  const AggregatePlan plan = Days();
  TestEvent event;
  event.price = 3;
  event.amount = 1;
  const std::string one = Apply(plan, {event}, false), none = Apply(plan, {}, false);
  EXPECT_EQ(ToJson(plan, plan.Merge(none, one)), ToJson(plan, one));
  EXPECT_EQ(ToJson(plan, plan.Merge(one, none)), ToJson(plan, one));
  EXPECT_EQ(ToJson(plan, one)["version"].dump(), "1");
  EXPECT_EQ(ToJson(plan, plan.Merge(none, none))["mean"], nullptr);
}

TEST(AggregatePlanTest, OrdersByDoublesAndTakesTheLaterOfOneRecord) {
  const AggregatePlan plan({{.name = "n", .kind = AggregateKind::kLast, .type = FieldType::kInt, .slot = kAmount, .by_slot = kPrice},
                            {.name = "f", .kind = AggregateKind::kFirst, .type = FieldType::kInt, .slot = kAmount, .by_slot = kPrice},
                            {.name = "t", .kind = AggregateKind::kLast, .type = FieldType::kInt, .slot = kAmount}});
  std::vector<TestEvent> events;
  int64_t number = 0;
  for (const double price : {-0.5, -2.0, 0.0, -0.0, 1e300, 1e-300, -1e300, 2.0}) {
    TestEvent& event = events.emplace_back();
    event.price = price;
    event.amount = ++number;
  }
  events.emplace_back().amount = 9;  // Without a place it comes first.
  EXPECT_EQ(ToJson(plan, Apply(plan, events, false)), (json{{"n", 5}, {"f", 9}, {"t", 9}}));
  events.pop_back();
  EXPECT_EQ(ToJson(plan, Apply(plan, events, true)), (json{{"n", 5}, {"f", 7}, {"t", 8}}));
  events.resize(4);
  EXPECT_EQ(ToJson(plan, Apply(plan, events, true)), (json{{"n", 4}, {"f", 2}, {"t", 4}}));
}

TEST(AggregatePlanTest, SumsSaturateInsteadOfWrapping) {
  const AggregatePlan plan({{.name = "s", .kind = AggregateKind::kSum, .type = FieldType::kInt, .slot = kAmount}});
  TestEvent event;
  event.amount = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(ToJson(plan, Apply(plan, {event, event}, false))["s"], std::numeric_limits<int64_t>::max());
  event.amount = std::numeric_limits<int64_t>::min();
  EXPECT_EQ(ToJson(plan, Apply(plan, {event, event}, false))["s"], std::numeric_limits<int64_t>::min());
}

TEST(AggregatePlanTest, SumsOfDoublesKeepWhatRoundingLoses) {
  const AggregatePlan plan({{.name = "s", .kind = AggregateKind::kSum, .type = FieldType::kDouble, .slot = kPrice}});
  TestEvent large, small, back;
  large.price = 1e16;
  small.price = 1;
  back.price = -1e16;
  EXPECT_EQ(ToJson(plan, Apply(plan, {large, small, small, small, back}, false))["s"], 3);
}

TEST(AggregatePlanTest, LongTextsAreCutBetweenCharacters) {
  const AggregatePlan plan({{.name = "t", .kind = AggregateKind::kLast, .type = FieldType::kText, .slot = kName}});
  TestEvent event;
  event.name = "x";
  for (int i = 0; i < 3'000; ++i) *event.name += "é";
  const std::string kept = ToJson(plan, Apply(plan, {event}, false))["t"];
  EXPECT_EQ(kept.size(), 4'095u);
  EXPECT_EQ(kept, event.name->substr(0, 4'095));
}

// Whatever bytes a damaged store gives, IsValid answers and reads nothing outside.
TEST(AggregatePlanTest, RefusesBytesItDidNotWrite) {
  const AggregatePlan plan = EveryKind(40);
  const std::string state = Apply(plan, RandomEvents(1, 50, 100), false);
  for (size_t size = 0; size < state.size(); ++size) EXPECT_FALSE(plan.IsValid(std::string_view(state).substr(0, size)));
  EXPECT_FALSE(plan.IsValid(state + "x"));
  EXPECT_FALSE(EveryKind(41).IsValid(state));
  base::Random random(1);
  const auto damage = [&](const AggregatePlan& damaged_plan, const std::string& good) {
    for (int i = 0; i < 20'000; ++i) {
      std::string damaged = good;
      damaged[random.Below(damaged.size())] = static_cast<char>(random.Next());
      if (!damaged_plan.IsValid(damaged)) continue;
      std::string text;
      damaged_plan.AppendJson(text, damaged);
      damaged_plan.Merge(damaged, good);
    }
  };
  damage(plan, state);
  const AggregatePlan days = Days();
  damage(days, days.Merge(Apply(days, RandomEvents(1, 5, 5), false), Apply(days, RandomEvents(2, 5, 5), false)));
}

}  // namespace
}  // namespace tailrace::pipeline::aggregates
