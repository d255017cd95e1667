// One application of the worker as its query service sees it, and the list of all of them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "query/query_handlers.h"
#include "query/update_feeds.h"
#include "tailrace/processor/query.h"

namespace tailrace::grpc_api {

// The application's routing table as its watchers see it (query_service.cc).
class RoutingWatch;

// Tells that the object it is the first member of is gone.
struct EndNotice {
  EndNotice() = default;
  ~EndNotice() { ended->Notify(); }
  EndNotice(const EndNotice&) = delete;
  EndNotice& operator=(const EndNotice&) = delete;

  const std::shared_ptr<absl::Notification> ended = std::make_shared<absl::Notification>();  // shared with who waits
};

// Shared by the list and the calls under way: the last of them ends it.
struct ServedApplication {
  ServedApplication(processor::Queryable& q, bool decides, std::function<bool()> caught, const UpdateFeeds::Options& options);
  ~ServedApplication();

  const EndNotice notice;  // first, so destroyed last
  processor::Queryable& queryable;
  const bool decides_readiness;
  const std::function<bool()> caught_up;  // empty: always
  const QueryHandlers handlers;
  UpdateFeeds feeds;
  std::shared_ptr<RoutingWatch> routing;  // shared with its streams and the subscription's callback
  std::unique_ptr<processor::Subscription> routing_subscription;
};

// Thread-safe.
class ServedApplications {
 public:
  using Application = std::shared_ptr<ServedApplication>;

  void Add(Application application);
  // Takes it off the list. Null when it is not there.
  Application Take(const processor::Queryable& queryable);
  std::vector<Application> All() const;
  // True when every application that decides about readiness is ready, and there is one.
  bool ready() const;

  // By id, else the first that has the store, else the first. Errors: UNAVAILABLE UNKNOWN_APPLICATION.
  absl::StatusOr<Application> Find(const std::string& application_id, const std::string& store) const;

 private:
  mutable absl::Mutex mu_;
  std::vector<Application> applications_ ABSL_GUARDED_BY(mu_);
};

}  // namespace tailrace::grpc_api
