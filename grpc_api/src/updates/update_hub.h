// Fan-out of one store's changes to many subscribers, from one bounded ring.
//
//   publisher --Publish--> [ ring of the latest changes ] <--Take-- subscriber (its own place in the ring)
//
// A subscriber holds no queue of its own: it remembers how far it has read. One that falls behind the ring is ended with
// RESOURCE_EXHAUSTED (SLOW_SUBSCRIBER), so memory is bounded whatever clients do, and the publisher never waits. With a
// resume position a subscriber starts in the past; tasks whose changes since then are no longer in the ring are named as
// gaps, and their current state has to be read.
//
// Thread-safe. Wake callbacks run on the publisher's thread and must only hand work elsewhere.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "tailrace/base/status.h"
#include "tailrace/state/store.h"
#include "updates/resume_token.h"

namespace tailrace::grpc_api {

struct UpdateRecord {
  base::TaskId task;
  UpdatePlace place;  // index 0: the hub numbers the changes of a commit itself
  std::string key;
  std::string key_json;  // where the publisher has it
  int64_t window_start_ms = state::kNoWindow;
  int64_t window_end_ms = state::kNoWindow;
  std::optional<std::string> value;  // nullopt: deleted
  std::string value_json;
  int64_t timestamp_ms = 0;
};

class UpdateHub : public std::enable_shared_from_this<UpdateHub> {
 public:
  struct Batch {
    // Shared with the ring: many subscribers read the same record.
    std::vector<std::shared_ptr<const UpdateRecord>> updates;
    std::vector<base::TaskId> gaps;  // missed before `updates`
    absl::Status ended;              // not OK: there is no more
    bool empty() const { return updates.empty() && gaps.empty() && ended.ok(); }
  };

  // One reader. Used by one thread at a time.
  class Subscriber {
   public:
    ~Subscriber();
    // What there is now, at most so much; empty when there is nothing new. After that, `wake` is called once when
    // something comes.
    Batch Take(size_t updates_max, size_t bytes_max);
    // Includes everything that Take has returned, and every task that the hub knows.
    const ResumePosition& position();

   private:
    friend class UpdateHub;
    std::shared_ptr<UpdateHub> hub_;  // Shared: subscribers and the owner of the store end in any order.
    std::function<void()> wake_;
    uint64_t id_ = 0;
    uint64_t next_ = 0;            // ring sequence number to read next
    bool skip_known_ = false;      // resumed: what position_ contains is passed over
    std::vector<base::TaskId> gaps_;
    std::vector<base::TaskId> unheard_;  // it resumed with a place in them, and the hub has not heard of them yet
    ResumePosition position_;
  };

  UpdateHub(size_t entries_max, size_t bytes_max) : entries_max_(entries_max), bytes_max_(bytes_max) {}

  // Declares that the hub hears every change of `task` after `offset`, unless it has heard of the task already.
  void SetBase(const base::TaskId& task, int64_t offset);
  void Publish(UpdateRecord record);
  // Declares that the hub hears every change of `task` behind `place`, unless it has heard of the task already.
  void Seed(const base::TaskId& task, UpdatePlace place);
  // The publisher may from now on miss changes of `task`: when it comes back, that is a gap.
  void Forget(const base::TaskId& task);
  // Changes of `task` were missed; history starts anew at `place`.
  void MarkGap(const base::TaskId& task, UpdatePlace place);
  // Ends all subscribers, now and later, after what is in the ring.
  void Close(absl::Status status);

  // Without `resume` only what comes from now on.
  std::unique_ptr<Subscriber> Subscribe(const std::optional<ResumePosition>& resume, std::function<void()> wake);

  size_t subscriber_count() const;
  // The place of the latest change per task.
  ResumePosition Latest() const;

 private:
  struct Entry {
    std::shared_ptr<const UpdateRecord> record;  // shared with batches under way
    bool gap = false;                            // the record names the task and its new place only
    size_t bytes = 0;
  };
  struct History {
    UpdatePlace floor;   // everything after this is in the ring
    UpdatePlace latest;  // of the last change, or the base
    bool forgotten = false;
    // Of a reader at this place: it missed changes for good, or its place is of another history (the application was reset).
    bool Misses(UpdatePlace place) const { return place < floor || place > latest; }
  };

  void AppendGap(const base::TaskId& task, UpdatePlace place) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Append(Entry entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  std::vector<std::function<void()>> TakeWakes() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Unsubscribe(uint64_t id);

  const size_t entries_max_;
  const size_t bytes_max_;

  mutable absl::Mutex mu_;
  std::deque<Entry> ring_ ABSL_GUARDED_BY(mu_);
  uint64_t first_sequence_ ABSL_GUARDED_BY(mu_) = 0;  // of ring_.front()
  size_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
  std::map<base::TaskId, History> history_ ABSL_GUARDED_BY(mu_);
  absl::Status closed_ ABSL_GUARDED_BY(mu_);
  uint64_t next_id_ ABSL_GUARDED_BY(mu_) = 1;
  std::map<uint64_t, Subscriber*> subscribers_ ABSL_GUARDED_BY(mu_);
  // Subscribers that found nothing at their last Take: they are woken once.
  std::vector<uint64_t> waiting_ ABSL_GUARDED_BY(mu_);
};

}  // namespace tailrace::grpc_api
