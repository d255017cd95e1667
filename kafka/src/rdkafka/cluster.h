// The Cluster over librdkafka.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "rdkafka/admin.h"
#include "rdkafka/settings.h"
#include "tailrace/kafka/cluster.h"

namespace tailrace::kafka::rdkafka {

class RdCluster : public Cluster {
 public:
  RdCluster(std::string bootstrap_servers, RoleSettings roles);

  absl::StatusOr<std::unique_ptr<Consumer>> NewConsumer(const ConsumerOptions& options) override;
  absl::StatusOr<std::unique_ptr<Producer>> NewProducer(const ProducerOptions& options) override;
  absl::StatusOr<std::unique_ptr<Membership>> NewMembership(const MembershipOptions& options) override;
  Admin& admin() override { return admin_; }
  std::string Description() const override { return bootstrap_servers_; }
  bool shared() const override { return true; }

 private:
  const std::string bootstrap_servers_;
  const RoleSettings roles_;
  RdAdmin admin_;
};

}  // namespace tailrace::kafka::rdkafka
