// Goal: internal topics get the partitions and configuration of Kafka Streams, and impossible topologies a clear message.
// Method: PlanTopics is pure; PrepareTopics runs on the in-memory log.
#include "runtime/topic_plan.h"

#include "support.h"

namespace tailrace::processor {
namespace {

RuntimeOptions Options() { return *ParseRuntimeOptions(testing::TestConfig("", false)); }

std::map<std::string, kafka::NewTopic> ByName(const TopicPlan& plan) {
  std::map<std::string, kafka::NewTopic> topics;
  for (const kafka::NewTopic& topic : plan.internal) topics[topic.name] = topic;
  return topics;
}

TEST(TopicPlan, RepartitionTopicsFollowTheirSource) {
  Topology topology = testing::RepartitionTopology();
  ASSERT_TRUE(topology.Compile("app").ok());
  const auto plan = PlanTopics(topology, Options(), {{"words", 7}});
  ASSERT_TRUE(plan.ok()) << plan.status();
  const auto topics = ByName(*plan);
  const kafka::NewTopic& repartition = topics.at("app-by-word-repartition");
  EXPECT_EQ(repartition.partition_count, 7);
  EXPECT_EQ(repartition.config.at("cleanup.policy"), "delete");
  EXPECT_EQ(repartition.config.at("retention.ms"), "-1");
  const kafka::NewTopic& changelog = topics.at("app-counts-store-changelog");
  EXPECT_EQ(changelog.partition_count, 7);
  EXPECT_EQ(changelog.config.at("cleanup.policy"), "compact");
  EXPECT_EQ(plan->Tasks(topology).size(), 14u);
}

TEST(TopicPlan, AMissingSourceTopicIsNamed) {
  Topology topology = testing::CountTopology();
  ASSERT_TRUE(topology.Compile("app").ok());
  const auto plan = PlanTopics(topology, Options(), {});
  EXPECT_EQ(plan.status().code(), absl::StatusCode::kNotFound);
  EXPECT_NE(plan.status().message().find("'words' does not exist"), absl::string_view::npos) << plan.status();
}

TEST(TopicPlan, WindowChangelogsKeepTheStoresRetentionAndADay) {
  StreamsBuilder builder;
  builder.Stream<std::string, std::string>("words")
      .GroupByKey()
      .WindowedBy(TimeWindows::OfSizeAndGrace(std::chrono::minutes(5), std::chrono::minutes(10)))
      .Count(Materialized("windows"));
  auto topology = builder.Build();
  ASSERT_TRUE(topology.ok());
  ASSERT_TRUE(topology->Compile("app").ok());
  RuntimeOptions options = Options();
  options.topic_overrides["segment.ms"] = "1000";
  const auto plan = PlanTopics(*topology, options, {{"words", 2}});
  ASSERT_TRUE(plan.ok());
  const auto topics = ByName(*plan);
  const auto& config = topics.at("app-windows-changelog").config;
  EXPECT_EQ(config.at("cleanup.policy"), "compact,delete");
  EXPECT_EQ(config.at("retention.ms"), std::to_string(15 * 60'000 + 86'400'000));
  EXPECT_EQ(config.at("segment.ms"), "1000");
}

TEST(TopicPlan, JoinChangelogsAreDeletedAndVersionedOnesAreCompactedLate) {
  StreamsBuilder builder;
  auto left = builder.Stream<std::string, std::string>("words");
  auto right = builder.Stream<std::string, std::string>("more");
  left.Join(right, [](const std::string& a, const std::string&) { return a; },
            JoinWindows::OfTimeDifferenceAndGrace(std::chrono::minutes(5), std::chrono::minutes(2)),
            StreamJoined("join").WithStoreName("joined"));
  builder.Table<std::string, std::string>("rows", Materialized("versions").Versioned(std::chrono::hours(1)));
  left.GroupByKey().WindowedBy(SessionWindows::OfInactivityGapAndGrace(std::chrono::minutes(1), std::chrono::minutes(2)))
      .Count(Materialized("sessions"));
  auto topology = builder.Build();
  ASSERT_TRUE(topology.ok()) << topology.status();
  ASSERT_TRUE(topology->Compile("app").ok());
  const auto plan = PlanTopics(*topology, Options(), {{"words", 2}, {"more", 2}, {"rows", 2}});
  ASSERT_TRUE(plan.ok()) << plan.status();
  const auto topics = ByName(*plan);
  constexpr int64_t kDayMs = 86'400'000;
  for (const char* const name : {"app-joined-this-join-store-changelog", "app-joined-other-join-store-changelog"}) {
    ASSERT_TRUE(topics.contains(name)) << name;
    EXPECT_EQ(topics.at(name).config.at("cleanup.policy"), "delete");
    EXPECT_EQ(topics.at(name).config.at("retention.ms"), std::to_string(12 * 60'000 + kDayMs)) << "before + after + grace and a day";
  }
  EXPECT_EQ(topics.at("app-versions-changelog").config.at("cleanup.policy"), "compact");
  EXPECT_EQ(topics.at("app-versions-changelog").config.at("min.compaction.lag.ms"), std::to_string(3'600'000 + kDayMs));
  EXPECT_EQ(topics.at("app-sessions-changelog").config.at("cleanup.policy"), "compact,delete");
  EXPECT_EQ(topics.at("app-sessions-changelog").config.at("retention.ms"), std::to_string(3 * 60'000 + kDayMs));
}

TEST(TopicPlan, AnInternalTopicOfAnotherShapeIsRefused) {
  auto cluster = testing::InMemory();
  testing::CreateTopics(*cluster, 4);
  ASSERT_TRUE(cluster->admin().CreateTopics({{.name = "app-counts-store-changelog", .partition_count = 3, .config = {}}}, 1'000).ok());
  Topology topology = testing::CountTopology();
  ASSERT_TRUE(topology.Compile("app").ok());
  const auto plan = PrepareTopics(topology, Options(), cluster->admin(), [] { return false; });
  EXPECT_EQ(plan.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(plan.status().message().find("has 3 partitions"), absl::string_view::npos) << plan.status();
}

}  // namespace
}  // namespace tailrace::processor
