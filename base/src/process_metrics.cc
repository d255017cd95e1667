// The usual process_* metrics, read from /proc when they are asked for.
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "tailrace/base/metrics.h"

namespace tailrace::base {
namespace {

struct ProcessNumbers {
  double cpu_seconds = 0;
  double start_seconds = 0;
  double resident_bytes = 0;
  double threads = 0;
};

double BootSeconds() {
  std::ifstream stat("/proc/stat");
  std::string word;
  while (stat >> word) {
    double seconds = 0;
    if (word == "btime" && stat >> seconds) return seconds;
  }
  return 0;
}

ProcessNumbers ReadProcess() {
  ProcessNumbers numbers;
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  const size_t name_end = line.rfind(')');  // The second field is the program's name and may hold blanks.
  if (name_end == std::string::npos) return numbers;
  std::istringstream fields(line.substr(name_end + 2));
  std::string field;
  const double ticks_per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
  for (int number = 3; fields >> field; ++number) {  // Numbers as in proc(5).
    if (number == 14 || number == 15) numbers.cpu_seconds += std::stod(field) / ticks_per_second;
    if (number == 20) numbers.threads = std::stod(field);
    if (number == 22) numbers.start_seconds = BootSeconds() + std::stod(field) / ticks_per_second;
    if (number == 24) numbers.resident_bytes = std::stod(field) * static_cast<double>(sysconf(_SC_PAGESIZE));
  }
  return numbers;
}

double OpenFiles() {
  std::error_code error;
  double count = 0;
  for (std::filesystem::directory_iterator at("/proc/self/fd", error), end; !error && at != end; at.increment(error))
    ++count;
  return count;
}

}  // namespace

MetricsRegistry::CollectorHandle AddProcessMetrics(MetricsRegistry& registry) {
  return registry.AddCollector([](MetricsSink& sink) {
    const ProcessNumbers numbers = ReadProcess();
    sink.Counter("process_cpu_seconds_total", "User and system CPU time.", {}, numbers.cpu_seconds);
    sink.Gauge("process_resident_memory_bytes", "Resident memory.", {}, numbers.resident_bytes);
    sink.Gauge("process_threads", "Threads of the process.", {}, numbers.threads);
    sink.Gauge("process_start_time_seconds", "Start of the process, seconds since the epoch.", {},
               numbers.start_seconds);
    sink.Gauge("process_open_fds", "Open file descriptors.", {}, OpenFiles());
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
      sink.Gauge("process_max_fds", "Most file descriptors that may be open.", {}, static_cast<double>(limit.rlim_cur));
    }
  });
}

}  // namespace tailrace::base
