// Goal: what a processor may do beyond forwarding: name a child, keep typed state, see where a record came from.
#include "gtest/gtest.h"
#include "tailrace/processor/stores.h"
#include "tailrace/processor/streams_builder.h"
#include "tailrace/processor/topology_test_driver.h"
#include "tailrace/processor/typed_store.h"

namespace tailrace::processor {
namespace {

using std::string;

// Counts per key, sends odd counts to "odd" and even ones to "even"; "list" forwards the whole store, "forget" deletes.
class Counter final : public Processor<string, string, string, int64_t> {
 public:
  void Init(ProcessorContext<string, int64_t>& context) override {
    context_ = &context;
    odd_ = context.Child("odd");
    even_ = context.Child("even");
    counts_.Open(context, "counts");
  }
  void Process(const Record<string, string>& record) override {
    if (*record.value == "list") {
      counts_.All([&](const string& key, int64_t count) { context_->Forward({&key, &count, record.timestamp_ms}, odd_); });
      return;
    }
    if (*record.value == "forget") return counts_.Delete(*record.key);
    const int64_t* const before = counts_.Get(*record.key);
    const int64_t count = before == nullptr ? 1 : *before + 1;
    counts_.Put(*record.key, count);
    context_->Forward({record.key, &count, context_->record().offset.value()}, count % 2 == 1 ? odd_ : even_);
  }

 private:
  ProcessorContext<string, int64_t>* context_ = nullptr;
  ChildNode<string, int64_t> odd_;
  ChildNode<string, int64_t> even_;
  TypedKeyValueStore<string, int64_t> counts_;
};

TEST(ProcessorContext, ForwardsToANamedChildAndKeepsTypedState) {
  Topology topology;
  topology.AddSource<string, string>("in", {"topic"})
      .AddStateStore(Stores::InMemoryKeyValueStore("counts"), {})
      .AddProcessor("count", {"in"}, [] { return std::make_unique<Counter>(); }, {"counts"})
      .AddSink<string, int64_t>("odd", "odd-out", {"count"})
      .AddSink<string, int64_t>("even", "even-out", {"count"});
  auto driver = *TopologyTestDriver::Create(std::move(topology));
  auto input = driver->InputTopic<string, string>("topic");
  for (const char* key : {"b", "a", "b"}) ASSERT_TRUE(input.Pipe(key, "x", 10).ok());
  using R = TopologyTestDriver::TypedRecord<string, int64_t>;
  auto odd = driver->OutputTopic<string, int64_t>("odd-out");
  EXPECT_EQ(odd.ReadAll().value(), (std::vector<R>{{"b", 1, 0}, {"a", 1, 1}}));
  EXPECT_EQ((driver->OutputTopic<string, int64_t>("even-out").ReadAll().value()), (std::vector<R>{{"b", 2, 2}}));
  ASSERT_TRUE(input.Pipe("b", "forget", 11).ok());
  ASSERT_TRUE(input.Pipe("x", "list", 12).ok());
  EXPECT_EQ(odd.ReadAll().value(), (std::vector<R>{{"a", 1, 12}}));
  const auto changelog = driver->TakeProduced("test-counts-changelog");
  ASSERT_EQ(changelog.size(), 4u);  // caching is off: each put is logged, with the time of its record
  EXPECT_EQ(changelog[3].value, std::nullopt);
  EXPECT_EQ(changelog[3].timestamp_ms, 11);
}

}  // namespace
}  // namespace tailrace::processor
