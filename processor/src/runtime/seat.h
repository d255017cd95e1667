// This process's seat in the group as the stream threads need it: may they commit, and as whom.
#pragma once

#include <cstdint>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "tailrace/kafka/producer.h"

namespace tailrace::processor {

struct Seat {
  // Counts the times the membership was lost. A task granted in one session never commits in another.
  uint64_t session = 0;
  bool joined = false;
  bool rejoining = false;  // commits wait for the new generation
  // Shared with commits in progress. Of this session's member; null before the first join.
  std::shared_ptr<const kafka::GroupMetadata> group;
};

// Thread-safe: the coordinator writes, stream threads read once per commit.
class SeatHolder {
 public:
  Seat Get() const {
    absl::MutexLock lock(&mu_);
    return seat_;
  }
  uint64_t session() const { return Get().session; }
  void Joined(std::shared_ptr<const kafka::GroupMetadata> group) {
    absl::MutexLock lock(&mu_);
    seat_.joined = true;
    seat_.rejoining = false;
    seat_.group = std::move(group);
  }
  void Rejoining() {
    absl::MutexLock lock(&mu_);
    seat_.rejoining = true;
  }
  void Lost() {
    absl::MutexLock lock(&mu_);
    ++seat_.session;
    seat_.joined = false;
    seat_.rejoining = false;
    seat_.group = nullptr;
  }

 private:
  mutable absl::Mutex mu_;
  Seat seat_ ABSL_GUARDED_BY(mu_);
};

}  // namespace tailrace::processor
