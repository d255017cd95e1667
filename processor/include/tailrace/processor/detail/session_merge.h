// The rules of session windows over bytes, compiled once for all types.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tailrace/processor/detail/late_output.h"
#include "tailrace/processor/detail/task_context.h"
#include "tailrace/processor/session_windows.h"

namespace tailrace::processor::detail {

// Which sessions a record joins, what becomes of them, and which records are late (KStreamSessionWindowAggregate). Belongs to
// one operator of one task.
//
//   if (!merge.Begin(key, time)) return;             // late
//   for each of merge.found(): add its value to the aggregate
//   if (merge.replaces_found()) for each: merge.Remove(session)
//   merge.Put(bytes of the aggregate)
class SessionMerge {
 public:
  struct Session {
    int64_t start_ms = 0;
    int64_t end_ms = 0;
    std::string value;
  };

  SessionMerge(SessionWindows windows, std::string store) : windows_(windows), store_name_(std::move(store)) {}

  void Init(TaskContext& context, const std::string& operator_name);
  state::SessionStore& store() { return *store_; }
  // Sessions that end earlier are closed.
  int64_t close_ms() const { return observed_ms_ - windows_.grace_ms() - windows_.gap_ms(); }

  // Raises the operator's time and looks for the sessions that the record joins. False: the record is late, which is
  // counted, or the store failed, which is reported. `key` must stay valid until Put.
  bool Begin(std::string_view key, int64_t timestamp_ms);
  // Why the last Begin was false.
  bool is_late() const { return is_late_; }
  // Raises the operator's time.
  void Observe(int64_t time_ms);
  LateWindow late_window() const { return {start_ms_, end_ms_, observed_ms_, windows_.grace_ms()}; }
  // By (end, start). Valid until the next Begin.
  size_t found() const { return found_count_; }
  const Session& found(size_t index) const { return found_[index]; }
  // The session that the record makes of them.
  int64_t start_ms() const { return start_ms_; }
  int64_t end_ms() const { return end_ms_; }
  // A session that is as long as the record alone needs not give way: it is overwritten.
  bool replaces_found() const { return start_ms_ != timestamp_ms_ || end_ms_ != timestamp_ms_; }

  void Remove(const Session& session) { Write(session.start_ms, session.end_ms, {}); }
  void Put(kafka::NullableBytes value) { Write(start_ms_, end_ms_, value); }

 private:
  void Write(int64_t start_ms, int64_t end_ms, kafka::NullableBytes value);

  const SessionWindows windows_;
  const std::string store_name_;
  TaskContext* context_ = nullptr;
  state::SessionStore* store_ = nullptr;
  const int64_t* limit_ms_ = nullptr;
  int64_t observed_ms_ = -1;
  bool is_late_ = false;
  std::string_view key_;
  int64_t timestamp_ms_ = 0;
  int64_t start_ms_ = 0;
  int64_t end_ms_ = 0;
  std::vector<Session> found_;  // the first `found_count_`; the others keep their memory
  size_t found_count_ = 0;
};

}  // namespace tailrace::processor::detail
