#include "topic_lookup.h"

#include "absl/strings/str_cat.h"

namespace tailrace::ingest {

absl::StatusOr<int32_t> FindTopic(kafka::Cluster& cluster, const std::string& topic, int timeout_ms) {
  TAILRACE_ASSIGN_OR_RETURN(const auto found, cluster.admin().DescribeTopic(topic, timeout_ms));
  if (found) return found->partition_count;
  const std::string where = cluster.shared() ? absl::StrCat(" --set bootstrap.servers=", cluster.Description()) : "";
  return base::Error(base::Reaction::kFatal, absl::StatusCode::kNotFound,
                     absl::StrCat("topic ", topic, " does not exist at ", cluster.Description(), "; create it: tailrace topics create ", topic,
                                  " --partitions 4", where));
}

}  // namespace tailrace::ingest
