// Which windows are emitted when, for aggregations that emit on window close; compiled once for all types.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tailrace/processor/detail/task_context.h"
#include "tailrace/processor/emit_strategy.h"
#include "tailrace/processor/windows.h"

namespace tailrace::processor::detail {

// Belongs to one operator of one task (AbstractKStreamTimeWindowAggregateProcessor, KStreamSessionWindowAggregate). The last
// time up to which it has emitted is committed under the name of the store.
class WindowCloser {
 public:
  WindowCloser(EmitStrategy strategy, std::string store) : strategy_(strategy), store_name_(std::move(store)) {}

  bool on_close() const { return strategy_ == EmitStrategy::kOnWindowClose; }
  void Init(TaskContext& context);
  // The next look for closed windows needs not wait: time has advanced, and perhaps no record will come.
  void LookAgain() { next_look_ms_ = 0; }

  // Emit what has closed, after each record; `close_ms` is stream time less grace (and gap). `emit` gets each window, whose
  // bytes it may keep until it returns; it may use the store.
  void EmitTimeWindows(state::WindowStore& store, const TimeWindows& windows, int64_t close_ms, state::RowVisitor emit);
  void EmitSlidingWindows(state::WindowStore& store, int64_t difference_ms, int64_t close_ms, state::RowVisitor emit);
  void EmitSessions(state::SessionStore& store, int64_t close_ms, state::RowVisitor emit);

 private:
  struct OwnedRow {
    std::string key;
    std::string value;
    int64_t start_ms;
    int64_t timestamp_ms;
  };

  bool Due(int64_t close_ms);
  void EmitStarts(state::WindowStore& store, int64_t from_ms, int64_t to_ms, int64_t close_ms, state::RowVisitor emit);

  const EmitStrategy strategy_;
  const std::string store_name_;
  TaskContext* context_ = nullptr;
  int64_t last_close_ms_ = -1;
  int64_t next_look_ms_ = 0;  // wall clock
  std::vector<OwnedRow> rows_;
};

}  // namespace tailrace::processor::detail
