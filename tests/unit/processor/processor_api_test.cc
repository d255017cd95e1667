// Goal: the Processor API gives stores, forwarding and punctuation with Kafka Streams' firing rules.
#include <chrono>

#include "gtest/gtest.h"
#include "tailrace/processor/streams_builder.h"
#include "tailrace/processor/topology_test_driver.h"

namespace tailrace::processor {
namespace {

using std::chrono::milliseconds;
using std::string;

// Keeps the last value per key and forwards the previous one; forwards a tick at each punctuation.
class Previous final : public Processor<string, string> {
 public:
  explicit Previous(PunctuationType type) : type_(type) {}
  void Init(ProcessorContext<string, string>& context) override {
    context_ = &context;
    last_ = &context.key_value_store("last");
    schedule_ = context.Schedule(milliseconds(10), type_, [this](int64_t now_ms) {
      const string key = "tick";
      const string value = std::to_string(now_ms);
      context_->Forward({&key, &value, now_ms});
    });
  }
  void Process(const Record<string, string>& record) override {
    const auto before = last_->Get(*record.key);
    const string previous = before->has_value() ? string((*before)->value) : "none";
    ASSERT_TRUE(last_->Put(*record.key, std::string_view(*record.value), record.timestamp_ms).ok());
    context_->Forward({record.key, &previous, record.timestamp_ms});
  }

 private:
  const PunctuationType type_;
  ProcessorContext<string, string>* context_ = nullptr;
  state::KeyValueStore* last_ = nullptr;
  std::unique_ptr<detail::PunctuationHandle> schedule_;
};

std::unique_ptr<TopologyTestDriver> PreviousDriver(PunctuationType type) {
  StreamsBuilder builder;
  builder.AddStateStore({.name = "last"});
  builder.Stream<string, string>("in")
      .Process([type] { return std::make_unique<Previous>(type); }, {"last"}, Named("previous"))
      .To("out");
  return *TopologyTestDriver::Create(*builder.Build(), {.wall_time_ms = 1'000});
}

std::vector<string> Values(TopologyTestDriver& driver) {
  std::vector<string> values;
  for (const DriverRecord& record : driver.TakeProduced("out")) values.push_back(*record.key + "=" + *record.value);
  return values;
}

TEST(ProcessorApi, StoresRememberAndStreamTimePunctuationsAlignAndCollapse) {
  auto driver = PreviousDriver(PunctuationType::kStreamTime);
  auto input = driver->InputTopic<string, string>("in");
  ASSERT_TRUE(input.Pipe("k", "a", 3).ok());
  EXPECT_EQ(Values(*driver), (std::vector<string>{"k=none", "tick=3"}));  // due as soon as there is data
  ASSERT_TRUE(input.Pipe("k", "b", 9).ok());
  EXPECT_EQ(Values(*driver), (std::vector<string>{"k=a"}));
  ASSERT_TRUE(input.Pipe("k", "c", 47).ok());  // 10, 20, 30, 40 were due: one firing
  EXPECT_EQ(Values(*driver), (std::vector<string>{"k=b", "tick=47"}));
  ASSERT_TRUE(input.Pipe("k", "d", 50).ok());
  EXPECT_EQ(Values(*driver), (std::vector<string>{"k=c", "tick=50"}));
}

TEST(ProcessorApi, WallClockPunctuationsFireOneIntervalAfterTheStart) {
  auto driver = PreviousDriver(PunctuationType::kWallClockTime);
  ASSERT_TRUE(driver->AdvanceWallClock(9).ok());
  EXPECT_TRUE(Values(*driver).empty());
  ASSERT_TRUE(driver->AdvanceWallClock(1).ok());
  EXPECT_EQ(Values(*driver), (std::vector<string>{"tick=1010"}));
  ASSERT_TRUE(driver->AdvanceWallClock(35).ok());
  EXPECT_EQ(Values(*driver), (std::vector<string>{"tick=1045"}));
}

TEST(ProcessorApi, AStoreThatDoesNotExistIsNamedInTheError) {
  StreamsBuilder builder;
  builder.Stream<string, string>("in").Process(
      [] { return std::make_unique<Previous>(PunctuationType::kStreamTime); }, {"last"}, Named("previous"));
  auto topology = builder.Build();
  ASSERT_TRUE(topology.ok());
  const absl::Status status = topology->Compile("app");
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.message().find("last"), absl::string_view::npos) << status;
}

}  // namespace
}  // namespace tailrace::processor
