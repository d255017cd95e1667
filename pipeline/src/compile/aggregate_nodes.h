// The aggregate of a pipeline: states updated in place in the store's cache, and what goes out of it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "aggregates/aggregate_plan.h"
#include "compile/event_nodes.h"
#include "tailrace/pipeline/spec.h"
#include "tailrace/processor/detail/aggregate_nodes.h"

namespace tailrace::pipeline::compile {

using WindowedKey = processor::Windowed<Key>;
// A state of the plan, in bytes.
using StateBytes = std::string_view;

// What both aggregates share: one event into one state of the store.
class StateUpdater {
 public:
  StateUpdater(std::shared_ptr<const aggregates::AggregatePlan> plan, std::string store)
      : plan_(std::move(plan)), store_(std::move(store)) {}

  // Updates `entry` and returns its timestamp; an error for bytes that another plan wrote.
  template <class StoreType>
  absl::StatusOr<int64_t> Update(StoreType& store, state::CacheEntry& entry, const aggregates::AggregateInput& input) {
    const int64_t timestamp_ms = entry.value().is_null() ? input.timestamp_ms : std::max(input.timestamp_ms, entry.timestamp_ms());
    if (entry.value().is_null()) {
      plan_->Reset(buffer_);
      plan_->Update(buffer_, input);
      store.Update(entry, std::string_view(buffer_), timestamp_ms);
      return timestamp_ms;
    }
    if (!plan_->IsValid(entry.value().view())) [[unlikely]] return ForeignState();
    // The cache's own bytes: Update takes a value that points into the entry, and keep_old_values is off.
    if (plan_->UpdateInPlace(const_cast<char*>(entry.value().view().data()), input)) {
      store.Update(entry, entry.value(), timestamp_ms);
      return timestamp_ms;
    }
    buffer_.assign(entry.value().view());
    plan_->Update(buffer_, input);
    store.Update(entry, std::string_view(buffer_), timestamp_ms);
    return timestamp_ms;
  }

 private:
  absl::Status ForeignState() const;

  const std::shared_ptr<const aggregates::AggregatePlan> plan_;  // shared by the store's tasks and its schema
  const std::string store_;
  std::string buffer_;
};

// One state per key and window.
class WindowedAggregateNode final : public processor::detail::Operator<Key, EventRow, WindowedKey, StateBytes>,
                                    private state::ChangeListener {
 public:
  WindowedAggregateNode(std::shared_ptr<const aggregates::AggregatePlan> plan, const WindowStep& window, std::string store);
  absl::Status Init(processor::detail::TaskContext& context) override;
  void Close() override;
  void Process(const EventRecord& record) override;
  void AdvanceTime(int64_t time_ms) override;

 private:
  void OnChange(const state::StoreChange& change) override;
  void Emit(Key key, int64_t start_ms, StateBytes value, int64_t timestamp_ms);
  // Emits the windows that have closed since the last call.
  void EmitClosed();

  StateUpdater updater_;
  const WindowStep window_;
  const std::string store_name_;
  processor::detail::WindowClock clock_;
  state::WindowStore* store_ = nullptr;
  bool forwards_now_ = false;
  // With emit: close. Windows that end at or before this have been emitted; kept over restarts.
  int64_t closed_until_ms_ = -1;
};

// One state per key.
class KeyAggregateNode final : public processor::detail::Operator<Key, EventRow, Key, StateBytes>, private state::ChangeListener {
 public:
  KeyAggregateNode(std::shared_ptr<const aggregates::AggregatePlan> plan, std::string store)
      : updater_(std::move(plan), store), store_name_(std::move(store)) {}
  absl::Status Init(processor::detail::TaskContext& context) override;
  void Close() override;
  void Process(const EventRecord& record) override;

 private:
  void OnChange(const state::StoreChange& change) override;

  StateUpdater updater_;
  const std::string store_name_;
  state::KeyValueStore* store_ = nullptr;
  bool forwards_now_ = false;
};

// The value of a sink record: the state as JSON.
struct StateJsonSerde {
  std::shared_ptr<const aggregates::AggregatePlan> plan;  // shared with the store's tasks
  std::string_view Serialize(const StateBytes& state, std::string& scratch) const {
    scratch.clear();
    plan->AppendJson(scratch, state);
    return scratch;
  }
  bool Deserialize(std::string_view, StateBytes&) const { return false; }  // Sinks only write.
};

// Hands every update to a function: the output of a batch run.
template <class K>
class UpdateTap final : public processor::detail::Receiver<K, StateBytes> {
 public:
  using Function = std::function<void(const K& key, StateBytes state, int64_t timestamp_ms)>;
  explicit UpdateTap(Function function) : function_(std::move(function)) {}
  void AddChild(processor::detail::Node*) override { TAILRACE_CHECK(false, "a tap has no children"); }
  absl::Status Init(processor::detail::TaskContext&) override { return absl::OkStatus(); }
  void Process(const processor::Record<K, StateBytes>& record) override { function_(*record.key, *record.value, record.timestamp_ms); }

 private:
  const Function function_;
};

}  // namespace tailrace::pipeline::compile
