// Goal: of several partitions a task takes the record with the smallest time next, and does not go on with one while it knows that
// another has records that it has not read.
// Method: topics are filled before the task starts, so that one right order exists; each record is sent on as it comes.
#include "support.h"

namespace tailrace::processor {
namespace {

using std::string;

void Fill(kafka::Cluster& cluster, const string& topic, int from, int to, int step) {
  auto producer = cluster.NewProducer({.client_id = "test"});
  ASSERT_TRUE(producer.ok());
  const auto handle = (*producer)->Topic(topic);
  ASSERT_TRUE(handle.ok());
  for (int i = from; i < to; i += step)
    ASSERT_TRUE((*producer)->Send({.topic = *handle, .key = topic, .value = std::to_string(i), .timestamp_ms = 1'000'000 + i}).ok());
  ASSERT_TRUE((*producer)->Flush(10'000).ok());
}

std::vector<string> Values(kafka::Cluster& cluster, const string& topic) {
  std::vector<string> values;
  auto consumer = cluster.NewConsumer({.client_id = "reader", .read_committed = true});
  EXPECT_TRUE(consumer.ok());
  const base::TopicPartition partition{topic, base::Partition(0)};
  const auto range = (*consumer)->QueryOffsets(partition, 10'000);
  EXPECT_TRUE(range.ok());
  if (!range.ok() || range->end <= range->begin) return values;
  const std::vector<kafka::AssignedPartition> whole{{partition, base::kOffsetBeginning}};
  EXPECT_TRUE((*consumer)->Assign(whole).ok());
  kafka::RecordBatch batch;
  const bool all = testing::Eventually([&] {
    EXPECT_TRUE((*consumer)->Poll(batch, 50).ok());
    for (const kafka::RecordView& record : batch.records()) values.emplace_back(record.value.view());
    return (*consumer)->Position(0) >= range->end;
  });
  EXPECT_TRUE(all);
  batch.Clear();
  return values;
}

TEST(RecordOrder, TheNextRecordIsTheOneWithTheSmallestTimeOfAllPartitions) {
  constexpr int kRecords = 3'000;
  auto cluster = testing::InMemory();
  std::vector<kafka::NewTopic> topics;
  for (const char* const name : {"a", "b", "c", "out"})
    topics.push_back({.name = name, .partition_count = 1, .config = {{"retention.ms", "-1"}}});
  ASSERT_TRUE(cluster->admin().CreateTopics(topics, 10'000).ok());
  // The first two thousand are in "a" and "b" in turn, the others in "c".
  Fill(*cluster, "a", 0, 2'000, 2);
  Fill(*cluster, "b", 1, 2'000, 2);
  Fill(*cluster, "c", 2'000, kRecords, 1);
  StreamsBuilder builder;
  auto a = builder.Stream<string, string>("a");
  a.Merge(builder.Stream<string, string>("c")).Merge(builder.Stream<string, string>("b")).To("out");
  testing::TemporaryDirectory state;
  base::MetricsRegistry metrics;
  Streams streams(*builder.Build(), testing::TestConfig(state.path(), false), *cluster, metrics);
  ASSERT_TRUE(streams.Start().ok());
  std::vector<string> values;
  ASSERT_TRUE(testing::Eventually([&] {
    values = Values(*cluster, "out");
    return values.size() >= kRecords;
  }));
  ASSERT_TRUE(streams.Close(10'000).ok());
  std::vector<string> expected;
  for (int i = 0; i < kRecords; ++i) expected.push_back(std::to_string(i));
  EXPECT_TRUE(values == expected);
}

}  // namespace
}  // namespace tailrace::processor
