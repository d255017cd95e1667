// Count, reduce and aggregate: thin typed skins over byte stores.
//
// A Step computes the next aggregate from one record:
//   Result operator()(const K* key, const V* value, const VR* previous)    // previous is null for a new entry
//   const VR* Initial()    // what a new entry counts from: Kafka Streams sends it on as the old value; may be null
// and Step::kTakesNullValues says whether records with a null value reach it.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "tailrace/processor/detail/functions.h"
#include "tailrace/processor/detail/late_output.h"
#include "tailrace/processor/detail/node.h"
#include "tailrace/processor/detail/window_closer.h"
#include "tailrace/processor/serde.h"
#include "tailrace/processor/windows.h"

namespace tailrace::processor::detail {

struct CountStep {
  static constexpr bool kTakesNullValues = true;
  template <class K, class V>
  int64_t operator()(const K*, const V*, const int64_t* previous) const {
    return previous == nullptr ? 1 : *previous + 1;
  }
  static const int64_t* Initial() {
    static constexpr int64_t kZero = 0;
    return &kZero;
  }
};

// The first value of a key is its first aggregate. `reducer` takes (const V&, const V&) or, to see null values in windows,
// (const V* aggregate, const V* value).
template <class V, class F>
struct ReduceStep {
  static constexpr bool kTakesNullValues = std::is_invocable_v<F&, const V*, const V*>;
  F reducer;
  template <class K>
  auto operator()(const K*, const V* value, const V* previous) {
    if constexpr (kTakesNullValues) {
      if (previous != nullptr) return std::optional<V>(reducer(previous, value));
      return value == nullptr ? std::optional<V>() : std::optional<V>(*value);
    } else {
      using Result = std::decay_t<std::invoke_result_t<F&, const V&, const V&>>;
      return previous == nullptr ? Result(*value) : Result(reducer(*previous, *value));
    }
  }
  static const V* Initial() { return nullptr; }
};

// `adder` takes (const K&, const V&, VR) or, to see null values, (const K*, const V*, VR).
template <class VR, class I, class F>
struct AggregateStep {
  static constexpr bool kTakesNullValues = false;  // depends on the adder: see kStepTakesNull
  I initializer;
  F adder;
  template <class K, class V>
  auto operator()(const K* key, const V* value, const VR* previous) {
    VR aggregate = previous == nullptr ? VR(initializer()) : *previous;
    if constexpr (std::is_invocable_v<F&, const K*, const V*, VR>) {
      return adder(key, value, std::move(aggregate));
    } else {
      return adder(*key, *value, std::move(aggregate));
    }
  }
  const VR* Initial() { return &initial.emplace(initializer()); }

  std::optional<VR> initial{};
};

// Whether a null value may be given to the step for this input type.
template <class Step, class K, class V>
inline constexpr bool kStepTakesNull = Step::kTakesNullValues;
template <class VR, class I, class F, class K, class V>
inline constexpr bool kStepTakesNull<AggregateStep<VR, I, F>, K, V> = std::is_invocable_v<F&, const K*, const V*, VR>;

// What both aggregate nodes share: turning a store's bytes into typed changes.
template <class V, class VS>
class ChangeDecoder {
 public:
  explicit ChangeDecoder(VS serde) : serde_(std::move(serde)) {}
  Change<V> Decode(kafka::NullableBytes new_value, kafka::NullableBytes old_value) {
    return {DecodeInto(new_value, new_), DecodeInto(old_value, old_)};
  }

 private:
  const V* DecodeInto(kafka::NullableBytes bytes, V& value) {
    if (bytes.is_null()) return nullptr;
    TAILRACE_CHECK(serde_.Deserialize(bytes.view(), value), "a serde cannot read what it wrote");
    return &value;
  }

  VS serde_;
  V new_{};
  V old_{};
};

// Aggregates per key (KStreamAggregate, KStreamReduce).
template <class K, class V, class VR, class Step, class KS, class VS>
class AggregateNode final : public Operator<K, V, K, Change<VR>>, private state::ChangeListener {
 public:
  AggregateNode(Step step, std::string store, KS key_serde, VS value_serde)
      : step_(std::move(step)), store_name_(std::move(store)), key_serde_(std::move(key_serde)),
        value_serde_(value_serde), decoder_(std::move(value_serde)) {}

  absl::Status Init(TaskContext& context) override {
    store_ = &context.key_value_store(store_name_);
    // Without caching it hears only of entries that have outlived their time.
    if (store_->spec().caching || store_->spec().time_to_live_ms > 0) store_->SetChangeListener(this);
    forwards_now_ = !this->output().empty() && !store_->spec().caching;
    return Operator<K, V, K, Change<VR>>::Init(context);
  }
  void Close() override {
    if (store_ != nullptr) store_->SetChangeListener(nullptr);
  }

  void Process(const Record<K, V>& record) override {
    if (record.key == nullptr) return this->context().Drop(DropReason::kNullKey);
    if (record.value == nullptr) return this->context().Drop(DropReason::kNullValue);
    const auto entry = store_->Upsert(key_serde_.Serialize(*record.key, key_scratch_));
    if (!entry.ok()) return this->context().Fail(entry.status());
    state::CacheEntry& slot = **entry;
    const VR* previous = nullptr;
    int64_t timestamp_ms = record.timestamp_ms;
    if (!slot.value().is_null()) {
      TAILRACE_CHECK(value_serde_.Deserialize(slot.value().view(), previous_), "a serde cannot read what it wrote");
      previous = &previous_;
      timestamp_ms = std::max(timestamp_ms, slot.timestamp_ms());
    }
    const auto result = step_(record.key, record.value, previous);
    const VR* const next = PointerTo(result);
    // A delete is logged with the time of its record.
    if (next == nullptr) store_->Update(slot, {}, record.timestamp_ms);
    else store_->Update(slot, value_serde_.Serialize(*next, value_scratch_), timestamp_ms);
    if (!forwards_now_) return;
    if (store_->spec().keep_old_values && previous == nullptr) previous = step_.Initial();
    const Change<VR> change{next, store_->spec().keep_old_values ? previous : nullptr};
    this->Forward({record.key, &change, timestamp_ms, record.headers});
  }

 private:
  void OnChange(const state::StoreChange& change) override {
    if (this->output().empty()) return;
    TAILRACE_CHECK(key_serde_.Deserialize(change.key, changed_key_), "a serde cannot read what it wrote");
    const Change<VR> decoded = decoder_.Decode(change.new_value, change.old_value);
    this->Forward({&changed_key_, &decoded, change.timestamp_ms, nullptr});
  }

  Step step_;
  const std::string store_name_;
  KS key_serde_;
  VS value_serde_;
  ChangeDecoder<VR, VS> decoder_;
  state::KeyValueStore* store_ = nullptr;
  bool forwards_now_ = false;
  VR previous_{};
  K changed_key_{};
  std::string key_scratch_;
  std::string value_scratch_;
};

// The time rules of a windowed aggregation, kept once for all types.
class WindowClock {
 public:
  explicit WindowClock(TimeWindows windows) : windows_(windows) {}
  const TimeWindows& windows() const { return windows_; }

  void Init(TaskContext& context, const std::string& operator_name) {
    observed_ms_ = context.RestoredOperatorTime(operator_name);
    context.KeepOperatorTime(operator_name, &observed_ms_);
    limit_ms_ = &context.time_limit_ms();
  }
  void Observe(int64_t timestamp_ms) { observed_ms_ = std::max(observed_ms_, std::min(timestamp_ms, *limit_ms_)); }
  int64_t observed_ms() const { return observed_ms_; }
  // Windows whose end is not later are closed.
  int64_t close_ms() const { return observed_ms_ - windows_.grace_ms(); }
  // A window takes records while its end is later than stream time - grace.
  bool IsOpen(int64_t window_start_ms) const {
    return windows_.size_ms() > observed_ms_ - windows_.grace_ms() - window_start_ms;  // the end of a window may overflow
  }

 private:
  const TimeWindows windows_;
  const int64_t* limit_ms_ = nullptr;
  int64_t observed_ms_ = -1;
};

// Aggregates per key and window (KStreamWindowAggregate).
template <class K, class V, class VR, class Step, class KS, class VS>
class WindowAggregateNode final : public Operator<K, V, Windowed<K>, Change<VR>>, private state::ChangeListener {
 public:
  WindowAggregateNode(Step step, TimeWindows windows, EmitStrategy emit, std::string store, KS key_serde, VS value_serde)
      : step_(std::move(step)), clock_(windows), closer_(emit, store), store_name_(std::move(store)),
        key_serde_(std::move(key_serde)), value_serde_(value_serde), decoder_(std::move(value_serde)) {}

  void AddChild(Node* child) override {
    if (!late_.Take(child)) Operator<K, V, Windowed<K>, Change<VR>>::AddChild(child);
  }
  absl::Status Init(TaskContext& context) override {
    store_ = &context.window_store(store_name_);
    closer_.Init(context);
    if (store_->spec().caching && !closer_.on_close()) store_->SetChangeListener(this);
    forwards_now_ = !this->output().empty() && !store_->spec().caching && !closer_.on_close();
    clock_.Init(context, this->name());
    return Operator<K, V, Windowed<K>, Change<VR>>::Init(context);
  }
  void Close() override {
    if (store_ != nullptr) store_->SetChangeListener(nullptr);
  }

  void Process(const Record<K, V>& record) override {
    if (record.key == nullptr) return this->context().Drop(DropReason::kNullKey);
    if (!kStepTakesNull<Step, K, V> && record.value == nullptr) return this->context().Drop(DropReason::kNullValue);
    clock_.Observe(record.timestamp_ms);
    const std::string_view key = key_serde_.Serialize(*record.key, key_scratch_);
    const TimeWindows& windows = clock_.windows();
    for (int64_t start = windows.FirstStart(record.timestamp_ms); start <= record.timestamp_ms;
         start += windows.advance_ms()) {
      if (!clock_.IsOpen(start)) DropFor(start, record);
      else UpdateWindow(record, key, start);
    }
    if (closer_.on_close()) [[unlikely]] EmitClosed(record.headers);
  }

  void AdvanceTime(int64_t time_ms) override {
    clock_.Observe(time_ms);
    closer_.LookAgain();
    if (closer_.on_close()) EmitClosed(nullptr);
  }

 private:
  // A record that several windows do not take any more is late once, for the last of them.
  void DropFor(int64_t start_ms, const Record<K, V>& record) {
    this->context().Drop(DropReason::kLate);
    const TimeWindows& windows = clock_.windows();
    const int64_t next_ms = start_ms + windows.advance_ms();
    if (next_ms <= record.timestamp_ms && !clock_.IsOpen(next_ms)) return;
    late_.Emit(record, {start_ms, windows.EndOf(start_ms), clock_.observed_ms(), windows.grace_ms()}, this->context());
  }

  void UpdateWindow(const Record<K, V>& record, std::string_view key, int64_t start_ms) {
    const auto entry = store_->Upsert(key, start_ms);
    if (!entry.ok()) return this->context().Fail(entry.status());
    state::CacheEntry& slot = **entry;
    const VR* previous = nullptr;
    int64_t timestamp_ms = record.timestamp_ms;
    if (!slot.value().is_null()) {
      TAILRACE_CHECK(value_serde_.Deserialize(slot.value().view(), previous_), "a serde cannot read what it wrote");
      previous = &previous_;
      timestamp_ms = std::max(timestamp_ms, slot.timestamp_ms());
    }
    const auto result = step_(record.key, record.value, previous);
    const VR* const next = PointerTo(result);
    // A delete is logged with the time of its record.
    if (next == nullptr) store_->Update(slot, {}, record.timestamp_ms);
    else store_->Update(slot, value_serde_.Serialize(*next, value_scratch_), timestamp_ms);
    if (!forwards_now_) return;
    if (store_->spec().keep_old_values && previous == nullptr) previous = step_.Initial();
    changed_.key = *record.key;
    changed_.start_ms = start_ms;
    changed_.end_ms = clock_.windows().EndOf(start_ms);
    const Change<VR> change{next, store_->spec().keep_old_values ? previous : nullptr};
    this->Forward({&changed_, &change, timestamp_ms, record.headers});
  }

  // With the headers of the record that closed them.
  void EmitClosed(const kafka::Headers* headers) {
    closer_.EmitTimeWindows(*store_, clock_.windows(), clock_.close_ms(), [&](const state::Row& row) {
      TAILRACE_CHECK(key_serde_.Deserialize(row.key, changed_.key), "a serde cannot read what it wrote");
      changed_.start_ms = row.window_start_ms;
      changed_.end_ms = clock_.windows().EndOf(row.window_start_ms);
      const Change<VR> change = decoder_.Decode(row.value, {});
      this->Forward({&changed_, &change, row.timestamp_ms, headers});
      return true;
    });
  }

  void OnChange(const state::StoreChange& change) override {
    if (this->output().empty()) return;
    TAILRACE_CHECK(key_serde_.Deserialize(change.key, changed_.key), "a serde cannot read what it wrote");
    changed_.start_ms = change.window_start_ms;
    changed_.end_ms = clock_.windows().EndOf(change.window_start_ms);
    const Change<VR> decoded = decoder_.Decode(change.new_value, change.old_value);
    this->Forward({&changed_, &decoded, change.timestamp_ms, nullptr});
  }

  Step step_;
  WindowClock clock_;
  WindowCloser closer_;
  LateOutput<K, V> late_;
  const std::string store_name_;
  KS key_serde_;
  VS value_serde_;
  ChangeDecoder<VR, VS> decoder_;
  state::WindowStore* store_ = nullptr;
  bool forwards_now_ = false;
  VR previous_{};
  Windowed<K> changed_{};
  std::string key_scratch_;
  std::string value_scratch_;
};

}  // namespace tailrace::processor::detail
