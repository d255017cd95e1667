// The aggregation of session windows: a thin typed skin over SessionMerge.
//
// A Merger makes one aggregate of two: VR operator()(const K& key, const VR* aggregate, const VR& session), or with a result
// of std::optional<VR>. `aggregate` is null for the first session.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "tailrace/processor/detail/aggregate_nodes.h"
#include "tailrace/processor/detail/forwarded_headers.h"
#include "tailrace/processor/detail/session_merge.h"
#include "tailrace/processor/detail/value_getter.h"
#include "tailrace/processor/detail/window_closer.h"

namespace tailrace::processor::detail {

struct CountMerger {
  template <class K>
  int64_t operator()(const K&, const int64_t* aggregate, const int64_t& session) const {
    return aggregate == nullptr ? session : *aggregate + session;
  }
};

// A session is reduced as a value is.
template <class V, class F>
struct ReduceMerger {
  ReduceStep<V, F> step;
  template <class K>
  auto operator()(const K& key, const V* aggregate, const V& session) {
    return step(&key, &session, aggregate);
  }
};

// `merger` takes (const K&, const VR&, const VR&). The first session is merged into what a new aggregate begins with.
template <class VR, class I, class F>
struct AggregateMerger {
  I initializer;
  F merger;
  template <class K>
  VR operator()(const K& key, const VR* aggregate, const VR& session) {
    return aggregate == nullptr ? VR(merger(key, VR(initializer()), session)) : VR(merger(key, *aggregate, session));
  }
};

// Aggregates per key and session (KStreamSessionWindowAggregate).
template <class K, class V, class VR, class Step, class Merger, class KS, class VS>
class SessionAggregateNode final : public Operator<K, V, Windowed<K>, Change<VR>>, private state::ChangeListener {
 public:
  SessionAggregateNode(Step step, Merger merger, SessionWindows windows, EmitStrategy emit, std::string store, KS key_serde,
                       VS value_serde)
      : step_(std::move(step)), merger_(std::move(merger)), merge_(windows, store), closer_(emit, std::move(store)),
        key_serde_(std::move(key_serde)), value_serde_(value_serde), decoder_(std::move(value_serde)) {}

  void AddChild(Node* child) override {
    if (!late_.Take(child)) Operator<K, V, Windowed<K>, Change<VR>>::AddChild(child);
  }
  absl::Status Init(TaskContext& context) override {
    merge_.Init(context, this->name());
    closer_.Init(context);
    const state::StoreSpec& spec = merge_.store().spec();
    if (spec.caching && !closer_.on_close()) merge_.store().SetChangeListener(this);
    forwards_now_ = !this->output().empty() && !spec.caching && !closer_.on_close();
    initialized_ = true;
    return Operator<K, V, Windowed<K>, Change<VR>>::Init(context);
  }
  void Close() override {
    if (initialized_) merge_.store().SetChangeListener(nullptr);
  }

  void Process(const Record<K, V>& record) override {
    if (record.key == nullptr) return this->context().Drop(DropReason::kNullKey);
    if (!kStepTakesNull<Step, K, V> && record.value == nullptr) return this->context().Drop(DropReason::kNullValue);
    if (merge_.Begin(key_serde_.Serialize(*record.key, key_scratch_), record.timestamp_ms)) AddRecord(record);
    else if (merge_.is_late()) late_.Emit(record, merge_.late_window(), this->context());
    if (closer_.on_close()) [[unlikely]] EmitClosed(record.headers);
  }

  void AdvanceTime(int64_t time_ms) override {
    merge_.Observe(time_ms);
    closer_.LookAgain();
    if (closer_.on_close()) EmitClosed(nullptr);
  }

 private:
  void AddRecord(const Record<K, V>& record) {
    aggregate_.reset();
    for (size_t i = 0; i < merge_.found(); ++i) {
      TAILRACE_CHECK(value_serde_.Deserialize(merge_.found(i).value, session_), "a serde cannot read what it wrote");
      const auto merged = merger_(*record.key, aggregate_.has_value() ? &*aggregate_ : nullptr, session_);
      if (const VR* const next = PointerTo(merged); next != nullptr) aggregate_ = *next;
      else aggregate_.reset();
    }
    if (merge_.replaces_found()) {
      for (size_t i = 0; i < merge_.found(); ++i) RemoveFound(*record.key, merge_.found(i));
    }
    const auto result = step_(record.key, record.value, aggregate_.has_value() ? &*aggregate_ : nullptr);
    const VR* const next = PointerTo(result);
    merge_.Put(next == nullptr ? kafka::NullableBytes() : value_serde_.Serialize(*next, value_scratch_));
    if (forwards_now_) ForwardNow(*record.key, merge_.start_ms(), merge_.end_ms(), {next, nullptr});
  }

  // With the headers of the record that closed them.
  void EmitClosed(const kafka::Headers* headers) {
    closer_.EmitSessions(merge_.store(), merge_.close_ms(), [&](const state::Row& row) {
      TAILRACE_CHECK(key_serde_.Deserialize(row.key, changed_.key), "a serde cannot read what it wrote");
      changed_.start_ms = row.window_start_ms;
      changed_.end_ms = row.window_end_ms;
      const Change<VR> change = decoder_.Decode(row.value, {});
      this->Forward({&changed_, &change, row.window_end_ms, headers});
      return true;
    });
  }

  void RemoveFound(const K& key, const SessionMerge::Session& session) {
    merge_.Remove(session);
    if (!forwards_now_) return;
    Change<VR> change;
    if (merge_.store().spec().keep_old_values) {
      TAILRACE_CHECK(value_serde_.Deserialize(session.value, session_), "a serde cannot read what it wrote");
      change.old_value = &session_;
    }
    ForwardNow(key, session.start_ms, session.end_ms, change);
  }

  // The time of a session is its end; headers belong to records, of which a session has many.
  void ForwardNow(const K& key, int64_t start_ms, int64_t end_ms, const Change<VR>& change) {
    static const kafka::Headers kNoHeaders;
    changed_.key = key;
    changed_.start_ms = start_ms;
    changed_.end_ms = end_ms;
    const ForwardedHeaders headers(this->context(), &kNoHeaders);
    this->Forward({&changed_, &change, end_ms, &kNoHeaders});
  }

  void OnChange(const state::StoreChange& change) override {
    if (this->output().empty()) return;
    TAILRACE_CHECK(key_serde_.Deserialize(change.key, changed_.key), "a serde cannot read what it wrote");
    changed_.start_ms = change.window_start_ms;
    changed_.end_ms = change.window_end_ms;
    const Change<VR> decoded = decoder_.Decode(change.new_value, change.old_value);
    this->Forward({&changed_, &decoded, change.window_end_ms, nullptr});
  }

  Step step_;
  Merger merger_;
  SessionMerge merge_;
  WindowCloser closer_;
  LateOutput<K, V> late_;
  KS key_serde_;
  VS value_serde_;
  ChangeDecoder<VR, VS> decoder_;
  bool initialized_ = false;
  bool forwards_now_ = false;
  std::optional<VR> aggregate_;
  VR session_{};
  Windowed<K> changed_{};
  std::string key_scratch_;
  std::string value_scratch_;
};

// Rows of a session store; a row's time is the end of its session.
template <class K, class V>
class SessionStoreGetter final : public WindowedGetter<K, V> {
 public:
  using WindowedGetter<K, V>::WindowedGetter;
  void Init(TaskContext& context) override {
    WindowedGetter<K, V>::Init(context);
    store_ = &context.session_store(this->store_name());
  }
  ValueAndTimestamp<V> Get(const Windowed<K>& windowed) override {
    const auto row = store_->Fetch(this->KeyBytes(windowed), windowed.start_ms, windowed.end_ms);
    if (!this->Found(row)) return {};
    return {this->Decoded((*row)->value), windowed.end_ms};
  }

 private:
  state::SessionStore* store_ = nullptr;
};

}  // namespace tailrace::processor::detail
