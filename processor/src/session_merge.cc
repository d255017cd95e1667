#include "tailrace/processor/detail/session_merge.h"

#include <algorithm>
#include <utility>

#include "tailrace/base/check.h"

namespace tailrace::processor::detail {

void SessionMerge::Init(TaskContext& context, const std::string& operator_name) {
  context_ = &context;
  store_ = &context.session_store(store_name_);
  observed_ms_ = context.RestoredOperatorTime(operator_name);
  context.KeepOperatorTime(operator_name, &observed_ms_);
  limit_ms_ = &context.time_limit_ms();
}

void SessionMerge::Observe(int64_t time_ms) { observed_ms_ = std::max(observed_ms_, std::min(time_ms, *limit_ms_)); }

bool SessionMerge::Begin(std::string_view key, int64_t timestamp_ms) {
  key_ = key;
  timestamp_ms_ = start_ms_ = end_ms_ = timestamp_ms;
  found_count_ = 0;
  is_late_ = false;
  Observe(timestamp_ms);
  const absl::Status status = store_->FindSessions(
      key, timestamp_ms - windows_.gap_ms(), timestamp_ms + windows_.gap_ms(), [this](const state::Row& row) {
        if (found_.size() == found_count_) found_.emplace_back();
        Session& session = found_[found_count_++];
        session.start_ms = row.window_start_ms;
        session.end_ms = row.window_end_ms;
        session.value.assign(row.value);
        start_ms_ = std::min(start_ms_, session.start_ms);
        end_ms_ = std::max(end_ms_, session.end_ms);
        return true;
      });
  if (!status.ok()) {
    context_->Fail(status);
    return false;
  }
  TAILRACE_CHECK(start_ms_ <= timestamp_ms && end_ms_ >= timestamp_ms, "a session does not hold its record");
  // The merged session counts: an old record that still belongs to a living session is not late.
  if (end_ms_ >= close_ms()) return true;
  context_->Drop(DropReason::kLate);
  is_late_ = true;
  return false;
}

void SessionMerge::Write(int64_t start_ms, int64_t end_ms, kafka::NullableBytes value) {
  absl::Status status = store_->Put(key_, start_ms, end_ms, value, timestamp_ms_);
  if (!status.ok()) context_->Fail(std::move(status));
}

}  // namespace tailrace::processor::detail
