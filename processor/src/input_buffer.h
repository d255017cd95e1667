// The records of a task with several inputs that wait for their turn: of all inputs the earliest comes first, when every input
// has one or has nothing to give (Kafka Streams' PartitionGroup and RecordQueue).
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "java_order.h"
#include "tailrace/base/clock.h"
#include "tailrace/base/types.h"
#include "tailrace/kafka/record.h"

namespace tailrace::processor {

// A copy of a record that outlives its batch.
class BufferedRecord {
 public:
  BufferedRecord(const kafka::RecordView& record, kafka::Headers headers);

  // Into this object, with the timestamp that the log delivered.
  kafka::RecordView View() const;
  const kafka::Headers& headers() const { return headers_; }

 private:
  std::string bytes_;  // key, then value
  int32_t key_size_ = -1;
  int32_t value_size_ = -1;
  base::Offset offset_;
  int64_t timestamp_ms_;
  kafka::Headers headers_;
};

// Thread-safety: the task's thread. Bounded by who fills it: an input with many records waiting is not read on.
class InputBuffer {
 public:
  // The event time of a record that has become the first of its input. It may follow from the partition's time, which the record
  // before it has moved; so it is asked no earlier.
  using TimeOf = std::function<int64_t(size_t slot, const kafka::RecordView& record)>;

  // max.task.idle.ms: below zero nothing is waited for; otherwise how long an input that is at its end is waited for.
  InputBuffer(size_t slots, int64_t max_task_idle_ms, const base::Clock* clock, TimeOf time_of);

  void Add(size_t slot, const kafka::RecordView& record, kafka::Headers headers);
  size_t size(size_t slot) const { return queues_[slot].records.size(); }
  bool empty() const { return filled_.empty(); }

  // Tells whether the log has more for a slot. Unknown counts as more.
  void SetHasMore(size_t slot, bool has_more) { queues_[slot].has_more = has_more; }
  // Whether Take may be called now: something waits, and nothing earlier can come that is to be waited for.
  bool Ready();

  struct Taken {
    size_t slot;
    BufferedRecord record;
  };
  // The earliest record. Its slot is out of the order until Settle, which is to be called when the record was processed.
  // REQUIRES: Ready().
  Taken Take();
  void Settle(size_t slot);

  void clear();

 private:
  struct Queue {
    std::deque<BufferedRecord> records;
    int64_t head_ms = 0;
    bool has_more = true;
  };
  struct EarlierHead {
    const std::vector<Queue>* queues;
    bool operator()(size_t a, size_t b) const { return (*queues)[a].head_ms < (*queues)[b].head_ms; }
  };

  const int64_t max_task_idle_ms_;
  const base::Clock* const clock_;
  const TimeOf time_of_;
  std::vector<Queue> queues_;
  // The slots that have records. Kafka Streams takes them from a java.util.PriorityQueue; so equal times leave in its order.
  JavaPriorityQueue<size_t, EarlierHead> filled_{EarlierHead{&queues_}};
  int64_t idle_since_ms_ = -1;
};

}  // namespace tailrace::processor
