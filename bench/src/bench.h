// What the benchmark program's modes share. Each mode runs in a process of its own, so CPU time and peak memory are its own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tailrace/base/status.h"

namespace tailrace::bench {

struct Workload {
  std::string bootstrap;
  std::string topic;
  int64_t records = 0;
  int64_t keys = 10'000;
  int32_t partitions = 4;
  int32_t value_bytes = 110;
  std::string guarantee = "at_least_once";
  std::string state_dir;
  std::string pipeline;  // a pipeline file instead of the built-in count
  std::vector<std::string> set;
};

// From construction to Report: wall time and this process's CPU time.
class Measurement {
 public:
  Measurement();
  // Prints one JSON object a line: engine, records, seconds, records_per_second, cpu_us_per_record, peak_memory_mb.
  void Report(const std::string& engine, int64_t records) const;

 private:
  double wall_start_;
  double cpu_start_;
};

absl::Status LoadRecords(const Workload& workload);       // keyed records with event times spread over ten minutes
absl::Status LoadPosts(const Workload& workload);         // generated posts
absl::Status RunBareConsumer(const Workload& workload);   // librdkafka alone: the limit
absl::Status RunStreams(const Workload& workload);        // the engine

}  // namespace tailrace::bench
