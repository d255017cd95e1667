#include "compile/aggregate_nodes.h"

#include <algorithm>
#include <chrono>

namespace tailrace::pipeline::compile {
namespace {

using processor::TimeWindows;
using processor::detail::DropReason;

TimeWindows WindowsOf(const WindowStep& window) {
  return TimeWindows::OfSizeAndGrace(std::chrono::milliseconds(window.size_ms), std::chrono::milliseconds(window.grace_ms))
      .AdvanceBy(std::chrono::milliseconds(window.advance_ms));
}

}  // namespace

absl::Status StateUpdater::ForeignState() const {
  return base::Error(base::Reaction::kFatal, absl::StatusCode::kFailedPrecondition,
                     "store " + store_ +
                         ": an entry was written by another form of this aggregate (its fields were changed); give the store a "
                         "new name, or run `tailrace reset` to rebuild it from the input");
}

WindowedAggregateNode::WindowedAggregateNode(std::shared_ptr<const aggregates::AggregatePlan> plan, const WindowStep& window,
                                             std::string store)
    : updater_(std::move(plan), store), window_(window), store_name_(std::move(store)), clock_(WindowsOf(window)) {}

absl::Status WindowedAggregateNode::Init(processor::detail::TaskContext& context) {
  TAILRACE_RETURN_IF_ERROR((Operator<Key, EventRow, WindowedKey, StateBytes>::Init(context)));
  store_ = &context.window_store(store_name_);
  const bool on_close = window_.emit == WindowStep::Emit::kClose;
  if (!output().empty() && store_->spec().caching && !on_close) store_->SetChangeListener(this);
  forwards_now_ = !output().empty() && !store_->spec().caching && !on_close;
  if (on_close) {
    closed_until_ms_ = context.RestoredOperatorTime(name() + "-closed");
    context.KeepOperatorTime(name() + "-closed", &closed_until_ms_);
  }
  clock_.Init(context, name());
  return absl::OkStatus();
}

void WindowedAggregateNode::Close() {
  if (store_ != nullptr) store_->SetChangeListener(nullptr);
}

void WindowedAggregateNode::Process(const EventRecord& record) {
  if (record.key == nullptr) return context().Drop(DropReason::kNullKey);
  clock_.Observe(record.timestamp_ms);
  const aggregates::AggregateInput input{.event = record.value->event, .timestamp_ms = record.timestamp_ms,
                                         .offset = context().record().offset.value(),
                                         .correction = record.value->correction};
  for (int64_t start = clock_.windows().FirstStart(record.timestamp_ms); start <= record.timestamp_ms; start += window_.advance_ms) {
    if (!clock_.IsOpen(start)) {
      context().Drop(DropReason::kLate);
      continue;
    }
    const auto entry = store_->Upsert(*record.key, start);
    if (!entry.ok()) return context().Fail(entry.status());
    const absl::StatusOr<int64_t> timestamp_ms = updater_.Update(*store_, **entry, input);
    if (!timestamp_ms.ok()) return context().Fail(timestamp_ms.status());
    if (forwards_now_) Emit(*record.key, start, (*entry)->value().view(), *timestamp_ms);
  }
  if (window_.emit == WindowStep::Emit::kClose && !output().empty()) EmitClosed();
}

void WindowedAggregateNode::AdvanceTime(int64_t time_ms) {
  clock_.Observe(time_ms);
  if (window_.emit == WindowStep::Emit::kClose && !output().empty()) EmitClosed();
}

void WindowedAggregateNode::EmitClosed() {
  // The end of the newest closed window.
  const int64_t closed_ms = clock_.close_ms();
  if (closed_ms < window_.size_ms) return;
  const int64_t newest_start = (closed_ms - window_.size_ms) / window_.advance_ms * window_.advance_ms;
  const int64_t until = newest_start + window_.size_ms;
  if (until <= closed_until_ms_) return;
  const int64_t from = closed_until_ms_ < 0 ? 0 : closed_until_ms_ - window_.size_ms + 1;
  const absl::Status status = store_->FetchAll(std::max<int64_t>(from, 0), newest_start, [&](const state::Row& row) {
    Emit(row.key, row.window_start_ms, row.value, row.timestamp_ms);
    return true;
  });
  if (!status.ok()) return context().Fail(status);
  closed_until_ms_ = until;
}

void WindowedAggregateNode::OnChange(const state::StoreChange& change) {
  if (!change.new_value.is_null()) Emit(change.key, change.window_start_ms, change.new_value.view(), change.timestamp_ms);
}

void WindowedAggregateNode::Emit(Key key, int64_t start_ms, StateBytes value, int64_t timestamp_ms) {
  const WindowedKey windowed{.key = key, .start_ms = start_ms, .end_ms = start_ms + window_.size_ms};
  Forward({&windowed, &value, timestamp_ms, nullptr});
}

absl::Status KeyAggregateNode::Init(processor::detail::TaskContext& context) {
  TAILRACE_RETURN_IF_ERROR((Operator<Key, EventRow, Key, StateBytes>::Init(context)));
  store_ = &context.key_value_store(store_name_);
  if (!output().empty() && store_->spec().caching) store_->SetChangeListener(this);
  forwards_now_ = !output().empty() && !store_->spec().caching;
  return absl::OkStatus();
}

void KeyAggregateNode::Close() {
  if (store_ != nullptr) store_->SetChangeListener(nullptr);
}

void KeyAggregateNode::Process(const EventRecord& record) {
  if (record.key == nullptr) return context().Drop(DropReason::kNullKey);
  const aggregates::AggregateInput input{.event = record.value->event, .timestamp_ms = record.timestamp_ms,
                                         .offset = context().record().offset.value(),
                                         .correction = record.value->correction};
  const auto entry = store_->Upsert(*record.key);
  if (!entry.ok()) return context().Fail(entry.status());
  const absl::StatusOr<int64_t> timestamp_ms = updater_.Update(*store_, **entry, input);
  if (!timestamp_ms.ok()) return context().Fail(timestamp_ms.status());
  if (!forwards_now_) return;
  const StateBytes value = (*entry)->value().view();
  Forward({record.key, &value, *timestamp_ms, nullptr});
}

void KeyAggregateNode::OnChange(const state::StoreChange& change) {
  if (change.new_value.is_null()) return;
  const StateBytes value = change.new_value.view();
  Forward({&change.key, &value, change.timestamp_ms, nullptr});
}

}  // namespace tailrace::pipeline::compile
