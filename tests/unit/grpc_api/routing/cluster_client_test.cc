// Goal: one client sees several workers as one application: keys go to their owner, ranges to all, other copies step in,
// a moved task is found again, and an answer is never partial.
#include <gtest/gtest.h>

#include <mutex>

#include "common/error_info.h"
#include "support.h"
#include "tailrace/grpc_api/query_client.h"

namespace tailrace::grpc_api {
namespace {

using testing::Eventually;
using testing::FakeCluster;
using testing::FakeQueryable;
constexpr int64_t kW = FakeQueryable::kWindowMs;
constexpr char kStore[] = "city-metrics";

std::unique_ptr<QueryClient> Connect(std::vector<std::string> workers) {
  return QueryClient::Create({.workers = std::move(workers)});
}
CallOptions Within(int64_t timeout_ms) {
  CallOptions options;
  options.timeout_ms = timeout_ms;
  return options;
}

TEST(ClusterClient, FindsEveryKeyFromOneSeed) {
  FakeCluster cluster(3, 8);
  for (int i = 0; i < 40; ++i) {
    const std::string city = "city" + std::to_string(i);
    cluster.OwnerOf(city).Put(city, kW, {.posts = i, .retweets = 0, .users = {}});  // at its owner only
  }
  auto client = Connect({cluster.endpoint(0)});
  for (int i = 0; i < 40; ++i) {
    const absl::StatusOr<PointAnswer> answer = client->Get(kStore, "city" + std::to_string(i), kW, {});
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_TRUE(answer->found) << i;
  }
}

TEST(ClusterClient, ScansAndRankingsCoverAllWorkersOnce) {
  FakeCluster cluster(3, 8);
  for (int i = 0; i < 40; ++i) cluster.Put("city" + std::to_string(i), kW, {.posts = i, .retweets = 0, .users = {}});
  auto client = Connect(cluster.endpoints());
  std::vector<std::string> keys;
  std::string token;
  do {
    const absl::StatusOr<ScanAnswer> page = client->Scan(kStore, {}, 7, token, {});
    ASSERT_TRUE(page.ok()) << page.status();
    for (const QueryRow& row : page->rows) keys.push_back(row.key);
    token = page->next_page_token;
  } while (!token.empty());
  EXPECT_EQ(keys.size(), 40u);
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));

  const absl::StatusOr<TopAnswer> top = client->Top({.store = kStore, .field = "posts", .n = 3}, {});
  ASSERT_TRUE(top.ok());
  ASSERT_EQ(top->entries.size(), 3u);
  EXPECT_EQ(top->entries[0].key, "city39");
  EXPECT_EQ(top->entries[2].key, "city37");
  EXPECT_EQ(top->sources.size(), 8u);

  const auto all = client->ListKeys(kStore, {}, "posts", 1'000, {});
  EXPECT_EQ(all->size(), 39u) << "city0 has no post";
  EXPECT_EQ(ReasonOf(client->ListKeys(kStore, {}, "", 10, {}).status()), reason::kTooLarge);
}

TEST(ClusterClient, UnknownStoreNamesTheStores) {
  FakeCluster cluster(1, 2);
  auto client = Connect(cluster.endpoints());
  const absl::Status status = client->Scan("nope", {}, 0, "", {}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(status.message().find("city-metrics"), std::string::npos);
}

TEST(ClusterClient, UnknownFieldIsOnlyOneWhenNobodyHasIt) {
  FakeCluster cluster(2, 4);
  cluster.Put("a", kW, {.posts = 1, .retweets = 0, .users = {}});
  auto client = Connect(cluster.endpoints());
  EXPECT_EQ(ReasonOf(client->Top({.store = kStore, .field = "likes", .n = 3}, {}).status()), reason::kUnknownField);
}

TEST(ClusterClient, NoWorkerIsUnavailableWithinTheTimeout) {
  auto client = Connect({"127.0.0.1:1"});
  const absl::Status status = client->ListStores(Within(300)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(status.message().find("127.0.0.1:1"), std::string::npos);
}

TEST(ClusterClient, FollowsAnAnswerAboutTheNewOwnerBeforeTheTableSaysSo) {
  FakeCluster cluster(2, 4);
  cluster.Put("Toronto", kW, {.posts = 1, .retweets = 0, .users = {}});
  auto client = Connect(cluster.endpoints());
  ASSERT_TRUE(client->Get(kStore, "Toronto", kW, {}).ok());
  // The workers have moved the tasks, and only the old owner's table has changed: its answer names the new owner.
  const size_t owner = cluster.OwnerIndexOf("Toronto");
  cluster.MoveAll(owner, 1 - owner);
  const absl::StatusOr<PointAnswer> answer = client->Get(kStore, "Toronto", kW, {});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_TRUE(answer->found);
  ASSERT_TRUE(client->Scan(kStore, {}, 10, "", {}).ok());
}

TEST(ClusterClient, AStandbyAnswersForADeadOwnerUnlessRefused) {
  FakeCluster cluster(2, 4);
  cluster.SetStandby(0, 1, 250);
  cluster.SetStandby(1, 0, 250);
  cluster.Put("Toronto", kW, {.posts = 1, .retweets = 0, .users = {}});
  auto client = Connect(cluster.endpoints());
  const size_t owner = cluster.OwnerIndexOf("Toronto");
  ASSERT_EQ(client->Get(kStore, "Toronto", kW, {})->source.role, processor::TaskRole::kActive);
  cluster.StopServer(owner);

  const absl::StatusOr<PointAnswer> answer = client->Get(kStore, "Toronto", kW, {});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->source.role, processor::TaskRole::kStandby);
  EXPECT_EQ(answer->source.staleness_ms, 250);
  EXPECT_TRUE(client->Top({.store = kStore, .field = "posts", .n = 1}, {}).ok());

  CallOptions fresh = Within(2'000);
  fresh.max_staleness_ms = 100;
  EXPECT_EQ(client->Get(kStore, "Toronto", kW, fresh).status().code(), absl::StatusCode::kUnavailable);
  CallOptions active = Within(2'000);
  active.require_active = true;
  EXPECT_EQ(client->Get(kStore, "Toronto", kW, active).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(client->Scan(kStore, {}, 10, "", active).status().code(), absl::StatusCode::kUnavailable);
}

TEST(ClusterClient, ARangeIsNeverAnsweredInPart) {
  FakeCluster cluster(2, 4);
  auto client = Connect(cluster.endpoints());
  ASSERT_TRUE(client->Scan(kStore, {}, 10, "", {}).ok());
  cluster.StopServer(1);
  EXPECT_EQ(client->Scan(kStore, {}, 10, "", Within(1'500)).status().code(), absl::StatusCode::kUnavailable);
  cluster.StartServer(1);
  EXPECT_TRUE(Eventually([&] { return client->Scan(kStore, {}, 10, "", Within(1'000)).ok(); }));
}

TEST(ClusterClient, GoesOnWatchingWhenTheWatchedWorkerDies) {
  FakeCluster cluster(3, 6);
  auto client = Connect({cluster.endpoint(0)});
  ASSERT_TRUE(client->AwaitRouting({}).ok());
  cluster.StopServer(0);
  cluster.MoveAll(0, 1);
  EXPECT_TRUE(Eventually([&] { return client->Scan(kStore, {}, 10, "", Within(1'000)).ok(); }))
      << "the others were learnt from the table";
}

TEST(ClusterClient, TasksOfAWorkerThatDoesNotAnswerAreStillListed) {
  FakeCluster cluster(2, 4);
  auto client = Connect(cluster.endpoints());
  ASSERT_EQ(client->ListTasks({})->size(), 2u);
  cluster.StopServer(1);
  const absl::StatusOr<std::vector<WorkerTasks>> workers = client->ListTasks(Within(1'000));
  ASSERT_TRUE(workers.ok());
  ASSERT_EQ(workers->size(), 2u);
  EXPECT_EQ((*workers)[0].state, "RUNNING");
  EXPECT_EQ((*workers)[1].state, "");
  EXPECT_EQ((*workers)[1].tasks.size(), 2u);
}

class Recorder : public SubscriptionListener {
 public:
  void OnUpdate(StoreChangeEvent event) override {
    const std::lock_guard lock(mu_);
    keys_.push_back(event.row.key + "@" + std::to_string(event.changelog_offset));
  }
  void OnGap(const base::TaskId& task, int64_t) override {
    const std::lock_guard lock(mu_);
    gaps_.push_back(task);
  }
  std::vector<std::string> keys() const {
    const std::lock_guard lock(mu_);
    return keys_;
  }
  size_t gaps() const {
    const std::lock_guard lock(mu_);
    return gaps_.size();
  }

 private:
  mutable std::mutex mu_;
  std::vector<std::string> keys_;
  std::vector<base::TaskId> gaps_;
};
using Names = std::vector<std::string>;

TEST(ClusterSubscription, HearsAllWorkersAndSurvivesARestartWithoutLossOrRepetition) {
  FakeCluster cluster(2, 4);
  auto client = Connect(cluster.endpoints());
  Recorder recorder;
  auto subscription = client->Subscribe(kStore, "", recorder, {});
  ASSERT_TRUE(subscription.ok()) << subscription.status();
  ASSERT_TRUE(Eventually([&] { return (*subscription)->connected(); }));
  std::string first, second;  // a city of each worker
  for (int i = 0; first.empty() || second.empty(); ++i) {
    const std::string city = "c" + std::to_string(i);
    (cluster.OwnerIndexOf(city) == 0 ? first : second) = city;
  }
  cluster.OwnerOf(first).Commit(first, kW, {.posts = 1, .retweets = 0, .users = {}}, 1);
  cluster.OwnerOf(second).Commit(second, kW, {.posts = 1, .retweets = 0, .users = {}}, 1);
  ASSERT_TRUE(Eventually([&] { return recorder.keys().size() == 2; }));
  EXPECT_EQ(recorder.gaps(), 0u);

  // Another subscription resumes where this one stands.
  const std::string token = (*subscription)->ResumeToken();
  subscription->reset();
  cluster.OwnerOf(first).Commit(first, kW, {.posts = 2, .retweets = 0, .users = {}}, 2);
  Recorder again;
  auto resumed = client->Subscribe(kStore, token, again, {});
  ASSERT_TRUE(resumed.ok());
  ASSERT_TRUE(Eventually([&] { return again.keys().size() == 1; }));
  EXPECT_EQ(again.keys(), Names{first + "@2"});
  EXPECT_EQ(again.gaps(), 0u);
}

TEST(ClusterSubscription, AMovedTaskIsFollowedAndNamedAsAGap) {
  FakeCluster cluster(2, 4);
  auto client = Connect(cluster.endpoints());
  Recorder recorder;
  auto subscription = client->Subscribe(kStore, "", recorder, {});
  ASSERT_TRUE(Eventually([&] { return (*subscription)->connected(); }));
  const std::string city = "Toronto";
  const size_t owner = cluster.OwnerIndexOf(city);
  cluster.worker(owner).Commit(city, kW, {.posts = 1, .retweets = 0, .users = {}}, 1);
  ASSERT_TRUE(Eventually([&] { return recorder.keys().size() == 1; }));
  cluster.MoveAll(owner, 1 - owner);
  ASSERT_TRUE(Eventually([&] { return recorder.gaps() >= 2; })) << "both moved tasks";
  ASSERT_TRUE(Eventually([&] { return (*subscription)->connected(); }));
  cluster.worker(1 - owner).Commit(city, kW, {.posts = 2, .retweets = 0, .users = {}}, 2);
  ASSERT_TRUE(Eventually([&] { return recorder.keys().size() == 2; }));
  EXPECT_EQ(recorder.keys()[1], city + "@2");
}

TEST(ClusterSubscription, ADeadWorkerIsTriedAgain) {
  FakeCluster cluster(1, 2);
  auto client = Connect(cluster.endpoints());
  Recorder recorder;
  auto subscription = client->Subscribe(kStore, "", recorder, {});
  ASSERT_TRUE(Eventually([&] { return (*subscription)->connected(); }));
  cluster.StopServer(0);
  ASSERT_TRUE(Eventually([&] { return !(*subscription)->connected(); }));
  cluster.StartServer(0);
  ASSERT_TRUE(Eventually([&] { return (*subscription)->connected(); }));
  cluster.worker(0).Commit("x", kW, {.posts = 1, .retweets = 0, .users = {}}, 5);
  EXPECT_TRUE(Eventually([&] { return recorder.keys() == Names{"x@5"}; }));
}

}  // namespace
}  // namespace tailrace::grpc_api
