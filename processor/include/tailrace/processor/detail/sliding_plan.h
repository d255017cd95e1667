// The rules of sliding windows over bytes, compiled once for all types.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tailrace/processor/detail/late_output.h"
#include "tailrace/processor/detail/task_context.h"
#include "tailrace/processor/sliding_windows.h"

namespace tailrace::processor::detail {

// What a record changes (KStreamSlidingWindowAggregate). Each record has a left window, which ends at it, and a right window,
// which begins just behind it and exists when a record is in it. A new left window begins with what the record before had, a
// new right window with what the windows around the record hold of later ones. Records before the time difference share the
// window [0, difference]. Belongs to one operator of one task.
class SlidingPlan {
 public:
  // One window to write. `base` is what it holds so far: absent in a new window that begins empty.
  struct Step {
    int64_t start_ms = 0;
    int64_t base_timestamp_ms = 0;  // of the latest record in `base`
    bool has_base = false;
    bool adds_record = false;  // otherwise `base` is written as it is
    std::string base;
  };

  SlidingPlan(SlidingWindows windows, std::string store) : windows_(windows), store_name_(std::move(store)) {}

  void Init(TaskContext& context, const std::string& operator_name);
  state::WindowStore& store() { return *store_; }
  const SlidingWindows& windows() const { return windows_; }
  // A window closes when stream time has passed its end by more than the grace.
  int64_t close_ms() const { return observed_ms_ - windows_.grace_ms(); }

  // Raises the operator's time and finds what the record changes. False: the record is late, which is counted, or the store
  // failed, which is reported.
  bool Begin(std::string_view key, int64_t timestamp_ms);
  // Why the last Begin was false.
  bool is_late() const { return is_late_; }
  // Raises the operator's time.
  void Observe(int64_t time_ms);
  LateWindow late_window(int64_t start_ms) const {
    return {start_ms, start_ms + windows_.difference_ms(), observed_ms_, windows_.grace_ms()};
  }
  // In the order in which Kafka Streams makes them. Steps that add the record to a closed window are there, too: they are
  // to be dropped. Valid until the next Begin.
  size_t steps() const { return step_count_; }
  const Step& step(size_t index) const { return steps_[index]; }
  bool IsOpen(const Step& step) const { return !step.adds_record || step.start_ms + windows_.difference_ms() >= close_ms(); }

 private:
  struct Window {
    int64_t start_ms = 0;
    int64_t timestamp_ms = 0;  // of its latest record
    std::string value;
  };

  absl::Status Load(std::string_view key, int64_t timestamp_ms);
  bool HasStart(int64_t start_ms, size_t visited) const;
  void AddRecordTo(int64_t start_ms, const Window* base);
  void CopyTo(int64_t start_ms, const Window& base);
  void PlanEarly(int64_t timestamp_ms);
  void Plan(int64_t timestamp_ms);
  Step& NewStep(int64_t start_ms, const Window* base);

  const SlidingWindows windows_;
  const std::string store_name_;
  TaskContext* context_ = nullptr;
  state::WindowStore* store_ = nullptr;
  const int64_t* limit_ms_ = nullptr;
  int64_t observed_ms_ = -1;
  bool is_late_ = false;
  std::vector<Window> found_;  // the first `found_count_`, by start; the others keep their memory. So do steps.
  size_t found_count_ = 0;
  std::vector<Step> steps_;
  size_t step_count_ = 0;
};

}  // namespace tailrace::processor::detail
