// Which applications the workers run: asked in rounds, by a thread of its own, so that one that comes later is found.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "routing/application_client.h"

namespace tailrace::grpc_api {

// One application as last heard.
struct KnownApplication {
  std::string id;
  bool ready = false;               // some worker says so
  bool caught_up = false;           // the same; an ordinary application always is
  std::vector<std::string> stores;  // by name; empty while it begins
  std::shared_ptr<ApplicationClient> client;  // shared with calls under way
  // In a row in which none named it, although every worker answered, or while another one answers in its place.
  int rounds_missing = 0;
  int rounds_unfit = 0;             // in a row in which no worker said that it is ready and caught up

  bool fit() const { return ready && caught_up; }
};

// A replay has taken over, or has gone and the one before it answers again.
struct CutOver {
  std::string from;
  std::string to;
};

// Immutable once published.
struct Catalog {
  std::map<std::string, KnownApplication> applications;
  // Which of an application and its replays (<name>@N) answers, by name.
  std::map<std::string, std::string> answering;
  std::vector<std::string> silent;  // seeds that have never answered
  absl::Status last_error;          // why a worker did not answer in the last round

  // Decides `answering`: the replay with the greatest number that is ready and caught up, as soon as it is; the one that answered
  // before as long as it is there and has not been unfit for some rounds. Returns what has changed.
  std::vector<CutOver> ChooseAnswering(const std::map<std::string, std::string>& before);

  // Whether this is an application that another one answers for.
  bool IsReplaced(const std::string& id) const;
  // The application that answers for a store; null when none has it. One that has not caught up only when no other has it.
  const KnownApplication* Holder(std::string_view store) const;
};

// Thread-safe. `channels` outlive it.
class ApplicationDirectory {
 public:
  ApplicationDirectory(const QueryClientOptions& options, WorkerChannels& channels);
  ~ApplicationDirectory();

  // Shared with readers: a round replaces the whole catalog.
  std::shared_ptr<const Catalog> Current() const;
  // That of a round which began after this call, or the present one when the time is over.
  std::shared_ptr<const Catalog> Fresh(int64_t timeout_ms);

 private:
  void Loop();
  Catalog AskAll(const Catalog& before);

  const QueryClientOptions options_;
  WorkerChannels& channels_;

  mutable absl::Mutex mu_;
  std::shared_ptr<const Catalog> current_ ABSL_GUARDED_BY(mu_);
  uint64_t rounds_begun_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t rounds_ended_ ABSL_GUARDED_BY(mu_) = 0;
  bool asked_ ABSL_GUARDED_BY(mu_) = false;
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace tailrace::grpc_api
