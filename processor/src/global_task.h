// The operators and stores of all global tables of a process.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tailrace/processor/detail/global_stores.h"
#include "task.h"

namespace tailrace::processor {

// A task over all partitions of the global topics, which writes to no log: their records are its changelog, so it is restored
// by processing them (GlobalStateUpdateTask). Not thread-safe; what it publishes is.
class GlobalTask {
 public:
  struct Options {
    std::string application_id;
    const detail::Subtopology* subtopology = nullptr;  // Topology::global
    std::vector<base::TopicPartition> inputs;
    std::string directory;  // empty: in memory
    std::shared_ptr<state::MemoryBudget> memory;  // shared with the tasks of the process; null in memory
    size_t cache_bytes_max = 10u << 20;
    bool caching = true;
    const base::Clock* clock = nullptr;
    ErrorHandlers handlers;
  };
  // `stores` must outlive the task.
  static absl::StatusOr<std::unique_ptr<GlobalTask>> Open(Options options, detail::GlobalStores& stores);
  ~GlobalTask();

  // Where to read each input from: behind what the stores contain.
  const std::vector<base::Offset>& start_offsets() const { return start_offsets_; }
  const std::vector<state::StoreSpec>& specs() const { return task_->state().specs(); }

  void Enqueue(int32_t slot, const kafka::RecordView& record, kafka::Headers headers);
  // Processes what was enqueued.
  absl::Status Process();
  // Writes what was processed to the stores.
  absl::Status Commit();
  // Shows the tasks what is committed.
  void Publish() { stores_.Publish(task_->state().CurrentView()); }

 private:
  class NoProducer;
  explicit GlobalTask(detail::GlobalStores& stores);

  detail::GlobalStores& stores_;
  std::unique_ptr<NoProducer> producer_;
  std::unique_ptr<Task> task_;
  std::vector<base::Offset> start_offsets_;
};

}  // namespace tailrace::processor
