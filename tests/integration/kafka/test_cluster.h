// What the cases of this folder share: a connection to the local broker, and names of their own.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "local_broker.h"
#include "tailrace/base/clock.h"
#include "tailrace/base/config.h"
#include "tailrace/kafka/cluster.h"

namespace tailrace::kafka {

inline constexpr int kTimeoutMs = 15'000;

inline int64_t NowMs() { return base::SystemClock().SteadyMs(); }

inline std::unique_ptr<Cluster> ConnectToLocalBroker() {
  auto cluster = Connect(base::Config().With("bootstrap.servers", testing_support::LocalBroker::Shared().bootstrap_servers()));
  EXPECT_TRUE(cluster.ok()) << cluster.status();
  return *std::move(cluster);
}

inline std::string UniqueName(const std::string& prefix) {
  static std::atomic<int> next{0};
  return prefix + "-" + std::to_string(++next);
}

inline std::string MakeTopic(Cluster& cluster, const std::string& name, int32_t partitions,
                             std::map<std::string, std::string> config = {{"retention.ms", "-1"}}) {
  NewTopic topic;
  topic.name = name;
  topic.partition_count = partitions;
  topic.config = std::move(config);
  const absl::Status status = cluster.admin().CreateTopics({topic}, kTimeoutMs);
  EXPECT_TRUE(status.ok()) << status;
  return name;
}

// Polls until an event of that kind, or the deadline.
inline std::optional<MembershipEvent> WaitFor(Membership& membership, MembershipEventKind kind, int timeout_ms = 2 * kTimeoutMs) {
  const int64_t deadline = NowMs() + timeout_ms;
  while (NowMs() < deadline) {
    auto event = membership.Poll(50);
    EXPECT_TRUE(event.ok()) << event.status();
    if (event.ok() && event->has_value() && (*event)->kind == kind) return **event;
  }
  return std::nullopt;
}

}  // namespace tailrace::kafka
