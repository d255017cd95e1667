// How a replay reads its input: in the order of time across partitions, and up to an end when it has one.
//
// Whoever reads hours of input at once gets a few thousand records of one partition, then of the next. Behind a repartition topic
// stream time would leap with the first, and the records of the others would be late there, although they never were. So the
// records of all input partitions of a consumer are put in order by their times until the replay has caught up.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "tailrace/base/types.h"
#include "tailrace/kafka/cluster.h"

namespace tailrace::processor {

struct ReplayReading {
  // Topics, and how many partitions each has; all others are read as ever. A consumer that has only some of them waits a while for the
  // others, which may be on their way to it.
  std::map<std::string, int32_t> inputs;
  // Asked at each poll, on the thread that polls: whether inputs are still read in order.
  std::function<bool()> in_order;
  // Records from these offsets on are withheld: the log seems to end there.
  std::map<base::TopicPartition, base::Offset> ends;
};

// The same cluster with consumers that read so; those for restoring are left alone. Thread-safety and errors as of `cluster`.
std::unique_ptr<kafka::Cluster> ReadForReplay(std::unique_ptr<kafka::Cluster> cluster, ReplayReading reading);

}  // namespace tailrace::processor
