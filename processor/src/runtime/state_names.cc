// The names of the states, as Kafka Streams spells them.
#include "tailrace/processor/streams.h"

namespace tailrace::processor {

std::string_view StreamsStateName(StreamsState state) {
  switch (state) {
    case StreamsState::kCreated: return "CREATED";
    case StreamsState::kRebalancing: return "REBALANCING";
    case StreamsState::kRunning: return "RUNNING";
    case StreamsState::kPendingShutdown: return "PENDING_SHUTDOWN";
    case StreamsState::kNotRunning: return "NOT_RUNNING";
    case StreamsState::kPendingError: return "PENDING_ERROR";
    case StreamsState::kError: return "ERROR";
  }
  return "UNKNOWN";
}

}  // namespace tailrace::processor
