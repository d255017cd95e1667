#include "runtime/subscriptions.h"

namespace tailrace::processor {

class SubscriptionHub::Entry final : public Subscription {
 public:
  Entry(std::shared_ptr<Channel> channel, uint64_t id) : channel_(std::move(channel)), id_(id) {}
  ~Entry() override {
    absl::MutexLock lock(&channel_->mu);
    if (channel_->sinks.erase(id_) > 0) channel_->count.fetch_sub(1);
  }

 private:
  std::shared_ptr<Channel> channel_;
  uint64_t id_;
};

class SubscriptionHub::Observer final : public state::TaskState::CommitObserver {
 public:
  Observer(base::TaskId task, std::vector<std::shared_ptr<Channel>> channels)
      : task_(task), channels_(std::move(channels)) {}

  bool Wants(int32_t store) override {
    return channels_[static_cast<size_t>(store)]->count.load(std::memory_order_relaxed) > 0;
  }

  void OnCommitted(int32_t store, const state::StoreChange& change, base::Offset changelog_offset) override {
    StoreUpdate update{.task = task_,
                       .changelog_offset = changelog_offset,
                       .key = std::string(change.key),
                       .window_start_ms = change.window_start_ms,
                       .window_end_ms = change.window_end_ms,
                       .value = change.new_value.is_null() ? std::nullopt
                                                           : std::optional<std::string>(change.new_value.view()),
                       .timestamp_ms = change.timestamp_ms};
    Channel& channel = *channels_[static_cast<size_t>(store)];
    absl::MutexLock lock(&channel.mu);
    for (auto sink = channel.sinks.begin(); sink != channel.sinks.end();) {
      if (sink->second(update)) {
        ++sink;
      } else {
        sink = channel.sinks.erase(sink);
        channel.count.fetch_sub(1);
      }
    }
  }

 private:
  const base::TaskId task_;
  const std::vector<std::shared_ptr<Channel>> channels_;  // by store index
};

SubscriptionHub::SubscriptionHub(const std::vector<std::string>& stores) {
  for (const std::string& store : stores) channels_.emplace(store, std::make_shared<Channel>());
}

std::unique_ptr<Subscription> SubscriptionHub::Subscribe(std::string_view store, UpdateSink sink) {
  const auto found = channels_.find(store);
  if (found == channels_.end()) return nullptr;
  absl::MutexLock lock(&found->second->mu);
  const uint64_t id = found->second->next_id++;
  found->second->sinks.emplace(id, std::move(sink));
  found->second->count.fetch_add(1);
  return std::make_unique<Entry>(found->second, id);
}

std::unique_ptr<state::TaskState::CommitObserver> SubscriptionHub::NewObserver(
    base::TaskId task, const std::vector<state::StoreSpec>& stores) {
  std::vector<std::shared_ptr<Channel>> channels;
  for (const state::StoreSpec& store : stores) channels.push_back(channels_.at(store.name));
  return std::make_unique<Observer>(task, std::move(channels));
}

struct RoutingWatchers::State {
  absl::Mutex mu;
  RoutingTable table ABSL_GUARDED_BY(mu);
  absl::Mutex watchers_mu ABSL_ACQUIRED_BEFORE(mu);
  std::map<uint64_t, std::function<void(const RoutingTable&)>> watchers ABSL_GUARDED_BY(watchers_mu);
  uint64_t next_id ABSL_GUARDED_BY(watchers_mu) = 0;
};

class RoutingWatchers::Entry final : public Subscription {
 public:
  Entry(std::shared_ptr<State> state, uint64_t id) : state_(std::move(state)), id_(id) {}
  ~Entry() override {
    absl::MutexLock lock(&state_->watchers_mu);
    state_->watchers.erase(id_);
  }

 private:
  std::shared_ptr<State> state_;
  uint64_t id_;
};

RoutingWatchers::RoutingWatchers() : state_(std::make_shared<State>()) {}

std::unique_ptr<Subscription> RoutingWatchers::Watch(std::function<void(const RoutingTable&)> on_change) {
  absl::MutexLock lock(&state_->watchers_mu);
  const uint64_t id = state_->next_id++;
  state_->watchers.emplace(id, std::move(on_change));
  return std::make_unique<Entry>(state_, id);
}

void RoutingWatchers::Set(RoutingTable table) {
  {
    absl::MutexLock lock(&state_->mu);
    state_->table = table;
  }
  absl::MutexLock lock(&state_->watchers_mu);
  for (const auto& [id, watcher] : state_->watchers) watcher(table);
}

RoutingTable RoutingWatchers::Get() const {
  absl::MutexLock lock(&state_->mu);
  return state_->table;
}

}  // namespace tailrace::processor
