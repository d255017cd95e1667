// What a task offers to its operators.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "tailrace/base/status.h"
#include "tailrace/kafka/producer.h"
#include "tailrace/processor/detail/global_stores.h"
#include "tailrace/processor/record.h"
#include "tailrace/state/session_store.h"
#include "tailrace/state/store.h"
#include "tailrace/state/versioned_store.h"
#include "tailrace/state/time_ordered_buffer.h"

namespace tailrace::processor::detail {

// Why an operator did not process a record. Counted per task; the first of a kind in a while is also logged.
enum class DropReason {
  kNullKey,
  kNullValue,
  kLate,              // its window was closed
  kInvalidTimestamp,  // below zero
  kFutureTimestamp,   // beyond max.future.skew.ms
  kUndecodable,
  kProcessingError,
  kTooLarge,
  kNoPartition,  // a partitioner chose none
  kOutdated,  // the table has a later value by now
  kCount_,
};
inline constexpr int kDropReasonCount = static_cast<int>(DropReason::kCount_);
std::string_view DropReasonName(DropReason reason);

enum class PunctuationType { kStreamTime, kWallClockTime };

class PunctuationHandle {
 public:
  virtual ~PunctuationHandle() = default;
  virtual void Cancel() = 0;
};

// Not thread-safe: the task's thread only. Outlives the task's nodes.
class TaskContext {
 public:
  virtual ~TaskContext() = default;

  virtual const base::TaskId& task_id() const = 0;
  virtual const std::string& application_id() const = 0;

  // The record that is being processed.
  virtual const RecordContext& record() const = 0;
  // Its headers; built on first use for each record.
  virtual const kafka::Headers& record_headers() = 0;
  // Puts another record in the place of both, for what an operator held back and now lets go; returns what was there, to be
  // put back. What `record` points to must live that long.
  virtual state::RecordHeaders ExchangeRecord(const state::RecordHeaders& record) = 0;

  // Runs `process` as if a record that was kept from earlier were the one that is being processed.
  virtual void ProcessKept(const RecordContext& record, const kafka::Headers& headers, absl::FunctionRef<void()> process) = 0;

  // The largest timestamp taken from any of the task's partitions; -1 before the first record.
  virtual int64_t stream_time_ms() const = 0;
  virtual int64_t wall_time_ms() const = 0;
  // No operator takes event time to be later, whatever the timestamp of a record: INT64_MAX, or in watermark mode what all
  // upstream tasks have reached. The reference stays valid.
  virtual const int64_t& time_limit_ms() const = 0;
  // How often, by the wall clock, an operator looks for windows that have closed.
  virtual int64_t emit_interval_ms() const = 0;

  // By name, at Init. REQUIRES: the topology connects the operator to the store.
  virtual state::KeyValueStore& key_value_store(std::string_view name) = 0;
  virtual state::WindowStore& window_store(std::string_view name) = 0;
  virtual state::VersionedStore& versioned_store(std::string_view name) = 0;
  // Whether the store of that name is a versioned one.
  virtual bool is_versioned(std::string_view name) const = 0;

  // The stores of global tables, of which the topology has at least one.
  virtual const GlobalStores& global_stores() const = 0;
  virtual state::SessionStore& session_store(std::string_view name) = 0;
  virtual state::TimeOrderedBuffer& time_ordered_buffer(std::string_view name) = 0;

  // Operator times survive a restart: Restored gives the committed value at Init (-1 when none); Keep registers the live
  // one, which is read at each commit.
  virtual int64_t RestoredOperatorTime(std::string_view operator_name) const = 0;
  virtual void KeepOperatorTime(std::string_view operator_name, const int64_t* time_ms) = 0;

  // Sinks: resolve once at Init, then send. A failed send fails the task as Fail does.
  virtual absl::StatusOr<kafka::TopicHandle> ResolveTopic(std::string_view topic) = 0;
  virtual absl::StatusOr<int32_t> PartitionCount(kafka::TopicHandle topic) = 0;
  virtual void Send(const kafka::OutgoingRecord& record) = 0;

  // The first callback is due as Kafka Streams does it: stream time as soon as there is data, wall clock after one interval;
  // missed intervals collapse into one firing.
  virtual std::unique_ptr<PunctuationHandle> Schedule(int64_t interval_ms, PunctuationType type,
                                                      std::function<void(int64_t now_ms)> callback) = 0;

  // In a catch block: asks the processing handler about what `operator_name` threw, or the production handler when a record
  // for the topic of that name was being serialized. False: the exception goes on up, and the record ends.
  virtual bool HandleThrown(std::string_view operator_name, bool serializing) = 0;

  virtual void RequestCommit() = 0;
  virtual void Drop(DropReason reason) = 0;

  // Reports an error that the operator cannot handle. The first one is kept and stops the task after this record.
  virtual void Fail(absl::Status status) = 0;
};

}  // namespace tailrace::processor::detail
