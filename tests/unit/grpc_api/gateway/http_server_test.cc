// Goal: requests that are not acceptable are refused or cut off, and never reach a handler; the server stays bounded.
#include "gateway/http_server.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

#include "absl/synchronization/notification.h"
#include "http_client.h"
#include "tailrace/base/random.h"

namespace tailrace::grpc_api {
namespace {

using testing::HttpConnection;
using testing::HttpReply;

class HttpServerTest : public ::testing::Test {
 protected:
  void StartServer(HttpServerOptions options, HttpServer::Handler handler = nullptr) {
    options.listen = "127.0.0.1:0";
    if (!handler) {
      handler = [this](const HttpRequest& request) {
        ++handled_;
        return TextResponse(200, "text/plain", request.method + " " + request.path + " " + request.body);
      };
    }
    server_ = std::make_unique<HttpServer>(options, std::move(handler));
    ASSERT_TRUE(server_->Start().ok());
  }
  // The status of the answer to raw bytes; 0 when the connection ends without one.
  int StatusOf(const std::string& bytes) {
    HttpConnection connection(server_->port());
    connection.Send(bytes);
    connection.EndSending();
    return connection.ReadReply().status;
  }
  std::atomic<int> handled_{0};
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, KeepsTheConnectionAndAnswersInOrder) {
  StartServer({});
  HttpConnection connection(server_->port());
  connection.Send("GET /a HTTP/1.1\r\nHost: t\r\n\r\nGET /b HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_EQ(connection.ReadReply().body, "GET /a ");
  EXPECT_EQ(connection.ReadReply().body, "GET /b ");
  const HttpReply closing = connection.Get("/c", "Connection: close\r\n");
  EXPECT_EQ(closing.headers.at("connection"), "close");
  EXPECT_TRUE(connection.EndsWithin(2'000));
}

TEST_F(HttpServerTest, ReadsBodies) {
  StartServer({});
  HttpConnection connection(server_->port());
  connection.Send("POST /p HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_EQ(connection.ReadReply().body, "POST /p abc");
  connection.Send("POST /p HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n1\r\nf\r\n0\r\n\r\n");
  EXPECT_EQ(connection.ReadReply().body, "POST /p def");
}

TEST_F(HttpServerTest, HeadHasNoBodyButItsLength) {
  StartServer({});
  HttpConnection connection(server_->port());
  const HttpReply reply = connection.Get("/a", "", "HEAD");
  EXPECT_EQ(reply.headers.at("content-length"), "8");
  EXPECT_EQ(connection.Get("/b").body, "GET /b ") << "nothing of a body is in the way";
}

TEST_F(HttpServerTest, RefusesWhatCouldBeReadInTwoWays) {
  StartServer({});
  const std::string post = "POST / HTTP/1.1\r\nHost: t\r\n";
  EXPECT_EQ(StatusOf(post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400);
  EXPECT_EQ(StatusOf(post + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"), 400);
  EXPECT_EQ(StatusOf(post + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"), 400);
  EXPECT_EQ(StatusOf(post + "Content-Length: -1\r\n\r\n"), 400);
  EXPECT_EQ(StatusOf(post + "Content-Length: 3, 3\r\n\r\nabc"), 400);
  EXPECT_EQ(StatusOf(post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), 501);
  EXPECT_EQ(StatusOf(post + "Transfer-Encoding: identity\r\n\r\n"), 501);
  EXPECT_EQ(StatusOf(post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400);
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\n\r\n"), 400) << "no host";
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), 400);
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\nHost : a\r\n\r\n"), 400) << "space before the colon";
  EXPECT_EQ(handled_, 0);
}

TEST_F(HttpServerTest, RefusesWhatIsNotHttp) {
  StartServer({});
  const std::string post = "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(StatusOf(post + "xyz\r\nabc\r\n0\r\n\r\n"), 400) << "bad chunk size";
  EXPECT_EQ(StatusOf(post + "3\r\nabcdef\r\n0\r\n\r\n"), 400) << "chunk longer than it says";
  EXPECT_EQ(StatusOf(post + "ffffffffffffffffff\r\nabc"), 400) << "chunk size beyond 64 bits";
  EXPECT_EQ(StatusOf("GET /\r\n\r\n"), 400);
  EXPECT_EQ(StatusOf("\x16\x03\x01 TLS hello"), 400);
  EXPECT_EQ(StatusOf("GET nothing HTTP/1.1\r\nHost: t\r\n\r\n"), 400);
  EXPECT_EQ(StatusOf("GET / HTTP/3.0\r\nHost: t\r\n\r\n"), 400);
  EXPECT_EQ(handled_, 0);
}

TEST_F(HttpServerTest, TruncatedRequestsAreRefused) {
  StartServer({});
  const std::string whole = "POST /p HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc";
  for (size_t size = 1; size < whole.size(); ++size) EXPECT_NE(StatusOf(whole.substr(0, size)), 200) << size;
  EXPECT_EQ(handled_, 0);
  EXPECT_EQ(StatusOf(whole), 200);
}

TEST_F(HttpServerTest, LimitsOfHeaderTargetAndBody) {
  StartServer({});
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\nHost: t\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n"), 431);
  EXPECT_EQ(StatusOf("GET /" + std::string(9'000, 'x') + " HTTP/1.1\r\nHost: t\r\n\r\n"), 414);
  EXPECT_EQ(StatusOf("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 10000000\r\n\r\n"), 413);
  EXPECT_EQ(StatusOf("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n20000\r\n" + std::string(0x20000, 'x')), 413);
  EXPECT_EQ(handled_, 0);
}

TEST_F(HttpServerTest, SlowRequestsAreCutOff) {
  StartServer({.idle_timeout_ms = 200});
  HttpConnection silent(server_->port());
  HttpConnection trickling(server_->port());
  trickling.Send("GET / HTTP/1.1\r\nX: ");
  EXPECT_TRUE(silent.EndsWithin(5'000));
  EXPECT_TRUE(trickling.EndsWithin(5'000));
  EXPECT_EQ(handled_, 0);
}

TEST_F(HttpServerTest, RandomBytesNeverHurt) {
  StartServer({});
  base::Random random(20260101);
  for (int i = 0; i < 300; ++i) {
    std::string bytes = random.Chance(0.5) ? "GET / HTTP/1.1\r\nHost: t\r\n" : "";
    for (uint64_t n = random.Below(300); n > 0; --n) bytes.push_back(static_cast<char>(random.Below(256)));
    HttpConnection connection(server_->port());
    connection.Send(bytes);
  }
  EXPECT_EQ(testing::HttpGet(server_->port(), "/still-here").status, 200);
}

TEST_F(HttpServerTest, RequestIdsAreSentBackWhenHarmless) {
  StartServer({});
  EXPECT_EQ(testing::HttpGet(server_->port(), "/", "X-Request-Id: abc-1.2_3\r\n").headers["x-request-id"], "abc-1.2_3");
  EXPECT_FALSE(testing::HttpGet(server_->port(), "/", "X-Request-Id: a<b>\r\n").headers.contains("x-request-id"));
}

TEST_F(HttpServerTest, TooManyRequestsAtOnceAreRefusedAndTheOthersAnswered) {
  absl::Notification go;
  StartServer({.handler_threads = 1, .in_flight_max = 2}, [&go](const HttpRequest&) {
    go.WaitForNotification();
    return TextResponse(200, "text/plain", "done");
  });
  const std::string get = "GET / HTTP/1.1\r\nHost: t\r\n\r\n";
  HttpConnection first(server_->port()), second(server_->port());
  first.Send(get);
  second.Send(get);
  // One connection after another is refused while the two are under way; which two came first does not matter.
  int refused = 0;
  HttpConnection third(server_->port());
  third.Send(get);
  for (HttpConnection* connection : {&first, &second, &third}) {
    if (connection->Receive(300)) {
      EXPECT_EQ(connection->ReadReply().status, 503);
      ++refused;
    }
  }
  EXPECT_EQ(refused, 1);
  go.Notify();
  EXPECT_EQ(testing::HttpGet(server_->port(), "/").status, 200);
}

TEST_F(HttpServerTest, ConnectionsAreBounded) {
  StartServer({.connections_max = 3});
  std::vector<std::unique_ptr<HttpConnection>> open;
  for (int i = 0; i < 3; ++i) {
    open.push_back(std::make_unique<HttpConnection>(server_->port()));
    EXPECT_EQ(open.back()->Get("/").status, 200);
  }
  HttpConnection fourth(server_->port());
  EXPECT_TRUE(fourth.EndsWithin(5'000));
  EXPECT_EQ(open[0]->Get("/").status, 200);
}

// Gives as many bytes as the client takes.
class EndlessStream : public HttpStream {
 public:
  explicit EndlessStream(std::atomic<size_t>& given) : given_(given) {}
  std::string Next() override {
    given_ += 65536;
    return std::string(65536, 'x');
  }
  std::string Heartbeat() override { return "beat"; }
  bool ended() const override { return false; }
  void SetWake(std::function<void()>) override {}

 private:
  std::atomic<size_t>& given_;
};

TEST_F(HttpServerTest, ASlowReaderHoldsNoMemoryAndIsCutOff) {
  std::atomic<size_t> given{0};
  StartServer({.idle_timeout_ms = 500}, [&given](const HttpRequest&) {
    HttpResponse response;
    response.stream = std::make_unique<EndlessStream>(given);
    return response;
  });
  HttpConnection connection(server_->port(), /*receive_buffer=*/4096);
  connection.Send("GET / HTTP/1.1\r\nHost: t\r\n\r\n");
  // The server writes until the sockets' buffers are full, then waits, then gives up.
  size_t last = 0;
  for (int i = 0; i < 100; ++i) {
    ::poll(nullptr, 0, 100);
    if (given == last && last > 0 && i > 15) break;
    last = given;
  }
  EXPECT_LT(given, 16u << 20);
  EXPECT_TRUE(connection.EndsWithin(5'000));
}

TEST_F(HttpServerTest, ShutdownWaitsForRunningRequests) {
  absl::Notification began;
  StartServer({}, [&began](const HttpRequest&) {
    began.Notify();
    ::poll(nullptr, 0, 200);
    return TextResponse(200, "text/plain", "whole");
  });
  HttpConnection connection(server_->port());
  connection.Send("GET / HTTP/1.1\r\nHost: t\r\n\r\n");
  began.WaitForNotification();
  std::thread shutdown([this] { server_->Shutdown(5'000); });
  EXPECT_EQ(connection.ReadReply().body, "whole");
  shutdown.join();
  EXPECT_EQ(HttpConnection(server_->port()).Get("/").status, 0) << "nobody listens any more";
}

TEST(HttpServerStart, BadAndTakenAddresses) {
  const auto start = [](const std::string& listen) {
    return HttpServer({.listen = listen}, [](const HttpRequest&) { return HttpResponse(); }).Start();
  };
  EXPECT_EQ(start("nonsense").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(start("127.0.0.1:99999").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(start("not an ip:80").code(), absl::StatusCode::kInvalidArgument);
  HttpServer first({.listen = "127.0.0.1:0"}, [](const HttpRequest&) { return HttpResponse(); });
  ASSERT_TRUE(first.Start().ok());
  EXPECT_EQ(start("127.0.0.1:" + std::to_string(first.port())).code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace tailrace::grpc_api
