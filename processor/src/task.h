// One subtopology on one partition: its operators, stores, input queues and times.
//
//   kCreated --Start--> kRunning --Close--> kClosed
//      |  restore the stores with state().ApplyChangelog before Start
//
// The commit protocol (docs/architecture.md), driven by the stream thread for all its tasks together:
//   1. PrepareCommit()                 flushes stores in topology order: changelog and output records go to the producer
//   2. the thread commits Kafka: OffsetsToCommit() in the transaction, or flush + group commit
//   3. FinishCommit()                  dirty entries + changelog offsets + position + times in one write; new ReadView
//   on failure of 2: Revert()          forgets everything uncommitted and starts again from the committed point
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "input_buffer.h"
#include "punctuations.h"
#include "tailrace/base/clock.h"
#include "tailrace/base/status.h"
#include "tailrace/base/types.h"
#include "tailrace/kafka/membership.h"
#include "tailrace/kafka/producer.h"
#include "tailrace/kafka/record.h"
#include "tailrace/processor/detail/node.h"
#include "tailrace/processor/detail/task_context.h"
#include "tailrace/processor/detail/topology_graph.h"
#include "tailrace/processor/error_handlers.h"
#include "tailrace/state/task_state.h"
#include "upstream_times.h"

namespace tailrace::processor {

struct TaskOptions {
  base::TaskId id;
  std::string application_id;
  const detail::Subtopology* subtopology = nullptr;
  std::vector<base::TopicPartition> inputs;  // a "slot" is an index into it
  std::unique_ptr<state::TaskState> state;
  const base::Clock* clock = nullptr;
  ErrorHandlers handlers;             // an empty one continues
  std::string dead_letter_topic;      // empty: none
  int64_t max_future_skew_ms = -1;    // records later than wall clock + this are dropped; -1: no bound
  const detail::GlobalStores* global_stores = nullptr;  // outlives the task; null: the topology has none
  int64_t max_task_idle_ms = 0;       // max.task.idle.ms
  int64_t emit_interval_ms = 1000;    // Kafka Streams' internal default
  int64_t idle_timeout_ms = 0;        // stream.time.idle.timeout.ms; 0: time stands while there is no input
  bool watermarks = false;            // stream.time.mode=watermark, and then:
  std::vector<std::vector<base::TaskId>> upstream;  // per slot: the tasks that write it, empty for topics of others
  std::vector<std::string> heartbeat_topics;        // the repartition topics that the task writes, full names
  int64_t watermark_idle_timeout_ms = 10'000;       // watermark.idle.timeout.ms
  int32_t epoch = -1;                 // at-least-once: written as header "e" on changelog records; -1: no header
};

// Counters since creation; read by the owning thread.
struct TaskCounters {
  int64_t processed = 0;
  int64_t emitted = 0;  // records handed to the producer, changelogs included
  std::array<int64_t, detail::kDropReasonCount> dropped{};
};

// Thread-safety: the owning stream thread only.
class Task final : private detail::TaskContext, private state::ChangelogWriter {
 public:
  static absl::StatusOr<std::unique_ptr<Task>> Create(TaskOptions options);
  ~Task() override;

  const base::TaskId& id() const { return options_.id; }
  const std::vector<base::TopicPartition>& inputs() const { return options_.inputs; }
  state::TaskState& state() { return *options_.state; }
  const TaskCounters& counters() const { return counters_; }
  int64_t stream_time() const { return time_.stream_time_ms; }

  // Builds and initialises the operators. `committed` has one entry per slot, in order; its metadata carries partition and
  // operator times. `producer` must outlive the task or the next Start/Revert. Stores are restored before.
  absl::Status Start(kafka::Producer& producer, const std::vector<kafka::CommittedOffset>& committed);

  // True for a task with one input: its records are processed straight from the batch by Process.
  bool direct() const { return options_.inputs.size() == 1; }

  // Processes one record of slot 0. REQUIRES: direct().
  absl::Status Process(const kafka::RecordView& record, const kafka::RecordBatch& batch);

  // Several inputs: buffers a copy; ProcessBuffered takes records in timestamp order while every slot has one, or while
  // slots that have none are known to be at their end (max.task.idle.ms rules). Returns the number processed.
  void Enqueue(int32_t slot, const kafka::RecordView& record, kafka::Headers headers);
  absl::StatusOr<int> ProcessBuffered(int max_records);
  size_t buffered(int32_t slot) const { return buffer_.size(static_cast<size_t>(slot)); }
  // Tells whether the log has more for a slot (KnownEnd > Position), for the idle rule. Unknown counts as more.
  void SetHasMore(int32_t slot, bool has_more) { buffer_.SetHasMore(static_cast<size_t>(slot), has_more); }

  // Fires due punctuations. Returns whether any fired.
  absl::StatusOr<bool> Punctuate();

  // Looks at how long there has been no input; `at_end`: the task has all that the log has. After a while stream time advances
  // by the wall clock with the next commit, or readers of the task's repartition topics are told that it is idle. To be called
  // every round; does nothing unless asked for by the options.
  void WatchIdleness(bool at_end);
  bool watches_idleness() const { return options_.idle_timeout_ms > 0 || !options_.heartbeat_topics.empty(); }

  // Something was processed or punctuated since the last commit.
  bool dirty() const { return dirty_; }
  bool commit_requested() const { return commit_requested_; }

  absl::Status PrepareCommit();
  // Next offset and metadata per slot from which something was processed since Start.
  std::vector<kafka::OffsetToCommit> OffsetsToCommit() const;
  // After a batch was processed completely, the consumer's position may be past control records: commit that instead.
  void SetPosition(int32_t slot, base::Offset position);
  absl::Status FinishCommit();

  // After an aborted transaction or a recreated producer: uncommitted state and buffered records are dropped and the
  // operators are rebuilt from `committed`; the thread seeks its consumer to those offsets.
  absl::Status Revert(kafka::Producer& producer, const std::vector<kafka::CommittedOffset>& committed);

  // Closes the operators. Nothing is flushed: commit before, for a clean close.
  void Close();

  // Offset to start reading at for a slot: the committed one, or kOffsetBeginning/kOffsetEnd by the source's reset policy
  // and `default_reset`.
  static base::Offset StartOffset(const detail::Subtopology& subtopology, const base::TopicPartition& input,
                                  const kafka::CommittedOffset& committed, base::Offset default_reset);

 private:
  struct Input {
    detail::Source* source = nullptr;
    UpstreamTimes upstream{{}};
    std::vector<detail::Node*> below;  // of a tracked input: the operators that its records reach
    int64_t upstream_time_ms = -1;     // that these have been told
    int64_t partition_time_ms = base::kNoTimestampMs;
    base::Offset next_offset = base::kOffsetUnknown;
    bool moved = false;  // something was processed since Start
  };

  explicit Task(TaskOptions options);

  absl::Status BuildNodes();
  // The operators that records of this source reach, parents first.
  std::vector<detail::Node*> NodesBelow(std::string_view source) const;
  // Up to which time each aggregation that emits on window close has done so.
  std::vector<int64_t> EmitTimes() const;
  bool IsInput(std::string_view topic) const;
  // The input that is also the changelog of this store; null when it has a changelog of its own.
  const Input* InputOf(const state::StoreSpec& store) const;
  bool AcceptTimestamp(Input& input, int64_t timestamp_ms, detail::DropReason& reason);
  // A record that cannot be decoded keeps the log's timestamp in the buffer and is handled when its turn comes.
  int64_t TimeInBuffer(size_t slot, const kafka::RecordView& record);
  // Whether the record is a heartbeat, which is taken in; otherwise it is to be processed, under the time of its input.
  bool TakeHeartbeat(Input& input);
  // Tells operators how far event time has come without records for them, when all that came before is flushed. Returns whether
  // there was anything to tell.
  bool AdvanceTimes();
  void AdvanceNodes(const std::vector<detail::Node*>& nodes, int64_t time_ms);
  // Stores and operators take no record to be later than this until the next one is processed.
  void SetTimeLimit(int64_t limit_ms) { time_.limit_ms = limit_ms; }
  absl::Status FlushStores();
  void SendHeartbeats();
  absl::Status ProcessOne(size_t slot, const kafka::RecordView& record);
  // What follows is a consequence of `record_`.
  void SetRecordOfStores();
  // Asks the handler about the record that is being processed. OK: go on; otherwise the task stops with this error.
  absl::Status HandleError(const ErrorHandler& handler, std::string_view operator_name, const absl::Status& error,
                           detail::DropReason reason, std::string_view kind);
  absl::Status SendToDeadLetter(const ErrorContext& context, const absl::Status& error, std::string_view kind);
  void Produce(const kafka::OutgoingRecord& record);
  absl::Status FirePunctuations(detail::PunctuationType type, int64_t now_ms, bool& fired);

  // detail::TaskContext
  const base::TaskId& task_id() const override { return options_.id; }
  const std::string& application_id() const override { return options_.application_id; }
  const RecordContext& record() const override {
    return store_headers_.context == nullptr ? record_ : *store_headers_.context;
  }
  state::RecordHeaders ExchangeRecord(const state::RecordHeaders& record) override {
    return std::exchange(store_headers_, record);
  }
  const kafka::Headers& record_headers() override;
  void ProcessKept(const RecordContext& record, const kafka::Headers& headers, absl::FunctionRef<void()> process) override;
  int64_t stream_time_ms() const override { return time_.stream_time_ms; }
  const int64_t& time_limit_ms() const override { return time_.limit_ms; }
  int64_t wall_time_ms() const override { return options_.clock->WallMs(); }
  int64_t emit_interval_ms() const override { return options_.emit_interval_ms; }
  state::KeyValueStore& key_value_store(std::string_view name) override { return options_.state->key_value(name); }
  state::WindowStore& window_store(std::string_view name) override { return options_.state->window(name); }
  state::VersionedStore& versioned_store(std::string_view name) override { return options_.state->versioned(name); }
  bool is_versioned(std::string_view name) const override;
  const detail::GlobalStores& global_stores() const override;
  state::SessionStore& session_store(std::string_view name) override { return options_.state->session(name); }
  state::TimeOrderedBuffer& time_ordered_buffer(std::string_view name) override {
    return options_.state->time_ordered_buffer(name);
  }
  int64_t RestoredOperatorTime(std::string_view operator_name) const override;
  void KeepOperatorTime(std::string_view operator_name, const int64_t* time_ms) override;
  absl::StatusOr<kafka::TopicHandle> ResolveTopic(std::string_view topic) override;
  absl::StatusOr<int32_t> PartitionCount(kafka::TopicHandle topic) override;
  void Send(const kafka::OutgoingRecord& record) override;
  std::unique_ptr<detail::PunctuationHandle> Schedule(int64_t interval_ms, detail::PunctuationType type,
                                                      std::function<void(int64_t)> callback) override;
  bool HandleThrown(std::string_view operator_name, bool serializing) override;
  void RequestCommit() override { commit_requested_ = true; }
  void Drop(detail::DropReason reason) override { ++counters_.dropped[static_cast<size_t>(reason)]; }
  void Fail(absl::Status status) override;

  // state::ChangelogWriter
  void Append(int32_t store, std::string_view key, kafka::NullableBytes value, int64_t timestamp_ms) override;

  TaskOptions options_;
  kafka::Producer* producer_ = nullptr;
  std::vector<std::unique_ptr<detail::Node>> nodes_;
  std::vector<Input> inputs_;  // by slot
  InputBuffer buffer_;
  std::vector<kafka::TopicHandle> changelog_topics_;  // per store; -1 for stores without logging
  Punctuations punctuations_;
  std::map<std::string, int64_t, std::less<>> restored_times_ms_;
  std::map<std::string, const int64_t*, std::less<>> kept_times_;
  std::vector<int64_t> committed_emit_times_ms_;  // EmitTimes at the last commit
  std::optional<kafka::TopicHandle> dead_letter_;
  std::map<kafka::TopicHandle, std::string> topic_names_;  // for messages
  std::string initialised_;  // the operator whose Init runs, as the owner of what it schedules
  kafka::Headers changelog_headers_;
  kafka::Headers buffer_headers_;  // of a suppression's changelog
  int64_t future_limit_ms_ = -1;  // timestamps up to here need no look at the wall clock
  TaskCounters counters_;
  bool dirty_ = false;
  bool commit_requested_ = false;
  absl::Status failure_;

  // The record that is being processed.
  RecordContext record_;
  const kafka::RecordView* current_view_ = nullptr;  // null between records: in punctuations and flushes
  const kafka::RecordBatch* current_batch_ = nullptr;
  const kafka::Headers* current_headers_ = nullptr;  // buffered records carry theirs
  kafka::Headers headers_;
  bool headers_built_ = false;
  state::RecordHeaders& store_headers_;
  state::EventTime& time_;

  // Since when there has been no input: as of the look at which something had been processed last.
  int64_t quiet_since_ms_ = 0;
  int64_t quiet_processed_ = -1;
  int64_t quiet_stream_time_ms_ = -1;
  int64_t next_idle_look_ms_ = 0;
  int64_t idle_time_ms_ = -1;  // stream time as the wall clock advances it, to be told with the next commit
  bool is_idle_ = false;       // readers need not wait for this task

  std::vector<kafka::TopicHandle> heartbeat_topics_;
  std::optional<Heartbeat> last_heartbeat_;

  const bool stores_keep_headers_;  // some store caches: what it forwards later goes with the headers of its update
  const bool stores_keep_context_;  // and some store is a suppression's buffer, which logs where a record came from
};

}  // namespace tailrace::processor
