// Goal: every message of the WebSocket arrives whole and in order, whatever frames it came in, and a lost connection is made
// again with its subscriptions. Method: a server that speaks WebSocket byte by byte.
#include "sources/finnhub_stream.h"

#include <mutex>

#include "scripted_server.h"
#include "support.h"

namespace tailrace::ingest {
namespace {

using testing_support::Peer;
using testing_support::ScriptedServer;

struct Outcome {
  absl::Status status;
  std::vector<std::string> frames;
};

Outcome RunUntil(FinnhubStreamOptions options, size_t count) {
  options.token = "a b&secret";
  options.symbols = {"AAPL", "BINANCE:BTCUSDT"};
  options.reconnect = {.network_step_ms = 1, .network_max_ms = 5, .rate_first_ms = 1};
  StopSignal stop;
  Outcome outcome;
  outcome.status = RunFinnhubStream(options, stop, [&](std::string_view frame) {
    outcome.frames.emplace_back(frame);
    if (outcome.frames.size() >= count) stop.Request();
    return absl::OkStatus();
  });
  return outcome;
}

// The two subscriptions that every connection begins with.
void ExpectSubscriptions(Peer& peer) {
  EXPECT_EQ(peer.ReadFrame(), (std::pair<int, std::string>(Peer::kText, R"({"type":"subscribe","symbol":"AAPL"})")));
  EXPECT_EQ(peer.ReadFrame(), (std::pair<int, std::string>(Peer::kText, R"({"type":"subscribe","symbol":"BINANCE:BTCUSDT"})")));
}

TEST(FinnhubStream, MessagesInPiecesWithControlFramesBetween) {
  const std::string large(200'000, 'x');
  std::pair<int, std::string> pong;
  std::string request;
  {
    ScriptedServer server([&](Peer& peer, int) {
      request = peer.ReadRequest();
      peer.Upgrade(request);
      ExpectSubscriptions(peer);
      peer.Frame(Peer::kText, "one");
      peer.Frame(Peer::kText, "t", false);
      peer.Frame(Peer::kPing, "are you there");
      peer.Frame(Peer::kContinuation, "w", false);
      peer.Frame(Peer::kPong, "unasked");
      peer.Frame(Peer::kContinuation, "o");
      pong = peer.ReadFrame();
      peer.Frame(Peer::kText, large);
      peer.AwaitEnd();
    });
    const Outcome outcome = RunUntil({.url = "ws://" + server.address()}, 3);
    EXPECT_TRUE(outcome.status.ok()) << outcome.status;
    EXPECT_EQ(outcome.frames, (std::vector<std::string>{"one", "two", large}));
  }
  EXPECT_EQ(pong, (std::pair<int, std::string>(Peer::kPong, "are you there")));
  EXPECT_NE(request.find("GET /?token=a%20b%26secret HTTP/1.1"), std::string::npos) << request;
}

TEST(FinnhubStream, ALostConnectionIsMadeAgain) {
  ScriptedServer server([](Peer& peer, int number) {
    const std::string request = peer.ReadRequest();
    if (number == 0) return;
    if (number == 1) {
      peer.Answer(429, "too many");
      return;
    }
    peer.Upgrade(request);
    ExpectSubscriptions(peer);
    peer.Frame(Peer::kText, std::to_string(number));
    if (number == 2) return;                                                    // cut
    if (number == 3) peer.Frame(Peer::kClose, std::string("\x03\xe8", 2));      // closed in order
    if (number == 4) {
      peer.Send("\xff\xff no frame at all");
      return;
    }
    peer.AwaitEnd();
  });
  const Outcome outcome = RunUntil({.url = "ws://" + server.address()}, 4);
  EXPECT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.frames, (std::vector<std::string>{"2", "3", "4", "5"}));
}

TEST(FinnhubStream, ASilentServerIsGivenUp) {
  ScriptedServer server([](Peer& peer, int number) {
    peer.Upgrade(peer.ReadRequest());
    ExpectSubscriptions(peer);
    peer.Frame(Peer::kText, std::to_string(number));
    peer.AwaitEnd();  // Pings come, and get no answer.
  });
  const Outcome outcome = RunUntil({.url = "ws://" + server.address(), .stall_timeout_ms = 1'000}, 2);
  EXPECT_TRUE(outcome.status.ok()) << outcome.status;
  ASSERT_EQ(outcome.frames.size(), 2u);
  EXPECT_NE(outcome.frames[0], outcome.frames[1]) << "of two connections";
}

TEST(FinnhubStream, AWrongTokenEndsItWithoutShowingIt) {
  ScriptedServer server([](Peer& peer, int) {
    peer.ReadRequest();
    peer.Answer(401, "");
  });
  const Outcome outcome = RunUntil({.url = "ws://" + server.address()}, 1);
  EXPECT_TRUE(absl::IsUnauthenticated(outcome.status)) << outcome.status;
  EXPECT_EQ(outcome.status.message().find("secret"), std::string::npos) << outcome.status;
}

TEST(FinnhubStream, AnAddressThatIsNoneIsUsage) {
  const Outcome outcome = RunUntil({.url = "http://127.0.0.1:1"}, 1);
  EXPECT_TRUE(absl::IsInvalidArgument(outcome.status)) << outcome.status;
}

}  // namespace
}  // namespace tailrace::ingest
