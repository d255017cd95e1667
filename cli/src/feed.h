// What `dev` feeds its topics from: files and pipes, each in a thread of its own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tailrace/base/status.h"
#include "tailrace/ingest/produce.h"
#include "tailrace/ingest/stop_signal.h"
#include "tailrace/pipeline/spec.h"

namespace tailrace::cli {

// From "FILE" or "TOPIC=FILE", and formats as "FORMAT" or "TOPIC=FORMAT", to what is produced: one per topic, with the format
// of the source that reads the topic where none is given. Errors: kInvalidArgument for a FILE without a topic where the
// pipelines read several, and for a topic that none reads.
absl::StatusOr<std::vector<ingest::ProduceOptions>> PlanFeeds(const std::vector<const pipeline::PipelineSpec*>& pipelines,
                                                              const std::vector<std::string>& inputs,
                                                              const std::vector<std::string>& formats);

// Produces all inputs until their ends or a stop. Not thread-safe; `cluster` outlives it.
class Feeds {
 public:
  Feeds(kafka::Cluster& cluster, std::vector<ingest::ProduceOptions> plans);
  ~Feeds();

  void Stop();
  // OK while all work and after the ends of the inputs; otherwise why one cannot go on.
  absl::Status status() const;

 private:
  class Feed;
  std::vector<std::unique_ptr<Feed>> feeds_;
};

}  // namespace tailrace::cli
