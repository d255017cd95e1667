// Goal: a request is made once, whoever asks how often; its state is what connectors wrote; it survives a new process.
// Method: the registry's own topology run by Streams on the log in memory, and a producer that plays the connector.
#include "tailrace/grpc_api/request_registry.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "nlohmann/json.hpp"
#include "support.h"
#include "tailrace/base/config.h"
#include "tailrace/processor/streams.h"

namespace tailrace::grpc_api {
namespace {

using nlohmann::json;
using testing::Eventually;
constexpr int64_t kTimeoutMs = 10'000;

// A worker with nothing but the registry.
class Worker {
 public:
  Worker(kafka::Cluster& cluster, const std::string& state_dir) {
    auto topology = RequestTopology("requests");
    EXPECT_TRUE(topology.ok()) << topology.status();
    const base::Config config = base::Config()
                                    .With("application.id", kRequestApplication)
                                    .With("state.dir", state_dir)
                                    .With("group.instance.id", "one")
                                    .With("commit.interval.ms", "20");
    streams_ = std::make_unique<processor::Streams>(*std::move(topology), config, cluster, metrics_);
    const absl::Status started = streams_->Start();
    EXPECT_TRUE(started.ok()) << started;
    EXPECT_TRUE(streams_->WaitFor(processor::StreamsState::kRunning, 30'000));
    registry_ = std::make_unique<RequestRegistry>(cluster, streams_->queryable(), "requests");
  }
  RequestRegistry& registry() { return *registry_; }
  void Close() {
    registry_.reset();
    EXPECT_TRUE(streams_->Close(10'000).ok());
  }

 private:
  base::MetricsRegistry metrics_;
  std::unique_ptr<processor::Streams> streams_;
  std::unique_ptr<RequestRegistry> registry_;
};

class RequestRegistryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto cluster = kafka::OpenInMemory();
    ASSERT_TRUE(cluster.ok()) << cluster.status();
    cluster_ = *std::move(cluster);
    ASSERT_TRUE(CreateRequestTopic(cluster_->admin(), "requests", 4, 10'000).ok());
    std::string name = std::filesystem::temp_directory_path() / "tailrace-requests.XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  // What a connector does.
  void WriteState(json record, const std::string& state) {
    record["state"] = state;
    if (state == "failed") record["reason"] = "no such user";
    auto producer = cluster_->NewProducer({.client_id = "connector"});
    ASSERT_TRUE(producer.ok());
    const auto topic = (*producer)->Topic("requests");
    const std::string key = record["kind"].get<std::string>() + "|" + record["name"].get<std::string>();
    const std::string value = record.dump();
    ASSERT_TRUE((*producer)->Send({.topic = *topic, .key = key, .value = value, .timestamp_ms = -1}).ok());
    ASSERT_TRUE((*producer)->Flush(10'000).ok());
  }
  static json Submit(RequestRegistry& registry, RequestKind kind, const std::string& name, bool created) {
    const auto answer = registry.Submit(kind, name, kTimeoutMs);
    EXPECT_TRUE(answer.ok()) << answer.status();
    if (!answer.ok()) return {};
    EXPECT_EQ(answer->created, created) << name;
    return json::parse(answer->value);
  }

  std::unique_ptr<kafka::Cluster> cluster_;
  std::filesystem::path directory_;
};

TEST_F(RequestRegistryTest, TheSecondCallGetsTheFirstOnesRequest) {
  Worker worker(*cluster_, directory_ / "state");
  const json first = Submit(worker.registry(), RequestKind::kUser, "@Alice", true);
  EXPECT_EQ(first["name"], "alice");
  EXPECT_EQ(first["kind"], "user");
  EXPECT_EQ(first["state"], "requested");
  EXPECT_EQ(Submit(worker.registry(), RequestKind::kUser, " ALICE ", false), first);
  EXPECT_NE(Submit(worker.registry(), RequestKind::kTicker, "alice", true), first) << "a ticker of that name is another thing";
  worker.Close();
}

TEST_F(RequestRegistryTest, TheAnswerIsWhatTheConnectorWroteLast) {
  Worker worker(*cluster_, directory_ / "state");
  const json first = Submit(worker.registry(), RequestKind::kTicker, "$aapl", true);
  EXPECT_EQ(first["name"], "AAPL");
  for (const std::string state : {"computing", "ready"}) {
    WriteState(first, state);
    EXPECT_TRUE(Eventually([&] { return Submit(worker.registry(), RequestKind::kTicker, "AAPL", false)["state"] == state; })) << state;
  }
  worker.Close();
}

TEST_F(RequestRegistryTest, AFailedRequestIsMadeAnew) {
  Worker worker(*cluster_, directory_ / "state");
  const json first = Submit(worker.registry(), RequestKind::kUser, "bob", true);
  WriteState(first, "failed");
  json again;
  EXPECT_TRUE(Eventually([&] {
    again = Submit(worker.registry(), RequestKind::kUser, "bob", false);
    return again["requested_at"] != first["requested_at"];
  })) << "it never began anew";
  EXPECT_EQ(again["state"], "requested");
  EXPECT_EQ(again["id"], first["id"]);
  EXPECT_FALSE(again.contains("reason"));
  worker.Close();
}

TEST_F(RequestRegistryTest, ManyCallersAtOnceMakeOneRequest) {
  Worker worker(*cluster_, directory_ / "state");
  std::atomic<int> created{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 8; ++i)
    callers.emplace_back([&] {
      const auto answer = worker.registry().Submit(RequestKind::kUser, "carol", kTimeoutMs);
      EXPECT_TRUE(answer.ok()) << answer.status();
      if (answer.ok() && answer->created) ++created;
    });
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(created, 1);
  worker.Close();
}

TEST_F(RequestRegistryTest, ANewProcessOnAnEmptyDiskKnowsThemAll) {
  json first;
  {
    Worker worker(*cluster_, directory_ / "one");
    first = Submit(worker.registry(), RequestKind::kUser, "dora", true);
    worker.Close();
  }
  Worker worker(*cluster_, directory_ / "two");
  EXPECT_EQ(Submit(worker.registry(), RequestKind::kUser, "dora", false), first);
  worker.Close();
}

TEST(RequestName, SaysWhatIsWrong) {
  EXPECT_EQ(*RequestName(RequestKind::kUser, "@Zoë"), "zoë");
  // As pipelines write the names of authors: every letter in lower case, accents composed.
  EXPECT_EQ(*RequestName(RequestKind::kUser, " ÉMILE_ΣΩ "), "émile_σω");
  EXPECT_EQ(*RequestName(RequestKind::kUser, "E\u0301mile"), "émile");
  EXPECT_EQ(*RequestName(RequestKind::kTicker, "binance:btcusdt"), "BINANCE:BTCUSDT");
  for (const std::string& name : {std::string(), std::string("  "), std::string("@"), std::string("a|b"), std::string("a\nb"),
                                  std::string("\xff"), std::string(201, 'a')})
    EXPECT_EQ(RequestName(RequestKind::kUser, name).status().code(), absl::StatusCode::kInvalidArgument) << name;
  for (const std::string& name : {std::string(), std::string("A A"), std::string("É"), std::string(33, 'A')})
    EXPECT_EQ(RequestName(RequestKind::kTicker, name).status().code(), absl::StatusCode::kInvalidArgument) << name;
  EXPECT_EQ(RequestName(RequestKind::kUnknown, "a").status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace tailrace::grpc_api
