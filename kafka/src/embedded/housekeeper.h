// The background thread of an embedded log: writes what producers have buffered for too long, and deletes old records.
#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "embedded/log_engine.h"

namespace tailrace::kafka::embedded {

// Something that buffers records. WriteOut is called from the housekeeper's thread.
class Lingering {
 public:
  virtual ~Lingering() = default;
  virtual void WriteOut() = 0;
};

// Thread-safe. The engine outlives it.
class Housekeeper {
 public:
  explicit Housekeeper(LogEngine& engine);
  ~Housekeeper();

  // Has `buffer` written out after limits::kLogLingerMs, once.
  void WriteSoon(std::weak_ptr<Lingering> buffer);

 private:
  void Run();

  LogEngine& engine_;
  absl::Mutex mu_;
  std::vector<std::weak_ptr<Lingering>> waiting_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;  // last: it uses the members above
};

}  // namespace tailrace::kafka::embedded
