// Goal: in a running application a global table is complete before the first record is joined with it, follows its topic from
// then on, and is kept across restarts.
// Method: whole Streams on the in-memory and the embedded log.
#include <algorithm>

#include "runtime/topic_plan.h"
#include "support.h"

namespace tailrace::processor {
namespace {

using std::string;

constexpr int kRows = 5'000;

Topology Join() {
  StreamsBuilder builder;
  auto table = builder.GlobalTable<string, string>("rows", Materialized("rows-store"));
  builder.Stream<string, string>("in")
      .LeftJoin(table, [](const string&, const string& value) { return value; },
                [](const string& value, const string* row) { return value + "=" + (row == nullptr ? "-" : *row); })
      .To("out");
  auto topology = builder.Build();
  EXPECT_TRUE(topology.ok()) << topology.status();
  return *std::move(topology);
}

void MakeTopics(kafka::Cluster& cluster) {
  const absl::Status status = cluster.admin().CreateTopics({{.name = "rows", .partition_count = 3, .config = {{"retention.ms", "-1"}}},
                                                            {.name = "in", .partition_count = 2, .config = {{"retention.ms", "-1"}}},
                                                            {.name = "out", .partition_count = 1, .config = {{"retention.ms", "-1"}}}},
                                                           10'000);
  ASSERT_TRUE(status.ok()) << status;
}

void Send(kafka::Cluster& cluster, const string& topic, const std::vector<std::pair<string, string>>& records) {
  auto producer = cluster.NewProducer({.client_id = "test"});
  ASSERT_TRUE(producer.ok()) << producer.status();
  const auto handle = (*producer)->Topic(topic);
  ASSERT_TRUE(handle.ok());
  for (const auto& [key, value] : records)
    ASSERT_TRUE((*producer)->Send({.topic = *handle, .key = key, .value = value, .timestamp_ms = 1'000}).ok());
  const absl::Status status = (*producer)->Flush(30'000);
  ASSERT_TRUE(status.ok()) << status;
}

// All values of the topic "out".
std::vector<string> Out(kafka::Cluster& cluster) {
  std::vector<string> values;
  auto consumer = cluster.NewConsumer({.client_id = "test", .read_committed = true});
  EXPECT_TRUE(consumer.ok());
  const base::TopicPartition partition{"out", base::Partition(0)};
  const auto range = (*consumer)->QueryOffsets(partition, 10'000);
  EXPECT_TRUE(range.ok()) << range.status();
  EXPECT_TRUE((*consumer)->Assign({{partition, range->begin}}).ok());
  kafka::RecordBatch batch;
  while ((*consumer)->Position(0) < range->end) {
    EXPECT_TRUE((*consumer)->Poll(batch, 50).ok());
    for (const kafka::RecordView& record : batch.records()) values.emplace_back(record.value.view());
  }
  batch.Clear();
  return values;
}

class GlobalStoresTest : public ::testing::TestWithParam<bool> {
 protected:
  std::unique_ptr<Streams> Run(kafka::Cluster& cluster) {
    auto streams = std::make_unique<Streams>(Join(), testing::TestConfig(state_.path(), GetParam()), cluster, metrics_);
    const absl::Status status = streams->Start();
    EXPECT_TRUE(status.ok()) << status;
    return streams;
  }
  void ExpectOut(kafka::Cluster& cluster, const std::vector<string>& wanted) {
    std::vector<string> found;
    EXPECT_TRUE(testing::Eventually([&] {
      found = Out(cluster);
      return found.size() >= wanted.size();
    }));
    std::sort(found.begin(), found.end());
    std::vector<string> sorted = wanted;
    std::sort(sorted.begin(), sorted.end());
    EXPECT_EQ(found, sorted);
  }

  testing::TemporaryDirectory state_;
  base::MetricsRegistry metrics_;
};
INSTANTIATE_TEST_SUITE_P(Guarantees, GlobalStoresTest, ::testing::Bool(),
                         [](const auto& parameter) { return parameter.param ? "ExactlyOnce" : "AtLeastOnce"; });

TEST_P(GlobalStoresTest, IsCompleteBeforeProcessingStartsAndFollowsItsTopic) {
  auto cluster = testing::InMemory();
  MakeTopics(*cluster);
  std::vector<std::pair<string, string>> rows;
  for (int i = 0; i < kRows; ++i) rows.emplace_back("r" + std::to_string(i), "v" + std::to_string(i));
  Send(*cluster, "rows", rows);
  std::vector<std::pair<string, string>> in;
  std::vector<string> wanted;
  for (int i = kRows - 20; i < kRows; ++i) {
    in.emplace_back("k", "r" + std::to_string(i));
    wanted.push_back("r" + std::to_string(i) + "=v" + std::to_string(i));
  }
  Send(*cluster, "in", in);
  auto streams = Run(*cluster);
  ASSERT_TRUE(streams->WaitFor(StreamsState::kRunning, 10'000)) << streams->status();
  ExpectOut(*cluster, wanted);

  Send(*cluster, "rows", {{"r1", "new"}});
  // When it gets there is not said; each try is one more record.
  const size_t before = wanted.size();
  EXPECT_TRUE(testing::Eventually([&] {
    Send(*cluster, "in", {{"k", "r1"}});
    const std::vector<string> out = Out(*cluster);
    return out.size() > before && out.back() == "r1=new";
  }));
  ASSERT_TRUE(streams->Close(10'000).ok());
}

TEST_P(GlobalStoresTest, IsKeptOnDiskAndGoesOnWhereItWas) {
  testing::TemporaryDirectory log;
  std::vector<string> wanted;
  for (int round = 0; round < 3; ++round) {
    auto cluster = testing::Embedded(log.path());
    if (round == 0) MakeTopics(*cluster);
    const string n = std::to_string(round);
    Send(*cluster, "rows", {{"r", "v" + n}, {"only" + n, "o" + n}});
    Send(*cluster, "in", {{"k", "r"}, {"k", "only0"}, {"k", "none"}});
    auto streams = Run(*cluster);
    ASSERT_TRUE(streams->WaitFor(StreamsState::kRunning, 10'000)) << streams->status();
    wanted.insert(wanted.end(), {"r=v" + n, "only0=o0", "none=-"});
    ExpectOut(*cluster, wanted);
    ASSERT_TRUE(streams->Close(10'000).ok());
  }
}

TEST(GlobalStores, AMissingTopicIsNamed) {
  auto topology = Join();
  ASSERT_TRUE(topology.Compile("app").ok());
  const auto plan = PlanTopics(topology, {}, {{"in", 1}});
  ASSERT_FALSE(plan.ok());
  EXPECT_NE(plan.status().message().find("topic 'rows' of a global table"), absl::string_view::npos) << plan.status();
}

}  // namespace
}  // namespace tailrace::processor
