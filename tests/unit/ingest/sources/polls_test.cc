// Goal: what the REST interfaces answer becomes objects of the layouts that formats read, page by page, and refused requests
// are repeated. Method: a server with canned answers in the services' documented shapes.
#include "sources/polls.h"

#include <mutex>

#include "nlohmann/json.hpp"
#include "scripted_server.h"
#include "support.h"
#include "tailrace/base/limits.h"

namespace tailrace::ingest {
namespace {

using nlohmann::json;
using testing_support::Peer;
using testing_support::ScriptedServer;

constexpr ReconnectTimes kQuick{.network_step_ms = 1, .network_max_ms = 2, .http_first_ms = 1, .http_max_ms = 2, .rate_first_ms = 1, .rate_max_ms = 60'000};

// Answers each request by its target; `requests` are what was asked for.
class Service {
 public:
  explicit Service(std::function<void(Peer&, const std::string& target)> answer) : answer_(std::move(answer)), server_([this](Peer& peer, int) { Serve(peer); }) {}
  Polls Client(const StopSignal& stop) { return {"http://" + server_.address(), {.headers = {"X-Token: secret"}}, kQuick, stop}; }
  std::vector<std::string> targets() {
    std::lock_guard lock(mu_);
    return targets_;
  }

 private:
  void Serve(Peer& peer) {
    for (std::string request = peer.ReadRequest(); !request.empty(); request = peer.ReadRequest()) {
      const size_t begin = request.find(' ') + 1;
      const std::string target = request.substr(begin, request.find(' ', begin) - begin);
      {
        std::lock_guard lock(mu_);
        targets_.push_back(target);
      }
      EXPECT_EQ(Peer::Header(request, "x-token"), "secret");
      answer_(peer, target);
    }
  }
  const std::function<void(Peer&, const std::string&)> answer_;
  std::mutex mu_;
  std::vector<std::string> targets_;
  ScriptedServer server_;
};

OnObject Into(std::vector<json>& objects) {
  return [&objects](std::string_view text) {
    objects.push_back(json::parse(text));
    return absl::OkStatus();
  };
}

TEST(Polls, AHistoryIsReadPageByPageInTheStreamsLayout) {
  int refusals = 2;
  Service service([&](Peer& peer, const std::string& target) {
    if (target == "/2/users/by/username/some%20one") peer.Answer(200, R"({"data":{"id":"7","username":"some one"}})");
    else if (refusals > 0) peer.Answer(refusals-- == 2 ? 429 : 500, "{}", "x-rate-limit-reset: 1\r\n");
    else if (target.find("pagination_token=p2") == std::string::npos)
      peer.Answer(200, R"({"data":[{"id":"3"},{"id":"2"}],"includes":{"places":[{"id":"p"}]},"meta":{"next_token":"p2"}})");
    else peer.Answer(200, R"({"data":[{"id":"1"}],"meta":{}})");
  });
  const StopSignal stop;
  std::vector<json> objects;
  const absl::Status status = service.Client(stop).UserHistory("some one", kStartMs, Into(objects));
  ASSERT_TRUE(status.ok()) << status;
  ASSERT_EQ(objects.size(), 3u);
  EXPECT_EQ(objects[0], json::parse(R"({"data":{"id":"3"},"includes":{"places":[{"id":"p"}]}})"));
  EXPECT_EQ(objects[2]["data"]["id"], "1");
  EXPECT_NE(service.targets().back().find("start_time=2026-01-01T00%3A00%3A00Z"), std::string::npos) << service.targets().back();
}

TEST(Polls, AUserThatNobodyHasIsNotFound) {
  Service service([](Peer& peer, const std::string&) { peer.Answer(200, R"({"errors":[{"title":"Not Found Error"}]})"); });
  const StopSignal stop;
  std::vector<json> objects;
  EXPECT_TRUE(absl::IsNotFound(service.Client(stop).UserHistory("nobody", 0, Into(objects))));
}

TEST(Polls, ColumnsBecomeBars) {
  Service service([](Peer& peer, const std::string&) {
    peer.Answer(200, R"({"s":"ok","t":[1767225600,1767312000],"o":[1,2.5],"h":[3,4],"l":[0.5,2],"c":[2,3],"v":[100,2e6]})");
  });
  const StopSignal stop;
  std::vector<json> objects;
  const absl::Status status = service.Client(stop).DailyBars("AAPL", kStartMs, kStartMs + 86'400'000, kStartMs + 500, Into(objects));
  ASSERT_TRUE(status.ok()) << status;
  ASSERT_EQ(objects.size(), 2u);
  EXPECT_EQ(objects[0], json::parse(R"({"ticker":"AAPL","date":"2026-01-01","open":1,"high":3,"low":0.5,"close":2,"volume":100,"received":1767225600.5})"));
  EXPECT_EQ(objects[1]["date"], "2026-01-02");
  EXPECT_EQ(objects[1]["volume"], 2'000'000);
  EXPECT_EQ(service.targets().back(), "/stock/candle?symbol=AAPL&resolution=D&from=1767225600&to=1767312000");
}

TEST(Polls, WhatIsNoAnswerIsSaid) {
  const StopSignal stop;
  for (const char* body : {"", "[]", "{}", R"({"s":"ok","t":[1],"o":[1],"h":[1],"l":[1],"c":[1],"v":[]})", R"({"t":["x"],"o":[1],"h":[1],"l":[1],"c":[1],"v":[1]})",
                           R"({"t":[1e300],"o":[1],"h":[1],"l":[1],"c":[1],"v":[1]})", R"({"t":[1],"o":[1],"h":[1],"l":[1],"c":[1],"v":[-1]})"}) {
    Service service([&](Peer& peer, const std::string&) { peer.Answer(200, body); });
    std::vector<json> objects;
    EXPECT_TRUE(absl::IsDataLoss(service.Client(stop).DailyBars("A", 0, 1, 1, Into(objects)))) << body;
    EXPECT_TRUE(objects.empty());
  }
  Service none([](Peer& peer, const std::string&) { peer.Answer(200, R"({"s":"no_data"})"); });
  std::vector<json> objects;
  EXPECT_TRUE(absl::IsNotFound(none.Client(stop).DailyBars("A", 0, 1, 1, Into(objects))));
  Service wrong([](Peer& peer, const std::string&) { peer.Answer(401, R"({"error":"Invalid API key"})"); });
  const absl::Status status = wrong.Client(stop).DailyBars("A", 0, 1, 1, Into(objects));
  EXPECT_TRUE(absl::IsUnauthenticated(status)) << status;
  EXPECT_EQ(status.message().find("secret"), std::string::npos);
  int asked = 0;
  Service broken([&](Peer& peer, const std::string&) {
    ++asked;
    peer.Answer(500, "");
  });
  EXPECT_TRUE(absl::IsUnavailable(broken.Client(stop).DailyBars("A", 0, 1, 1, Into(objects))));
  EXPECT_EQ(asked, base::limits::kRetriesMax);
}

TEST(Polls, NewsOnlyOnce) {
  Service service([](Peer& peer, const std::string&) { peer.Answer(200, R"([{"id":3,"headline":"c"},{"id":5,"headline":"e"},{"headline":"no id"}])"); });
  const StopSignal stop;
  Polls polls = service.Client(stop);
  std::vector<json> objects;
  int64_t after = 4;
  ASSERT_TRUE(polls.MarketNews("general", after, Into(objects)).ok());
  EXPECT_EQ(after, 5);
  ASSERT_EQ(objects.size(), 2u) << "what has no id is for the format to refuse";
  EXPECT_EQ(objects[0]["id"], 5);
  EXPECT_EQ(service.targets().back(), "/news?category=general&minId=4");
}

TEST(Polls, VisaApplicationsOneByOne) {
  Service service([](Peer& peer, const std::string&) { peer.Answer(200, R"({"symbol":"AAPL","data":[{"caseNumber":"1"},{"caseNumber":"2"}]})"); });
  const StopSignal stop;
  std::vector<json> objects;
  ASSERT_TRUE(service.Client(stop).VisaApplications("AAPL", kStartMs, kStartMs + 86'400'000, Into(objects)).ok());
  ASSERT_EQ(objects.size(), 2u);
  EXPECT_EQ(service.targets().back(), "/stock/visa-application?symbol=AAPL&from=2026-01-01&to=2026-01-02");
}

}  // namespace
}  // namespace tailrace::ingest
