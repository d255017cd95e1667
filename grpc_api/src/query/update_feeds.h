// The live changes of this worker's stores: one subscription and one hub per store that somebody listens to.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "tailrace/base/clock.h"
#include "tailrace/processor/query.h"
#include "updates/update_hub.h"

namespace tailrace::grpc_api {

// Thread-safe. The Queryable outlives it.
class UpdateFeeds {
 public:
  struct Options {
    size_t ring_entries = 0;
    size_t ring_bytes = 0;
    // A store nobody listens to is given up after this, so that a client that reconnects misses nothing.
    int64_t idle_ms = 60'000;
    const base::Clock* clock = nullptr;
  };
  UpdateFeeds(Options options, processor::Queryable& queryable);
  ~UpdateFeeds();

  absl::StatusOr<std::shared_ptr<UpdateHub>> HubOf(const std::string& store);

  // Those that follow a store at the moment.
  size_t subscriber_count() const;

  // Gives up idle stores, and notes which tasks are no longer active here. Call it every now and then.
  void Tend();
  // Ends all subscribers.
  void Close(const absl::Status& status);

 private:
  struct Feed {
    std::shared_ptr<UpdateHub> hub;  // shared with its subscribers
    std::unique_ptr<processor::Subscription> subscription;
    int64_t used_ms = 0;
  };

  const Options options_;
  processor::Queryable& queryable_;
  mutable absl::Mutex mu_;
  std::map<std::string, Feed> feeds_ ABSL_GUARDED_BY(mu_);
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace tailrace::grpc_api
