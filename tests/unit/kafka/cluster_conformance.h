// Cases that every Cluster must pass, whatever is behind it. A binary instantiates ClusterConformance with its factory.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tailrace/kafka/cluster.h"

namespace tailrace::kafka::conformance {

// A record with its bytes, for comparing after the batch is gone.
struct OwnedRecord {
  int32_t source = 0;
  int64_t offset = 0;
  int64_t timestamp_ms = 0;
  std::optional<std::string> key;
  std::optional<std::string> value;
  Headers headers;
};

struct ClusterCase {
  std::string name;
  std::function<absl::StatusOr<std::unique_ptr<Cluster>>()> open;
};

class ClusterConformance : public testing::TestWithParam<ClusterCase> {
 protected:
  void SetUp() override;

  // A topic of its own for this case.
  std::string MakeTopic(int32_t partitions, std::map<std::string, std::string> config = {{"retention.ms", "-1"}});
  std::unique_ptr<Producer> MakeProducer(const std::string& transactional_id = "");
  std::unique_ptr<Consumer> MakeConsumer(bool read_committed = true);
  // Polls until `count` records are there or 10 s have gone.
  std::vector<OwnedRecord> Read(Consumer& consumer, size_t count);
  std::vector<OwnedRecord> ReadAll(const std::string& topic, int32_t partition, size_t count);
  // A member of a new group that has joined, and its event.
  std::unique_ptr<Membership> Join(const std::string& group, MembershipEvent& event);
  std::string Unique(const std::string& prefix) const;

  std::unique_ptr<Cluster> cluster_;
};

}  // namespace tailrace::kafka::conformance
