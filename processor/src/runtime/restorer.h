// Restores the stores of tasks from their changelogs, beside processing, and keeps the standbys: copies of other workers' tasks
// that follow their changelogs.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "runtime/runtime_context.h"
#include "tailrace/base/log.h"
#include "tailrace/kafka/consumer.h"
#include "tailrace/state/task_state.h"

namespace tailrace::processor {

struct RestoreResult {
  base::TaskId id;
  // OK, or CANCELLED (the state is closed), or why the task cannot be opened: a refusal, not a passing trouble.
  absl::Status status;
  std::unique_ptr<state::TaskState> state;
  std::vector<base::TopicPartition> inputs;
  std::vector<kafka::CommittedOffset> committed;  // one per input
};

struct RestoreJob {
  std::shared_ptr<LocalTask> local;  // shared with the registry
  size_t cache_bytes_max = 0;
  bool wipe_first = false;  // the local state cannot be trusted
  std::function<void(RestoreResult)> done;  // called on the restorer's thread
};

// One thread for all tasks of the process: one consumer reads all changelogs that are being restored or followed. Standbys
// wait while something is restored (as in Kafka Streams' StoreChangelogReader).
// Submit, Cancel, KeepStandby and EndStandby are thread-safe. Every job ends with one call of `done`, also after Stop.
class Restorer {
 public:
  explicit Restorer(RuntimeContext& context);
  ~Restorer();
  void Start();
  // Asks the thread to end; Stop waits until it has. What is being restored is cancelled.
  void RequestStop();
  void Stop();

  void Submit(RestoreJob job);
  void Cancel(const base::TaskId& id);

  // Follows the changelogs of `standby`, an entry of RuntimeContext::standbys, until EndStandby, or until a job for the same
  // task takes its state over where it stands. The entry leaves the list when its state is closed or taken over.
  void KeepStandby(std::shared_ptr<LocalTask> standby, size_t cache_bytes_max);
  void EndStandby(const base::TaskId& id);

 private:
  struct Changelog {
    int32_t store = 0;
    base::TopicPartition partition;
    base::Offset next;  // where reading continues
    base::Offset end;
    int32_t epoch = -1;  // highest seen (at-least-once)
    bool done = false;
    bool is_source = false;  // the store's source topic, which others write: its headers say nothing of epochs
    base::Offset asked_end = base::kOffsetUnknown;  // of a standby's: where the log ended when it was last asked
  };
  // A task whose changelogs are read: restored once, or followed.
  struct Active {
    RestoreJob job;
    bool standby = false;
    std::unique_ptr<state::TaskState> state;
    std::vector<base::TopicPartition> inputs;
    std::vector<kafka::CommittedOffset> committed;
    std::vector<Changelog> changelogs;
    int64_t started_ms = 0;
    int64_t not_before_ms = 0;  // a retriable failure waits
    int attempts = 0;
    bool prepared = false;
    // Of a standby:
    bool unpublished = false;    // something was applied since the last view
    int64_t asked_ms = -1;       // when the log was asked where its changelogs end; -1: what it said was reached
    int64_t ask_again_ms = 0;
    int64_t publish_again_ms = 0;
    bool finished() const;
  };
  struct Source {
    Active* active;
    Changelog* changelog;
  };

  void Run();
  // Takes new jobs and cancellations; waits up to `wait_ms` when there is nothing to do. False: stop.
  bool TakeMail(int wait_ms);
  bool Stopping() const;
  void PrepareAll();
  absl::Status Prepare(Active& active);
  absl::Status OpenState(Active& active);
  void CloseState(Active& active);
  bool NeedsCommitted(const Active& active) const;
  absl::Status ReadCommitted(Active& active, int timeout_ms);
  // Restored records must not hide others of their store that upstream tasks which are behind may still send records for.
  void LimitTime(Active& active) const;
  absl::Status FindRanges(Active& active, bool& wipe);
  absl::Status Reassign();
  absl::Status PollOnce();
  absl::Status Apply(Source& source, std::vector<state::ChangelogRecord>& records, base::Offset last);
  void FinishReady();
  void Finish(size_t index, absl::Status status);
  void LogProgress();

  // standby.cc
  struct StandbyWish {
    std::shared_ptr<LocalTask> local;  // shared with the registry
    size_t cache_bytes_max = 0;
  };
  Active* FindStandby(const base::TaskId& id);
  void BeginStandby(StandbyWish wish);
  void Drop(Active& standby);
  void TakeOver(Active& standby, RestoreJob job);
  void TendStandbys();
  absl::Status AskEnds(Active& standby);
  void Publish(Active& standby);
  bool Restoring() const;

  RuntimeContext& context_;
  std::thread thread_;

  mutable absl::Mutex mu_;
  std::deque<RestoreJob> incoming_ ABSL_GUARDED_BY(mu_);
  std::set<base::TaskId> cancelled_ ABSL_GUARDED_BY(mu_);
  std::deque<StandbyWish> standbys_kept_ ABSL_GUARDED_BY(mu_);
  std::set<base::TaskId> standbys_ended_ ABSL_GUARDED_BY(mu_);
  bool stop_ ABSL_GUARDED_BY(mu_) = false;

  // The restorer's thread only.
  std::unique_ptr<kafka::Consumer> consumer_;
  std::unique_ptr<kafka::Consumer> end_consumer_;  // reads uncommitted: its ends are high watermarks
  std::unique_ptr<kafka::Consumer> standby_end_consumer_;  // its ends are what a standby can reach
  kafka::RecordBatch batch_;
  std::vector<std::unique_ptr<Active>> active_;
  std::vector<Source> sources_;  // by index into the consumer's assignment
  bool assignment_stale_ = false;
  std::vector<std::vector<state::ChangelogRecord>> records_;  // scratch, by source
  std::vector<base::Offset> last_;                            // scratch, by source
  int64_t next_log_ms_ = 0;
  base::LogEveryMs standby_log_{5'000};
};

}  // namespace tailrace::processor
