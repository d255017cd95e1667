#include "updates/update_hub.h"

#include <algorithm>
#include <utility>

#include "common/error_info.h"

namespace tailrace::grpc_api {
namespace {

size_t BytesOf(const UpdateRecord& record) {
  return sizeof(UpdateRecord) + record.key.size() + record.key_json.size() + record.value_json.size() +
         (record.value ? record.value->size() : 0);
}

}  // namespace

UpdateHub::Subscriber::~Subscriber() { hub_->Unsubscribe(id_); }

void UpdateHub::SetBase(const base::TaskId& task, int64_t offset) {
  Seed(task, {offset, UpdatePlace::kWholeCommit});
}

void UpdateHub::Seed(const base::TaskId& task, UpdatePlace place) {
  std::vector<std::function<void()>> wakes;
  {
    absl::MutexLock lock(&mu_);
    // Who resumed with a place in it learns whether that still holds.
    if (history_.try_emplace(task, History{.floor = place, .latest = place}).second) wakes = TakeWakes();
  }
  for (const auto& wake : wakes) wake();
}

void UpdateHub::Forget(const base::TaskId& task) {
  absl::MutexLock lock(&mu_);
  const auto found = history_.find(task);
  if (found != history_.end()) found->second.forgotten = true;
}

void UpdateHub::Publish(UpdateRecord record) {
  std::vector<std::function<void()>> wakes;
  {
    absl::MutexLock lock(&mu_);
    if (!closed_.ok()) return;
    auto [found, added] = history_.try_emplace(record.task);
    History& history = found->second;
    // Nothing is known of a task before its first change here, unless SetBase has said it.
    if (added) history.floor = history.latest = {record.place.offset, 0};
    if (history.forgotten) {
      history = {.floor = {record.place.offset, 0}, .latest = {record.place.offset, 0}};
      AppendGap(record.task, history.latest);
    }
    if (record.place.index == 0) {
      const bool same_commit = record.place.offset == history.latest.offset &&
                               history.latest.index != UpdatePlace::kWholeCommit;
      record.place.index = same_commit ? history.latest.index + 1 : 1;
    }
    if (record.place <= history.latest) return;  // Sent again after a reconnect.
    history.latest = record.place;
    Entry entry{.record = nullptr, .gap = false, .bytes = BytesOf(record)};
    entry.record = std::make_shared<const UpdateRecord>(std::move(record));
    Append(std::move(entry));
    wakes = TakeWakes();
  }
  for (const auto& wake : wakes) wake();
}

void UpdateHub::MarkGap(const base::TaskId& task, UpdatePlace place) {
  std::vector<std::function<void()>> wakes;
  {
    absl::MutexLock lock(&mu_);
    if (!closed_.ok()) return;
    history_[task] = {.floor = place, .latest = place};
    AppendGap(task, place);
    wakes = TakeWakes();
  }
  for (const auto& wake : wakes) wake();
}

void UpdateHub::Close(absl::Status status) {
  std::vector<std::function<void()>> wakes;
  {
    absl::MutexLock lock(&mu_);
    if (!closed_.ok()) return;
    closed_ = std::move(status);
    wakes = TakeWakes();
  }
  for (const auto& wake : wakes) wake();
}

void UpdateHub::AppendGap(const base::TaskId& task, UpdatePlace place) {
  UpdateRecord record;
  record.task = task;
  record.place = place;
  Entry entry{.record = nullptr, .gap = true, .bytes = BytesOf(record)};
  entry.record = std::make_shared<const UpdateRecord>(std::move(record));
  Append(std::move(entry));
}

void UpdateHub::Append(Entry entry) {
  bytes_ += entry.bytes;
  ring_.push_back(std::move(entry));
  while (ring_.size() > entries_max_ || (bytes_ > bytes_max_ && ring_.size() > 1)) {
    const Entry& oldest = ring_.front();
    History& history = history_[oldest.record->task];
    history.floor = std::max(history.floor, oldest.record->place);
    bytes_ -= oldest.bytes;
    ring_.pop_front();
    ++first_sequence_;
  }
}

std::vector<std::function<void()>> UpdateHub::TakeWakes() {
  std::vector<std::function<void()>> wakes;
  for (const uint64_t id : waiting_) {
    const auto found = subscribers_.find(id);
    if (found != subscribers_.end() && found->second->wake_) wakes.push_back(found->second->wake_);
  }
  waiting_.clear();
  return wakes;
}

std::unique_ptr<UpdateHub::Subscriber> UpdateHub::Subscribe(const std::optional<ResumePosition>& resume,
                                                            std::function<void()> wake) {
  auto subscriber = std::make_unique<Subscriber>();
  subscriber->hub_ = shared_from_this();
  subscriber->wake_ = std::move(wake);
  absl::MutexLock lock(&mu_);
  subscriber->id_ = next_id_++;
  subscribers_[subscriber->id_] = subscriber.get();
  subscriber->next_ = first_sequence_ + ring_.size();
  if (!resume) {
    for (const auto& [task, history] : history_) subscriber->position_[task] = history.latest;
    return subscriber;
  }
  subscriber->position_ = *resume;
  bool replays = false;
  for (const auto& [task, history] : history_) {
    const auto found = resume->find(task);
    // A task that has never logged anything cannot have been missed.
    const UpdatePlace place = found != resume->end() ? found->second : UpdatePlace{};
    if (history.Misses(place)) {
      // It goes on from now.
      if (history.latest.offset >= 0) subscriber->gaps_.push_back(task);
      subscriber->position_[task] = history.latest;
    } else if (place < history.latest) {
      replays = true;
    }
  }
  for (const auto& [task, place] : *resume)
    if (!history_.contains(task)) subscriber->unheard_.push_back(task);
  if (replays) {
    subscriber->next_ = first_sequence_;
    subscriber->skip_known_ = true;
  }
  return subscriber;
}

const ResumePosition& UpdateHub::Subscriber::position() {
  absl::MutexLock lock(&hub_->mu_);
  // Of a task that came later nothing was passed over and nothing was read yet, unless the ring has gone on without this reader.
  if (position_.size() < hub_->history_.size() && next_ >= hub_->first_sequence_)
    for (const auto& [task, history] : hub_->history_) position_.try_emplace(task, history.floor);
  return position_;
}

UpdateHub::Batch UpdateHub::Subscriber::Take(size_t updates_max, size_t bytes_max) {
  Batch batch;
  UpdateHub& hub = *hub_;
  absl::MutexLock lock(&hub.mu_);
  batch.gaps.swap(gaps_);
  std::erase_if(unheard_, [&](const base::TaskId& task) {
    const auto found = hub.history_.find(task);
    if (found == hub.history_.end()) return false;
    if (found->second.Misses(position_[task])) {
      batch.gaps.push_back(task);
      position_[task] = found->second.latest;
    }
    return true;
  });
  if (next_ < hub.first_sequence_) {
    batch.ended = QueryError(absl::StatusCode::kResourceExhausted, reason::kSlowSubscriber,
                             "the subscriber reads too slowly: changes it has not read are no longer kept; "
                             "subscribe again and read the current state");
    return batch;
  }
  size_t bytes = 0;
  while (next_ < hub.first_sequence_ + hub.ring_.size() && batch.updates.size() < updates_max && bytes < bytes_max) {
    const Entry& entry = hub.ring_[next_ - hub.first_sequence_];
    if (entry.gap) {
      if (!batch.updates.empty()) break;  // A batch's gaps come before its updates.
      if (!skip_known_ || position_[entry.record->task] < entry.record->place) batch.gaps.push_back(entry.record->task);
      position_[entry.record->task] = entry.record->place;
      ++next_;
      continue;
    }
    ++next_;
    if (skip_known_) {
      const auto known = position_.find(entry.record->task);
      if (known != position_.end() && entry.record->place <= known->second) continue;
    }
    position_[entry.record->task] = entry.record->place;
    batch.updates.push_back(entry.record);
    bytes += entry.bytes;
  }
  if (batch.updates.empty() && batch.gaps.empty()) {
    if (!hub.closed_.ok()) {
      batch.ended = hub.closed_;
    } else {
      hub.waiting_.push_back(id_);
    }
  }
  return batch;
}

void UpdateHub::Unsubscribe(uint64_t id) {
  absl::MutexLock lock(&mu_);
  subscribers_.erase(id);
  std::erase(waiting_, id);
}

size_t UpdateHub::subscriber_count() const {
  absl::MutexLock lock(&mu_);
  return subscribers_.size();
}

ResumePosition UpdateHub::Latest() const {
  absl::MutexLock lock(&mu_);
  ResumePosition latest;
  for (const auto& [task, history] : history_) latest[task] = history.latest;
  return latest;
}

}  // namespace tailrace::grpc_api
