#include <sys/resource.h>

#include <iostream>

#include "bench.h"
#include "nlohmann/json.hpp"
#include "tailrace/base/clock.h"

namespace tailrace::bench {
namespace {

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double WallSeconds() { return static_cast<double>(base::SystemClock().SteadyNs()) / 1e9; }

}  // namespace

Measurement::Measurement() : wall_start_(WallSeconds()), cpu_start_(CpuSeconds()) {}

void Measurement::Report(const std::string& engine, int64_t records) const {
  const double seconds = WallSeconds() - wall_start_;
  const double cpu = CpuSeconds() - cpu_start_;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const nlohmann::json line = {{"engine", engine},
                               {"records", records},
                               {"seconds", seconds},
                               {"records_per_second", static_cast<double>(records) / seconds},
                               {"cpu_us_per_record", cpu * 1e6 / static_cast<double>(records)},
                               {"peak_memory_mb", static_cast<double>(usage.ru_maxrss) / 1024}};
  std::cout << line.dump() << std::endl;
}

}  // namespace tailrace::bench
