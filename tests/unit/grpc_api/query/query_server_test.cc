// Goal: the gRPC side: health, deadlines, admission, status details, streams, shutdown; over loopback with the real client
// library.
#include "tailrace/grpc_api/query_server.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <chrono>
#include <thread>

#include "absl/synchronization/notification.h"
#include "common/error_info.h"
#include "common/wire.h"
#include "support/fake_queryable.h"
#include "tailrace/v1/query.grpc.pb.h"
#include "updates/resume_token.h"

namespace tailrace::grpc_api {
namespace {

using testing::FakeQueryable;
constexpr int64_t kW = FakeQueryable::kWindowMs;

void WaitMs(int ms) { ::poll(nullptr, 0, ms); }

class QueryServerTest : public ::testing::Test {
 protected:
  void StartServer(QueryServerOptions options = {}) {
    options.listen = "127.0.0.1:0";
    options.health_interval_ms = 10;
    options.metrics = &metrics_;
    server_ = std::make_unique<QueryServer>(options, queryable_);
    const absl::Status started = server_->Start();
    ASSERT_TRUE(started.ok()) << started;
    channel_ = grpc::CreateChannel("127.0.0.1:" + std::to_string(server_->port()), grpc::InsecureChannelCredentials());
    stub_ = v1::QueryService::NewStub(channel_);
  }
  grpc::Status Top(int64_t timeout_ms = 5'000, v1::TopResponse* response = nullptr) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(timeout_ms));
    v1::TopRequest request;
    request.set_store(FakeQueryable::kStore);
    request.set_field("posts");
    request.set_n(3);
    v1::TopResponse ignored;
    return stub_->Top(&context, request, response != nullptr ? response : &ignored);
  }

  base::MetricsRegistry metrics_;
  FakeQueryable queryable_;
  std::unique_ptr<QueryServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::QueryService::Stub> stub_;
};

TEST_F(QueryServerTest, AnswersAndCounts) {
  queryable_.Put("Toronto", kW, {.posts = 2, .retweets = 0, .users = {}});
  StartServer();
  v1::TopResponse top;
  const grpc::Status status = Top(5'000, &top);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(top.entries_size(), 1);
  EXPECT_EQ(top.entries(0).key(), "Toronto");
  const std::string page = metrics_.Expose();
  EXPECT_NE(page.find("tailrace_query_requests_total{code=\"OK\",method=\"Top\"} 1"), std::string::npos) << page;
  EXPECT_NE(page.find("tailrace_query_in_flight 0"), std::string::npos) << page;
}

TEST_F(QueryServerTest, ErrorsCarryTheirCause) {
  StartServer();
  grpc::ClientContext context;
  v1::ScanRequest request;
  request.set_store("nope");
  v1::ScanResponse response;
  const grpc::Status status = stub_->Scan(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(ReasonOf(StatusFromWire(5, status.error_message(), status.error_details())), reason::kUnknownStore);
}

TEST_F(QueryServerTest, DeadlineIsCappedAndCoversWaitingForAThread) {
  absl::Notification go;
  queryable_.SetViewsHook([&go] { go.WaitForNotification(); });
  StartServer({.deadline_cap_ms = 100, .threads = 1});
  std::thread blocked([this] { EXPECT_EQ(Top(60'000).error_code(), grpc::StatusCode::DEADLINE_EXCEEDED); });
  std::thread waiting([this] { EXPECT_EQ(Top(60'000).error_code(), grpc::StatusCode::DEADLINE_EXCEEDED); });
  EXPECT_EQ(Top(50).error_code(), grpc::StatusCode::DEADLINE_EXCEEDED) << "the caller's own deadline is shorter";
  WaitMs(150);
  go.Notify();
  blocked.join();
  waiting.join();
}

TEST_F(QueryServerTest, TooManyQueriesAreRefusedAtOnce) {
  absl::Notification go;
  queryable_.SetViewsHook([&go] { go.WaitForNotification(); });
  StartServer({.threads = 1, .in_flight_max = 2});
  std::vector<std::thread> busy;
  for (int i = 0; i < 2; ++i) busy.emplace_back([this] { EXPECT_TRUE(Top().ok()); });
  while (metrics_.Expose().find("tailrace_query_in_flight 2") == std::string::npos) WaitMs(5);
  const grpc::Status refused = Top();
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ReasonOf(StatusFromWire(8, "", refused.error_details())), reason::kOverloaded);
  go.Notify();
  for (std::thread& thread : busy) thread.join();
  EXPECT_TRUE(Top().ok());
}

TEST_F(QueryServerTest, OversizedRequestsAreRefused) {
  StartServer();
  grpc::ClientContext context;
  v1::ScanRequest request;
  request.set_store(std::string((4 << 20) + 1, 'x'));
  v1::ScanResponse response;
  EXPECT_EQ(stub_->Scan(&context, request, &response).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(Top().ok());
}

TEST_F(QueryServerTest, APortInUseIsAnErrorAndNeverShared) {
  StartServer();
  QueryServer second({.listen = "127.0.0.1:" + std::to_string(server_->port())}, queryable_);
  EXPECT_EQ(second.Start().code(), absl::StatusCode::kUnavailable);
}

TEST_F(QueryServerTest, SubscriptionsResumeAndSeeGaps) {
  queryable_.Commit("Toronto", kW, {.posts = 1, .retweets = 0, .users = {}}, 9);
  StartServer();
  std::string token;
  {
    grpc::ClientContext context;
    v1::SubscribeRequest request;
    request.set_store(FakeQueryable::kStore);
    auto reader = stub_->Subscribe(&context, request);
    v1::SubscribeResponse message;
    ASSERT_TRUE(reader->Read(&message)) << "the first message says where the subscription begins";
    EXPECT_EQ(message.updates_size(), 0);
    queryable_.Commit("Toronto", kW, {.posts = 1, .retweets = 0, .users = {}}, 10);
    ASSERT_TRUE(reader->Read(&message));
    ASSERT_EQ(message.updates_size(), 1);
    EXPECT_EQ(message.updates(0).row().key(), "Toronto");
    EXPECT_EQ(message.updates(0).changelog_offset(), 10);
    EXPECT_EQ(message.updates(0).index(), 1);
    token = message.resume_token();
    context.TryCancel();
  }
  queryable_.Commit("Toronto", kW, {.posts = 2, .retweets = 0, .users = {}}, 11);
  {
    grpc::ClientContext context;
    v1::SubscribeRequest request;
    request.set_store(FakeQueryable::kStore);
    request.set_resume_token(token);
    auto reader = stub_->Subscribe(&context, request);
    v1::SubscribeResponse message;
    ASSERT_TRUE(reader->Read(&message));
    ASSERT_EQ(message.updates_size(), 1) << "what came meanwhile";
    EXPECT_EQ(message.updates(0).changelog_offset(), 11);
    EXPECT_EQ(message.gaps_size(), 0);
    context.TryCancel();
  }
  {
    grpc::ClientContext context;
    v1::SubscribeRequest request;
    request.set_store(FakeQueryable::kStore);
    request.set_resume_token(EncodeResumeToken({{queryable_.TaskOf("Toronto"), {3, 1}}}));
    auto reader = stub_->Subscribe(&context, request);
    v1::SubscribeResponse message;
    ASSERT_TRUE(reader->Read(&message));
    ASSERT_EQ(message.gaps_size(), 1) << "before anything this worker remembers";
    context.TryCancel();
  }
  EXPECT_EQ(queryable_.subscription_count(), 1u) << "one for all, kept for those who come back";
}

TEST_F(QueryServerTest, BadSubscriptionsEndAtOnce) {
  StartServer();
  const auto end_of = [this](const std::string& store, const std::string& token) {
    grpc::ClientContext context;
    v1::SubscribeRequest request;
    request.set_store(store);
    request.set_resume_token(token);
    auto reader = stub_->Subscribe(&context, request);
    v1::SubscribeResponse message;
    EXPECT_FALSE(reader->Read(&message));
    return reader->Finish().error_code();
  };
  EXPECT_EQ(end_of("nope", ""), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(end_of(FakeQueryable::kStore, "garbage"), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(QueryServerTest, StreamsAreBounded) {
  StartServer({.streams_max = 1});
  grpc::ClientContext first_context;
  auto first = stub_->WatchRouting(&first_context, {});
  v1::WatchRoutingResponse table;
  ASSERT_TRUE(first->Read(&table));
  grpc::ClientContext second_context;
  auto second = stub_->WatchRouting(&second_context, {});
  EXPECT_FALSE(second->Read(&table));
  EXPECT_EQ(second->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  first_context.TryCancel();
}

TEST_F(QueryServerTest, ASlowSubscriberIsEndedWhileCommitsGoOn) {
  StartServer({.update_ring_entries = 50});
  grpc::ClientContext context;
  v1::SubscribeRequest request;
  request.set_store(FakeQueryable::kStore);
  auto reader = stub_->Subscribe(&context, request);
  v1::SubscribeResponse message;
  ASSERT_TRUE(reader->Read(&message));
  // Nobody reads: the stream's window fills, then the ring moves on without it. Commit never waits.
  const std::string user(20'000, 'u');
  for (int i = 1; i <= 2'000; ++i) {
    queryable_.Commit("Toronto", kW, {.posts = i, .retweets = 0, .users = {user}}, i);
  }
  while (reader->Read(&message)) {
  }
  const grpc::Status end = reader->Finish();
  EXPECT_EQ(end.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << end.error_message();
}

TEST_F(QueryServerTest, WatchRoutingSendsEachChange) {
  StartServer();
  grpc::ClientContext context;
  auto reader = stub_->WatchRouting(&context, {});
  v1::WatchRoutingResponse table;
  ASSERT_TRUE(reader->Read(&table));
  EXPECT_EQ(table.epoch(), 0);
  queryable_.SetAloneAt("w0:9090", 7);
  ASSERT_TRUE(reader->Read(&table));
  EXPECT_EQ(table.epoch(), 7);
  ASSERT_EQ(table.workers_size(), 1);
  EXPECT_EQ(table.workers(0).active_size(), 4);
  context.TryCancel();
}

TEST_F(QueryServerTest, ShutdownEndsStreamsAndListening) {
  StartServer();
  grpc::ClientContext context;
  v1::SubscribeRequest request;
  request.set_store(FakeQueryable::kStore);
  auto reader = stub_->Subscribe(&context, request);
  v1::SubscribeResponse message;
  ASSERT_TRUE(reader->Read(&message));
  server_->Shutdown(2'000);
  EXPECT_FALSE(reader->Read(&message));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Top(500).error_code(), grpc::StatusCode::UNAVAILABLE);
}

// The health protocol by hand: Debian ships no generated header for it.
class HealthProbe {
 public:
  explicit HealthProbe(std::shared_ptr<grpc::Channel> channel) : stub_(channel) {}
  // 1 serving, 2 not serving, 0 unknown service.
  int Check(const std::string& service) {
    std::string request;
    if (!service.empty()) request = std::string("\x0a") + static_cast<char>(service.size()) + service;
    grpc::ClientContext context;
    grpc::CompletionQueue queue;
    const grpc::Slice slice(request);
    const grpc::ByteBuffer bytes(&slice, 1);
    auto call = stub_.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check", bytes, &queue);
    call->StartCall();
    grpc::ByteBuffer answer;
    grpc::Status status;
    call->Finish(&answer, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    if (status.error_code() == grpc::StatusCode::NOT_FOUND) return 0;
    std::vector<grpc::Slice> slices;
    answer.Dump(&slices);
    std::string text;
    for (const grpc::Slice& part : slices) text.append(reinterpret_cast<const char*>(part.begin()), part.size());
    return text.size() == 2 ? text[1] : -1;
  }

 private:
  grpc::GenericStub stub_;
};

TEST_F(QueryServerTest, HealthFollowsTheApplication) {
  queryable_.SetRestoring(true);
  StartServer();
  HealthProbe health(channel_);
  const auto becomes = [&](const std::string& service, int expected) {
    for (int i = 0; i < 500; ++i) {
      if (health.Check(service) == expected) return true;
      WaitMs(10);
    }
    return false;
  };
  EXPECT_EQ(health.Check(""), 1) << "alive from the start";
  EXPECT_EQ(health.Check("startup"), 2);
  EXPECT_EQ(health.Check("readiness"), 2);
  EXPECT_EQ(health.Check("tailrace.v1.QueryService"), 2);
  EXPECT_EQ(health.Check("nobody"), 0);
  queryable_.SetRestoring(false);
  EXPECT_TRUE(becomes("tailrace.v1.QueryService", 1));
  EXPECT_TRUE(becomes("startup", 1));
  queryable_.SetRestoring(true);
  EXPECT_TRUE(becomes("readiness", 2));
  EXPECT_EQ(health.Check("startup"), 1) << "started once";
  EXPECT_EQ(health.Check(""), 1);
}

}  // namespace
}  // namespace tailrace::grpc_api
