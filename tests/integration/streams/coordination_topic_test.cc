#include "gtest/gtest.h"
#include "local_broker.h"
#include "runtime/coordination_log.h"
#include "tailrace/base/clock.h"
#include "tailrace/base/config.h"

namespace tailrace::processor {
namespace {

constexpr int kTimeoutMs = 30'000;

void MakeTopic(kafka::Cluster& cluster, const std::string& name) {
  kafka::NewTopic topic;
  topic.name = name;
  topic.config = {{"cleanup.policy", "compact"}, {"retention.ms", "-1"}};
  ASSERT_TRUE(cluster.admin().CreateTopics({topic}, kTimeoutMs).ok());
}

void Write(CoordinationLog& log, const std::string& instance, int times = 1) {
  for (int i = 0; i < times; ++i) {
    MemberRecord record;
    record.instance = instance;
    record.generation = i;
    const absl::Status status = log.WriteMember(record);
    ASSERT_TRUE(status.ok()) << status;
  }
}

bool Shows(CoordinationLog& log, const std::string& instance) {
  const base::Clock& clock = base::SystemClock();
  const int64_t deadline_ms = clock.SteadyMs() + kTimeoutMs;
  while (log.picture().member(instance) == nullptr && clock.SteadyMs() < deadline_ms) EXPECT_TRUE(log.Poll().ok());
  return log.picture().member(instance) != nullptr;
}

// Goal: a coordination topic that is deleted and made again is read from its beginning, although it holds more by then than this
// reader had read of the one before, so that no offset is out of range.
TEST(CoordinationTopic, OneMadeAgainIsReadFromItsBeginning) {
  auto cluster = kafka::Connect(base::Config().With("bootstrap.servers", testing_support::LocalBroker::Shared().bootstrap_servers()));
  ASSERT_TRUE(cluster.ok()) << cluster.status();
  RuntimeOptions options;
  static int runs = 0;  // each finds a broker without its topic
  options.application_id = "made-again-" + std::to_string(++runs);
  options.client_id = "made-again";
  const std::string topic = options.coordination_topic();
  MakeTopic(**cluster, topic);
  auto reader = OpenCoordinationTopic(**cluster, options);
  ASSERT_TRUE(reader.ok()) << reader.status();
  Write(**reader, "before");
  ASSERT_TRUE(Shows(**reader, "before"));

  ASSERT_TRUE((*cluster)->admin().DeleteTopics({topic}, kTimeoutMs).ok());
  for (;;) {
    const auto found = (*cluster)->admin().DescribeTopic(topic, kTimeoutMs);
    ASSERT_TRUE(found.ok()) << found.status();
    if (!found->has_value()) break;
  }
  MakeTopic(**cluster, topic);
  auto writer = OpenCoordinationTopic(**cluster, options);
  ASSERT_TRUE(writer.ok()) << writer.status();
  Write(**writer, "first");
  Write(**writer, "others", 20);

  EXPECT_TRUE(Shows(**reader, "others"));
  EXPECT_TRUE(Shows(**reader, "first"));
  EXPECT_EQ((*reader)->picture().member("before"), nullptr);
}

}  // namespace
}  // namespace tailrace::processor
