#include "routing/cluster_subscription.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "common/wire.h"
#include "routing/answers.h"
#include "tailrace/base/log.h"

namespace tailrace::grpc_api {

class ClusterSubscription::Core : public std::enable_shared_from_this<Core> {
 public:
  Core(StoreDescription store, ResumePosition position, SubscriptionListener& listener, RoutingFollower& routing,
       WorkerChannels& channels, TimerThread& timers)
      : store_(std::move(store)),
        listener_(listener),
        routing_(routing),
        channels_(channels),
        timers_(timers),
        position_(std::move(position)),
        random_(base::EntropySeed()) {}

  void Start() {
    std::weak_ptr<Core> weak = weak_from_this();
    listener_id_ = routing_.AddListener([weak] {
      if (auto self = weak.lock()) self->Reconcile();
    });
    Reconcile();
  }

  void Stop() {
    routing_.RemoveListener(listener_id_);
    std::map<std::string, Link> links;
    {
      absl::MutexLock reconcile(&reconcile_mu_);
      absl::MutexLock lock(&mu_);
      closed_ = true;
      links.swap(links_);
    }
    links.clear();  // Waits until no callback runs.
  }

  std::string ResumeToken() const {
    absl::MutexLock lock(&mu_);
    return EncodeResumeToken(position_);
  }

  bool connected() const {
    absl::MutexLock lock(&mu_);
    return !links_.empty() &&
           std::all_of(links_.begin(), links_.end(), [](const auto& link) { return link.second.heard; });
  }

 private:
  struct Link {
    std::unique_ptr<RpcStream> stream;
    uint64_t generation = 0;
    bool heard = false;  // a message came on this stream
    bool broken = false;
    int failures = 0;
  };

  // Brings the streams in line with the routing table.
  void Reconcile() {
    absl::MutexLock reconcile(&reconcile_mu_);
    const std::shared_ptr<const RoutingSnapshot> snapshot = routing_.Current();
    std::set<std::string> wanted;
    std::map<base::TaskId, std::string> owners;
    for (const processor::WorkerRoute& route : snapshot->table.workers) {
      for (const base::TaskId& task : route.active) {
        if (task.subtopology != store_.subtopology) continue;
        wanted.insert(route.endpoint);
        owners[task] = route.endpoint;
      }
    }
    std::vector<base::TaskId> moved;
    std::vector<std::unique_ptr<RpcStream>> ended;
    std::vector<std::pair<std::string, uint64_t>> to_open;
    {
      absl::MutexLock lock(&mu_);
      if (closed_) return;
      // The last changes at the old owner may reach us after the first ones at the new owner, so a move is a gap.
      for (const auto& [task, owner] : owners) {
        const auto known = owners_.find(task);
        if (known != owners_.end() && known->second != owner) moved.push_back(task);
        owners_[task] = owner;
      }
      for (auto it = links_.begin(); it != links_.end();) {
        if (wanted.contains(it->first)) {
          ++it;
          continue;
        }
        ended.push_back(std::move(it->second.stream));
        it = links_.erase(it);
      }
      for (const std::string& endpoint : wanted) {
        Link& link = links_[endpoint];
        if (link.generation != 0 && !link.broken) continue;
        if (link.stream) ended.push_back(std::move(link.stream));
        link.generation = ++generations_;
        link.broken = false;
        link.heard = false;
        to_open.emplace_back(endpoint, link.generation);
      }
    }
    ended.clear();
    for (const base::TaskId& task : moved) Deliver(task);
    for (const auto& [endpoint, generation] : to_open) Open(endpoint, generation);
  }

  void Deliver(const base::TaskId& moved_task) {
    absl::MutexLock delivery(&delivery_mu_);
    int64_t offset = -1;
    {
      absl::MutexLock lock(&mu_);
      if (const auto found = position_.find(moved_task); found != position_.end()) offset = found->second.offset;
    }
    listener_.OnGap(moved_task, offset);
  }

  void Open(const std::string& endpoint, uint64_t generation) {
    v1::SubscribeRequest request;
    request.set_store(store_.name);
    request.set_application_id(store_.application_id);
    {
      absl::MutexLock lock(&mu_);
      // A worker that owns nothing we have heard of begins with what is new.
      const bool known = std::any_of(position_.begin(), position_.end(), [&](const auto& entry) {
        const auto owner = owners_.find(entry.first);
        return owner != owners_.end() && owner->second == endpoint;
      });
      if (known) request.set_resume_token(EncodeResumeToken(position_));
    }
    // The stream is destroyed before the core ends, so a plain pointer is enough.
    std::unique_ptr<RpcStream> stream = channels_.Of(endpoint)->Subscribe(
        std::move(request),
        [this, endpoint, generation](const v1::SubscribeResponse& message) { Receive(endpoint, generation, message); },
        [this, endpoint, generation](const absl::Status& status) { Broken(endpoint, generation, status); });
    absl::MutexLock lock(&mu_);
    Link& link = links_[endpoint];
    link.stream = std::move(stream);
  }

  void Receive(const std::string& endpoint, uint64_t generation, const v1::SubscribeResponse& message) {
    absl::MutexLock delivery(&delivery_mu_);
    {
      absl::MutexLock lock(&mu_);
      const auto found = links_.find(endpoint);
      if (closed_ || found == links_.end() || found->second.generation != generation) return;
      found->second.heard = true;
      found->second.failures = 0;
      for (const v1::TaskId& task : message.gaps()) position_.erase(TaskIdOf(task));
    }
    const absl::StatusOr<ResumePosition> token = DecodeResumeToken(message.resume_token());
    for (const v1::TaskId& wire : message.gaps()) {
      const base::TaskId task = TaskIdOf(wire);
      int64_t offset = -1;
      if (token.ok() && token->contains(task)) offset = token->at(task).offset;
      // The updates that come with the gap are behind it.
      for (const v1::StoreUpdate& update : message.updates()) {
        if (TaskIdOf(update.task()) == task) offset = std::min(offset, update.changelog_offset() - 1);
      }
      listener_.OnGap(task, offset);
    }
    for (const v1::StoreUpdate& update : message.updates()) {
      const base::TaskId task = TaskIdOf(update.task());
      const UpdatePlace place{update.changelog_offset(), update.index()};
      {
        absl::MutexLock lock(&mu_);
        auto [known, added] = position_.try_emplace(task, place);
        if (!added) {
          if (place <= known->second) continue;
          known->second = place;
        }
      }
      StoreChangeEvent event;
      event.task = task;
      event.changelog_offset = place.offset;
      event.index = place.index;
      event.deleted = !update.row().has_value();
      event.row = RowOf(v1::Row(update.row()));
      listener_.OnUpdate(std::move(event));
    }
    if (!token.ok()) return;
    for (const auto& [task, place] : *token) {
      {
        absl::MutexLock lock(&mu_);
        auto [known, added] = position_.try_emplace(task, place);
        known->second = std::max(known->second, place);
        if (!added) continue;
      }
      listener_.OnStart(task, place.offset, place.index);
    }
  }

  void Broken(const std::string& endpoint, uint64_t generation, const absl::Status& status) {
    int64_t delay_ms = 0;
    {
      absl::MutexLock lock(&mu_);
      const auto found = links_.find(endpoint);
      if (closed_ || found == links_.end() || found->second.generation != generation) return;
      found->second.broken = true;
      found->second.heard = false;
      delay_ms = BackoffMs(found->second.failures++, random_);
    }
    base::LogDebug("routing", "subscription ended", {{"worker", endpoint}, {"store", store_.name}, {"status", status}});
    std::weak_ptr<Core> weak = weak_from_this();
    timers_.After(delay_ms, [weak] {
      if (auto self = weak.lock()) self->Reconcile();
    });
  }

  const StoreDescription store_;
  SubscriptionListener& listener_;
  RoutingFollower& routing_;
  WorkerChannels& channels_;
  TimerThread& timers_;
  uint64_t listener_id_ = 0;

  // Order: reconcile_mu_, delivery_mu_, mu_.
  absl::Mutex reconcile_mu_;  // one Reconcile at a time
  absl::Mutex delivery_mu_;   // one call of the listener at a time
  mutable absl::Mutex mu_;
  std::map<std::string, Link> links_ ABSL_GUARDED_BY(mu_);
  std::map<base::TaskId, std::string> owners_ ABSL_GUARDED_BY(mu_);
  ResumePosition position_ ABSL_GUARDED_BY(mu_);
  uint64_t generations_ ABSL_GUARDED_BY(mu_) = 0;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  base::Random random_ ABSL_GUARDED_BY(mu_);
};

ClusterSubscription::ClusterSubscription(StoreDescription store, ResumePosition position,
                                         SubscriptionListener& listener, RoutingFollower& routing,
                                         WorkerChannels& channels, TimerThread& timers)
    : core_(std::make_shared<Core>(std::move(store), std::move(position), listener, routing, channels, timers)) {
  core_->Start();
}
ClusterSubscription::~ClusterSubscription() { core_->Stop(); }
std::string ClusterSubscription::ResumeToken() const { return core_->ResumeToken(); }
bool ClusterSubscription::connected() const { return core_->connected(); }

}  // namespace tailrace::grpc_api
