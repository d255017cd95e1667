// The join of two streams over bytes: what meets what, and when a record that met nobody is emitted alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "tailrace/processor/detail/task_context.h"
#include "tailrace/processor/join_windows.h"

namespace tailrace::processor::detail {

// What both sides of one join share in a task (KStreamImplJoin.TimeTracker).
struct StreamJoinTime {
  int64_t stream_time_ms = -1;
  int64_t oldest_alone_ms = INT64_MAX;  // at most the time of any record that waits
  int64_t next_emit_ms = 0;             // by the wall clock: looking for closed windows is throttled
};

// One side of a join (KStreamKStreamJoin). Owned by the operator of that side. Not thread-safe.
class StreamJoinSide {
 public:
  struct Options {
    JoinWindows windows;
    bool left = true;            // this is the stream on which Join was called
    std::string other_store;
    std::string shared_store;    // of records of both sides that wait for a partner; empty when none does
  };
  explicit StreamJoinSide(Options options);

  // `time` must outlive this object.
  absl::Status Init(TaskContext& context, StreamJoinTime& time);

  void Observe(int64_t timestamp_ms);
  // The stream time of both sides.
  int64_t stream_time_ms() const { return time_->stream_time_ms; }
  // The next EmitClosed needs not wait: time has advanced, and perhaps no record will come.
  void LookAgain() { time_->next_emit_ms = 0; }

  // Calls `emit` for each record of either side that met nobody and whose window is closed, in order of time. To be called
  // before Join; does nothing most of the time. `timestamp_ms` is that of the record at hand.
  using EmitAlone = absl::FunctionRef<void(std::string_view key, bool left, std::string_view value, int64_t timestamp_ms)>;
  void EmitClosed(int64_t timestamp_ms, EmitAlone emit);

  // Calls `match` for each record of the other side within the window, in order of time. Returns whether there was any.
  using Match = absl::FunctionRef<void(std::string_view other_value, int64_t other_timestamp_ms)>;
  bool Join(std::string_view key, int64_t timestamp_ms, Match match);

  // For a record that met nobody. Returns false when it is to be emitted alone now, otherwise it waits for a partner.
  bool Wait(std::string_view key, std::string_view value, int64_t timestamp_ms);

 private:
  // The key of the shared store: int64 time, a byte that is 1 for the left side, key (TimestampedKeyAndJoinSideSerializer).
  std::string_view SharedKey(bool left, std::string_view key, int64_t timestamp_ms);
  bool IsOpen(bool left, int64_t timestamp_ms) const;
  void Check(const absl::Status& status) const;

  const Options options_;
  const int64_t before_ms_;  // of the window around a record of this side
  const int64_t after_ms_;
  TaskContext* context_ = nullptr;
  const int64_t* limit_ms_ = nullptr;
  StreamJoinTime* time_ = nullptr;
  state::WindowStore* other_ = nullptr;
  state::KeyValueStore* shared_ = nullptr;
  std::string key_;
  std::string values_;
};

// The join of a stream with itself (KStreamKStreamSelfJoin). Owned by one operator. Not thread-safe.
class StreamSelfJoin {
 public:
  StreamSelfJoin(std::string store, const JoinWindows& windows) : store_name_(std::move(store)), windows_(windows) {}
  absl::Status Init(TaskContext& context);

  // In which place the record at hand is joined with an earlier one, or with itself.
  enum class Meeting { kAsLeft, kAsRight, kItself };
  // Calls `match` in the order in which a join of two streams would have joined them; with the time of the result.
  using Match = absl::FunctionRef<void(Meeting meeting, std::string_view other_value, int64_t timestamp_ms)>;
  void Join(std::string_view key, int64_t timestamp_ms, Match match);

 private:
  const std::string store_name_;
  const JoinWindows windows_;
  TaskContext* context_ = nullptr;
  state::WindowStore* store_ = nullptr;
  int64_t stream_time_ms_ = -1;
};

}  // namespace tailrace::processor::detail
