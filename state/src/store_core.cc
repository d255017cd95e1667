#include "store_core.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "tailrace/base/check.h"

namespace tailrace::state {

void StoreCore::Begin(CacheEntry& entry) {
  Change change{&entry, nullptr, 0, entry.present_};
  if (spec_.keep_old_values && entry.present_) {
    char* copy = old_values_.Allocate(entry.value_size_ == 0 ? 1 : entry.value_size_);
    std::memcpy(copy, entry.value_, entry.value_size_);
    change.old_value = copy;
    change.old_size = entry.value_size_;
  }
  changes_.push_back(change);
  entry.pending_ = true;
  if (!entry.uncommitted_) {
    entry.uncommitted_ = true;
    const size_t bytes = size_t{entry.key_size_} + entry.value_size_;
    uncommitted_bytes_ += bytes;
    task_->uncommitted_bytes += bytes;
  }
}

void StoreCore::Write(const CacheEntry& entry) {
  newest_written_start_ms_ = std::max(newest_written_start_ms_, entry.window_start_ms_);
  Log(entry, entry.value(), entry.timestamp_ms_);
}

void StoreCore::Log(const CacheEntry& entry, kafka::NullableBytes value, int64_t timestamp_ms) {
  if (spec_.kind == StoreKind::kWindow)
    return LogPut(entry.key(), entry.window_start_ms_, spec_.retain_duplicates ? entry.sequence_ : 0, value, timestamp_ms);
  if (!spec_.logging || task_->changelog == nullptr) return;
  task_->changelog->Append(index_, entry.key(), value, timestamp_ms);
}

StoreChange StoreCore::Shown(const Change& change) const {
  const CacheEntry& entry = *change.entry;
  StoreChange shown{entry.key(), entry.window_start_ms_, entry.value(), {change.old_value, change.old_size}, entry.timestamp_ms_};
  if (spec_.kind == StoreKind::kSession) {
    const std::optional<SessionKey> session = ParseSessionKey(entry.key());
    TAILRACE_CHECK(session.has_value(), "the entry of a session store has another key");
    shown.key = session->key;
    shown.window_start_ms = session->start_ms;
    shown.window_end_ms = session->end_ms;
  }
  return shown;
}

void StoreCore::LogPut(std::string_view key, int64_t window_start_ms, int32_t sequence, kafka::NullableBytes value,
                       int64_t timestamp_ms) {
  if (!spec_.logging || task_->changelog == nullptr) return;
  log_key_.clear();
  AppendWindowKey(log_key_, key, window_start_ms, sequence);
  task_->changelog->Append(index_, log_key_, value, timestamp_ms);
}

void StoreCore::SortByLastUpdate() {
  order_.clear();
  for (size_t i = flushed_; i < changes_.size(); ++i)
    order_.emplace_back(changes_[i].entry->sequence_, static_cast<uint32_t>(i));
  std::sort(order_.begin(), order_.end());
  sorted_.clear();
  for (const auto& [sequence, index] : order_) sorted_.push_back(changes_[index]);
  std::copy(sorted_.begin(), sorted_.end(), changes_.begin() + static_cast<std::ptrdiff_t>(flushed_));
  out_of_order_ = false;
}

void StoreCore::Flush() {
  if (caching_ && out_of_order_) SortByLastUpdate();
  // A listener may update this store again (a cycle through another store), which appends to changes_.
  for (; flushed_ < changes_.size(); ++flushed_) {
    const Change change = changes_[flushed_];
    CacheEntry& entry = *change.entry;
    TAILRACE_CHECK(entry.pending_ && entry.uncommitted_, "a listed change is not pending");
    entry.pending_ = false;
    if (!caching_) continue;
    // Kafka Streams' CachingKeyValueStore and CachingWindowStore: with a listener, nothing to nothing is no change.
    if (listener_ != nullptr && !entry.present_ && !change.had_value) continue;
    Write(entry);
    if (listener_ != nullptr) Forward(change);
  }
  updates_ = 0;
}

void StoreCore::KeepRecord(const CacheEntry& entry) {
  if (listener_ == nullptr) return;
  const auto& [headers, context] = task_->headers;
  if (headers == nullptr && context == nullptr) {
    kept_records_.erase(&entry);
    return;
  }
  KeptRecord& kept = kept_records_[&entry];
  if (headers == nullptr) kept.headers.clear();
  else kept.headers = *headers;
  kept.has_context = context != nullptr;
  if (!kept.has_context) return;
  kept.context = *context;
  kept.topic = context->topic;
}

void StoreCore::Forward(const Change& change) {
  const CacheEntry& entry = *change.entry;
  KeptRecord kept;
  if (const auto found = kept_records_.find(&entry); found != kept_records_.end()) {
    kept = std::move(found->second);
    kept.context.topic = kept.topic;
    kept_records_.erase(found);
  }
  const RecordHeaders before = std::exchange(
      task_->headers, {kept.headers.empty() ? nullptr : &kept.headers, kept.has_context ? &kept.context : nullptr});
  listener_->OnChange(Shown(change));
  task_->headers = before;
}

void StoreCore::CollectForCommit(std::vector<const CacheEntry*>& out) const {
  out.reserve(out.size() + changes_.size());
  for (const Change& change : changes_) {
    // The committed store never held it. A later change of the same entry is listed on its own.
    if (!change.entry->present_ && !change.had_value) continue;
    out.push_back(change.entry);
  }
}

void StoreCore::Notify(TaskState::CommitObserver& observer, base::Offset changelog_offset) const {
  for (const Change& change : changes_) {
    CacheEntry& entry = *change.entry;
    if (!entry.uncommitted_) continue;  // listed twice
    entry.uncommitted_ = false;
    if (!entry.present_ && !change.had_value) continue;
    observer.OnCommitted(index_, Shown(change), changelog_offset);
  }
}

void StoreCore::OnCommitted() {
  for (const Change& change : changes_) {
    change.entry->uncommitted_ = false;
    change.entry->pending_ = false;
  }
  Discard();
}

void StoreCore::Discard() {
  TAILRACE_CHECK(task_->uncommitted_bytes >= uncommitted_bytes_, "uncommitted bytes do not add up");
  task_->uncommitted_bytes -= uncommitted_bytes_;
  uncommitted_bytes_ = 0;
  changes_.clear();
  flushed_ = 0;
  updates_ = 0;
  out_of_order_ = false;
  kept_records_.clear();
  newest_written_start_ms_ = kNoWindow;
  old_values_.Rewind();
}

}  // namespace tailrace::state
