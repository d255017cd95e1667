#include "tailrace/processor/detail/sliding_plan.h"

#include <algorithm>
#include <utility>

namespace tailrace::processor::detail {

void SlidingPlan::Init(TaskContext& context, const std::string& operator_name) {
  context_ = &context;
  store_ = &context.window_store(store_name_);
  observed_ms_ = context.RestoredOperatorTime(operator_name);
  context.KeepOperatorTime(operator_name, &observed_ms_);
  limit_ms_ = &context.time_limit_ms();
}

void SlidingPlan::Observe(int64_t time_ms) { observed_ms_ = std::max(observed_ms_, std::min(time_ms, *limit_ms_)); }

bool SlidingPlan::Begin(std::string_view key, int64_t timestamp_ms) {
  step_count_ = 0;
  Observe(timestamp_ms);
  is_late_ = timestamp_ms + windows_.difference_ms() < close_ms();
  if (is_late_) {
    context_->Drop(DropReason::kLate);
    return false;
  }
  if (absl::Status status = Load(key, timestamp_ms); !status.ok()) {
    context_->Fail(std::move(status));
    return false;
  }
  if (timestamp_ms < windows_.difference_ms()) PlanEarly(timestamp_ms);
  else Plan(timestamp_ms);
  return true;
}

absl::Status SlidingPlan::Load(std::string_view key, int64_t timestamp_ms) {
  found_count_ = 0;
  // The window of the record before ends before this one begins; one more millisecond catches the record's own right window.
  const int64_t from_ms = std::max<int64_t>(0, timestamp_ms - 2 * windows_.difference_ms());
  return store_->FetchRange(key, timestamp_ms < windows_.difference_ms() ? 0 : from_ms, timestamp_ms + 1,
                            [this](const state::Row& row) {
                              if (found_.size() == found_count_) found_.emplace_back();
                              Window& window = found_[found_count_++];
                              window.start_ms = row.window_start_ms;
                              window.timestamp_ms = row.timestamp_ms;
                              window.value.assign(row.value);
                              return true;
                            });
}

SlidingPlan::Step& SlidingPlan::NewStep(int64_t start_ms, const Window* base) {
  if (steps_.size() == step_count_) steps_.emplace_back();
  Step& step = steps_[step_count_++];
  step.start_ms = start_ms;
  step.has_base = base != nullptr;
  if (base != nullptr) {
    step.base.assign(base->value);
    step.base_timestamp_ms = base->timestamp_ms;
  }
  return step;
}

void SlidingPlan::AddRecordTo(int64_t start_ms, const Window* base) { NewStep(start_ms, base).adds_record = true; }

void SlidingPlan::CopyTo(int64_t start_ms, const Window& base) { NewStep(start_ms, &base).adds_record = false; }

// Whether one of the last `visited` windows begins there: Kafka Streams does not look at the others.
bool SlidingPlan::HasStart(int64_t start_ms, size_t visited) const {
  return std::any_of(found_.begin() + static_cast<ptrdiff_t>(found_count_ - visited),
                     found_.begin() + static_cast<ptrdiff_t>(found_count_),
                     [start_ms](const Window& window) { return window.start_ms == start_ms; });
}

void SlidingPlan::Plan(int64_t timestamp_ms) {
  const int64_t difference_ms = windows_.difference_ms();
  const Window* left = nullptr;   // the newest window that ends before the record
  const Window* right = nullptr;  // the newest window around the record: what it holds beyond the record is to its right
  bool has_left = false;
  bool has_right = false;
  std::optional<int64_t> previous_ms;  // the record before this one
  size_t visited = 0;
  for (size_t i = found_count_; i-- > 0;) {  // the newest window first
    const Window& window = found_[i];
    ++visited;
    const int64_t end_ms = window.start_ms + difference_ms;
    if (window.start_ms == timestamp_ms + 1) {
      has_right = true;
    } else if (end_ms > timestamp_ms) {
      if (right == nullptr) right = &window;
      AddRecordTo(window.start_ms, &window);
    } else if (end_ms == timestamp_ms) {
      has_left = true;
      AddRecordTo(window.start_ms, &window);
      // Another record of this time has made all windows.
      if (window.timestamp_ms >= timestamp_ms) return;
      previous_ms = window.timestamp_ms;
    } else {
      left = &window;
      previous_ms = window.timestamp_ms;
      break;
    }
  }
  if (previous_ms.has_value() && !HasStart(*previous_ms + 1, visited) && *previous_ms + 1 + difference_ms >= timestamp_ms)
    AddRecordTo(*previous_ms + 1, nullptr);
  if (!has_left) {
    const bool holds_previous = previous_ms.has_value() && timestamp_ms - difference_ms <= *previous_ms;
    AddRecordTo(timestamp_ms - difference_ms, holds_previous ? left : nullptr);
    steps_[step_count_ - 1].base_timestamp_ms = timestamp_ms;
  }
  if (!has_right && right != nullptr && right->timestamp_ms > timestamp_ms) CopyTo(timestamp_ms + 1, *right);
}

void SlidingPlan::PlanEarly(int64_t timestamp_ms) {
  const Window* combined = nullptr;
  const Window* right = nullptr;
  bool has_right = false;
  std::optional<int64_t> previous_ms;
  for (size_t i = 0; i < found_count_; ++i) {
    const Window& window = found_[i];
    if (window.start_ms == 0) {
      combined = &window;
      if (window.timestamp_ms < timestamp_ms) previous_ms = window.timestamp_ms;
    } else if (window.start_ms <= timestamp_ms) {
      right = &window;
      AddRecordTo(window.start_ms, &window);
    } else {
      has_right = true;
    }
  }
  // Without a window around the record, all that the combined window holds is later than the record, or nothing is.
  if (right == nullptr && combined != nullptr && combined->timestamp_ms > timestamp_ms) right = combined;
  if (!has_right && right != nullptr && right->timestamp_ms > timestamp_ms) CopyTo(timestamp_ms + 1, *right);
  if (previous_ms.has_value() && !HasStart(*previous_ms + 1, found_count_)) AddRecordTo(*previous_ms + 1, nullptr);
  AddRecordTo(0, combined);
}

}  // namespace tailrace::processor::detail
