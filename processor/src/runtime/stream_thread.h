// One thread that polls, processes, punctuates and commits its tasks (RUNTIME.md).
//
//   kStarting -> kRunning -> kStopped
//
// Any thread may send it mail; everything else belongs to the thread itself.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <thread>
#include <variant>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "runtime/restorer.h"
#include "runtime/runtime_context.h"
#include "task.h"
#include "tailrace/base/log.h"
#include "tailrace/kafka/consumer.h"

namespace tailrace::processor {

// A task that the coordinator hands to a thread.
struct TaskGrant {
  base::TaskId id;
  uint64_t session = 0;
  int32_t epoch = -1;  // written on changelog records under at-least-once; -1: not
  size_t cache_bytes_max = 0;
};

class StreamThread {
 public:
  // `context` and `restorer` outlive the thread.
  StreamThread(RuntimeContext& context, Restorer& restorer, int index);
  ~StreamThread();

  void Start();
  // Thread-safe mail. Each task that was granted leaves LocalTasks when it is closed.
  void Grant(TaskGrant grant);
  void Revoke(const base::TaskId& id);
  // The membership is gone: drop everything uncommitted, close all tasks.
  void Abandon();
  // Ends the thread; with `commit` after a last commit.
  void Stop(bool commit);
  void Join();

  // True while the thread has a producer that has fenced older ones of its id (always under at-least-once).
  // False from Abandon on, until the thread has made a new one.
  bool producer_ready() const { return producer_ready_.load() && abandons_done_.load() == abandons_asked_.load(); }
  // When the loop last came round (steady clock), to notice a thread that user code holds up.
  int64_t last_round_ms() const { return last_round_ms_.load(); }

 private:
  struct GrantMail { TaskGrant grant; };
  struct RevokeMail { base::TaskId id; };
  struct AbandonMail {};
  struct RestoredMail { RestoreResult result; };
  using Mail = std::variant<GrantMail, RevokeMail, AbandonMail, RestoredMail>;

  struct Input {
    base::TopicPartition partition;
    int32_t source = -1;          // index into the consumer's assignment; -1: not assigned
    base::Offset next;            // where reading continues when the consumer does not know
    base::Offset fallback = base::kOffsetBeginning;  // when nothing is committed
    bool paused = false;
    std::shared_ptr<base::Counter> consumed;  // shared with the metrics registry
    int64_t consumed_count = 0;   // since the last round
  };
  struct Entry {
    TaskGrant grant;
    std::shared_ptr<LocalTask> local;  // shared with the registry
    std::unique_ptr<state::TaskState::CommitObserver> observer;  // outlives the task
    std::unique_ptr<Task> task;  // null while it is restored
    std::vector<Input> inputs;
    bool revoke_when_restored = false;
    bool restore_again = false;  // it waits for a new producer
    TaskCounters reported;
    std::shared_ptr<base::Counter> processed;  // shared with the metrics registry
  };
  struct Route {
    Task* task;
    Input* input;
    int32_t slot;
    bool direct;
  };

  // stream_thread.cc: the loop
  void Run();
  bool ReadMail(int wait_ms);
  void HandleMail(Mail& mail);
  bool Stopping() const { return stop_.load(std::memory_order_relaxed); }
  // True when mail says that a long wait should end.
  bool Interrupted() const { return interrupt_.load(std::memory_order_relaxed) || Stopping(); }
  void WaitForMail(int timeout_ms);
  void WaitForInterrupt(int timeout_ms);
  absl::Status RunOnce();
  absl::Status Route_(const kafka::RecordView* begin, const kafka::RecordView* end);
  absl::Status ProcessBatch();
  absl::Status ProcessBuffered();
  absl::Status Punctuate();
  void WatchIdleness(bool polled);
  int PollTimeoutMs() const;
  bool CommitDue() const;
  bool UncommittedBoundReached() const;
  void ReportRound();

  // stream_thread_tasks.cc: opening, closing, positions
  void OpenTask(TaskGrant grant);
  void OnRestored(RestoreResult result);
  absl::Status StartTask(Entry& entry, RestoreResult& result);
  // Watermark mode: the repartition topics that a subtopology writes, and per input the tasks that write it.
  std::vector<std::string> HeartbeatTopics(const detail::Subtopology& subtopology) const;
  std::vector<std::vector<base::TaskId>> Upstream(const detail::Subtopology& subtopology,
                                                  const std::vector<base::TopicPartition>& inputs) const;
  absl::StatusOr<base::Offset> Fallback(const Entry& entry, const base::TopicPartition& input);
  void RevokeTask(const base::TaskId& id);
  void CloseTask(const base::TaskId& id);
  void AbandonAll();
  // Tells the consumer what to read: every input of every running task, from `next`.
  absl::Status Reassign();
  void RememberPositions();
  void PublishInputs(Entry& entry);
  void PublishEnds();
  void Restore(Entry& entry, bool wipe);
  void CancelRestore(Entry& entry);
  void CloseOperators(Entry& entry);
  void Reopen(Entry& entry, bool wipe);
  void RebuildTask(const base::TaskId& id, const absl::Status& why);
  absl::Status ResetOutOfRange(const absl::Status& why);

  // stream_thread_commit.cc: the commit protocol and the reactions
  absl::Status EnsureProducer();
  absl::Status EnsureTransaction();
  absl::Status CommitAll(bool batch_done);
  absl::Status CommitSteps(bool batch_done);
  absl::Status FlushProducer();
  absl::Status CommitLog(const Seat& seat, const std::vector<kafka::OffsetToCommit>& offsets);
  absl::Status CommitOffsets(const Seat& seat, const std::vector<kafka::OffsetToCommit>& offsets);
  absl::StatusOr<std::vector<kafka::CommittedOffset>> CommittedInputs();
  absl::Status AwaitSeat(Seat& seat);
  absl::Status ProveSeat();
  template <class Call>
  absl::Status Retrying(std::string_view what, Call call);
  absl::Status FinishTasks(const std::vector<Entry*>& dirty);
  // Does what the error's reaction says. Afterwards the thread can go on, or it is stopping.
  void React(const absl::Status& error);
  void AbortAndRevert(const absl::Status& why, bool recreate);
  absl::Status BackToCommitted();
  absl::Status RevertTasks();
  absl::Status RevertEntry(Entry& entry, const std::vector<kafka::CommittedOffset>& committed);
  void DropProducer(std::string_view reason);
  void Fatal(absl::Status status);

  RuntimeContext& context_;
  Restorer& restorer_;
  const int index_;
  const std::string name_;
  std::thread thread_;

  std::atomic<bool> stop_{false};
  std::atomic<bool> interrupt_{false};  // mail that ends long waits
  std::atomic<bool> has_mail_{false};
  std::atomic<bool> producer_ready_{false};
  std::atomic<int> abandons_asked_{0};
  std::atomic<int> abandons_done_{0};
  std::atomic<int64_t> last_round_ms_{0};
  absl::Mutex mu_;
  std::deque<Mail> mail_ ABSL_GUARDED_BY(mu_);
  bool commit_on_stop_ ABSL_GUARDED_BY(mu_) = true;

  // The thread's own.
  std::unique_ptr<kafka::Consumer> consumer_;
  kafka::RecordBatch batch_;
  std::unique_ptr<kafka::Producer> producer_;
  bool in_transaction_ = false;
  // From the moment a commit is asked of the log until the stores have it: going back to the committed point then means
  // replaying the changelogs' tails.
  bool stores_may_lag_ = false;
  bool halted_ = false;  // a fatal error: nothing more is committed
  std::map<base::TaskId, std::unique_ptr<Entry>> entries_;  // stable addresses: routes point into them
  std::vector<Route> routes_;                                // by source index
  std::optional<base::TaskId> failed_task_;                  // whose call returned the error at hand
  bool assignment_stale_ = false;  // the consumer does not read what routes_ should say
  bool buffered_progress_ = false;
  bool behind_ = false;  // the last poll was nearly full
  int64_t next_commit_ms_ = 0;
  int64_t last_commit_ms_ = 0;
  int64_t seat_proved_ms_ = 0;  // at-least-once: when the group last took this process for the owner of its tasks
  int backoff_ms_ = 0;
  base::LogEveryMs error_log_{1'000};
};

}  // namespace tailrace::processor
