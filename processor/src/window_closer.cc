#include "tailrace/processor/detail/window_closer.h"

#include <algorithm>
#include <utility>

namespace tailrace::processor::detail {
namespace {

// Whether the same windows hold both times.
bool SameWindows(const TimeWindows& windows, int64_t a_ms, int64_t b_ms) {
  return windows.FirstStart(a_ms) == windows.FirstStart(b_ms) && a_ms / windows.advance_ms() == b_ms / windows.advance_ms();
}

}  // namespace

void WindowCloser::Init(TaskContext& context) {
  context_ = &context;
  if (!on_close()) return;
  last_close_ms_ = context.RestoredOperatorTime(store_name_);
  context.KeepOperatorTime(store_name_, &last_close_ms_);
}

bool WindowCloser::Due(int64_t close_ms) {
  const int64_t now_ms = context_->wall_time_ms();
  if (now_ms < next_look_ms_) return false;
  next_look_ms_ = now_ms + context_->emit_interval_ms();
  return last_close_ms_ == -1 || last_close_ms_ < close_ms;
}

void WindowCloser::EmitTimeWindows(state::WindowStore& store, const TimeWindows& windows, int64_t close_ms,
                                   state::RowVisitor emit) {
  if (!on_close() || !Due(close_ms)) return;
  const int64_t to_ms = close_ms - windows.size_ms();
  if (to_ms < 0) return;
  const int64_t before_ms = std::max<int64_t>(0, last_close_ms_ - windows.size_ms());
  // No window has closed since: the next look begins where this one does.
  if (last_close_ms_ != -1 && SameWindows(windows, to_ms, before_ms)) return;
  EmitStarts(store, last_close_ms_ == -1 ? 0 : before_ms + 1, to_ms, close_ms, emit);
}

void WindowCloser::EmitSlidingWindows(state::WindowStore& store, int64_t difference_ms, int64_t close_ms,
                                      state::RowVisitor emit) {
  if (!on_close() || !Due(close_ms)) return;
  const int64_t to_ms = close_ms - difference_ms - 1;  // the end is inclusive
  if (to_ms < 0) return;
  EmitStarts(store, last_close_ms_ == -1 ? 0 : std::max<int64_t>(0, last_close_ms_ - difference_ms), to_ms, close_ms, emit);
}

void WindowCloser::EmitStarts(state::WindowStore& store, int64_t from_ms, int64_t to_ms, int64_t close_ms,
                              state::RowVisitor emit) {
  rows_.clear();
  absl::Status status = store.FetchAll(from_ms, to_ms, [this](const state::Row& row) {
    rows_.push_back({std::string(row.key), std::string(row.value), row.window_start_ms, row.timestamp_ms});
    return true;
  });
  if (!status.ok()) return context_->Fail(std::move(status));
  last_close_ms_ = close_ms;
  for (const OwnedRow& row : rows_) emit({row.key, row.start_ms, row.value, row.timestamp_ms});
  rows_.clear();
}

void WindowCloser::EmitSessions(state::SessionStore& store, int64_t close_ms, state::RowVisitor emit) {
  if (!on_close() || !Due(close_ms)) return;
  const int64_t to_ms = close_ms - 1;  // the end is inclusive
  const int64_t from_ms = std::max<int64_t>(0, last_close_ms_);
  if (to_ms < from_ms) return;
  absl::Status status = store.FindSessionsByEnd(from_ms, to_ms, emit);
  if (!status.ok()) return context_->Fail(std::move(status));
  last_close_ms_ = close_ms;
}

}  // namespace tailrace::processor::detail
