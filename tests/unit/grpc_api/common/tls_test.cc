// Goal: with certificates nobody is answered in plain text or by a stranger, every mistake is named, and nothing waits for a client
// that does not finish its handshake. Method: real sockets; the certificates are made here.
#include "tailrace/grpc_api/tls.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "gateway/http_server.h"
#include "http_client.h"
#include "support.h"
#include "tailrace/grpc_api/query_client.h"
#include "tailrace/grpc_api/query_server.h"

#include "certificates.h"

namespace tailrace::grpc_api {
namespace {

using testing::Authority;
using testing::FakeQueryable;
using testing::HttpConnection;
using testing::TlsConnection;
constexpr int64_t kW = FakeQueryable::kWindowMs;

class TlsTest : public ::testing::Test {
 protected:
  TlsTest() {
    std::string pattern = ::testing::TempDir() + "tls-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    authority_.WriteCertificate(File("ca.pem"));
    other_authority_.WriteCertificate(File("other-ca.pem"));
    authority_.Issue("server", File("server.pem"), File("server.key"));
  }
  ~TlsTest() override { std::filesystem::remove_all(folder_); }

  std::string File(const std::string& name) const { return folder_ + "/" + name; }
  TlsOptions ServerFiles() const { return {.certificate_file = File("server.pem"), .key_file = File("server.key"), .ca_file = {}}; }

  std::unique_ptr<HttpServer> Https(HttpServerOptions options, HttpServer::Handler handler = nullptr) {
    options.listen = "127.0.0.1:0";
    options.tls = ServerFiles();
    if (!handler) handler = [](const HttpRequest& request) { return TextResponse(200, "text/plain", "at " + request.path + "!"); };
    auto server = std::make_unique<HttpServer>(options, std::move(handler));
    const absl::Status started = server->Start();
    EXPECT_TRUE(started.ok()) << started;
    return server;
  }
  std::unique_ptr<QueryServer> Worker(const TlsOptions& tls) {
    worker_.SetAloneAt("");
    worker_.Put("Toronto", kW, {.posts = 2, .retweets = 0, .users = {}});
    auto server = std::make_unique<QueryServer>(QueryServerOptions{.listen = "127.0.0.1:0", .tls = tls, .health_interval_ms = 20}, worker_);
    const absl::Status started = server->Start();
    EXPECT_TRUE(started.ok()) << started;
    return server;
  }
  absl::Status Ask(const QueryServer& server, const TlsOptions& tls) {
    const auto client = QueryClient::Create({.workers = {"127.0.0.1:" + std::to_string(server.port())}, .tls = tls});
    const auto top = client->Top({.store = FakeQueryable::kStore, .field = "posts", .n = 1}, {});
    EXPECT_TRUE(!top.ok() || top->entries.at(0).score == 2);
    return top.status();
  }

  const Authority authority_, other_authority_;
  std::string folder_;
  FakeQueryable worker_;
};

std::string GetText(TlsConnection& connection, const std::string& path) {
  EXPECT_TRUE(connection.Send("GET " + path + " HTTP/1.1\r\nHost: test\r\n\r\n"));
  return connection.ReadThrough("!");
}

// One event at once, another when Say is called, then the end.
class TwoEvents : public HttpStream {
 public:
  struct Voice {
    absl::Mutex mu;
    int said = 0;
    std::function<void()> wake;
    void Say() {
      absl::MutexLock lock(&mu);
      ++said;
      if (auto call = std::exchange(wake, nullptr)) call();
    }
  };
  explicit TwoEvents(Voice& voice) : voice_(voice) {}
  std::string Next() override {
    absl::MutexLock lock(&voice_.mu);
    return given_ < voice_.said ? "data: " + std::to_string(++given_) + "\n\n" : "";
  }
  std::string Heartbeat() override { return ": \n\n"; }
  bool ended() const override { return given_ == 2; }
  void SetWake(std::function<void()> wake) override {
    absl::MutexLock lock(&voice_.mu);
    voice_.wake = std::move(wake);
  }

 private:
  Voice& voice_;
  int given_ = 0;
};

TEST_F(TlsTest, HttpsAnswersRequestsOfOneConnection) {
  const std::string large(3'000'000, 'x');
  const auto server = Https({}, [&](const HttpRequest& request) {
    return TextResponse(200, "text/plain", request.path == "/large" ? large + "!" : "at " + request.path + "!");
  });
  TlsConnection connection(server->port(), File("ca.pem"));
  ASSERT_TRUE(connection.secured());
  EXPECT_NE(GetText(connection, "/a").find("\r\n\r\nat /a!"), std::string::npos);
  EXPECT_NE(GetText(connection, "/large").find(large), std::string::npos);
  EXPECT_NE(GetText(connection, "/b").find("\r\n\r\nat /b!"), std::string::npos);
  connection.Send("GET /c HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
  EXPECT_NE(connection.ReadThrough("!").find("at /c!"), std::string::npos);
  EXPECT_TRUE(connection.EndsInOrder());
}

TEST_F(TlsTest, EventsComeOverHttpsWhenTheyAreThere) {
  TwoEvents::Voice voice;
  voice.said = 1;
  const auto server = Https({}, [&](const HttpRequest&) {
    HttpResponse response;
    response.SetHeader("content-type", "text/event-stream");
    response.stream = std::make_unique<TwoEvents>(voice);
    return response;
  });
  TlsConnection connection(server->port(), File("ca.pem"));
  connection.Send("GET /events HTTP/1.1\r\nHost: test\r\n\r\n");
  EXPECT_NE(connection.ReadThrough("data: 1\n\n").find("data: 1"), std::string::npos);
  voice.Say();
  EXPECT_NE(connection.ReadThrough("data: 2\n\n").find("data: 2"), std::string::npos);
  server->Shutdown(0);
}

TEST_F(TlsTest, ClientsOfHttpsKnowAStranger) {
  const auto server = Https({});
  EXPECT_FALSE(TlsConnection(server->port(), File("other-ca.pem")).secured());
}

TEST_F(TlsTest, PlainHttpIsToldToUseHttps) {
  const auto server = Https({});
  const testing::HttpReply reply = testing::HttpGet(server->port(), "/");
  EXPECT_EQ(reply.status, 400);
  EXPECT_NE(reply.body.find("HTTPS only"), std::string::npos) << reply.body;
  HttpConnection noise(server->port());
  noise.Send(std::string(100, '\x7f'));
  EXPECT_TRUE(noise.EndsWithin(20'000));
}

TEST_F(TlsTest, AnUnfinishedHandshakeIsDroppedAndBlocksNobody) {
  const auto patient = Https({.idle_timeout_ms = 600'000, .handshake_timeout_ms = 600'000});
  std::vector<std::unique_ptr<HttpConnection>> silent;
  for (size_t i = 0; i < 20; ++i) silent.push_back(std::make_unique<HttpConnection>(patient->port()));
  silent[0]->Send("\x16\x03\x01");  // began, and went silent
  TlsConnection other(patient->port(), File("ca.pem"));
  EXPECT_NE(GetText(other, "/a").find("at /a!"), std::string::npos);

  const auto strict = Https({.idle_timeout_ms = 600'000, .handshake_timeout_ms = 50});
  EXPECT_TRUE(HttpConnection(strict->port()).EndsWithin(20'000));
  HttpConnection half(strict->port());
  half.Send("\x16\x03\x01");
  EXPECT_TRUE(half.EndsWithin(20'000));
}

TEST_F(TlsTest, AReplacedCertificateIsUsedWithoutARestart) {
  const auto server = Https({});
  EXPECT_FALSE(TlsConnection(server->port(), File("other-ca.pem")).secured());
  other_authority_.Issue("server", File("server.pem"), File("server.key"));
  EXPECT_TRUE(TlsConnection(server->port(), File("other-ca.pem")).secured());
  std::ofstream(File("server.pem")) << "broken";
  EXPECT_TRUE(TlsConnection(server->port(), File("other-ca.pem")).secured()) << "the last good one stays";
}

TEST_F(TlsTest, MistakesNameTheKeyAndTheFile) {
  authority_.Issue("other", File("other.pem"), File("other.key"));
  authority_.Issue("rsa", File("rsa.pem"), File("rsa.key"), /*rsa=*/true);
  std::ofstream(File("broken.pem")) << "-----BEGIN CERTIFICATE-----\nnonsense\n";
  std::ofstream(File("empty.pem")).flush();
  struct Case {
    std::string certificate, key, ca;
    std::vector<std::string> words;
  };
  std::vector<Case> cases = {
      {"server.pem", "gone.key", "", {"grpc.ssl.key.location", "gone.key", "No such file"}},
      {"gone.pem", "server.key", "", {"grpc.ssl.certificate.location", "gone.pem", "No such file"}},
      {"server.pem", "server.key", "gone.pem", {"grpc.ssl.ca.location", "gone.pem", "No such file"}},
      {"server.pem", "server.key", "", {}},
      {"server.pem", "server.key", "ca.pem", {}},
      {".", "server.key", "", {"grpc.ssl.certificate.location", "not a file"}},
      {"broken.pem", "server.key", "", {"grpc.ssl.certificate.location", "broken.pem", "PEM"}},
      {"server.pem", "broken.pem", "", {"grpc.ssl.key.location", "broken.pem", "PEM"}},
      {"server.pem", "server.key", "empty.pem", {"grpc.ssl.ca.location", "empty.pem", "PEM"}},
      {"server.pem", "other.key", "", {"grpc.ssl.key.location", "other.key", "does not fit", "server.pem", "grpc.ssl.certificate.location"}},
      {"server.pem", "rsa.key", "", {"grpc.ssl.key.location", "rsa.key", "does not fit", "server.pem"}},
      {"server.pem", "", "", {"grpc.ssl.key.location is not set", "server.pem"}},
      {"", "server.key", "", {"grpc.ssl.certificate.location is not set", "server.key"}},
      {"", "", "ca.pem", {"grpc.ssl.certificate.location", "ca.pem", "not set"}}};
  if (::geteuid() != 0) {  // to root every file is readable
    std::filesystem::copy(File("server.key"), File("secret.key"));
    std::filesystem::permissions(File("secret.key"), std::filesystem::perms::none);
    cases.push_back({"server.pem", "secret.key", "", {"grpc.ssl.key.location", "secret.key", "Permission denied"}});
  }
  const auto path = [&](const std::string& name) { return name.empty() ? "" : File(name); };
  for (const Case& one : cases) {
    const TlsOptions tls{.certificate_file = path(one.certificate), .key_file = path(one.key), .ca_file = path(one.ca)};
    QueryServer worker({.listen = "127.0.0.1:0", .tls = tls}, worker_);
    HttpServer gateway({.listen = "127.0.0.1:0", .tls = tls}, [](const HttpRequest&) { return HttpResponse(); });
    for (const absl::Status& status : {worker.Start(), gateway.Start()}) {
      EXPECT_EQ(status.code(), one.words.empty() ? absl::StatusCode::kOk : absl::StatusCode::kInvalidArgument) << status;
      for (const std::string& word : one.words) EXPECT_NE(status.message().find(word), std::string::npos) << word << " in " << status;
    }
  }
  const absl::Status no_authority = CheckClientTls(ServerFiles());
  EXPECT_NE(no_authority.message().find("grpc.ssl.ca.location is not set"), std::string::npos) << no_authority;
  EXPECT_TRUE(CheckClientTls({.certificate_file = {}, .key_file = {}, .ca_file = File("ca.pem")}).ok());
}

TEST_F(TlsTest, QueriesGoOverTlsToWorkersThatTheAuthorityKnows) {
  const auto server = Worker(ServerFiles());
  EXPECT_TRUE(Ask(*server, {.certificate_file = {}, .key_file = {}, .ca_file = File("ca.pem")}).ok());
  const absl::Status stranger = Ask(*server, {.certificate_file = {}, .key_file = {}, .ca_file = File("other-ca.pem")});
  EXPECT_EQ(stranger.code(), absl::StatusCode::kUnavailable) << stranger;
  EXPECT_NE(stranger.message().find("grpc.ssl."), std::string::npos) << stranger;
}

TEST_F(TlsTest, WithAuthoritiesAWorkerAnswersOnlyClientsWithACertificate) {
  TlsOptions mutual = ServerFiles();
  mutual.ca_file = File("ca.pem");
  const auto server = Worker(mutual);
  EXPECT_TRUE(Ask(*server, mutual).ok());
  EXPECT_EQ(Ask(*server, {.certificate_file = {}, .key_file = {}, .ca_file = File("ca.pem")}).code(), absl::StatusCode::kUnavailable);
  other_authority_.Issue("client", File("client.pem"), File("client.key"));
  EXPECT_EQ(Ask(*server, {.certificate_file = File("client.pem"), .key_file = File("client.key"), .ca_file = File("ca.pem")}).code(),
            absl::StatusCode::kUnavailable);
}

TEST_F(TlsTest, PlainAndTlsAreToldApart) {
  const auto secured = Worker(ServerFiles());
  const absl::Status plain_client = Ask(*secured, {});
  EXPECT_EQ(plain_client.code(), absl::StatusCode::kUnavailable) << plain_client;
  EXPECT_NE(plain_client.message().find("grpc.ssl.ca.location"), std::string::npos) << plain_client;
  const auto plain = Worker({});
  const absl::Status tls_client = Ask(*plain, {.certificate_file = {}, .key_file = {}, .ca_file = File("ca.pem")});
  EXPECT_EQ(tls_client.code(), absl::StatusCode::kUnavailable) << tls_client;
  EXPECT_NE(tls_client.message().find("grpc.ssl."), std::string::npos) << tls_client;
}

TEST_F(TlsTest, FilesThatCannotBeUsedNeverMeanPlainText) {
  const auto plain = Worker({});
  EXPECT_FALSE(Ask(*plain, {.certificate_file = {}, .key_file = {}, .ca_file = File("gone.pem")}).ok());
}

}  // namespace
}  // namespace tailrace::grpc_api
