#include "test_cluster.h"

namespace tailrace::kafka {
namespace {

using base::Partition;
using base::Reaction;

// Port 1 on this machine: nobody listens there, and connecting is refused at once.
constexpr char kNowhere[] = "127.0.0.1:1";

void ExpectUnreachable(const absl::Status& status, int64_t started_ms) {
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(base::ReactionOf(status), Reaction::kRetry) << status;
  EXPECT_NE(status.ToString().find(kNowhere), std::string::npos) << status;
  EXPECT_LT(NowMs() - started_ms, 5'000);
}

// Goal: every call that needs a broker ends within about its time and names the address it tried.
TEST(UnreachableTest, CallsEndInTimeAndNameTheAddress) {
  auto cluster = Connect(base::Config().With("bootstrap.servers", kNowhere));
  ASSERT_TRUE(cluster.ok()) << cluster.status();
  int64_t start = NowMs();
  ExpectUnreachable((*cluster)->admin().ListTopics(2'000).status(), start);
  start = NowMs();
  ExpectUnreachable((*cluster)->admin().DescribeTopic("t", 2'000).status(), start);
  start = NowMs();
  NewTopic topic;
  topic.name = "t";
  ExpectUnreachable((*cluster)->admin().CreateTopics({topic}, 2'000), start);

  auto consumer = (*cluster)->NewConsumer({.client_id = "c"});
  ASSERT_TRUE(consumer.ok());
  start = NowMs();
  ExpectUnreachable((*consumer)->QueryOffsets({"t", Partition{0}}, 2'000).status(), start);
  ASSERT_TRUE((*consumer)->Assign({{{"t", Partition{0}}, base::kOffsetBeginning}}).ok());
  RecordBatch batch;
  absl::Status polled;
  start = NowMs();
  while (polled.ok() && NowMs() - start < 5'000) polled = (*consumer)->Poll(batch, 100);
  ExpectUnreachable(polled, start);

  auto producer = (*cluster)->NewProducer({.client_id = "p", .transactional_id = "x"});
  ASSERT_TRUE(producer.ok());
  start = NowMs();
  ExpectUnreachable((*producer)->InitTransactions(2'000), start);
}

TEST(UnreachableTest, AWrongSettingIsNamedAndItsValueIsNot) {
  auto cluster = Connect(base::Config().With("bootstrap.servers", kNowhere).With("consumer.fetch.min.bytez", "secret-value"));
  ASSERT_TRUE(cluster.ok()) << cluster.status();
  auto consumer = (*cluster)->NewConsumer({.client_id = "c"});
  ASSERT_FALSE(consumer.ok());
  EXPECT_EQ(base::ReactionOf(consumer.status()), Reaction::kFatal);
  EXPECT_NE(consumer.status().ToString().find("fetch.min.bytez"), std::string::npos) << consumer.status();
  EXPECT_EQ(consumer.status().ToString().find("secret-value"), std::string::npos) << consumer.status();
}

}  // namespace
}  // namespace tailrace::kafka
