// A replay: the same topology once more, as an application of its own (application_id.h), rebuilt from the log while the ordinary
// application goes on.
//
// A replay from time F rebuilds every window that ends after F from the input. Windows that end before are final in the live
// application: their rows are copied from its changelogs. What divides the two is a stream time T, not later than F plus the
// smallest grace and than what the live application has processed: at T a window whose end is at or before T - grace is
// closed. Input is read from T - grace - size on, so that every open window gets all of its records, and since the tasks of the
// replay begin with T as their stream time, records of closed windows are late for them as for any other task.
//
// Preparing creates the replay's topics, copies, and at last commits the offsets where its tasks begin, with T in the
// metadata. That commit is the mark: topics without it are what a preparation left that did not come to its end, and are
// deleted by the next one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tailrace/base/config.h"
#include "tailrace/base/status.h"
#include "tailrace/kafka/cluster.h"
#include "tailrace/processor/topology.h"

namespace tailrace::processor {

// A store of windows [start, start + size), one beginning every `advance`.
struct ReplayWindows {
  std::string store;
  int64_t size_ms = 0;
  int64_t grace_ms = 0;
  int64_t advance_ms = 0;  // 0: the size
};

struct ReplayOptions {
  std::string live;  // application.id of what is replayed
  int number = 0;    // the replay's application.id is that of `live` without a number, '@', and this
  base::Config config;  // of the replay; its application.id does not matter
  std::optional<int64_t> from_ms;  // absent: from the beginning of the log; nothing is copied then
  std::vector<ReplayWindows> windows;  // with from_ms: all stores of the topology that keep results
  // A row that is copied must be one that the store's schema can show: else it was written under another schema, and is refused.
  // For stores whose schemas show every row.
  bool check_values = false;
  // The replay's output topics and whose shape they get when that one exists.
  std::map<std::string, std::string> outputs;
  bool dry_run = false;  // only work out what would be done
};

struct ReplayPlan {
  std::string application_id;
  bool prepared_before = false;       // nothing was done: its offsets are there
  std::vector<std::string> leftovers;  // topics of a preparation that did not come to its end; deleted
  std::vector<std::string> topics;     // created
  struct Start {
    base::TopicPartition partition;
    base::Offset offset;
    base::Offset end;
  };
  std::vector<Start> starts;           // where input begins to be read
  int64_t copied_records = 0;
  std::vector<std::string> notices;    // sentences for whoever asked
};

// The greatest number of a replay of this application that has committed offsets; 0: none.
absl::StatusOr<int> GreatestReplay(kafka::Cluster& cluster, const std::string& name);

// Thread-safety: one call at a time per replay. Errors name the application, store or partition and what to do:
// kInvalidArgument when `from_ms` is not possible, FAILED_PRECONDITION when the live application has not come far enough.
absl::StatusOr<ReplayPlan> PrepareReplay(Topology& topology, const ReplayOptions& options, kafka::Cluster& cluster);

}  // namespace tailrace::processor
