// Goal: the whole path, HTTP over loopback to fake workers over gRPC: shapes of the answers, errors, statuses.
#include "tailrace/grpc_api/gateway.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "http_client.h"
#include "support.h"
#include "tailrace/grpc_api/metrics_server.h"

namespace tailrace::grpc_api {
namespace {

using nlohmann::json;
using testing::Eventually;
using testing::FakeCluster;
using testing::FakeQueryable;
using testing::HttpGet;
using testing::HttpReply;

constexpr int64_t kW = FakeQueryable::kWindowMs;
constexpr int64_t kNow = 1767229290000;    // 2026-01-01T01:01:30Z
constexpr int64_t kStart = 1767225600000;  // 2026-01-01T00:00:00Z

class WallClock : public base::Clock {  // the date is fixed, durations are real
 public:
  int64_t WallMs() const override { return kNow; }
  int64_t SteadyNs() const override { return base::SystemClock().SteadyNs(); }
};

class GatewayTest : public ::testing::Test {
 protected:
  GatewayTest() {
    cluster_.Put("Toronto, Ontario", kStart, {.posts = 9, .retweets = 3, .users = {"a"}});
    cluster_.Put("Toronto, Ontario", kStart + kW, {.posts = 4, .retweets = 1, .users = {"a", "b"}});
    cluster_.Put("Toronto, Ontario", kStart + 11 * kW, {.posts = 5, .retweets = 0, .users = {"b", "c"}});
    cluster_.Put("Montréal, Québec", kStart + 2 * kW, {.posts = 7, .retweets = 2, .users = {"m"}});
    cluster_.Put("Calgary, Alberta", kStart + 3 * kW, {.posts = 7, .retweets = 5, .users = {"c"}});
    cluster_.Put("Ottawa, Ontario", kStart - 10 * kW, {.posts = 1, .retweets = 0, .users = {"o"}});
    cluster_.PutTotal("toronto", "12");
    // gRPC deadlines are dates, so the client keeps the real clock.
    gateway_ = std::make_unique<Gateway>(
        GatewayOptions{.listen = "127.0.0.1:0", .query_timeout_ms = 2'000, .heartbeat_ms = 300, .metrics = &metrics_,
                       .clock = &clock_},
        QueryClient::Create({.workers = cluster_.endpoints(), .metrics = &metrics_}));
    EXPECT_TRUE(gateway_->Start().ok());
  }
  HttpReply Get(const std::string& target) { return HttpGet(gateway_->port(), target); }
  json GetJson(const std::string& target) {
    const HttpReply reply = Get(target);
    EXPECT_EQ(reply.status, 200) << target << " " << reply.body;
    EXPECT_EQ(reply.headers.at("content-type"), "application/json");
    EXPECT_EQ(reply.headers.at("cache-control"), "no-cache");
    return json::parse(reply.body, nullptr, false);
  }
  json GetProblem(const std::string& target, int status) {
    const HttpReply reply = Get(target);
    EXPECT_EQ(reply.status, status) << target << " " << reply.body;
    EXPECT_EQ(reply.headers.at("content-type"), "application/problem+json") << target;
    json problem = json::parse(reply.body, nullptr, false);
    EXPECT_EQ(problem["status"], status);
    return problem;
  }
  static std::set<std::string> Wrong(const json& problem) {
    std::set<std::string> names;
    for (const json& error : problem["errors"]) names.insert(error["parameter"].get<std::string>());
    return names;
  }

  WallClock clock_;
  base::MetricsRegistry metrics_;
  FakeCluster cluster_{2, 4};
  std::unique_ptr<Gateway> gateway_;
};

TEST_F(GatewayTest, CitiesOfTheLastHourSorted) {
  // 00:01:30 lies in the window of 00:00, so that window counts.
  EXPECT_EQ(GetJson("/api/v1/cities"),
            json::parse(R"({"from":"2026-01-01T00:00:00Z","to":"2026-01-01T01:01:30Z",
                            "items":["Calgary, Alberta","Montréal, Québec","Toronto, Ontario"]})"));
  EXPECT_EQ(GetJson("/api/v1/cities?from=2026-01-01T00:05:00Z&to=2026-01-01T00:10:00Z")["items"],
            json::parse(R"(["Toronto, Ontario"])"));
  EXPECT_EQ(GetJson("/api/v1/cities?from=0&to=1000")["items"], json::array());
}

TEST_F(GatewayTest, CityMetrics) {
  const json answer = GetJson("/api/v1/cities/Toronto%2C%20Ontario/metrics?zone=America/Toronto");
  EXPECT_EQ(answer, json::parse(R"({
    "city":"Toronto, Ontario","zone":"America/Toronto","window_ms":300000,
    "from":"2025-12-31T19:00:00-05:00","to":"2025-12-31T20:01:30-05:00",
    "points":[
      {"start":"2025-12-31T19:00:00-05:00","end":"2025-12-31T19:05:00-05:00","posts":9,"retweets":3,"active_users":1,"active_users_exact":true},
      {"start":"2025-12-31T19:05:00-05:00","end":"2025-12-31T19:10:00-05:00","posts":4,"retweets":1,"active_users":2,"active_users_exact":true},
      {"start":"2025-12-31T19:55:00-05:00","end":"2025-12-31T20:00:00-05:00","posts":5,"retweets":0,"active_users":2,"active_users_exact":true}],
    "total":{"posts":18,"retweets":4,"active_users":3,"active_users_exact":true}})"));

  const json one = GetJson("/api/v1/cities/Toronto,%20Ontario/metrics?metric=posts&from=2026-01-01T00:05:00Z&to=2026-01-01T00:10:00Z");
  EXPECT_EQ(one["points"], json::parse(R"([{"start":"2026-01-01T00:05:00Z","end":"2026-01-01T00:10:00Z","posts":4}])"));
  EXPECT_EQ(one["total"], json::parse(R"({"posts":4})"));
}

TEST_F(GatewayTest, AccentsInPaths) {
  for (const char* path : {"/api/v1/cities/Montr%C3%A9al%2C%20Qu%C3%A9bec/metrics", "/api/v1/cities/Montréal,%20Québec/metrics"}) {
    EXPECT_EQ(GetJson(path)["total"]["posts"], 7) << path;
  }
  EXPECT_EQ(Wrong(GetProblem("/api/v1/cities/Montr%E9al/metrics", 400)), std::set<std::string>{"city"}) << "Latin-1";
}

TEST_F(GatewayTest, UnknownCityIsNotAQuietOne) {
  const json problem = GetProblem("/api/v1/cities/Atlantis/metrics", 404);
  EXPECT_NE(problem["detail"].get<std::string>().find("'Atlantis'"), std::string::npos);
  // Ottawa posted earlier, not in this hour: an empty series.
  const json quiet = GetJson("/api/v1/cities/Ottawa,%20Ontario/metrics");
  EXPECT_EQ(quiet["points"], json::array());
  EXPECT_EQ(quiet["total"], json::parse(R"({"posts":0,"retweets":0,"active_users":0,"active_users_exact":true})"));
}

TEST_F(GatewayTest, CitiesTop) {
  const json answer = GetJson("/api/v1/cities/top?by=posts&n=2");
  EXPECT_EQ(answer, json::parse(R"({"by":"posts","order":"desc","from":"2026-01-01T00:00:00Z","to":"2026-01-01T01:01:30Z","items":[
    {"city":"Toronto, Ontario","value":18,"posts":18,"retweets":4,"active_users":3,"active_users_exact":true},
    {"city":"Calgary, Alberta","value":7,"posts":7,"retweets":5,"active_users":1,"active_users_exact":true}]})"))
      << "ties go by name";
  const json worst = GetJson("/api/v1/cities/top?by=retweets&n=1");
  EXPECT_EQ(worst["order"], "asc");
  EXPECT_EQ(worst["items"][0]["city"], "Montréal, Québec");
  EXPECT_EQ(GetJson("/api/v1/cities/top?by=retweets&n=1&order=desc")["items"][0]["city"], "Calgary, Alberta");
}

TEST_F(GatewayTest, ValidationErrorsComeTogether) {
  const json problem = GetProblem("/api/v1/cities/top?by=likes&n=0&order=up&from=x&to=y&extra=1&zone=Nowhere", 400);
  EXPECT_EQ(Wrong(problem), (std::set<std::string>{"by", "extra", "from", "n", "order", "to", "zone"}));
  EXPECT_EQ(problem["instance"], "/api/v1/cities/top");
  EXPECT_EQ(Wrong(GetProblem("/api/v1/cities/x/metrics?metric=likes&zone=Mars&from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", 400)),
            (std::set<std::string>{"from", "metric", "zone"}));
  EXPECT_EQ(Wrong(GetProblem("/api/v1/cities/top?n=1001", 400)), std::set<std::string>{"n"});
}

TEST_F(GatewayTest, GenericStores) {
  EXPECT_EQ(GetJson("/api/v1/stores"), json::parse(R"({"items":[
    {"name":"city-metrics","kind":"window","window_size_ms":300000,"retention_ms":86400000,"partitions":4},
    {"name":"totals","kind":"key-value","window_size_ms":null,"retention_ms":null,"partitions":4}]})"));
  const json windows = GetJson("/api/v1/stores/city-metrics/keys/Toronto,%20Ontario?to=2026-01-01T00:05:00Z");
  EXPECT_EQ(windows["items"], json::parse(R"([{"window":{"start":"2026-01-01T00:00:00Z","end":"2026-01-01T00:05:00Z"},
    "value":{"posts":9,"retweets":3,"active_users":1,"active_users_exact":true}}])"));
  const HttpReply total = Get("/api/v1/stores/totals/keys/toronto");
  EXPECT_EQ(json::parse(total.body)["value"], json::parse(R"({"base64":"MTI="})")) << "no schema: bytes";
  EXPECT_EQ(total.headers.at("tailrace-role"), "active");
  EXPECT_EQ(total.headers.at("tailrace-staleness-ms"), "0");
  GetProblem("/api/v1/stores/totals/keys/nobody", 404);
  GetProblem("/api/v1/stores/city-metrics/keys/Nowhere", 404);
  GetProblem("/api/v1/stores/nope/windows", 404);
  GetProblem("/api/v1/stores/totals/windows", 400);
  GetProblem("/api/v1/stores/city-metrics/keys", 400);
  EXPECT_EQ(GetJson("/api/v1/stores/totals/keys")["items"].size(), 1u);
  EXPECT_EQ(Wrong(GetProblem("/api/v1/stores/totals/keys/toronto?from=1", 400)), std::set<std::string>{"from"});
}

TEST_F(GatewayTest, GenericTopAndUnknownField) {
  const json top = GetJson("/api/v1/stores/city-metrics/top?field=active_users&n=1");
  EXPECT_EQ(top["items"][0]["key"], "Toronto, Ontario");
  EXPECT_EQ(top["items"][0]["score"], 3);
  EXPECT_EQ(Wrong(GetProblem("/api/v1/stores/city-metrics/top?field=likes", 400)), std::set<std::string>{"field"});
  EXPECT_EQ(Wrong(GetProblem("/api/v1/stores/totals/top?field=x", 400)), std::set<std::string>{"field"});
}

TEST_F(GatewayTest, PagesJoinAndTokensBelongToTheirRequest) {
  std::vector<std::string> seen;
  std::string token, first_token;
  do {
    const json page = GetJson("/api/v1/stores/city-metrics/windows?page_size=2" + (token.empty() ? "" : "&page_token=" + token));
    for (const json& item : page["items"]) {
      seen.push_back(item["key"].get<std::string>() + " " + item["window"]["start"].get<std::string>());
    }
    token = page["next_page_token"];
    if (first_token.empty()) first_token = token;
  } while (!token.empty());
  EXPECT_EQ(seen.size(), 5u);
  EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()).size(), 5u);
  const std::string path = "/api/v1/stores/city-metrics/windows?page_token=";
  EXPECT_EQ(Wrong(GetProblem(path + "garbage", 400)), std::set<std::string>{"page_token"});
  EXPECT_EQ(Wrong(GetProblem(path + first_token + "&from=5", 400)), std::set<std::string>{"page_token"});
  EXPECT_EQ(Wrong(GetProblem(path + "garbage&page_size=0&from=z", 400)),
            (std::set<std::string>{"from", "page_size", "page_token"}));
}

TEST_F(GatewayTest, ExpiredIsGoneAndNotMissing) {
  cluster_.SetRetentionStart(kStart + kW);
  for (const char* path : {"/api/v1/stores/city-metrics/keys/Toronto,%20Ontario?from=1000&to=2000000",
                           "/api/v1/stores/city-metrics/windows?from=1000&to=2000000",
                           "/api/v1/stores/city-metrics/top?field=posts&from=1000&to=2000000",
                           "/api/v1/cities/Toronto,%20Ontario/metrics?from=1000&to=2000000", "/api/v1/cities?from=1000&to=2000000",
                           "/api/v1/cities/top?from=1000&to=2000000"}) {
    EXPECT_EQ(GetProblem(path, 410)["type"], "urn:tailrace:problem:expired") << path;
  }
  EXPECT_EQ(GetJson("/api/v1/cities/Toronto,%20Ontario/metrics")["points"].size(), 2u) << "the retained part is answered";
}

TEST_F(GatewayTest, OperationsRoutes) {
  const json tasks = GetJson("/api/v1/tasks");
  ASSERT_EQ(tasks["items"].size(), 4u);
  EXPECT_EQ(tasks["items"][1], json::parse(R"({"application":"city-metrics","task":"0_1","worker":"worker-1","role":"active","state":"running",
    "stream_time":)" + tasks["items"][1]["stream_time"].dump() + R"(,"lag":10,"restore":null,
    "inputs":[{"topic":"posts","partition":1,"offset":90,"end_offset":100,"lag":10}]})"));
  const json topology = GetJson("/api/v1/topology");
  EXPECT_EQ(topology["subtopologies"][0]["nodes"][1], json::parse(
      R"({"name":"count","type":"processor","topics":[],"stores":["city-metrics"],"successors":["sink"]})"));
  EXPECT_NE(topology["text"].get<std::string>().find("Sub-topology: 0"), std::string::npos);
  const json routing = GetJson("/api/v1/routing");
  EXPECT_EQ(routing["epoch"], 1);
  EXPECT_EQ(routing["workers"][0], json::parse(R"({"application":"city-metrics","epoch":1,"instance":"worker-0","endpoint":")" + cluster_.endpoint(0) +
                                               R"(","active":["0_0","0_2"],"standby":[]})"));
  EXPECT_EQ(Get("/healthz").status, 200);
  EXPECT_EQ(Get("/readyz").status, 200);
  const HttpReply openapi = Get("/openapi.yaml");
  EXPECT_EQ(openapi.headers.at("content-type"), "application/yaml");
  EXPECT_EQ(openapi.body.rfind("openapi: 3.1", 0), 0u);
  const HttpReply metrics = Get("/metrics");
  EXPECT_NE(metrics.body.find("tailrace_http_requests_total{code=\"200\",route=\"/api/v1/tasks\"} 1"), std::string::npos)
      << metrics.body;
  EXPECT_NE(metrics.body.find("tailrace_gateway_metadata_age_seconds"), std::string::npos);
}

TEST_F(GatewayTest, MethodsAndUnknownPaths) {
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH"}) {
    const HttpReply reply = testing::HttpConnection(gateway_->port()).Get("/api/v1/stores", "", method);
    EXPECT_EQ(reply.status, 405) << method;
    EXPECT_EQ(reply.headers.at("allow"), "GET, HEAD");
  }
  GetProblem("/api/v1/nothing", 404);
  GetProblem("/api/v2/stores", 404);
  GetProblem("/nothing", 404);
  GetProblem("/", 404);
  GetProblem("/api/v1/stores/", 404);
  EXPECT_EQ(testing::HttpConnection(gateway_->port()).Get("/api/v1/stores", "", "HEAD").status, 200);
}

TEST_F(GatewayTest, WithoutWorkersItSaysSoAndRecovers) {
  ASSERT_EQ(Get("/api/v1/stores").status, 200);
  cluster_.StopServer(0);
  cluster_.StopServer(1);
  const HttpReply reply = Get("/api/v1/cities");
  EXPECT_EQ(reply.status, 503) << reply.body;
  EXPECT_EQ(reply.headers.at("retry-after"), "1");
  EXPECT_EQ(Get("/healthz").status, 200);
  cluster_.StartServer(0);
  cluster_.StartServer(1);
  EXPECT_TRUE(Eventually([&] { return Get("/api/v1/cities").status == 200; }));
}

TEST_F(GatewayTest, AWorkerThatHangsIsATimeout) {
  ASSERT_EQ(Get("/api/v1/stores").status, 200);
  for (size_t i = 0; i < 2; ++i) cluster_.worker(i).SetViewsHook([] { ::poll(nullptr, 0, 3'000); });
  EXPECT_EQ(Get("/api/v1/cities").status, 504);
  for (size_t i = 0; i < 2; ++i) cluster_.worker(i).SetViewsHook(nullptr);
}

TEST(GatewayStart, AnswersBeforeAnyWorkerIsThere) {
  Gateway gateway({.listen = "127.0.0.1:0", .workers = {"127.0.0.1:1"}, .query_timeout_ms = 200});
  ASSERT_TRUE(gateway.Start().ok());
  EXPECT_EQ(HttpGet(gateway.port(), "/healthz").status, 200);
  EXPECT_EQ(HttpGet(gateway.port(), "/readyz").status, 503);
  EXPECT_EQ(HttpGet(gateway.port(), "/api/v1/stores").status, 503);
  EXPECT_EQ(HttpGet(gateway.port(), "/metrics").status, 404);
}

TEST(MetricsServer, ShowsMetricsAndReadiness) {
  base::MetricsRegistry metrics;
  metrics.GetCounter("tailrace_things_total", "Things.")->Increment();
  bool ready = false;
  MetricsServer server({.listen = "127.0.0.1:0", .ready = [&ready] { return ready; }}, metrics);
  ASSERT_TRUE(server.Start().ok());
  EXPECT_NE(HttpGet(server.port(), "/metrics").body.find("tailrace_things_total 1"), std::string::npos);
  EXPECT_EQ(HttpGet(server.port(), "/healthz").status, 200);
  EXPECT_EQ(HttpGet(server.port(), "/readyz").status, 503);
  ready = true;
  EXPECT_EQ(HttpGet(server.port(), "/readyz").status, 200);
  EXPECT_EQ(HttpGet(server.port(), "/api/v1/stores").status, 404);
}

}  // namespace
}  // namespace tailrace::grpc_api
