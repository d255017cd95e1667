// Where generated records come from.
#pragma once

#include <cstdint>
#include <string>

namespace tailrace::ingest {

// Reuse one object for all records: it keeps its memory.
struct GeneratedRecord {
  std::string key;
  std::string value;
  int64_t timestamp_ms = 0;  // of the event
  bool late = false;
  bool malformed = false;
};

// An endless stream of records that is fully determined by the options it was made with. Not thread-safe.
class RecordSource {
 public:
  virtual ~RecordSource() = default;
  // Valid until the next call.
  virtual const GeneratedRecord& Next() = 0;
  // The record of the last Next has been handed on: only then it counts.
  virtual void Accepted() {}
};

// What all generators are told.
struct SourceOptions {
  uint64_t seed = 1;
  int64_t start_ms = 0;
  // Records per second of event time: record i happens at start_ms + i * 1000 / rate.
  int64_t rate = 500;
};

}  // namespace tailrace::ingest
