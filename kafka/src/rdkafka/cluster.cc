#include "rdkafka/cluster.h"

#include "rdkafka/consumer.h"
#include "rdkafka/membership.h"
#include "rdkafka/producer.h"
#include "tailrace/base/config.h"

namespace tailrace::kafka {
namespace rdkafka {

RdCluster::RdCluster(std::string bootstrap_servers, RoleSettings roles)
    : bootstrap_servers_(std::move(bootstrap_servers)), roles_(std::move(roles)), admin_(AdminSettings(roles_)) {}

absl::StatusOr<std::unique_ptr<Consumer>> RdCluster::NewConsumer(const ConsumerOptions& options) {
  return RdConsumer::New(ConsumerSettings(roles_, options));
}

absl::StatusOr<std::unique_ptr<Producer>> RdCluster::NewProducer(const ProducerOptions& options) {
  return RdProducer::New(ProducerSettings(roles_, options));
}

absl::StatusOr<std::unique_ptr<Membership>> RdCluster::NewMembership(const MembershipOptions& options) {
  return RdMembership::New(MembershipSettings(roles_, options), options);
}

}  // namespace rdkafka

std::string ClientVersion() { return rd_kafka_version_str(); }

absl::StatusOr<std::unique_ptr<Cluster>> Connect(const base::Config& config) {
  const std::string bootstrap_servers = config.String("bootstrap.servers");
  if (bootstrap_servers.empty()) {
    return base::UsageError("bootstrap.servers is not set; give the address of a Kafka broker, for example localhost:9092");
  }
  rdkafka::RoleSettings roles;
  roles.application_id = config.String("application.id");
  roles.main_consumer = config.ClientSettings("main.consumer");
  roles.restore_consumer = config.ClientSettings("restore.consumer");
  roles.consumer = config.ClientSettings("consumer");
  roles.producer = config.ClientSettings("producer");
  roles.admin = config.ClientSettings("admin");
  return std::make_unique<rdkafka::RdCluster>(bootstrap_servers, std::move(roles));
}

}  // namespace tailrace::kafka
