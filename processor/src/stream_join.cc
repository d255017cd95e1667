#include "tailrace/processor/detail/stream_join.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "join_values.h"
#include "tailrace/base/bytes.h"

namespace tailrace::processor::detail {
namespace {

// Java's long addition: the time of a record that waits may be "none", and then the sum is below any stream time.
int64_t Sum(int64_t a, int64_t b, int64_t c) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b) + static_cast<uint64_t>(c));
}

}  // namespace

StreamJoinSide::StreamJoinSide(Options options)
    : options_(std::move(options)),
      before_ms_(options_.left ? options_.windows.before_ms() : options_.windows.after_ms()),
      after_ms_(options_.left ? options_.windows.after_ms() : options_.windows.before_ms()) {}

absl::Status StreamJoinSide::Init(TaskContext& context, StreamJoinTime& time) {
  context_ = &context;
  limit_ms_ = &context.time_limit_ms();
  time_ = &time;
  other_ = &context.window_store(options_.other_store);
  if (!options_.shared_store.empty()) shared_ = &context.key_value_store(options_.shared_store);
  // The stores remember how far their streams had come.
  time_->stream_time_ms = std::max(time_->stream_time_ms, other_->stream_time_ms());
  return absl::OkStatus();
}

void StreamJoinSide::Check(const absl::Status& status) const {
  if (!status.ok()) context_->Fail(status);
}

void StreamJoinSide::Observe(int64_t timestamp_ms) {
  time_->stream_time_ms = std::max(time_->stream_time_ms, std::min(timestamp_ms, *limit_ms_));
}

std::string_view StreamJoinSide::SharedKey(bool left, std::string_view key, int64_t timestamp_ms) {
  key_.clear();
  base::AppendBigEndian(key_, timestamp_ms);
  base::AppendBigEndian(key_, static_cast<int8_t>(left));
  key_.append(key);
  return key_;
}

bool StreamJoinSide::IsOpen(bool left, int64_t timestamp_ms) const {
  const JoinWindows& windows = options_.windows;
  return Sum(timestamp_ms, left ? windows.after_ms() : windows.before_ms(), windows.grace_ms()) >= time_->stream_time_ms;
}

void StreamJoinSide::EmitClosed(int64_t timestamp_ms, EmitAlone emit) {
  if (shared_ == nullptr || timestamp_ms != time_->stream_time_ms) return;
  if (Sum(time_->oldest_alone_ms, after_ms_, options_.windows.grace_ms()) >= time_->stream_time_ms) return;
  const int64_t now_ms = context_->wall_time_ms();
  if (now_ms < time_->next_emit_ms) return;
  time_->next_emit_ms = now_ms + context_->emit_interval_ms();

  time_->oldest_alone_ms = INT64_MAX;
  bool left_open = false;
  bool right_open = false;
  bool damaged = false;
  std::vector<std::string> emitted;
  // Keys come by time, so that the first open window of a side is the end of what is closed on it.
  Check(shared_->Range(std::nullopt, std::nullopt, [&](const state::Row& row) {
    std::string_view key = row.key;
    int64_t alone_ms = 0;
    int8_t side = 0;
    damaged = !base::ConsumeBigEndian(key, alone_ms) || !base::ConsumeBigEndian(key, side);
    if (damaged) return false;
    time_->oldest_alone_ms = alone_ms;
    if (left_open && right_open) return false;
    const bool left = side == 1;
    if (IsOpen(left, alone_ms)) {
      (left ? left_open : right_open) = true;
      // Kafka Streams goes through the values of a list one by one, so that a second one is where it stops.
      return !(left_open && right_open && CountJoinValues(row.value) > 1);
    }
    damaged = !VisitJoinValues(row.value, [&](bool of_left, std::string_view value) { emit(key, of_left, value, alone_ms); });
    emitted.emplace_back(row.key);
    return !damaged;
  }));
  if (damaged)
    return context_->Fail(base::Error(base::Reaction::kTaskCorrupted, absl::StatusCode::kDataLoss,
                                      absl::StrCat("store ", options_.shared_store, ": an entry is no record that waits for a "
                                                   "partner; wipe this task's directory and restore")));
  for (const std::string& key : emitted) Check(shared_->Delete(key, timestamp_ms));
}

bool StreamJoinSide::Join(std::string_view key, int64_t timestamp_ms, Match match) {
  const int64_t from_ms = std::max<int64_t>(0, timestamp_ms - before_ms_);
  const int64_t to_ms = std::max<int64_t>(0, timestamp_ms + after_ms_);
  bool any = false;
  Check(other_->FetchRange(key, from_ms, to_ms, [&](const state::Row& row) {
    any = true;
    if (shared_ != nullptr) {
      // The partner waits no longer.
      const auto waiting = shared_->Upsert(SharedKey(!options_.left, key, row.window_start_ms));
      if (!waiting.ok()) Check(waiting.status());
      else if (!(*waiting)->value().is_null()) shared_->Update(**waiting, {}, timestamp_ms);
    }
    match(row.value, row.window_start_ms);
    return true;
  }));
  return any;
}

bool StreamJoinSide::Wait(std::string_view key, std::string_view value, int64_t timestamp_ms) {
  const int64_t to_ms = std::max<int64_t>(0, timestamp_ms + after_ms_);
  if (shared_ == nullptr || to_ms < time_->stream_time_ms) return false;
  time_->oldest_alone_ms = std::min(time_->oldest_alone_ms, timestamp_ms);
  const auto entry = shared_->Upsert(SharedKey(options_.left, key, timestamp_ms));
  if (!entry.ok()) {
    Check(entry.status());
    return true;
  }
  const kafka::NullableBytes before = (*entry)->value();
  if (!AppendJoinValue(before.is_null() ? std::string_view() : before.view(), options_.left, value, values_)) {
    Check(base::Error(base::Reaction::kTaskCorrupted, absl::StatusCode::kDataLoss,
                      absl::StrCat("store ", options_.shared_store, ": an entry is no list of values; wipe this task's "
                                   "directory and restore")));
    return true;
  }
  shared_->Update(**entry, std::string_view(values_), timestamp_ms);
  return true;
}

absl::Status StreamSelfJoin::Init(TaskContext& context) {
  context_ = &context;
  store_ = &context.window_store(store_name_);
  stream_time_ms_ = store_->stream_time_ms();
  return absl::OkStatus();
}

void StreamSelfJoin::Join(std::string_view key, int64_t timestamp_ms, Match match) {
  stream_time_ms_ = std::max(stream_time_ms_, std::min(timestamp_ms, context_->time_limit_ms()));
  bool meets_itself = timestamp_ms > stream_time_ms_ - windows_.retention_ms() + 1;
  const auto range = [&](int64_t before_ms, int64_t after_ms, state::RowVisitor visit) {
    const absl::Status status = store_->FetchRange(key, std::max<int64_t>(0, timestamp_ms - before_ms),
                                                   std::max<int64_t>(0, timestamp_ms + after_ms), visit);
    if (!status.ok()) context_->Fail(status);
  };
  range(windows_.before_ms(), windows_.after_ms(), [&](const state::Row& row) {
    match(Meeting::kAsLeft, row.value, std::max(timestamp_ms, row.window_start_ms));
    return true;
  });
  const auto meet_itself = [&] {
    if (std::exchange(meets_itself, false)) match(Meeting::kItself, {}, timestamp_ms);
  };
  range(windows_.after_ms(), windows_.before_ms(), [&](const state::Row& row) {
    if (row.window_start_ms > timestamp_ms) meet_itself();
    match(Meeting::kAsRight, row.value, std::max(timestamp_ms, row.window_start_ms));
    return true;
  });
  meet_itself();
}

}  // namespace tailrace::processor::detail
