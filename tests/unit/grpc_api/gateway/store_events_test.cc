// Goal: live updates in a browser's terms: framing, ids, resuming, heartbeats, one upstream for many clients.
#include "gateway/store_events.h"

#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>

#include "http_client.h"
#include "support.h"
#include "tailrace/base/clock.h"
#include "tailrace/grpc_api/gateway.h"

namespace tailrace::grpc_api {
namespace {

using nlohmann::json;
using testing::Eventually;
using testing::FakeCluster;
using testing::FakeQueryable;
using testing::HttpConnection;

constexpr int64_t kW = FakeQueryable::kWindowMs;
constexpr char kPath[] = "/api/v1/stores/city-metrics/events";

struct Event {
  std::string id, name, data;
};

TEST(SseEvent, Framing) {
  EXPECT_EQ(SseEvent("update", "t1", "{}"), "id: t1\nevent: update\ndata: {}\n\n");
  EXPECT_EQ(SseEvent("gap", "", "{}"), "event: gap\ndata: {}\n\n");
}

// An EventSource, as far as a test needs one.
class EventClient {
 public:
  EventClient(int port, const std::string& last_event_id = "", const std::string& query = "") : connection_(port) {
    connection_.Send("GET " + std::string(kPath) + query + " HTTP/1.1\r\nHost: t\r\n" +
                     (last_event_id.empty() ? "" : "Last-Event-ID: " + last_event_id + "\r\n") + "\r\n");
    head_ = connection_.ReadReply(/*head=*/true);
  }
  const testing::HttpReply& head() const { return head_; }
  HttpConnection& connection() { return connection_; }

  // The next event of this name; others are passed over. Heartbeats come all the time, so the wait is for the whole.
  std::optional<Event> Next(const std::string& name, int timeout_ms = 15'000) {
    const int64_t deadline_ms = base::SystemClock().SteadyMs() + timeout_ms;
    while (true) {
      const size_t end = text_.find("\n\n");
      if (end == std::string::npos) {
        const int64_t left_ms = deadline_ms - base::SystemClock().SteadyMs();
        if (left_ms <= 0 || !ReadChunk(static_cast<int>(left_ms))) return std::nullopt;
        continue;
      }
      Event event;
      std::istringstream lines(text_.substr(0, end));
      text_.erase(0, end + 2);
      for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("id: ")) event.id = last_id = line.substr(4);
        if (line.starts_with("event: ")) event.name = line.substr(7);
        if (line.starts_with("data: ")) event.data = line.substr(6);
      }
      if (event.name == name) return event;
    }
  }
  std::string last_id;

 private:
  bool ReadChunk(int timeout_ms) {
    if (!connection_.ReadUntil("\r\n", timeout_ms)) return false;
    std::string& buffer = connection_.buffer();
    const size_t line = buffer.find("\r\n");
    const size_t size = std::stoul(buffer.substr(0, line), nullptr, 16);
    while (buffer.size() < line + 2 + size + 2) {
      if (!connection_.Receive(timeout_ms)) return false;
    }
    text_ += buffer.substr(line + 2, size);
    buffer.erase(0, line + 2 + size + 2);
    return size > 0;
  }

  HttpConnection connection_;
  testing::HttpReply head_;
  std::string text_;
};

class StoreEventsTest : public ::testing::Test {
 protected:
  StoreEventsTest() { StartGateway(); }
  void StartGateway() {
    gateway_ = std::make_unique<Gateway>(GatewayOptions{
        .listen = "127.0.0.1:0", .workers = cluster_.endpoints(), .heartbeat_ms = 100, .streams_max = 20});
    EXPECT_TRUE(gateway_->Start().ok());
  }
  // Until the upstream is there, updates are before its time.
  void AwaitUpstream() {
    ASSERT_TRUE(Eventually([&] { return cluster_.subscriber_count() == 2; }));
  }
  void Commit(const std::string& city, int64_t posts, int64_t offset) {
    cluster_.OwnerOf(city).Commit(city, kW, {.posts = posts, .retweets = 0, .users = {"u"}}, offset);
  }
  FakeCluster cluster_{2, 4};
  std::unique_ptr<Gateway> gateway_;
};

TEST_F(StoreEventsTest, UpdatesHaveTheirShape) {
  EventClient client(gateway_->port());
  EXPECT_EQ(client.head().status, 200);
  EXPECT_EQ(client.head().headers.at("content-type"), "text/event-stream; charset=utf-8");
  EXPECT_EQ(client.head().headers.at("cache-control"), "no-store");
  ASSERT_TRUE(client.Next("heartbeat"));
  AwaitUpstream();
  Commit("Montréal, Québec", 3, 123);
  const std::optional<Event> event = client.Next("update");
  ASSERT_TRUE(event);
  EXPECT_EQ(json::parse(event->data), json::parse(R"({"store":"city-metrics","key":"Montréal, Québec",
    "window":{"start":"1970-01-01T00:05:00Z","end":"1970-01-01T00:10:00Z"},
    "value":{"posts":3,"retweets":0,"active_users":1,"active_users_exact":true},
    "task":")" + cluster_.worker(0).TaskOf("Montréal, Québec").ToString() + R"(","offset":123})"));
  EXPECT_FALSE(event->id.empty());
  EXPECT_EQ(event->id.find_first_of(" \r\n"), std::string::npos);
}

TEST_F(StoreEventsTest, ChangesOfOneKeyOnly) {
  EventClient client(gateway_->port(), "", "?key=Toronto");
  ASSERT_TRUE(client.Next("heartbeat"));
  AwaitUpstream();
  Commit("Ottawa", 1, 5);
  Commit("Ottawa", 2, 6);
  Commit("Toronto", 7, 7);
  const std::optional<Event> event = client.Next("update");
  ASSERT_TRUE(event);
  EXPECT_EQ(json::parse(event->data)["key"], "Toronto");
  EXPECT_EQ(json::parse(event->data)["value"]["posts"], 7);
}

TEST_F(StoreEventsTest, HeartbeatsComeByThemselves) {
  EventClient client(gateway_->port());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(client.Next("heartbeat", 3'000)) << i;
}

TEST_F(StoreEventsTest, ManyClientsShareOneUpstream) {
  std::vector<std::unique_ptr<EventClient>> clients;
  for (int i = 0; i < 10; ++i) clients.push_back(std::make_unique<EventClient>(gateway_->port()));
  for (const auto& client : clients) ASSERT_TRUE(client->Next("heartbeat"));
  AwaitUpstream();
  Commit("Toronto", 1, 5);
  for (const auto& client : clients) {
    const std::optional<Event> event = client->Next("update");
    ASSERT_TRUE(event);
    EXPECT_EQ(json::parse(event->data)["key"], "Toronto");
  }
  AwaitUpstream();
}

TEST_F(StoreEventsTest, LastEventIdResumesWithoutLossOrRepetition) {
  std::string id;
  {
    EventClient client(gateway_->port());
    ASSERT_TRUE(client.Next("heartbeat"));
    AwaitUpstream();
    Commit("Toronto", 1, 5);
    ASSERT_TRUE(client.Next("update"));
    id = client.last_id;
  }
  Commit("Toronto", 2, 6);
  Commit("Toronto", 3, 7);
  EventClient again(gateway_->port(), id);
  std::optional<Event> event = again.Next("update");
  ASSERT_TRUE(event);
  EXPECT_EQ(json::parse(event->data)["value"]["posts"], 2);
  event = again.Next("update");
  EXPECT_EQ(json::parse(event->data)["value"]["posts"], 3);

  // Another copy of the gateway, which has never heard of this client, gets the same from the workers.
  StartGateway();
  EventClient elsewhere(gateway_->port(), id);
  event = elsewhere.Next("update");
  ASSERT_TRUE(event);
  EXPECT_EQ(json::parse(event->data)["value"]["posts"], 2);
}

TEST_F(StoreEventsTest, WhoHasOnlyHeardHeartbeatsResumesWithoutLoss) {
  std::string id;
  {
    EventClient client(gateway_->port());
    ASSERT_TRUE(client.Next("heartbeat"));
    AwaitUpstream();
    // Soon a heartbeat names a place of each of the four tasks.
    ASSERT_TRUE(Eventually([&] { return client.Next("heartbeat") && DecodeResumeToken(client.last_id)->size() == 4; }));
    id = client.last_id;
  }
  Commit("Toronto", 2, 6);
  StartGateway();
  EventClient elsewhere(gateway_->port(), id);
  const std::optional<Event> event = elsewhere.Next("update");
  ASSERT_TRUE(event);
  EXPECT_EQ(json::parse(event->data)["value"]["posts"], 2);
}

TEST_F(StoreEventsTest, MissedChangesAreAGap) {
  const std::string before_anything = EncodeResumeToken({{cluster_.worker(0).TaskOf("Toronto"), {1, 1}}});
  Commit("Toronto", 1, 50);
  // The first client's subscription begins behind that change, whenever it is there.
  EventClient first(gateway_->port());
  ASSERT_TRUE(first.Next("heartbeat"));
  EventClient late(gateway_->port(), before_anything);
  const std::optional<Event> gap = late.Next("gap");
  ASSERT_TRUE(gap);
  EXPECT_EQ(json::parse(gap->data)["task"], cluster_.worker(0).TaskOf("Toronto").ToString());
}

TEST(StoreEventsReplayTest, AStreamEndsWhenAReplayTakesOverAndItsPlaceIsAGapThere) {
  FakeQueryable live(4, "worker-0"), replay(4, "worker-1", "city-metrics@1");
  std::atomic<bool> caught_up = false;
  std::vector<std::unique_ptr<QueryServer>> servers;
  for (FakeQueryable* const one : {&live, &replay}) {
    one->SetAloneAt("");
    servers.push_back(std::make_unique<QueryServer>(QueryServerOptions{.listen = "127.0.0.1:0", .health_interval_ms = 20}));
    servers.back()->Add(*one, true, [&caught_up, one, &replay] { return one != &replay || caught_up; });
    ASSERT_TRUE(servers.back()->Start().ok());
  }
  Gateway gateway({.listen = "127.0.0.1:0",
                   .workers = {"127.0.0.1:" + std::to_string(servers[0]->port()), "127.0.0.1:" + std::to_string(servers[1]->port())},
                   .heartbeat_ms = 100});
  ASSERT_TRUE(gateway.Start().ok());
  EventClient client(gateway.port());
  ASSERT_TRUE(client.Next("heartbeat"));
  ASSERT_TRUE(Eventually([&] { return servers[0]->subscriber_count() == 1; }));
  live.Commit("Toronto", kW, {.posts = 1, .retweets = 0, .users = {}}, 500);
  ASSERT_TRUE(client.Next("update"));
  const std::string id = client.last_id;

  caught_up = true;
  const std::optional<Event> end = client.Next("end", 20'000);
  ASSERT_TRUE(end);
  EXPECT_EQ(json::parse(end->data)["reason"], "CUT_OVER");
  EventClient again(gateway.port(), id);
  EXPECT_EQ(again.head().status, 200);
  // One for each task in which it had a place.
  for (std::string task; task != live.TaskOf("Toronto").ToString();) {
    const std::optional<Event> gap = again.Next("gap");
    ASSERT_TRUE(gap);
    task = json::parse(gap->data)["task"];
  }
  ASSERT_TRUE(Eventually([&] { return servers[1]->subscriber_count() == 1; }));
  replay.Commit("Toronto", kW, {.posts = 9, .retweets = 0, .users = {}}, 3);
  const std::optional<Event> update = again.Next("update");
  ASSERT_TRUE(update);
  EXPECT_EQ(json::parse(update->data)["value"]["posts"], 9);
  EXPECT_TRUE(again.last_id.ends_with(".1")) << again.last_id;

  // Pages of the replay follow each other; one of the live application is followed by none.
  replay.Put("Ottawa", kW, {.posts = 2, .retweets = 0, .users = {}});
  const std::string pages = "/api/v1/stores/city-metrics/windows?from=0&to=9000000&page_size=1";
  const testing::HttpReply first = testing::HttpGet(gateway.port(), pages);
  ASSERT_EQ(first.status, 200) << first.body;
  const std::string token = json::parse(first.body)["next_page_token"];
  ASSERT_TRUE(token.ends_with(".1")) << token;
  const testing::HttpReply second = testing::HttpGet(gateway.port(), pages + "&page_token=" + token);
  ASSERT_EQ(second.status, 200) << second.body;
  EXPECT_NE(json::parse(first.body)["items"][0]["key"], json::parse(second.body)["items"][0]["key"]);
  const testing::HttpReply mixed = testing::HttpGet(gateway.port(), pages + "&page_token=" + token.substr(0, token.size() - 2));
  EXPECT_EQ(mixed.status, 400);
  EXPECT_NE(mixed.body.find("city-metrics@1"), std::string::npos) << mixed.body;
}

TEST_F(StoreEventsTest, BadRequests) {
  EXPECT_EQ(testing::HttpGet(gateway_->port(), "/api/v1/stores/nope/events").status, 404);
  const testing::HttpReply reply = testing::HttpGet(gateway_->port(), kPath, "Last-Event-ID: garbage\r\n");
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(json::parse(reply.body)["errors"][0]["parameter"], "Last-Event-ID");
}

TEST_F(StoreEventsTest, StreamsAreBoundedAndFreedWhenClientsLeave) {
  {
    std::vector<std::unique_ptr<EventClient>> clients;
    for (int i = 0; i < 20; ++i) clients.push_back(std::make_unique<EventClient>(gateway_->port()));
    for (const auto& client : clients) EXPECT_EQ(client->head().status, 200);
    EXPECT_EQ(EventClient(gateway_->port()).head().status, 503);
  }
  EXPECT_TRUE(Eventually([&] { return EventClient(gateway_->port()).head().status == 200; }));
}

TEST_F(StoreEventsTest, ShutdownEndsStreams) {
  EventClient client(gateway_->port());
  ASSERT_TRUE(client.Next("heartbeat"));
  gateway_->Shutdown(2'000);
  EXPECT_TRUE(client.connection().EndsWithin(3'000));
}

}  // namespace
}  // namespace tailrace::grpc_api
