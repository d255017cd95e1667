// Goal: the client of the filtered stream hands over every line once per sending, comes back after whatever happens to the
// connection, and waits as X asks. Method: a server that speaks chunked HTTP byte by byte, with cuts, stalls and refusals.
#include "sources/x_stream.h"

#include <mutex>
#include <set>

#include "nlohmann/json.hpp"
#include "scripted_server.h"
#include "support.h"
#include "tailrace/base/limits.h"

namespace tailrace::ingest {
namespace {

using testing_support::Peer;
using testing_support::ScriptedServer;

// Waits that do not slow a test down.
constexpr ReconnectTimes kQuick{.network_step_ms = 1, .network_max_ms = 5, .http_first_ms = 1, .http_max_ms = 5, .rate_first_ms = 1, .rate_max_ms = 60'000};

struct Outcome {
  absl::Status status;
  std::vector<std::string> lines;
};

// Runs the stream until `count` lines are there, or it ends by itself.
Outcome RunUntil(XStreamOptions options, size_t count) {
  options.token = "secret";
  options.reconnect = kQuick;
  StopSignal stop;
  Outcome outcome;
  outcome.status = RunXStream(options, stop, [&](std::string_view line) {
    outcome.lines.emplace_back(line);
    if (outcome.lines.size() >= count) stop.Request();
    return absl::OkStatus();
  });
  return outcome;
}

TEST(XStream, LinesInAnyPiecesAndKeepAlives) {
  std::mutex mu;
  std::string request;
  ScriptedServer server([&](Peer& peer, int) {
    {
      std::lock_guard lock(mu);
      request = peer.ReadRequest();
    }
    peer.BeginChunks();
    for (const char* piece : {"{\"a\":1}\r\n", "\r\n", "{\"b\"", ":2}", "\r", "\n{\"c\":3}\r\n{\"d\":4}\r\n\r\n", "{\"e\":\"\u00e9\"}\n"}) peer.Chunk(piece);
    peer.AwaitEnd();
  });
  const Outcome outcome = RunUntil({.url = "http://" + server.address(), .backfill_minutes = 3}, 5);
  EXPECT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.lines, (std::vector<std::string>{"{\"a\":1}", "{\"b\":2}", "{\"c\":3}", "{\"d\":4}", "{\"e\":\"\u00e9\"}"}));
  std::lock_guard lock(mu);
  EXPECT_EQ(Peer::Header(request, "authorization"), "Bearer secret");
  EXPECT_NE(request.find("GET /2/tweets/search/stream?"), std::string::npos) << request;
  EXPECT_NE(request.find("backfill_minutes=3"), std::string::npos) << request;
  EXPECT_NE(request.find("expansions=geo.place_id%2Cauthor_id"), std::string::npos) << request;
}

TEST(XStream, ComesBackAfterCutsStallsEndsAndRefusals) {
  ScriptedServer server([](Peer& peer, int number) {
    peer.ReadRequest();
    switch (number) {
      case 0: return;  // nothing at all
      case 1:
        peer.BeginChunks();
        peer.Chunk("{\"n\":1}\r\n{\"half");
        return;  // cut in the middle of a line
      case 2: peer.Answer(503, "{\"title\":\"Service Unavailable\"}"); return;
      case 3:
        peer.BeginChunks();
        peer.Chunk("{\"n\":2}\r\n");
        peer.AwaitEnd();  // a stall: it goes on for ever
        return;
      case 4: peer.Answer(429, "{}", "x-rate-limit-reset: 1\r\n"); return;
      case 5:
        peer.BeginChunks();
        peer.Chunk("{\"n\":3}\r\n");
        peer.EndChunks();
        return;
      default:
        peer.BeginChunks();
        peer.Chunk("{\"n\":4}\r\n");
        peer.AwaitEnd();
    }
  });
  const Outcome outcome = RunUntil({.url = "http://" + server.address(), .stall_timeout_ms = 3'000}, 4);
  EXPECT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.lines, (std::vector<std::string>{"{\"n\":1}", "{\"n\":2}", "{\"n\":3}", "{\"n\":4}"}));
  EXPECT_EQ(server.connections(), 7);
}

TEST(XStream, AWrongTokenEndsItWithoutShowingIt) {
  ScriptedServer server([](Peer& peer, int) {
    peer.ReadRequest();
    peer.Answer(401, R"({"title":"Unauthorized"})");
  });
  const Outcome outcome = RunUntil({.url = "http://" + server.address()}, 1);
  EXPECT_TRUE(absl::IsUnauthenticated(outcome.status)) << outcome.status;
  EXPECT_NE(outcome.status.message().find("token"), std::string::npos);
  EXPECT_EQ(outcome.status.message().find("secret"), std::string::npos) << outcome.status;
}

TEST(XStream, AnEndlessLineIsCutAndTheNextOneIsWhole) {
  ScriptedServer server([](Peer& peer, int) {
    peer.ReadRequest();
    peer.BeginChunks();
    for (size_t sent = 0; sent < base::limits::kEventBytesMax * 2; sent += 65'536) peer.Chunk(std::string(65'536, 'x'));
    peer.Chunk("\r\n{}\r\n");
    peer.AwaitEnd();
  });
  const Outcome outcome = RunUntil({.url = "http://" + server.address()}, 2);
  ASSERT_EQ(outcome.lines.size(), 2u);
  EXPECT_EQ(outcome.lines[0].size(), base::limits::kEventBytesMax + 1);
  EXPECT_EQ(outcome.lines[1], "{}");
}

// A server that keeps rules as X does.
class Rules {
 public:
  void Serve(Peer& peer) {
    for (std::string request = peer.ReadRequest(); !request.empty(); request = peer.ReadRequest()) {
      std::lock_guard lock(mu_);
      if (request.find("/rules") == std::string::npos) {
        peer.BeginChunks();
        peer.Chunk("{}\r\n");
        peer.AwaitEnd();
        return;
      }
      if (request.rfind("POST", 0) == 0) Change(nlohmann::json::parse(request.substr(request.find("\r\n\r\n") + 4)));
      nlohmann::json data = nlohmann::json::array();
      for (const auto& [id, rule] : rules_) data.push_back({{"id", std::to_string(id)}, {"value", rule.first}, {"tag", rule.second}});
      peer.Answer(200, nlohmann::json{{"data", data}}.dump());
    }
  }
  std::set<std::pair<std::string, std::string>> values() {
    std::lock_guard lock(mu_);
    std::set<std::pair<std::string, std::string>> values;
    for (const auto& [id, rule] : rules_) values.insert(rule);
    return values;
  }
  int changes = 0;

 private:
  void Change(const nlohmann::json& change) {
    ++changes;
    if (change.contains("delete"))
      for (const auto& id : change["delete"]["ids"]) rules_.erase(std::stoi(id.get<std::string>()));
    if (change.contains("add"))
      for (const auto& rule : change["add"]) rules_[++next_] = {rule["value"], rule.value("tag", "")};
  }
  std::mutex mu_;
  int next_ = 10;
  std::map<int, std::pair<std::string, std::string>> rules_ = {{1, {"old rule", ""}}, {2, {"place_country:CA", "canada"}}};
};

TEST(XStream, RulesBecomeThoseOfTheFile) {
  Rules rules;
  ScriptedServer server([&](Peer& peer, int) { rules.Serve(peer); });
  const TemporaryFolder folder;
  const auto wanted = LoadXRules(folder.Write("rules", "# Canada and some cats\n{\"value\":\"place_country:CA\",\"tag\":\"canada\"}\n\ncat has:images\n"));
  ASSERT_TRUE(wanted.ok()) << wanted.status();
  for (int run = 0; run < 2; ++run) {
    const Outcome outcome = RunUntil({.url = "http://" + server.address(), .rules = *wanted}, 1);
    EXPECT_TRUE(outcome.status.ok()) << outcome.status;
    EXPECT_EQ(rules.values(), (std::set<std::pair<std::string, std::string>>{{"place_country:CA", "canada"}, {"cat has:images", ""}}));
    EXPECT_EQ(rules.changes, 2) << "one deletion and one addition, and nothing the second time";
  }
  EXPECT_TRUE(absl::IsInvalidArgument(LoadXRules(folder.Write("bad", "{\"tag\":\"x\"}\n")).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(LoadXRules(folder.Write("none", "# nothing\n")).status()));
}

TEST(Reconnect, WaitsGrowAsXAsks) {
  Reconnect reconnect({});
  EXPECT_EQ(reconnect.NextMs(ReconnectReason::kNetwork), 250);
  EXPECT_EQ(reconnect.NextMs(ReconnectReason::kNetwork), 500);
  for (int i = 0; i < 100; ++i) (void)reconnect.NextMs(ReconnectReason::kNetwork);
  EXPECT_EQ(reconnect.NextMs(ReconnectReason::kNetwork), 16'000);
  for (const int64_t seconds : {5, 10, 20, 40, 80, 160, 320, 320}) EXPECT_EQ(reconnect.NextMs(ReconnectReason::kHttp), seconds * 1'000);
  EXPECT_EQ(reconnect.NextMs(ReconnectReason::kRateLimit), 60'000);
  EXPECT_EQ(reconnect.NextMs(ReconnectReason::kRateLimit), 120'000);
  EXPECT_EQ(reconnect.NextMs(ReconnectReason::kRateLimit, 1'234), 1'234);
  EXPECT_EQ(reconnect.NextMs(ReconnectReason::kRateLimit, int64_t{1} << 60), 960'000) << "a wrong clock keeps nobody away for ever";
  reconnect.Reset();
  EXPECT_EQ(reconnect.NextMs(ReconnectReason::kRateLimit), 60'000);
}

}  // namespace
}  // namespace tailrace::ingest
