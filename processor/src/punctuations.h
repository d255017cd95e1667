// What the operators of one task have scheduled by stream time and by the wall clock (Kafka Streams' PunctuationQueue).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "java_order.h"
#include "tailrace/processor/detail/task_context.h"

namespace tailrace::processor {

struct Punctuation {
  detail::PunctuationType type = detail::PunctuationType::kStreamTime;
  int64_t interval_ms = 0;
  int64_t next_ms = 0;
  std::string operator_name;  // for messages about what `callback` throws
  std::function<void(int64_t)> callback;
  bool cancelled = false;
};

// Thread-safety: the task's thread.
class Punctuations {
 public:
  // The handle cancels it, also after this object is gone.
  std::unique_ptr<detail::PunctuationHandle> Add(Punctuation punctuation);
  // Takes out the one of this type whose time came first; null when none is due at `now_ms`.
  std::shared_ptr<Punctuation> TakeDue(detail::PunctuationType type, int64_t now_ms);
  // Puts one that has fired back for its next time, unless it was cancelled. Missed intervals collapse into the one firing
  // (PunctuationSchedule.next). REQUIRES: interval_ms > 0.
  void PutBack(std::shared_ptr<Punctuation> punctuation, int64_t now_ms);
  void clear();

 private:
  struct Earlier {
    bool operator()(const std::shared_ptr<Punctuation>& a, const std::shared_ptr<Punctuation>& b) const { return a->next_ms < b->next_ms; }
  };
  // Kafka Streams takes them from a java.util.PriorityQueue; so those of equal times leave in its order.
  using Queue = JavaPriorityQueue<std::shared_ptr<Punctuation>, Earlier>;  // shared with their handles

  Queue& QueueOf(detail::PunctuationType type) { return type == detail::PunctuationType::kStreamTime ? by_stream_time_ : by_wall_clock_; }

  Queue by_stream_time_;
  Queue by_wall_clock_;
};

}  // namespace tailrace::processor
