// Goal: a client finds a store whichever application has it, in one worker or in several, and finds one that comes later.
// Method: fake applications behind real query servers over loopback.
#include <gtest/gtest.h>

#include <atomic>

#include "common/error_info.h"
#include "support.h"
#include "tailrace/grpc_api/query_client.h"

namespace tailrace::grpc_api {
namespace {

using testing::Eventually;
using testing::FakeQueryable;
constexpr int64_t kW = FakeQueryable::kWindowMs;

// Two applications whose tasks have the same ids.
class QueryClientTest : public ::testing::Test {
 protected:
  QueryClientTest() {
    cities_.SetAloneAt("");
    words_.SetAloneAt("");
    cities_.Put("Toronto", kW, {.posts = 2, .retweets = 0, .users = {}});
    words_.Put("Toronto", kW, {.posts = 7, .retweets = 0, .users = {}});
  }
  std::unique_ptr<QueryServer> Serve(std::vector<FakeQueryable*> applications) {
    auto server = std::make_unique<QueryServer>(QueryServerOptions{.listen = "127.0.0.1:0", .health_interval_ms = 20});
    for (FakeQueryable* const one : applications) server->Add(*one);
    const absl::Status started = server->Start();
    EXPECT_TRUE(started.ok()) << started;
    return server;
  }
  static std::string At(const QueryServer& server) { return "127.0.0.1:" + std::to_string(server.port()); }
  static double PostsOf(QueryClient& client, const std::string& store) {
    const auto top = client.Top({.store = store, .field = "posts", .n = 1}, {});
    EXPECT_TRUE(top.ok()) << top.status();
    return top.ok() && !top->entries.empty() ? top->entries[0].score : -1;
  }

  FakeQueryable cities_{4, "worker-0", "city-metrics", "city-totals"};
  FakeQueryable words_{4, "worker-0", "words", "word-totals"};
};

TEST_F(QueryClientTest, AStoreIsFoundByItsNameInOneWorker) {
  const auto server = Serve({&cities_, &words_});
  const auto client = QueryClient::Create({.workers = {At(*server)}});
  EXPECT_EQ(PostsOf(*client, "city-metrics"), 2);
  EXPECT_EQ(PostsOf(*client, "words"), 7);
  const auto stores = client->ListStores({});
  ASSERT_TRUE(stores.ok()) << stores.status();
  std::vector<std::string> names;
  for (const StoreDescription& store : *stores) names.push_back(store.application_id + "/" + store.name);
  EXPECT_EQ(names, (std::vector<std::string>{"city-metrics/city-metrics", "city-metrics/city-totals", "words/word-totals", "words/words"}));
  const absl::Status unknown = client->Store("nope", {}).status();
  EXPECT_EQ(unknown.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(unknown.message().find("city-metrics, city-totals, word-totals, words"), std::string::npos) << unknown;
}

TEST_F(QueryClientTest, TasksTopologiesAndTablesNameTheirApplication) {
  const auto server = Serve({&cities_, &words_});
  const auto client = QueryClient::Create({.workers = {At(*server)}});
  const auto tasks = client->ListTasks({});
  ASSERT_TRUE(tasks.ok()) << tasks.status();
  ASSERT_EQ(tasks->size(), 2u);
  EXPECT_EQ((*tasks)[0].application_id, "city-metrics");
  EXPECT_EQ((*tasks)[1].application_id, "words");
  EXPECT_EQ((*tasks)[1].tasks.size(), 4u);
  const auto topologies = client->DescribeTopologies({});
  ASSERT_TRUE(topologies.ok()) << topologies.status();
  ASSERT_EQ(topologies->size(), 2u);
  EXPECT_EQ((*topologies)[1].application_id, "words");
  const auto routing = client->AwaitRouting({});
  ASSERT_TRUE(routing.ok()) << routing.status();
  ASSERT_EQ(routing->size(), 2u);
  EXPECT_EQ((*routing)[1].application_id, "words");
  EXPECT_EQ((*routing)[1].table.workers.size(), 1u);
}

TEST_F(QueryClientTest, WorkersOfSeveralApplicationsAreOneAnswer) {
  const auto first = Serve({&cities_});
  const auto second = Serve({&words_});
  const auto client = QueryClient::Create({.workers = {At(*first), At(*second)}});
  EXPECT_EQ(PostsOf(*client, "words"), 7);
  EXPECT_EQ(PostsOf(*client, "city-metrics"), 2);
}

TEST_F(QueryClientTest, AnApplicationMayComeAndGo) {
  const auto server = Serve({&cities_});
  const auto client = QueryClient::Create({.workers = {At(*server)}});
  EXPECT_EQ(client->Store("words", {}).status().code(), absl::StatusCode::kNotFound);
  server->Add(words_);
  EXPECT_EQ(PostsOf(*client, "words"), 7) << "a miss asks the workers anew";
  server->Remove(words_);
  EXPECT_FALSE(client->Top({.store = "words", .field = "posts", .n = 1}, {}).ok());
  EXPECT_TRUE(Eventually([&] { return client->Routing().size() == 1; })) << "it is forgotten";
  EXPECT_EQ(PostsOf(*client, "city-metrics"), 2);
}

TEST_F(QueryClientTest, AStoreMayBeAtASeedThatHasNotAnsweredYet) {
  const auto server = Serve({&cities_});
  const auto client = QueryClient::Create({.workers = {At(*server), "127.0.0.1:1"}});
  EXPECT_EQ(PostsOf(*client, "city-metrics"), 2);
  const absl::Status status = client->Store("words", {}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(status.message().find("127.0.0.1:1"), std::string::npos) << status;
}

TEST_F(QueryClientTest, ReadyIsAWorkerWhoseApplicationsAllAre) {
  const auto server = Serve({&cities_, &words_});
  const auto client = QueryClient::Create({.workers = {At(*server)}});
  EXPECT_EQ(PostsOf(*client, "words"), 7);
  words_.SetRestoring(true);
  EXPECT_EQ(PostsOf(*client, "city-metrics"), 2) << "one that is restored holds up no other";
  EXPECT_EQ(client->Top({.store = "words", .field = "posts", .n = 1}, {.timeout_ms = 2'000}).status().code(),
            absl::StatusCode::kUnavailable);
}

// A city with this many posts; -1 while there is no answer.
double Posts(QueryClient& client) {
  const auto top = client.Top({.store = "city-metrics", .field = "posts", .n = 1}, {.timeout_ms = 1'000});
  return top.ok() && !top->entries.empty() ? top->entries[0].score : -1;
}

class ReplayClientTest : public QueryClientTest {
 protected:
  ReplayClientTest() {
    replay_.SetAloneAt("");
    replay_.Put("Toronto", kW, {.posts = 5, .retweets = 0, .users = {}});
    replay_.Put("Ottawa", kW, {.posts = 4, .retweets = 0, .users = {}});
    cities_.Put("Ottawa", kW, {.posts = 1, .retweets = 0, .users = {}});
    server_ = std::make_unique<QueryServer>(QueryServerOptions{.listen = "127.0.0.1:0", .health_interval_ms = 20});
    server_->Add(replay_, true, [this] { return caught_up_.load(); });
    EXPECT_TRUE(server_->Start().ok());
  }
  std::atomic<bool> caught_up_{false};
  FakeQueryable replay_{4, "worker-1", "city-metrics@1", "city-totals"};
  std::unique_ptr<QueryServer> server_;
};

TEST_F(ReplayClientTest, AReplayAnswersOnceItHasCaughtUpAndAsLongAsItIsThere) {
  auto live = Serve({&cities_});
  const auto client = QueryClient::Create({.workers = {At(*live), At(*server_)}});
  EXPECT_EQ(Posts(*client), 2);
  ASSERT_TRUE(Eventually([&] { return client->Routing().size() == 2; }));
  EXPECT_EQ(Posts(*client), 2);
  const auto page = client->Scan("city-metrics", {}, 1, "", {});
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_FALSE(page->next_page_token.empty());

  caught_up_ = true;
  EXPECT_TRUE(Eventually([&] { return Posts(*client) == 5; }));
  const absl::Status mixed = client->Scan("city-metrics", {}, 1, page->next_page_token, {}).status();
  EXPECT_TRUE(absl::IsInvalidArgument(mixed)) << mixed;
  EXPECT_NE(mixed.message().find("city-metrics@1"), std::string::npos) << mixed;
  const auto first = client->Scan("city-metrics", {}, 1, "", {});
  ASSERT_TRUE(first.ok()) << first.status();
  const auto second = client->Scan("city-metrics", {}, 1, first->next_page_token, {});
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->rows.size(), 1u);
  const auto stores = client->ListStores({});
  ASSERT_TRUE(stores.ok()) << stores.status();
  ASSERT_EQ(stores->size(), 2u);
  for (const StoreDescription& store : *stores) EXPECT_EQ(store.application_id, "city-metrics@1");
  EXPECT_EQ(client->ListTasks({})->size(), 2u) << "both run";

  // Without the live one nothing changes, and it is forgotten.
  live.reset();
  EXPECT_TRUE(Eventually([&] { return client->Routing().size() == 1; }, 30'000));
  EXPECT_EQ(Posts(*client), 5);
  EXPECT_EQ(client->ListTasks({})->size(), 1u);
  EXPECT_TRUE(client->ListStores({}).ok());
}

TEST_F(ReplayClientTest, WithoutTheReplayTheLiveOneAnswersAgain) {
  const auto live = Serve({&cities_});
  caught_up_ = true;
  const auto client = QueryClient::Create({.workers = {At(*live), At(*server_)}});
  EXPECT_TRUE(Eventually([&] { return Posts(*client) == 5; }));
  server_.reset();
  EXPECT_TRUE(Eventually([&] { return Posts(*client) == 2; }, 30'000));
}

}  // namespace
}  // namespace tailrace::grpc_api
