// Goal: each connector as a user runs it: from a server that speaks its protocol to canonical records in topics, filtered,
// keyed, counted. Method: local servers, and a log in memory that is read back.
#include "tailrace/ingest/connector.h"

#include <mutex>
#include <thread>

#include "nlohmann/json.hpp"
#include "scripted_server.h"
#include "support.h"

namespace tailrace::ingest {
namespace {

using nlohmann::json;
using testing_support::Peer;
using testing_support::ScriptedServer;

constexpr int64_t kDayMs = 86'400'000;

// A log with the product's topics, a folder for everything, and a connector that is stopped when a condition holds.
class ConnectorTest : public testing::Test {
 protected:
  ConnectorTest() {
    std::vector<kafka::NewTopic> topics;
    for (const char* name : {"posts", "trades", "bars", "visa", "news", "requests"}) topics.push_back({.name = name, .partition_count = 2, .config = {}});
    EXPECT_TRUE(cluster_->admin().CreateTopics(topics, 1'000).ok());
    config_ = config_.With("spill.dir", folder_.File("spill")).With("x.token.file", folder_.Write("token", "secret\n")).With("finnhub.token.file", folder_.File("token"));
  }

  size_t Count(const std::string& topic) {
    int64_t count = 0;
    for (const int32_t partition : {0, 1}) count += cluster_->admin().Offsets({topic, base::Partition{partition}}, 1'000)->end.value();
    return static_cast<size_t>(count);
  }

  absl::StatusOr<ConnectorSummary> RunUntil(const ConnectorOptions& options, const std::function<bool()>& done) {
    StopSignal stop;
    StopSignal ended;
    std::thread watch([&] {
      for (int i = 0; i < 3'000 && !ended.WaitMs(10) && !done(); ++i) {
      }
      stop.Request();
    });
    auto summary = RunConnector(*cluster_, config_, options, metrics_, stop);
    ended.Request();
    watch.join();
    return summary;
  }

  const TemporaryFolder folder_;
  const std::unique_ptr<kafka::Cluster> cluster_ = *kafka::OpenInMemory();
  base::MetricsRegistry metrics_;
  base::Config config_;
};

std::string Post(const std::string& id, const std::string& place) {
  json line = {{"data", {{"id", id}, {"author_id", "9"}, {"created_at", "2026-01-01T00:00:00.000Z"}, {"text", "hello"}}}};
  if (!place.empty()) {
    line["data"]["geo"] = {{"place_id", place}};
    line["includes"]["places"] = json::parse(R"([
      {"id":"t","full_name":"Toronto, Ontario","name":"Toronto","place_type":"city","country_code":"CA","geo":{"bbox":[-79.64,43.58,-79.12,43.86]}},
      {"id":"o","full_name":"Ontario, Canada","name":"Ontario","place_type":"admin","country_code":"CA","geo":{"bbox":[-95.2,41.7,-74.3,56.9]}},
      {"id":"p","full_name":"Paris, France","name":"Paris","place_type":"city","country_code":"FR","geo":{"bbox":[2.2,48.8,2.5,48.9]}}])");
  }
  return line.dump() + "\r\n";
}

TEST_F(ConnectorTest, TheStreamOfXIsFilteredAndItsRepetitionsDropped) {
  ScriptedServer server([](Peer& peer, int number) {
    peer.ReadRequest();
    peer.BeginChunks();
    if (number == 0) {
      peer.Chunk(Post("9007199254740993", "t") + Post("2", "o") + Post("3", "p") + Post("4", "") + "{broken\r\n\r\n");
      return;  // cut
    }
    // The backfill repeats the first one.
    peer.Chunk(Post("9007199254740993", "t") + Post("5", "t"));
    peer.AwaitEnd();
  });
  config_ = config_.With("x.url", "http://" + server.address()).With("ingest.countries", "CA").With("ingest.place.types", "city").With("ingest.boxes", "-80,43,-79,44");
  const auto summary = RunUntil({.name = "x-stream"}, [&] { return Count("posts") >= 2; });
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->records, 2);
  EXPECT_EQ(summary->kept, 0);
  EXPECT_EQ(summary->skipped, "malformed_json 1, no_place 1, other_country 1, other_place_type 1, repeated 1");
  const auto stored = ReadTopic(*cluster_, "posts");
  ASSERT_EQ(stored.size(), 2u);
  EXPECT_EQ(stored[0].key, "Toronto, Ontario");
  EXPECT_EQ(json::parse(stored[0].value)["id"], "9007199254740993") << "ids are texts, however large";
  EXPECT_EQ(stored[0].timestamp_ms, kStartMs);
  EXPECT_EQ(json::parse(stored[1].value)["id"], "5");
  const std::string page = metrics_.Expose();
  EXPECT_NE(page.find("tailrace_ingest_skipped_total{reason=\"repeated\",source=\"x-stream\"} 1"), std::string::npos) << page;
  EXPECT_NE(page.find("tailrace_ingest_reconnects_total{source=\"x-stream\"} 1"), std::string::npos) << page;
}

TEST_F(ConnectorTest, TradesOneByOne) {
  ScriptedServer server([](Peer& peer, int) {
    peer.Upgrade(peer.ReadRequest());
    peer.ReadFrame();
    peer.Frame(Peer::kText, R"({"type":"ping"})");
    peer.Frame(Peer::kText, R"({"type":"trade","data":[{"s":"AAPL","p":1.5,"t":1767225600000,"v":2,"c":["1"]},{"s":"AAPL","p":-1,"t":1,"v":2},)", false);
    peer.Frame(Peer::kContinuation, R"({"s":"AAPL","p":2.5,"t":1767225600000,"v":0.25}]})");
    peer.AwaitEnd();
  });
  config_ = config_.With("finnhub.stream.url", "ws://" + server.address()).With("finnhub.symbols", "AAPL");
  const auto summary = RunUntil({.name = "finnhub-trades"}, [&] { return Count("trades") >= 2; });
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->records, 2);
  const auto stored = ReadTopic(*cluster_, "trades");
  ASSERT_EQ(stored.size(), 2u);
  EXPECT_EQ(stored[0].key, "AAPL");
  EXPECT_EQ(json::parse(stored[0].value)["price"], 1.5);
  EXPECT_EQ(json::parse(stored[1].value)["volume"], 0.25);
  EXPECT_LT(json::parse(stored[0].value)["seq"], json::parse(stored[1].value)["seq"]) << "the order within a millisecond";
  EXPECT_NE(summary->skipped.find("control_frame 1"), std::string::npos) << summary->skipped;
}

// What the services answer to the polls of the connector.
class Services {
 public:
  void Serve(Peer& peer) {
    for (std::string request = peer.ReadRequest(); !request.empty(); request = peer.ReadRequest()) {
      const size_t begin = request.find(' ') + 1;
      Answer(peer, request.substr(begin, request.find(' ', begin) - begin));
    }
  }
  int bars_polls() {
    std::lock_guard lock(mu_);
    return bars_polls_;
  }
  std::string first_bars_target() {
    std::lock_guard lock(mu_);
    return first_bars_target_;
  }

 private:
  void Answer(Peer& peer, const std::string& target) {
    if (target.starts_with("/2/users/by/username/alice")) peer.Answer(200, R"({"data":{"id":"7"}})");
    else if (target.starts_with("/2/users/by/username/")) peer.Answer(200, R"({"errors":[]})");
    else if (target.starts_with("/2/users/7/tweets"))
      peer.Answer(200, R"({"data":[{"id":"1","author_id":"7","created_at":"2025-12-31T10:00:00Z","text":"hi"}],"includes":{"users":[{"id":"7","username":"alice"}]}})");
    else if (target.starts_with("/stock/candle")) {
      std::lock_guard lock(mu_);
      if (bars_polls_++ == 0) first_bars_target_ = target;
      peer.Answer(200, R"({"s":"ok","t":[1767225600],"o":[1],"h":[3],"l":[0.5],"c":[2],"v":[100]})");
    } else if (target.starts_with("/stock/visa"))
      peer.Answer(200, R"({"data":[{"symbol":"AAPL","jobTitle":"ENGINEER","wageRangeFrom":100,"wageUnitOfPay":"Year","receivedDate":"2025-01-02"}]})");
    else if (target.starts_with("/news")) peer.Answer(200, R"([{"id":5,"datetime":1767225600,"headline":"h","category":"general"}])");
    else peer.Answer(404, "{}");
  }
  std::mutex mu_;
  int bars_polls_ = 0;
  std::string first_bars_target_;
};

TEST_F(ConnectorTest, RequestsBecomeReadyOrFailedAndWhatIsKnownIsRefreshed) {
  Services services;
  ScriptedServer server([&](Peer& peer, int) { services.Serve(peer); });
  const std::string url = "http://" + server.address();
  config_ = config_.With("x.url", url).With("finnhub.url", url).With("rest.tickers.interval.ms", "50");
  auto producer = *cluster_->NewProducer({.client_id = "gateway"});
  const kafka::TopicHandle topic = *producer->Topic("requests");
  const auto request = [&](const std::string& kind, const std::string& name) {
    const std::string key = kind + "|" + name;
    const std::string value =
        json{{"id", key}, {"kind", kind}, {"name", name}, {"requested_at", kStartMs}, {"updated_at", kStartMs}, {"state", "requested"}, {"of a later version", true}}.dump();
    EXPECT_TRUE(producer->Send({.topic = topic, .key = key, .value = std::string_view(value), .timestamp_ms = kStartMs}).ok());
  };
  request("user", "alice");
  request("user", "nobody");
  request("ticker", "AAPL");
  EXPECT_TRUE(producer->Send({.topic = topic, .key = std::string_view("junk"), .value = std::string_view("{"), .timestamp_ms = kStartMs}).ok());
  ASSERT_TRUE(producer->Flush(1'000).ok());
  const auto states = [&] {
    std::map<std::string, std::vector<std::string>> by_key;
    for (const StoredRecord& record : ReadTopic(*cluster_, "requests")) {
      const json value = json::parse(record.value, nullptr, false);
      if (value.is_object()) by_key[*record.key].push_back(value["state"]);
    }
    return by_key;
  };
  const auto summary = RunUntil({.name = "rest"}, [&] { return Count("requests") >= 10 && services.bars_polls() >= 4 && Count("visa") > 0 && Count("news") > 0; });
  ASSERT_TRUE(summary.ok()) << summary.status();
  using States = std::vector<std::string>;
  auto by_key = states();
  EXPECT_EQ(by_key["user|alice"], (States{"requested", "computing", "ready"}));
  EXPECT_EQ(by_key["user|nobody"], (States{"requested", "computing", "failed"}));
  EXPECT_EQ(by_key["ticker|AAPL"], (States{"requested", "computing", "ready"}));
  for (const StoredRecord& record : ReadTopic(*cluster_, "requests")) {
    const json value = json::parse(record.value, nullptr, false);
    if (!value.is_object() || value["state"] == "requested") continue;
    EXPECT_TRUE(value["of a later version"]) << "members that are not understood are kept";
    EXPECT_EQ(value.contains("reason"), value["state"] == "failed");
  }
  const auto posts = ReadTopic(*cluster_, "posts");
  ASSERT_EQ(posts.size(), 1u);
  EXPECT_EQ(json::parse(posts[0].value)["author_name"], "alice");
  const auto bars = ReadTopic(*cluster_, "bars");
  ASSERT_GE(bars.size(), 4u);
  EXPECT_EQ(bars[0].key, "AAPL");
  EXPECT_EQ(json::parse(bars[0].value)["date"], "2026-01-01");
  EXPECT_EQ(ReadTopic(*cluster_, "visa")[0].key, "ENGINEER");
  EXPECT_EQ(json::parse(ReadTopic(*cluster_, "news")[0].value)["id"], 5);
  // The first load goes back five years.
  const std::string first = services.first_bars_target();
  const auto number = [&](const std::string& name) { return std::stoll(first.substr(first.find(name + "=") + name.size() + 1)); };
  EXPECT_EQ(number("to") - number("from"), 1'826 * kDayMs / 1'000);
}

TEST_F(ConnectorTest, FilesGoToTheTopicOfTheirFormat) {
  const std::string file = folder_.Write("bars.jsonl", R"({"ticker":"AAPL","date":"2026-01-01","open":1,"high":3,"low":0.5,"close":2,"volume":100})"
                                                       "\nnot json\n"
                                                       R"({"ticker":"MSFT","date":"2026-01-01","open":1,"high":3,"low":0.5,"close":2,"volume":100})"
                                                       "\n");
  int64_t records = 0;
  for (const char* shard : {"0/2", "1/2"}) {
    config_ = config_.With("ingest.shard", shard).With("spill.dir", folder_.File(std::string("spill-") + shard[0]));
    const auto summary = RunUntil({.name = "files", .inputs = {file}, .format = "bar"}, [] { return false; });
    ASSERT_TRUE(summary.ok()) << summary.status();
    records += summary->records;
    EXPECT_NE(summary->skipped.find("malformed_json 1"), std::string::npos) << summary->skipped;
  }
  EXPECT_EQ(records, 2) << "each record in exactly one share";
  EXPECT_EQ(ReadTopic(*cluster_, "bars").size(), 2u);
}

TEST_F(ConnectorTest, WrongSettingsAreSaid) {
  const auto said = [&](const ConnectorOptions& options) {
    const absl::Status status = RunUntil(options, [] { return true; }).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_EQ(status.message().find("secret"), std::string::npos) << status;
    return std::string(status.message());
  };
  EXPECT_NE(said({.name = "x-steam"}).find("x-stream"), std::string::npos);
  EXPECT_NE(said({.name = "files"}).find("--input"), std::string::npos);
  EXPECT_NE(said({.name = "files", .inputs = {folder_.File("token")}, .format = "bars"}).find("bar"), std::string::npos);
  EXPECT_NE(said({.name = "finnhub-trades"}).find("finnhub.symbols"), std::string::npos);
  EXPECT_NE(said({.name = "rest", .topic = "other"}).find("no other topic"), std::string::npos);
  config_ = config_.With("ingest.boxes", "1,2,3");
  EXPECT_NE(said({.name = "x-stream"}).find("ingest.boxes"), std::string::npos);
  config_ = config_.With("ingest.boxes", "").With("x.token.file", folder_.Write("bad", "sec\x01ret"));
  EXPECT_NE(said({.name = "x-stream"}).find("x.token.file"), std::string::npos);
  config_ = config_.With("ingest.countries", "CA");
  EXPECT_NE(said({.name = "files", .inputs = {folder_.File("token")}, .format = "bar"}).find("has no places"), std::string::npos);
}

}  // namespace
}  // namespace tailrace::ingest
