// Live updates for browsers: one upstream subscription per store, however many clients listen.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/timer_thread.h"
#include "gateway/http_types.h"
#include "tailrace/grpc_api/query_client.h"
#include "updates/update_hub.h"

namespace tailrace::grpc_api {

// Thread-safe. The client outlives it.
class StoreEvents {
 public:
  StoreEvents(QueryClient& client, const base::Clock& clock);
  ~StoreEvents();

  // The events of a store for one HTTP client. `last_event_id`: where it stood; empty: only what is new. With a key, only
  // changes of that key.
  absl::StatusOr<std::unique_ptr<HttpStream>> Open(const std::string& store, const std::optional<std::string>& key,
                                                   const std::string& last_event_id, const CallOptions& options);
  // Ends all streams; after it no wake callback is under way.
  void Close();

 private:
  class Feed;

  // Ends the streams of stores that another application answers for now.
  void EndReplaced();
  // Gives up stores that nobody has listened to for a while.
  void Tend();

  QueryClient& client_;
  const base::Clock& clock_;
  absl::Mutex mu_;
  std::map<std::string, std::shared_ptr<Feed>> feeds_ ABSL_GUARDED_BY(mu_);  // shared with opening under way
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  TimerThread timers_;
};

// One server-sent event. `id` and `data` hold no line ends.
std::string SseEvent(std::string_view event, std::string_view id, std::string_view data);
// The data of an update event.
std::string UpdateJson(std::string_view store, const UpdateRecord& record);

}  // namespace tailrace::grpc_api
