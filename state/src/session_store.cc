#include "session_store.h"

#include <algorithm>
#include <tuple>

#include "tailrace/base/check.h"
#include "tailrace/base/limits.h"

namespace tailrace::state {
namespace {

std::string SegmentBytes(int64_t segment) {
  std::string bytes;
  base::AppendBigEndian(bytes, segment);
  return bytes;
}

SessionKey SessionOf(const CacheEntry& entry) {
  const std::optional<SessionKey> session = ParseSessionKey(entry.key());
  TAILRACE_CHECK(session.has_value(), "the entry of a session store has another key");
  return *session;
}

Row RowOf(const CacheEntry& entry) {
  const SessionKey session = SessionOf(entry);
  return {session.key, session.start_ms, entry.value().view(), entry.timestamp_ms(), session.end_ms};
}

}  // namespace

SessionStoreImpl::SessionStoreImpl(const StoreSpec& spec, int32_t index, int64_t segment_interval_ms, TaskContext* task,
                                   Backend* backend)
    : core_(spec, index, spec.caching, task),
      backend_(backend),
      segment_interval_ms_(segment_interval_ms),
      retention_{spec.retention_ms, -1},
      arena_(&task->pool) {
  TAILRACE_CHECK(segment_interval_ms > 0, "a session store needs segments");
}

void SessionStoreImpl::AdvanceStreamTime(int64_t end_ms) {
  retention_.stream_time_ms = std::max(retention_.stream_time_ms, std::min(end_ms, core_.task().time.limit_ms));
}

void SessionStoreImpl::Flush() {
  core_.Flush();
  AdvanceStreamTime(core_.newest_written_start_ms());
}

CacheEntry* SessionStoreImpl::NewEntry(std::string_view key, int64_t start_ms, int64_t end_ms) {
  key_buffer_.clear();
  AppendSessionKey(key_buffer_, key, start_ms, end_ms);
  return CacheTable::MakeEntry(arena_, key_buffer_, end_ms, nullptr);
}

absl::StatusOr<SessionStoreImpl::Sessions*> SessionStoreImpl::Load(std::string_view key) {
  if (const auto found = keys_.find(key); found != keys_.end()) return &found->second;
  if (key.size() > base::limits::kKeyBytesMax) return KeyTooLarge(spec(), key.size());
  TAILRACE_RETURN_IF_ERROR(LoadBounds());
  Sessions sessions;
  if (newest_segment_ms_ != INT64_MIN) {
    std::string buffer;
    TAILRACE_RETURN_IF_ERROR(VisitSessionsOfKey(
        Cursor(), spec().name, key, std::max(FirstVisibleEnd(), oldest_segment_ms_), newest_segment_ms_, segment_interval_ms_,
        buffer, [&](const Row& row) {
          CacheEntry* const entry = NewEntry(key, row.window_start_ms, row.window_end_ms);
          CacheTable::SetValue([this]() -> Arena& { return arena_; }, *entry, row.value, row.timestamp_ms);
          sessions.push_back(entry);
          return true;
        }));
  }
  return &keys_.emplace(key, std::move(sessions)).first->second;
}

SessionStoreImpl::Sessions::iterator SessionStoreImpl::PlaceOf(Sessions& sessions, int64_t start_ms, int64_t end_ms) {
  return std::lower_bound(sessions.begin(), sessions.end(), std::tuple(end_ms, start_ms),
                          [](const CacheEntry* entry, const std::tuple<int64_t, int64_t>& place) {
                            const SessionKey session = SessionOf(*entry);
                            return std::tuple(session.end_ms, session.start_ms) < place;
                          });
}

absl::Status SessionStoreImpl::FindSessions(std::string_view key, int64_t earliest_end_ms, int64_t latest_start_ms,
                                            RowVisitor visitor) {
  TAILRACE_ASSIGN_OR_RETURN(Sessions* const sessions, Load(key));
  for (auto it = PlaceOf(*sessions, 0, std::max(earliest_end_ms, FirstVisibleEnd())); it != sessions->end(); ++it) {
    if ((*it)->value().is_null()) continue;
    const Row row = RowOf(**it);
    if (row.window_start_ms <= latest_start_ms && !visitor(row)) break;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<Row>> SessionStoreImpl::Fetch(std::string_view key, int64_t start_ms, int64_t end_ms) {
  if (end_ms < FirstVisibleEnd()) return std::optional<Row>();
  TAILRACE_ASSIGN_OR_RETURN(Sessions* const sessions, Load(key));
  const auto it = PlaceOf(*sessions, start_ms, end_ms);
  if (it == sessions->end() || (*it)->value().is_null()) return std::optional<Row>();
  const Row row = RowOf(**it);
  return row.window_start_ms == start_ms && row.window_end_ms == end_ms ? std::optional<Row>(row) : std::optional<Row>();
}

absl::Status SessionStoreImpl::Put(std::string_view key, int64_t start_ms, int64_t end_ms, kafka::NullableBytes value,
                                   int64_t timestamp_ms) {
  if (start_ms < 0 || end_ms < start_ms || value.view().size() > base::limits::kValueBytesMax) {
    return base::Error(base::Reaction::kSkipRecord, absl::StatusCode::kInvalidArgument,
                       "store " + spec().name + ": a session from " + std::to_string(start_ms) + " to " +
                           std::to_string(end_ms) + " with " + std::to_string(value.view().size()) +
                           " bytes cannot be kept: it begins before 1970, ends before it begins, or has more than " +
                           std::to_string(base::limits::kValueBytesMax) + " bytes");
  }
  TAILRACE_ASSIGN_OR_RETURN(Sessions* const sessions, Load(key));
  auto it = PlaceOf(*sessions, start_ms, end_ms);
  const bool present = it != sessions->end() && (*it)->window_start_ms() == end_ms && SessionOf(**it).start_ms == start_ms;
  if (!present) it = sessions->insert(it, NewEntry(key, start_ms, end_ms));
  core_.Update(**it, value, timestamp_ms, [this]() -> Arena& { return arena_; });
  AdvanceStreamTime(core_.newest_written_start_ms());
  if (end_ms < retention_.start_ms()) ++expired_updates_;
  return absl::OkStatus();
}

absl::Status SessionStoreImpl::FindSessionsByEnd(int64_t earliest_end_ms, int64_t latest_end_ms, RowVisitor visitor) {
  TAILRACE_CHECK(spec().emits_on_close, "store " + spec().name + " has no index by end");
  earliest_end_ms = std::max(earliest_end_ms, FirstStoredEnd());
  std::vector<OwnedSession> sessions;
  TAILRACE_RETURN_IF_ERROR(CollectByEnd(earliest_end_ms, latest_end_ms, sessions));
  // What was committed stands before what has changed since.
  std::stable_sort(sessions.begin(), sessions.end(), [in_memory = spec().in_memory](const auto& a, const auto& b) {
    if (in_memory) return std::tie(a.end_ms, a.key, b.start_ms) < std::tie(b.end_ms, b.key, a.start_ms);
    return std::tie(a.end_ms, a.start_ms, a.key) < std::tie(b.end_ms, b.start_ms, b.key);
  });
  for (size_t i = 0; i < sessions.size(); ++i) {
    const OwnedSession& session = sessions[i];
    const bool replaced = i + 1 < sessions.size() && sessions[i + 1].end_ms == session.end_ms &&
                          sessions[i + 1].start_ms == session.start_ms && sessions[i + 1].key == session.key;
    if (replaced || session.removed) continue;
    if (!visitor({session.key, session.start_ms, session.value, session.timestamp_ms, session.end_ms})) break;
  }
  return absl::OkStatus();
}

absl::Status SessionStoreImpl::CollectByEnd(int64_t earliest_end_ms, int64_t latest_end_ms, std::vector<OwnedSession>& sessions) {
  TAILRACE_RETURN_IF_ERROR(LoadBounds());
  if (newest_segment_ms_ != INT64_MIN) {
    std::string seek;
    const int64_t from = std::max(earliest_end_ms, oldest_segment_ms_);
    for (int64_t segment = SegmentOf(from); segment <= std::min(latest_end_ms, newest_segment_ms_);
         segment += segment_interval_ms_) {
      seek.clear();
      AppendEndIndexKey(seek, segment_interval_ms_, {{}, 0, std::max(segment, from)});
      const std::string_view prefix(seek.data(), sizeof(int64_t) + sizeof(int32_t));
      for (Cursor().Seek(seek); Cursor().Valid() && Cursor().key().starts_with(prefix); Cursor().Next()) {
        SessionKey session;
        bool indexed = false;
        if (!ParseSessionDiskKey(Cursor().key(), session, indexed) || !indexed) return DamagedEntry(spec().name);
        if (session.end_ms > latest_end_ms) break;
        key_buffer_.clear();
        AppendSessionDiskKey(key_buffer_, segment_interval_ms_, session);
        TAILRACE_ASSIGN_OR_RETURN(const bool found, backend_->Get(core_.index(), key_buffer_, value_buffer_));
        Row row;
        if (!found || !ParseDiskValue(value_buffer_, row)) return DamagedEntry(spec().name);
        sessions.push_back({session.start_ms, session.end_ms, std::string(session.key), std::string(row.value), row.timestamp_ms});
      }
      TAILRACE_RETURN_IF_ERROR(Cursor().status());
    }
  }
  for (const StoreCore::Change& change : core_.changes()) {
    const CacheEntry& entry = *change.entry;
    if (entry.window_start_ms() < earliest_end_ms || entry.window_start_ms() > latest_end_ms) continue;
    const SessionKey session = SessionOf(entry);
    sessions.push_back({session.start_ms, session.end_ms, std::string(session.key), std::string(entry.value().view()),
                        entry.timestamp_ms(), entry.value().is_null()});
  }
  return absl::OkStatus();
}

absl::Status SessionStoreImpl::LoadBounds() {
  if (bounds_known_) return absl::OkStatus();
  oldest_segment_ms_ = INT64_MAX;
  newest_segment_ms_ = INT64_MIN;
  TAILRACE_RETURN_IF_ERROR(SegmentBounds(Cursor(), spec().name, oldest_segment_ms_, newest_segment_ms_).status());
  bounds_known_ = true;
  return absl::OkStatus();
}

BackendCursor& SessionStoreImpl::Cursor() {
  if (cursor_ == nullptr) cursor_ = backend_->NewCursor(core_.index());
  return *cursor_;
}

void SessionStoreImpl::AddToBatch(BackendBatch& batch, const SessionKey& session, kafka::NullableBytes value,
                                  int64_t timestamp_ms) {
  char timestamp[kTimestampBytes];
  base::StoreBigEndian(timestamp, timestamp_ms);
  key_buffer_.clear();
  AppendSessionDiskKey(key_buffer_, segment_interval_ms_, session);
  if (value.is_null()) batch.Delete(core_.index(), key_buffer_, {});
  else batch.Put(core_.index(), key_buffer_, {}, {timestamp, sizeof(timestamp)}, value.view());
  if (!spec().emits_on_close) return;
  key_buffer_.clear();
  AppendEndIndexKey(key_buffer_, segment_interval_ms_, session);
  if (value.is_null()) batch.Delete(core_.index(), key_buffer_, {});
  else batch.Put(core_.index(), key_buffer_, {}, {}, {});
}

void SessionStoreImpl::AddChanges(BackendBatch& batch) {
  deleting_before_ms_ = INT64_MIN;
  const int64_t first_end = spec().emits_on_close ? FirstStoredEnd() : FirstVisibleEnd();
  // Without bounds (an I/O error) the deletion waits; sessions are written in any case.
  if (FirstStoredEnd() > 0 && LoadBounds().ok() && oldest_segment_ms_ < FirstStoredEnd()) {
    deleting_before_ms_ = FirstStoredEnd();
    batch.DeleteBefore(core_.index(), SegmentBytes(deleting_before_ms_));
  }
  collected_.clear();
  core_.CollectForCommit(collected_);
  for (const CacheEntry* entry : collected_) {
    const SessionKey session = SessionOf(*entry);
    if (session.end_ms < first_end) continue;  // expired since its update
    oldest_segment_ms_ = std::min(oldest_segment_ms_, SegmentOf(session.end_ms));
    newest_segment_ms_ = std::max(newest_segment_ms_, SegmentOf(session.end_ms));
    AddToBatch(batch, session, entry->value(), entry->timestamp_ms());
  }
}

void SessionStoreImpl::OnCommitted() {
  cursor_.reset();
  const int64_t first_end = FirstVisibleEnd();
  for (const StoreCore::Change& change : core_.changes()) {
    const auto found = keys_.find(SessionOf(*change.entry).key);
    if (found == keys_.end()) continue;
    std::erase_if(found->second, [first_end](const CacheEntry* entry) {
      return entry->value().is_null() || entry->window_start_ms() < first_end;
    });
  }
  core_.OnCommitted();
  if (deleting_before_ms_ == INT64_MIN) return;
  oldest_segment_ms_ = std::max(oldest_segment_ms_, deleting_before_ms_);
  release_before_ms_ = deleting_before_ms_;
  deleting_before_ms_ = INT64_MIN;
}

void SessionStoreImpl::Discard(const StoreMark& mark) {
  core_.Discard();
  cursor_.reset();
  keys_.clear();
  arena_.Rewind();
  retention_.stream_time_ms = mark.stream_time_ms;
  bounds_known_ = false;
  deleting_before_ms_ = INT64_MIN;
}

absl::Status SessionStoreImpl::AddChangelog(std::span<const ChangelogRecord> records, BackendBatch& batch) {
  for (const ChangelogRecord& record : records) {
    const std::optional<SessionKey> session = ParseSessionKey(record.key);
    if (!session.has_value() || session->start_ms < 0 || session->end_ms < session->start_ms) {
      return base::Error(base::Reaction::kFatal, absl::StatusCode::kDataLoss,
                         "changelog " + spec().changelog_topic + ": a record's key is not a session key; does the topic "
                         "belong to another application?");
    }
    AdvanceStreamTime(session->end_ms);
    if (session->end_ms >= FirstStoredEnd()) AddToBatch(batch, *session, record.value, record.timestamp_ms);
  }
  // A standby never commits: it deletes what has expired here.
  const int64_t expired_before = FirstStoredEnd();
  if (expired_before > restore_deleted_before_ms_) {
    restore_deleted_before_ms_ = expired_before;
    batch.DeleteBefore(core_.index(), SegmentBytes(expired_before));
  }
  return absl::OkStatus();
}

void SessionStoreImpl::ReleaseExpired() {
  if (release_before_ms_ == INT64_MIN) return;
  backend_->ReleaseBefore(core_.index(), SegmentBytes(release_before_ms_));
  release_before_ms_ = INT64_MIN;
}

void SessionStoreImpl::ShrinkCache(size_t bytes_max) {
  TAILRACE_CHECK(core_.changes().empty(), "only a clean cache shrinks");
  if (cache_bytes() <= bytes_max) return;
  keys_.clear();
  arena_.Clear();
}

}  // namespace tailrace::state
