// Goal: the product routes answer what the stores hold, name everything that is wrong, and tell expired from unknown.
// Method: a worker with hand-made stores behind a real gateway over loopback; expected numbers are worked out by hand.
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>

#include <nlohmann/json.hpp>

#include "http_client.h"
#include "support/product_queryable.h"
#include "tailrace/grpc_api/gateway.h"
#include "tailrace/grpc_api/query_server.h"

namespace tailrace::grpc_api {
namespace {

using nlohmann::json;
using testing::HttpConnection;
using testing::HttpGet;
using testing::HttpReply;
using testing::ProductQueryable;
using testing::Union;

constexpr int64_t kHour = 3'600'000;
constexpr int64_t kDay = 24 * kHour;
constexpr int64_t kMinute = 60'000;
constexpr int64_t kToday = 1767225600000;               // 2026-01-01T00:00:00Z
constexpr int64_t kNow = kToday + 2 * kHour + kMinute;  // 02:01; still the day before in America/Toronto

class WallClock : public base::Clock {  // the date is fixed, durations are real
 public:
  int64_t WallMs() const override { return kNow; }
  int64_t SteadyNs() const override { return base::SystemClock().SteadyNs(); }
};

class ProductRoutesTest : public ::testing::Test {
 protected:
  ProductRoutesTest() {
    for (const char* store : {"trends", "trends-by-place", "trends-by-group"}) {
      worker_.AddWindowStore(store, kHour, 8 * kDay, {{"count", {Union::kSum}}});
    }
    worker_.AddKeyValueStore("word-counts");
    worker_.AddWindowStore("language-counts", 20'000, kDay, {{"posts", {Union::kSum}}});
    const testing::UnionRules users{{"posts", {Union::kSum}}, {"retweets", {Union::kSum}}, {"favorites", {Union::kSum}},
                                    {"sentiment_sum", {Union::kSum}}, {"sentiment_avg", {Union::kMean, "posts"}}};
    worker_.AddWindowStore("user-views", kDay, 400 * kDay, users);
    worker_.AddKeyValueStore("user-views-all-time");
    worker_.AddWindowStore("ticker-views", kDay, 2000 * kDay,
                           {{"days", {Union::kSum}}, {"open", {Union::kMean, "days"}}, {"close", {Union::kMean, "days"}},
                            {"high", {Union::kMax}}, {"low", {Union::kMin}}, {"volume", {Union::kMean, "days"}}});
    worker_.AddWindowStore("ohlcv", kMinute, kDay, {});
    worker_.AddWindowStore("wages", kMinute, kDay, {{"average", {Union::kMean, "count"}}, {"count", {Union::kSum}}});
    worker_.AddKeyValueStore("sentiment");
    worker_.AddKeyValueStore("requests");
    server_ = std::make_unique<QueryServer>(QueryServerOptions{.listen = "127.0.0.1:0"}, worker_);
    EXPECT_TRUE(server_->Start().ok());
    const std::string endpoint = "127.0.0.1:" + std::to_string(server_->port());
    worker_.SetEndpoint(endpoint);
    // gRPC deadlines are dates, so the client keeps the real clock.
    gateway_ = std::make_unique<Gateway>(GatewayOptions{.listen = "127.0.0.1:0", .clock = &clock_},
                                         QueryClient::Create({.workers = {endpoint}}));
    EXPECT_TRUE(gateway_->Start().ok());
  }
  void Count(const std::string& store, const std::string& key, int64_t hours_ago, int count) {
    const int64_t hour = kToday + 2 * kHour;
    worker_.Put(store, key, hour - hours_ago * kHour, json{{"count", count}}.dump());
  }
  json GetJson(const std::string& target) {
    const HttpReply reply = HttpGet(gateway_->port(), target);
    EXPECT_EQ(reply.status, 200) << target << " " << reply.body;
    return json::parse(reply.body, nullptr, false);
  }
  json GetProblem(const std::string& target, int status) {
    const HttpReply reply = HttpGet(gateway_->port(), target);
    EXPECT_EQ(reply.status, status) << target << " " << reply.body;
    return json::parse(reply.body, nullptr, false);
  }
  std::set<std::string> Wrong(const std::string& target) {
    std::set<std::string> names;
    const json problem = GetProblem(target, 400);
    for (const json& error : problem["errors"]) names.insert(error["parameter"].get<std::string>());
    return names;
  }
  static std::string Topics(const json& answer) {
    std::string topics;
    for (const json& item : answer["items"]) topics += item["topic"].get<std::string>() + "=" + item["score"].dump() + " ";
    return topics;
  }

  WallClock clock_;
  ProductQueryable worker_;
  std::unique_ptr<QueryServer> server_;
  std::unique_ptr<Gateway> gateway_;
};

TEST_F(ProductRoutesTest, TrendsRankByWhatRises) {
  Count("trends", "quake", 0, 30), Count("trends", "quake", 1, 10), Count("trends", "quake", 2, 25);
  Count("trends", "snow", 0, 5), Count("trends", "snow", 1, 50);
  Count("trends", "first", 0, 900);
  Count("trends", "earlier", 2, 1), Count("trends", "earlier", 3, 900);
  const json slope = GetJson("/api/v1/trends?n=5");
  EXPECT_EQ(Topics(slope), "quake=20 snow=-45 ") << "this hour against the one before; a word seen first has no slope";
  EXPECT_EQ(slope["from"], "2026-01-01T01:00:00Z");
  EXPECT_EQ(slope["period_ms"], kHour);
  EXPECT_EQ(slope["items"][0], json::parse(R"({"topic":"quake","score":20,"count":40,"period_start":"2026-01-01T02:00:00Z"})"));
  EXPECT_EQ(Topics(GetJson("/api/v1/trends?score=count&n=2")), "first=900 snow=55 ");
  EXPECT_EQ(Topics(GetJson("/api/v1/trends?period=2h")), "quake=15 ") << "from 23:00 to 1:00 and from 1:00 to 3:00";
  const json decay = GetJson("/api/v1/trends?score=decay&half_life=1h&n=1");
  EXPECT_EQ(decay["items"][0]["topic"], "first");
  EXPECT_EQ(decay["half_life_ms"], kHour);
}

TEST_F(ProductRoutesTest, TrendsByPlaceGroupAndSource) {
  Count("trends-by-place", "Toronto, Ontario|snow", 0, 8);
  Count("trends-by-place", "Toronto, Ontario|rain", 0, 2);
  Count("trends-by-place", "Ottawa, Ontario|rain", 0, 99);
  Count("trends-by-group", "press|rain", 0, 4);
  worker_.Put("word-counts", "web|rain", R"({"count":7})");
  worker_.Put("word-counts", "phone|snow", R"({"count":70})");
  EXPECT_EQ(Topics(GetJson("/api/v1/trends?score=count&place=Toronto,%20Ontario")), "snow=8 rain=2 ");
  EXPECT_EQ(Topics(GetJson("/api/v1/trends?score=count&group=press")), "rain=4 ");
  EXPECT_EQ(Topics(GetJson("/api/v1/trends?source=web")), "rain=7 ");
  EXPECT_EQ(Topics(GetJson("/api/v1/trends?score=count&place=Nowhere")), "");
  EXPECT_EQ(Wrong("/api/v1/trends?source=web&score=slope&place=x&period=1h"), (std::set<std::string>{"score", "place", "period"}));
  EXPECT_EQ(Wrong("/api/v1/trends?place=x&group=y"), std::set<std::string>{"group"});
}

TEST_F(ProductRoutesTest, TopicsAreComparedOverSevenDays) {
  Count("trends", "café", 1, 3), Count("trends", "café", 30, 4), Count("trends", "café", 24 * 7 + 5, 100);
  Count("trends", "snow", 2, 20);
  Count("trends", "quiet", 24 * 7 + 9, 6);
  const json one = GetJson("/api/v1/trends?topic=%23CAFE%CC%81");
  ASSERT_EQ(one["topics"].size(), 2u);
  EXPECT_EQ(one["topics"][0]["topic"], "café") << "in any case, composed or not";
  EXPECT_EQ(one["topics"][0]["total"], 7);
  EXPECT_EQ(one["topics"][0]["points"].size(), 2u);
  EXPECT_EQ(one["topics"][1]["topic"], "snow");
  EXPECT_EQ(one["topics"][1]["role"], "hottest");
  const json two = GetJson("/api/v1/trends?topic=quiet&topic2=snow&period=1d&zone=America/Toronto");
  EXPECT_EQ(two["topics"][0]["seen"], false);
  EXPECT_EQ(two["topics"][0]["message"], "'quiet' was not seen in 7 days.");
  EXPECT_EQ(two["topics"][1]["points"], json::parse(R"([{"start":"2025-12-31T00:00:00-05:00","end":"2026-01-01T00:00:00-05:00","count":20}])"));
  EXPECT_EQ(GetJson("/api/v1/trends?topic=snow")["topics"][1]["topic"], "café") << "the hottest but itself";
  EXPECT_EQ(GetJson("/api/v1/trends?topic=nobody")["topics"][0]["last_seen"], nullptr);
  worker_.SetRetentionStart(kNow);
  EXPECT_EQ(GetProblem("/api/v1/trends?topic=snow&from=1000&to=90000000", 410)["type"], "urn:tailrace:problem:expired");
}

TEST_F(ProductRoutesTest, LanguagesAreOfTheNewestWindowThatIsOver) {
  const auto put = [this](const char* language, int64_t start_ms, int posts) {
    worker_.Put("language-counts", language, start_ms, json{{"posts", posts}}.dump());
  };
  put("en", kNow - 28'000, 100), put("fr", kNow - 24'000, 3), put("en", kNow - 24'000, 9), put("de", kNow - 16'000, 50);
  EXPECT_EQ(GetJson("/api/v1/languages"), json::parse(R"({"window":{"start":"2026-01-01T02:00:36Z","end":"2026-01-01T02:00:56Z"},
    "total":12,"items":[{"language":"en","posts":9},{"language":"fr","posts":3}]})"));
  EXPECT_EQ(GetJson("/api/v1/languages?at=2026-01-01T01:00:00Z")["window"], nullptr);
}

TEST_F(ProductRoutesTest, AUsersThreeRanges) {
  for (int ago = 0; ago <= 9; ++ago) {
    worker_.Put("user-views", "alice", kToday - ago * kDay,
                json{{"posts", 1}, {"retweets", ago}, {"favorites", 10}, {"sentiment_sum", 1}, {"sentiment_avg", ago}}.dump());
  }
  worker_.Put("user-views-all-time", "alice", R"({"posts":500,"retweets":1,"favorites":2,"sentiment_sum":3,"sentiment_avg":0.5})");
  worker_.Put("user-views", "bob", kToday - kDay, R"({"posts":3,"retweets":0,"favorites":0})");
  const json alice = GetJson("/api/v1/users/@Alice");
  EXPECT_EQ(alice["user"], "alice");
  EXPECT_EQ(alice["all_time"]["posts"], 500);
  EXPECT_EQ(alice["today"], "2026-01-01");
  EXPECT_EQ(alice["week"]["from"], "2025-12-25");
  EXPECT_EQ(alice["week"]["to"], "2025-12-31");
  EXPECT_EQ(alice["week"]["values"]["retweets"], 1 + 2 + 3 + 4 + 5 + 6 + 7);
  EXPECT_EQ(alice["week"]["values"]["sentiment_avg"], 4);
  EXPECT_EQ(alice["week_with_today"]["values"]["retweets"], 0 + 1 + 2 + 3 + 4 + 5 + 6);
  EXPECT_EQ(alice["days"].size(), 8u);
  const json west = GetJson("/api/v1/users/alice?zone=America/Toronto");
  EXPECT_EQ(west["today"], "2025-12-31") << "midnight has not come there";
  EXPECT_EQ(west["week"]["values"]["retweets"], 2 + 3 + 4 + 5 + 6 + 7 + 8);
  EXPECT_EQ(GetProblem("/api/v1/users/nobody", 404)["type"], "urn:tailrace:problem:unknown-user");
  const json list = GetJson("/api/v1/users?by=posts&n=2&range=week");
  EXPECT_EQ(list["items"][0]["user"], "alice");
  EXPECT_EQ(list["items"][0]["value"], 7);
  EXPECT_EQ(list["items"][1]["posts"], 3);
  EXPECT_EQ(GetJson("/api/v1/users?range=all_time")["items"][0]["posts"], 500);
  EXPECT_EQ(GetJson("/api/v1/users?prefix=B")["items"][0]["user"], "bob");
  EXPECT_EQ(Wrong("/api/v1/users?by=likes&n=1000000&range=month&zone=Mars&order=up"),
            (std::set<std::string>{"by", "n", "range", "zone", "order"}));
}

TEST_F(ProductRoutesTest, ATickersThreeRanges) {
  const auto bar = [this](int64_t start_ms, double open, double close, double high, double low) {
    worker_.Put("ticker-views", "AAPL", start_ms,
                json{{"days", 1}, {"open", open}, {"close", close}, {"high", high}, {"low", low}, {"change", close - open}, {"volume", 100}}.dump());
  };
  bar(kToday - 900 * kDay, 1, 1, 999, 1), bar(kToday - kDay, 100, 110, 120, 90), bar(kToday, 110, 99, 111, 95);
  const json ticker = GetJson("/api/v1/tickers/$aapl");
  EXPECT_EQ(ticker["all_time"]["days"], 3);
  EXPECT_EQ(ticker["all_time"]["high"], 999);
  EXPECT_EQ(ticker["week"]["values"]["days"], 1);
  EXPECT_DOUBLE_EQ(ticker["week"]["values"]["day_change"].get<double>(), 0.1);
  EXPECT_EQ(ticker["week_with_today"]["values"]["low"], 90);
  EXPECT_EQ(ticker["days"][1]["date"], "2026-01-01");
  EXPECT_DOUBLE_EQ(ticker["days"][1]["day_change"].get<double>(), -0.1);
  EXPECT_EQ(GetJson("/api/v1/tickers?by=high&range=all_time")["items"][0]["high"], 999);
  EXPECT_EQ(GetProblem("/api/v1/tickers/ZZZ", 404)["type"], "urn:tailrace:problem:unknown-ticker");
}

TEST_F(ProductRoutesTest, Candles) {
  const auto put = [this](int64_t start_ms, double open, double high, double low, double close, double volume) {
    worker_.Put("ohlcv", "BINANCE:BTCUSDT", start_ms,
                json{{"open", open}, {"high", high}, {"low", low}, {"close", close}, {"volume", volume}, {"trades", 2}}.dump());
  };
  put(kToday + 100 * kMinute, 10, 15, 9, 12, 0.5), put(kToday + 101 * kMinute, 12, 13, 7, 8, 1), put(kToday + 105 * kMinute, 8, 9, 8, 9, 2);
  const json one = GetJson("/api/v1/tickers/BINANCE:BTCUSDT/candles");
  EXPECT_EQ(one["candles"].size(), 3u);
  EXPECT_EQ(one["candles"][0], json::parse(R"({"start":"2026-01-01T01:40:00Z","end":"2026-01-01T01:41:00Z",
    "open":10,"high":15,"low":9,"close":12,"volume":0.5,"trades":2})"));
  const json five = GetJson("/api/v1/tickers/binance:btcusdt/candles?interval=5m");
  EXPECT_EQ(five["candles"][0], json::parse(R"({"start":"2026-01-01T01:40:00Z","end":"2026-01-01T01:45:00Z",
    "open":10,"high":15,"low":7,"close":8,"volume":1.5,"trades":4})"));
  EXPECT_EQ(five["total"], json::parse(R"({"open":10,"high":15,"low":7,"close":9,"volume":3.5,"trades":6,"change":-0.1})"));
  EXPECT_EQ(GetJson("/api/v1/tickers/BINANCE:BTCUSDT/candles?from=0&to=1000")["total"], nullptr);
  EXPECT_EQ(Wrong("/api/v1/tickers/x/candles?interval=90s&from=b&zone=Mars"), (std::set<std::string>{"interval", "from", "zone"}));
  GetProblem("/api/v1/tickers/x/candles", 404);
  worker_.SetRetentionStart(kNow);
  GetProblem("/api/v1/tickers/BINANCE:BTCUSDT/candles?from=0&to=1000", 410);
}

TEST_F(ProductRoutesTest, WagesOfOneUnit) {
  const auto put = [this](const char* key, int minutes_ago, double average, int count) {
    worker_.Put("wages", key, kNow - kNow % kMinute - minutes_ago * kMinute, json{{"average", average}, {"count", count}}.dump());
  };
  put("Engineer|Year", 1, 100'000, 1), put("Engineer|Year", 5, 70'000, 2), put("Nurse|Year", 1, 75'000, 1), put("Cook|Hour", 1, 30, 4);
  EXPECT_EQ(GetJson("/api/v1/wages/top")["items"], json::parse(R"([
    {"job_title":"Engineer","unit":"Year","average":80000,"count":3},{"job_title":"Nurse","unit":"Year","average":75000,"count":1}])"));
  EXPECT_EQ(GetJson("/api/v1/wages/top?unit=Hour")["items"][0]["job_title"], "Cook");
  EXPECT_EQ(GetJson("/api/v1/wages/top?unit=all&order=asc")["items"][0]["average"], 30);
  EXPECT_EQ(Wrong("/api/v1/wages/top?unit=&n=0"), (std::set<std::string>{"unit", "n"}));
}

TEST_F(ProductRoutesTest, SentimentAndDayChange) {
  // day_change = 0.01 + 0.02 * sentiment on four days, and a day whose bar has not come.
  for (int day = 1; day <= 4; ++day) {
    worker_.Put("sentiment", "alice|AAPL|2025-12-0" + std::to_string(day),
                json{{"sentiment", day}, {"posts", 2}, {"day_change", 0.01 + 0.02 * day}}.dump());
  }
  worker_.Put("sentiment", "alice|AAPL|2025-12-05", R"({"sentiment":9,"posts":1,"day_change":null})");
  worker_.Put("sentiment", "alice|MSFT|2025-12-01", R"({"sentiment":-1,"posts":1,"day_change":0.5})");
  worker_.Put("sentiment", "alicia|AAPL|2025-12-01", R"({"sentiment":5,"posts":1,"day_change":-0.5})");
  const json pair = GetJson("/api/v1/joins/sentiment?user=Alice&ticker=aapl&n=2");
  EXPECT_EQ(pair["days"], 5);
  EXPECT_EQ(pair["pairs"], 4);
  EXPECT_NEAR(pair["correlation"].get<double>(), 1, 1e-9);
  EXPECT_NEAR(pair["fit"]["slope"].get<double>(), 0.02, 1e-9);
  EXPECT_NEAR(pair["fit"]["intercept"].get<double>(), 0.01, 1e-9);
  EXPECT_NEAR(pair["fit"]["r_squared"].get<double>(), 1, 1e-9);
  EXPECT_EQ(pair["held_out"], nullptr) << "one pair is too few to predict";
  EXPECT_EQ(pair["items"].size(), 2u);
  EXPECT_EQ(pair["items"][0], json::parse(R"({"user":"alice","ticker":"AAPL","date":"2025-12-05","sentiment":9,"posts":1,"day_change":null})"));
  EXPECT_EQ(GetJson("/api/v1/joins/sentiment?ticker=AAPL")["days"], 6);
  EXPECT_EQ(GetJson("/api/v1/joins/sentiment?user=alice")["days"], 6);
  EXPECT_EQ(GetJson("/api/v1/joins/sentiment?user=alice&ticker=AAPL&from=2025-12-02T00:00:00Z&to=2025-12-04T00:00:00Z")["days"], 2);
  for (int day = 10; day < 26; ++day) {
    worker_.Put("sentiment", "bert|AAPL|2025-12-" + std::to_string(day), json{{"sentiment", day % 5}, {"posts", 1}, {"day_change", 0.5 * (day % 5)}}.dump());
  }
  const json predicted = GetJson("/api/v1/joins/sentiment?user=bert&n=1")["held_out"];
  EXPECT_EQ(predicted["pairs"], 4);
  EXPECT_NEAR(predicted["r_squared"].get<double>(), 1, 1e-9);
  const json few = GetJson("/api/v1/joins/sentiment?user=alicia");
  EXPECT_EQ(few["fit"], nullptr) << "one pair lies on any line";
  EXPECT_EQ(Wrong("/api/v1/joins/sentiment?user=a|b&n=0&from=2&to=1"), (std::set<std::string>{"user", "n", "from"}));
}

TEST_F(ProductRoutesTest, RequestsAndTheirStates) {
  worker_.Put("requests", "user|alice", R"({"id":"1","kind":"user","name":"alice","requested_at":1000,"state":"ready","updated_at":5000})");
  worker_.Put("requests", "user|bob", R"({"id":"2","kind":"user","name":"bob","requested_at":3000,"state":"failed","reason":"there is no such user","updated_at":4000})");
  worker_.Put("requests", "ticker|AAPL", R"({"id":"3","kind":"ticker","name":"AAPL","requested_at":6000,"state":"computing","updated_at":7000})");
  const json all = GetJson("/api/v1/requests");
  EXPECT_EQ(all["total"], 3);
  EXPECT_EQ(all["items"][0], json::parse(R"({"id":"3","kind":"ticker","name":"AAPL","state":"computing",
    "requested_at":"1970-01-01T00:00:06Z","updated_at":"1970-01-01T00:00:07Z"})"));
  EXPECT_EQ(all["items"][1]["name"], "alice") << "last changed first";
  EXPECT_EQ(GetJson("/api/v1/requests?kind=user&state=failed")["items"][0]["reason"], "there is no such user");
  EXPECT_EQ(GetJson("/api/v1/requests?kind=user&n=1")["items"].size(), 1u);
  EXPECT_EQ(GetJson("/api/v1/requests/user/@Alice")["state"], "ready");
  EXPECT_EQ(GetJson("/api/v1/requests/ticker/aapl")["name"], "AAPL");
  EXPECT_EQ(GetProblem("/api/v1/requests/user/nobody", 404)["type"], "urn:tailrace:problem:unknown-request");
  EXPECT_EQ(Wrong("/api/v1/requests?kind=city&state=done&n=0"), (std::set<std::string>{"kind", "state", "n"}));
  EXPECT_EQ(Wrong("/api/v1/requests/city/a%7Cb"), (std::set<std::string>{"kind", "name"}));
}

TEST_F(ProductRoutesTest, ARequestIsCheckedBeforeItIsMade) {
  const auto post = [this](const std::string& body, const std::string& type = "application/json") {
    HttpConnection connection(gateway_->port());
    return connection.Get("/api/v1/requests", "Content-Type: " + type + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body, "POST");
  };
  const auto wrong = [&](const std::string& body) {
    const HttpReply reply = post(body);
    EXPECT_EQ(reply.status, 400) << body << " " << reply.body;
    std::set<std::string> names;
    const json problem = json::parse(reply.body, nullptr, false);
    for (const json& error : problem["errors"]) names.insert(error["parameter"].get<std::string>());
    return names;
  };
  EXPECT_EQ(wrong("{"), std::set<std::string>{"body"});
  EXPECT_EQ(wrong("[]"), std::set<std::string>{"body"});
  EXPECT_EQ(wrong("{}"), (std::set<std::string>{"kind", "name"}));
  EXPECT_EQ(wrong(R"({"kind":"city","name":"a|b","more":1})"), (std::set<std::string>{"kind", "name", "more"}));
  EXPECT_EQ(wrong(R"({"kind":7,"name":null})"), (std::set<std::string>{"kind", "name"}));
  EXPECT_EQ(wrong(R"({"kind":"user","name":"alice","kind":"user"})"), std::set<std::string>{"kind"}) << "given twice";
  EXPECT_EQ(post(R"({"kind":"user","name":"alice"})", "text/plain").status, 415);
  EXPECT_EQ(post(R"({"kind":"user","name":"alice"})").status, 501) << "this worker keeps no registry";
  EXPECT_EQ(HttpConnection(gateway_->port()).Get("/api/v1/requests", "", "DELETE").headers.at("allow"), "GET, HEAD, POST");
}

TEST_F(ProductRoutesTest, APollThatFindsNothingNewIsCheap) {
  const HttpReply first = HttpGet(gateway_->port(), "/api/v1/stores");
  ASSERT_EQ(first.status, 200);
  const std::string tag = first.headers.at("etag");
  const HttpReply second = HttpConnection(gateway_->port()).Get("/api/v1/stores", "If-None-Match: " + tag + "\r\n");
  EXPECT_EQ(second.status, 304);
  EXPECT_EQ(second.body, "");
  EXPECT_EQ(second.headers.at("etag"), tag);
  EXPECT_EQ(HttpConnection(gateway_->port()).Get("/api/v1/stores", "If-None-Match: \"other\"\r\n").status, 200);
  EXPECT_EQ(HttpGet(gateway_->port(), "/api/v1/users/nobody").headers.count("etag"), 0u) << "an error is not kept";
}

TEST_F(ProductRoutesTest, APipelineThatDoesNotRunIsAnUnknownStore) {
  ProductQueryable empty;
  QueryServer server({.listen = "127.0.0.1:0"}, empty);
  ASSERT_TRUE(server.Start().ok());
  const std::string endpoint = "127.0.0.1:" + std::to_string(server.port());
  empty.SetEndpoint(endpoint);
  Gateway gateway({.listen = "127.0.0.1:0", .workers = {endpoint}});
  ASSERT_TRUE(gateway.Start().ok());
  for (const char* path : {"/api/v1/trends", "/api/v1/trends?topic=x", "/api/v1/trends?source=x", "/api/v1/languages", "/api/v1/users",
                           "/api/v1/users/x", "/api/v1/tickers", "/api/v1/tickers/x", "/api/v1/tickers/x/candles", "/api/v1/wages/top",
                           "/api/v1/joins/sentiment", "/api/v1/requests", "/api/v1/requests/user/x"}) {
    const HttpReply reply = HttpGet(gateway.port(), path);
    EXPECT_EQ(reply.status, 404) << path;
    EXPECT_EQ(json::parse(reply.body)["type"], "urn:tailrace:problem:unknown-store") << path;
  }
}

}  // namespace
}  // namespace tailrace::grpc_api
