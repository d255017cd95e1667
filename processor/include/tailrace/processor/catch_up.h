// Whether an application has processed what there was to process: asked of the group as a whole, so every worker of it gives
// the same answer and nothing has to be stored.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "tailrace/base/status.h"
#include "tailrace/kafka/cluster.h"
#include "tailrace/processor/topology.h"

namespace tailrace::processor {

// Takes the ends of the input topics and waits until the group has committed them, then does the same for the repartition topics
// as they are by then. When no step of such a round took longer than a commit takes, the application is caught up, and stays so as
// long as this object lives.
//
// Thread-safe; works in a thread of its own. The cluster outlives it. A log that does not answer is asked again.
class CatchUp {
 public:
  struct Options {
    std::string group;  // application.id
    std::vector<std::string> inputs;
    std::vector<std::string> repartitions;
    int64_t commit_interval_ms = 1'000;
    // Where inputs end for this application (ReplayReading::ends).
    std::map<base::TopicPartition, base::Offset> ends = {};
    // Called once, on the thread of this object, when the application has caught up.
    std::function<void()> on_caught_up = {};
  };
  // REQUIRES: the topology is compiled.
  static Options OptionsOf(const Topology& topology, int64_t commit_interval_ms);

  CatchUp(Options options, kafka::Cluster& cluster);
  ~CatchUp();
  CatchUp(const CatchUp&) = delete;
  CatchUp& operator=(const CatchUp&) = delete;

  bool caught_up() const { return caught_up_.load(std::memory_order_relaxed); }
  // Input records that were not committed when it last looked; negative: it has not looked yet.
  int64_t behind() const { return behind_.load(std::memory_order_relaxed); }

 private:
  using Offsets = std::map<base::TopicPartition, base::Offset>;

  void Run();
  absl::Status Round();
  absl::StatusOr<std::map<base::TopicPartition, kafka::OffsetRange>> RangesOf(const std::vector<std::string>& topics);
  // Waits until the group is at the ends that the topics have now; returns how long that took.
  absl::StatusOr<int64_t> Await(const std::vector<std::string>& topics, bool count);
  // Whether no record is left before `end`: what is there may be the marks of transactions only.
  bool NothingLeft(const base::TopicPartition& partition, base::Offset from, base::Offset end);
  // False when the object is being destroyed.
  bool Pause(int64_t ms);

  const Options options_;
  kafka::Cluster& cluster_;
  std::atomic<bool> caught_up_{false};
  std::atomic<int64_t> behind_{-1};

  // Only its thread.
  std::unique_ptr<kafka::Consumer> probe_;

  absl::Mutex mu_;
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace tailrace::processor
