// The aggregation of sliding windows: a thin typed skin over SlidingPlan.
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include "tailrace/processor/detail/aggregate_nodes.h"
#include "tailrace/processor/detail/sliding_plan.h"
#include "tailrace/processor/detail/window_closer.h"

namespace tailrace::processor::detail {

// Aggregates per key and sliding window (KStreamSlidingWindowAggregate).
template <class K, class V, class VR, class Step, class KS, class VS>
class SlidingAggregateNode final : public Operator<K, V, Windowed<K>, Change<VR>>, private state::ChangeListener {
 public:
  SlidingAggregateNode(Step step, SlidingWindows windows, EmitStrategy emit, std::string store, KS key_serde, VS value_serde)
      : step_(std::move(step)), plan_(windows, store), closer_(emit, std::move(store)), key_serde_(std::move(key_serde)),
        value_serde_(value_serde), decoder_(std::move(value_serde)) {}

  void AddChild(Node* child) override {
    if (!late_.Take(child)) Operator<K, V, Windowed<K>, Change<VR>>::AddChild(child);
  }
  absl::Status Init(TaskContext& context) override {
    plan_.Init(context, this->name());
    closer_.Init(context);
    const state::StoreSpec& spec = plan_.store().spec();
    if (spec.caching && !closer_.on_close()) plan_.store().SetChangeListener(this);
    forwards_now_ = !this->output().empty() && !spec.caching && !closer_.on_close();
    initialized_ = true;
    return Operator<K, V, Windowed<K>, Change<VR>>::Init(context);
  }
  void Close() override {
    if (initialized_) plan_.store().SetChangeListener(nullptr);
  }

  void Process(const Record<K, V>& record) override {
    if (record.key == nullptr) return this->context().Drop(DropReason::kNullKey);
    if (record.value == nullptr) return this->context().Drop(DropReason::kNullValue);
    const std::string_view key = key_serde_.Serialize(*record.key, key_scratch_);
    if (!plan_.Begin(key, record.timestamp_ms)) {
      // The last window that could hold it begins with it.
      if (plan_.is_late()) late_.Emit(record, plan_.late_window(record.timestamp_ms), this->context());
      return;
    }
    int64_t latest_dropped_ms = -1;
    for (size_t i = 0; i < plan_.steps(); ++i) {
      const SlidingPlan::Step& step = plan_.step(i);
      if (!plan_.IsOpen(step)) {
        this->context().Drop(DropReason::kLate);
        latest_dropped_ms = std::max(latest_dropped_ms, step.start_ms);
      } else if (step.adds_record) {
        AddRecord(record, key, step);
      } else {
        Copy(record, key, step);
      }
    }
    if (latest_dropped_ms >= 0) [[unlikely]] late_.Emit(record, plan_.late_window(latest_dropped_ms), this->context());
    // Kafka Streams does not look for closed windows after a record that is earlier than the difference.
    if (closer_.on_close() && record.timestamp_ms >= plan_.windows().difference_ms()) EmitClosed(record.headers);
  }

  void AdvanceTime(int64_t time_ms) override {
    plan_.Observe(time_ms);
    closer_.LookAgain();
    if (closer_.on_close()) EmitClosed(nullptr);
  }

 private:
  // With the headers of the record that closed them.
  void EmitClosed(const kafka::Headers* headers) {
    closer_.EmitSlidingWindows(plan_.store(), plan_.windows().difference_ms(), plan_.close_ms(), [&](const state::Row& row) {
      TAILRACE_CHECK(key_serde_.Deserialize(row.key, changed_.key), "a serde cannot read what it wrote");
      const Change<VR> change = decoder_.Decode(row.value, {});
      ForwardChange(row.window_start_ms, change, row.timestamp_ms, headers);
      return true;
    });
  }

  void AddRecord(const Record<K, V>& record, std::string_view key, const SlidingPlan::Step& step) {
    const VR* previous = nullptr;
    int64_t timestamp_ms = record.timestamp_ms;
    if (step.has_base) {
      TAILRACE_CHECK(value_serde_.Deserialize(step.base, previous_), "a serde cannot read what it wrote");
      previous = &previous_;
      timestamp_ms = std::max(timestamp_ms, step.base_timestamp_ms);
    }
    const auto result = step_(record.key, record.value, previous);
    const VR* const next = PointerTo(result);
    // A delete is logged with the time of its record.
    if (next == nullptr) Put(key, step.start_ms, {}, record.timestamp_ms);
    else Put(key, step.start_ms, value_serde_.Serialize(*next, value_scratch_), timestamp_ms);
    if (!forwards_now_) return;
    const bool keeps_old = plan_.store().spec().keep_old_values;
    if (keeps_old && previous == nullptr) previous = step_.Initial();
    changed_.key = *record.key;
    ForwardChange(step.start_ms, {next, keeps_old ? previous : nullptr}, timestamp_ms, record.headers);
  }

  void Copy(const Record<K, V>& record, std::string_view key, const SlidingPlan::Step& step) {
    Put(key, step.start_ms, std::string_view(step.base), step.base_timestamp_ms);
    if (!forwards_now_) return;
    changed_.key = *record.key;
    ForwardChange(step.start_ms, decoder_.Decode(std::string_view(step.base), {}), step.base_timestamp_ms, record.headers);
  }

  void Put(std::string_view key, int64_t start_ms, kafka::NullableBytes value, int64_t timestamp_ms) {
    absl::Status status = plan_.store().Put(key, start_ms, value, timestamp_ms);
    if (!status.ok()) this->context().Fail(std::move(status));
  }

  void ForwardChange(int64_t start_ms, const Change<VR>& change, int64_t timestamp_ms, const kafka::Headers* headers) {
    changed_.start_ms = start_ms;
    changed_.end_ms = start_ms + plan_.windows().difference_ms();
    this->Forward({&changed_, &change, timestamp_ms, headers});
  }

  void OnChange(const state::StoreChange& change) override {
    if (this->output().empty()) return;
    TAILRACE_CHECK(key_serde_.Deserialize(change.key, changed_.key), "a serde cannot read what it wrote");
    ForwardChange(change.window_start_ms, decoder_.Decode(change.new_value, change.old_value), change.timestamp_ms, nullptr);
  }

  Step step_;
  SlidingPlan plan_;
  WindowCloser closer_;
  LateOutput<K, V> late_;
  KS key_serde_;
  VS value_serde_;
  ChangeDecoder<VR, VS> decoder_;
  bool initialized_ = false;
  bool forwards_now_ = false;
  VR previous_{};
  Windowed<K> changed_{};
  std::string key_scratch_;
  std::string value_scratch_;
};

}  // namespace tailrace::processor::detail
