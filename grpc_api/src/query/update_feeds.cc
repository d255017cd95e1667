#include "query/update_feeds.h"

#include <set>
#include <utility>

#include "common/error_info.h"

namespace tailrace::grpc_api {

UpdateFeeds::UpdateFeeds(Options options, processor::Queryable& queryable)
    : options_(options), queryable_(queryable) {}

UpdateFeeds::~UpdateFeeds() { Close(absl::UnavailableError("the server ends")); }

absl::StatusOr<std::shared_ptr<UpdateHub>> UpdateFeeds::HubOf(const std::string& store) {
  absl::MutexLock lock(&mu_);
  if (closed_) return QueryError(absl::StatusCode::kUnavailable, reason::kShuttingDown, "the worker is shutting down");
  const auto found = feeds_.find(store);
  if (found != feeds_.end()) {
    found->second.used_ms = options_.clock->SteadyMs();
    return found->second.hub;
  }
  Feed feed;
  feed.hub = std::make_shared<UpdateHub>(options_.ring_entries, options_.ring_bytes);
  absl::StatusOr<std::unique_ptr<processor::Subscription>> subscription =
      queryable_.Subscribe(store, [hub = feed.hub](const processor::StoreUpdate& update) {
        UpdateRecord record;
        record.task = update.task;
        record.place.offset = update.changelog_offset.value();
        record.key = update.key;
        record.window_start_ms = update.window_start_ms;
        record.window_end_ms = update.window_end_ms;
        record.value = update.value;
        record.timestamp_ms = update.timestamp_ms;
        hub->Publish(std::move(record));
        return true;
      });
  if (!subscription.ok()) return WithDefaultReason(subscription.status());
  feed.subscription = *std::move(subscription);
  // Views are read after subscribing, so nothing falls between. A task that is being restored has no view yet: its first
  // change begins its history.
  if (absl::StatusOr<std::vector<processor::StoreView>> views = queryable_.Views(store); views.ok()) {
    for (const processor::StoreView& view : *views) {
      if (view.role != processor::TaskRole::kActive) continue;
      const int64_t offset = view.view->changelog_offset(store).value();
      feed.hub->SetBase(view.task, offset < 0 ? -1 : offset);
    }
  }
  feed.used_ms = options_.clock->SteadyMs();
  std::shared_ptr<UpdateHub> hub = feed.hub;
  feeds_.emplace(store, std::move(feed));
  return hub;
}

size_t UpdateFeeds::subscriber_count() const {
  absl::MutexLock lock(&mu_);
  size_t count = 0;
  for (const auto& [store, feed] : feeds_) count += feed.hub->subscriber_count();
  return count;
}

void UpdateFeeds::Tend() {
  {
    absl::MutexLock lock(&mu_);
    if (feeds_.empty()) return;
  }
  std::set<base::TaskId> active;
  for (const processor::TaskInfo& task : queryable_.Tasks()) {
    if (task.role == processor::TaskRole::kActive) active.insert(task.id);
  }
  // Declared before the lock, so destroyed after it: ending a subscription may wait for its sink.
  std::vector<Feed> idle;
  absl::MutexLock lock(&mu_);
  for (auto it = feeds_.begin(); it != feeds_.end();) {
    Feed& feed = it->second;
    for (const auto& [task, place] : feed.hub->Latest()) {
      if (!active.contains(task)) feed.hub->Forget(task);
    }
    if (feed.hub->subscriber_count() > 0) {
      feed.used_ms = options_.clock->SteadyMs();
    } else if (options_.clock->SteadyMs() - feed.used_ms > options_.idle_ms) {
      idle.push_back(std::move(feed));
      it = feeds_.erase(it);
      continue;
    }
    ++it;
  }
}

void UpdateFeeds::Close(const absl::Status& status) {
  std::map<std::string, Feed> feeds;
  {
    absl::MutexLock lock(&mu_);
    closed_ = true;
    feeds.swap(feeds_);
  }
  for (auto& [store, feed] : feeds) {
    feed.subscription.reset();
    feed.hub->Close(status);
  }
}

}  // namespace tailrace::grpc_api
