// Lets every event through once, and of its redeliveries what its counters have grown by.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compile/event_nodes.h"

namespace tailrace::pipeline::compile {

// What is kept per id is in the window store of that name: the largest values so far, in a window of the event's time, so that it
// leaves with the retention. An event whose window has left cannot be told from a redelivery and is dropped as late. Behind a key
// step ids are told apart per key. An event without an id passes.
class DeduplicateNode final : public EventOperator {
 public:
  struct Options {
    std::string store;
    size_t id = 0;            // its slot
    std::vector<size_t> max;  // slots of growing counters
    size_t timestamp = 0;     // the slot of the event's time
    bool per_key = false;
    int64_t window_ms = 1;
    int64_t retention_ms = 1;
  };
  // The size of the windows of such a store: few of them, and the retention exact to a part of it.
  static int64_t WindowMs(int64_t retention_ms);

  explicit DeduplicateNode(Options options) : options_(std::move(options)) {}
  absl::Status Init(processor::detail::TaskContext& context) override;
  void Process(const EventRecord& record) override;

 private:
  bool BuildKey(const EventRecord& record);
  // The counters of a new event as bytes.
  void Remember(Event event);
  // Raises the counters in `buffer_`, and writes what each has grown by into `slots_`; false when none has.
  bool Raise(Event event);

  const Options options_;
  state::WindowStore* store_ = nullptr;
  int64_t observed_ms_ = -1;  // kept over restarts, so that the same events are late
  std::string key_;
  std::string buffer_;
  std::vector<FieldValue> slots_;
};

}  // namespace tailrace::pipeline::compile
