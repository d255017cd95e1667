// Watermark mode: how far the tasks that write a repartition topic have come, and what that makes of the time of a task that
// reads it.
//
// With every commit in which its time has moved a task writes one heartbeat to each partition of its repartition topics, behind
// the records of that commit: a record without key and value whose header says which task it is and what its stream time is.
// A reader's time is the least of those of all upstream tasks, so that one that runs ahead closes nothing for the others.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tailrace/base/types.h"
#include "tailrace/kafka/record.h"

namespace tailrace::processor {

struct Heartbeat {
  base::TaskId task;
  int64_t stream_time_ms = -1;
  int64_t wall_ms = 0;  // when it was written
  // The task has read its inputs to their ends and nothing has come for a while: readers do not wait for it. Such a heartbeat is
  // repeated; a task that has stopped saying so counts again.
  bool idle = false;
};

// The header of a heartbeat, in the bytes of docs/formats.md.
kafka::Header EncodeHeartbeat(const Heartbeat& heartbeat);
std::optional<Heartbeat> DecodeHeartbeat(const kafka::Headers& headers);

// What one input has heard. Not thread-safe.
class UpstreamTimes {
 public:
  // `tasks`: all that write the topic. None: the input is no repartition topic, and its time follows from its records.
  explicit UpstreamTimes(std::vector<base::TaskId> tasks);

  bool tracks() const { return !tasks_.empty(); }
  // A heartbeat of a task that is none of them says nothing.
  void Take(const Heartbeat& heartbeat);
  // The least time of those that count; -1 while one of them has not been heard. When all are idle, the largest.
  int64_t Time() const;
  bool all_idle() const;

  // As operator times in a task's commit record; `topic` makes the names unique in the task.
  void Save(std::string_view topic, std::map<std::string, int64_t>& times) const;
  void Restore(std::string_view topic, const std::map<std::string, int64_t, std::less<>>& times);

 private:
  struct Upstream {
    base::TaskId id;
    int64_t stream_time_ms = -1;
    int64_t wall_ms = -1;
    bool idle = false;
  };
  bool IsIdle(const Upstream& task) const;

  std::vector<Upstream> tasks_;
  int64_t newest_wall_ms_ = -1;  // of all heartbeats: an old claim to be idle is judged by what was written since
};

}  // namespace tailrace::processor
