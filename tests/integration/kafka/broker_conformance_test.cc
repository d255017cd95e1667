#include "../../unit/kafka/cluster_conformance.h"
#include "local_broker.h"
#include "tailrace/base/config.h"

namespace tailrace::kafka::conformance {
namespace {

absl::StatusOr<std::unique_ptr<Cluster>> ConnectToLocalBroker() {
  const std::string& address = testing_support::LocalBroker::Shared().bootstrap_servers();
  return Connect(base::Config().With("bootstrap.servers", address));
}

INSTANTIATE_TEST_SUITE_P(Broker, ClusterConformance, testing::Values(ClusterCase{"broker", &ConnectToLocalBroker}),
                         [](const auto& parameter) { return parameter.param.name; });

}  // namespace
}  // namespace tailrace::kafka::conformance
