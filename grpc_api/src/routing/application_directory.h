// Which applications the workers run: asked in rounds, by a thread of its own, so that one that comes later is found.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
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
  std::vector<std::string> stores;  // by name; empty while it begins
  std::shared_ptr<ApplicationClient> client;  // shared with calls under way
  int rounds_missing = 0;           // in a row in which every worker answered and none named it
};

// Immutable once published.
struct Catalog {
  std::map<std::string, KnownApplication> applications;
  std::vector<std::string> silent;  // seeds that have never answered
  absl::Status last_error;          // why a worker did not answer in the last round

  // The application that answers for a store; null when none has it.
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
