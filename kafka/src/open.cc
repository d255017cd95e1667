#include "tailrace/base/config.h"
#include "tailrace/kafka/cluster.h"

namespace tailrace::kafka {

absl::StatusOr<std::unique_ptr<Cluster>> Open(const base::Config& config) {
  const bool remote = config.IsSet("bootstrap.servers");
  const bool embedded = config.IsSet("log.embedded.dir");
  if (remote && embedded)
    return base::UsageError("both bootstrap.servers and log.embedded.dir are set; keep the one that is meant");
  if (remote) return Connect(config);
  if (embedded) return OpenEmbedded(config.String("log.embedded.dir"));
  return base::UsageError(
      "no log is configured: set bootstrap.servers=host:port for a Kafka cluster, or log.embedded.dir=DIRECTORY for a log in "
      "this process");
}

}  // namespace tailrace::kafka
