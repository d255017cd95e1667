// Counters, gauges and histograms, and their text form for Prometheus.
//
// A handle is obtained once (that takes a lock) and updated with relaxed atomics on the hot path. Values that some
// other structure already holds are read when the metrics are asked for, by a collector.
//
//   base::MetricsRegistry metrics;
//   auto processed = metrics.GetCounter("tailrace_records_processed_total", "Records processed.", {{"task", "0_3"}});
//   processed->Add(batch.size());
//   auto lag = metrics.AddCollector([&](base::MetricsSink& sink) {
//     sink.Gauge("tailrace_consumer_lag_records", "Records behind the end of the log.", {{"topic", t}}, Lag());
//   });
//   std::string page = metrics.Expose();
//
// Names: tailrace_<what>_<base unit>, counters end in _total, no key or record content in a label.
// Thread-safe. Handles keep their series' memory alive, so they may outlive the registry.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tailrace::base {

using MetricLabels = std::map<std::string, std::string>;

class Counter {
 public:
  // REQUIRES: amount >= 0.
  void Add(double amount) { value_.fetch_add(amount, std::memory_order_relaxed); }
  void Increment() { Add(1); }
  double Value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

class Gauge {
 public:
  void Set(double value) { value_.store(value, std::memory_order_relaxed); }
  void Add(double amount) { value_.fetch_add(amount, std::memory_order_relaxed); }
  double Value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

class Histogram {
 public:
  // Upper bounds of the buckets, ascending; one more bucket, without bound, is added.
  explicit Histogram(std::vector<double> bounds);

  void Observe(double value);

  struct Snapshot {
    std::vector<double> bounds;
    std::vector<uint64_t> counts;  // one more than bounds; not cumulative
    uint64_t count = 0;
    double sum = 0;
  };
  Snapshot Read() const;

  // 0.25 ms to 16 s, each bound twice the one before: for durations in seconds.
  static std::vector<double> DurationBounds();

 private:
  const std::vector<double> bounds_;
  std::vector<std::atomic<uint64_t>> counts_;
  std::atomic<double> sum_{0};
};

// What a collector writes to. Values are shown once, for this reading.
class MetricsSink {
 public:
  virtual ~MetricsSink() = default;
  virtual void Counter(std::string_view name, std::string_view help, const MetricLabels& labels, double value) = 0;
  virtual void Gauge(std::string_view name, std::string_view help, const MetricLabels& labels, double value) = 0;
};

class MetricsRegistry {
 public:
  using Collector = std::function<void(MetricsSink&)>;

  // Removes its collector when destroyed, and waits for a running reading; after that the collector is never called.
  // Must not be destroyed by the collector itself.
  class CollectorHandle {
   public:
    CollectorHandle() = default;
    CollectorHandle(CollectorHandle&& other) noexcept = default;
    CollectorHandle& operator=(CollectorHandle&& other) noexcept;
    ~CollectorHandle() { Reset(); }
    void Reset();

   private:
    friend class MetricsRegistry;
    struct State;
    // Shared with the registry, so that either may be destroyed first.
    std::shared_ptr<State> state_;
  };

  MetricsRegistry();
  ~MetricsRegistry();
  MetricsRegistry(const MetricsRegistry&) = delete;
  MetricsRegistry& operator=(const MetricsRegistry&) = delete;

  // The series of this name and these labels, made at zero the first time; the same handle for the same series.
  // Shared ownership: the registry reads a series that its owner updates, and either may go first.
  // REQUIRES: a valid name, used for one type only.
  std::shared_ptr<Counter> GetCounter(std::string_view name, std::string_view help, const MetricLabels& labels = {});
  std::shared_ptr<Gauge> GetGauge(std::string_view name, std::string_view help, const MetricLabels& labels = {});
  std::shared_ptr<Histogram> GetHistogram(std::string_view name, std::string_view help, const MetricLabels& labels = {},
                                          std::vector<double> bounds = Histogram::DurationBounds());

  // Stops showing every series that carries all of `labels` ({{"task", "0_3"}} when the task moves away).
  // REQUIRES: labels are not empty.
  void Remove(const MetricLabels& labels);

  // Calls `collector` at each reading. It must not call the registry.
  [[nodiscard]] CollectorHandle AddCollector(Collector collector);

  // All metrics in Prometheus' text format (Content-Type: kExpositionContentType).
  std::string Expose() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

inline constexpr std::string_view kExpositionContentType = "text/plain; version=0.0.4; charset=utf-8";

// process_resident_memory_bytes, process_cpu_seconds_total, process_open_fds, process_max_fds, process_threads,
// process_start_time_seconds.
[[nodiscard]] MetricsRegistry::CollectorHandle AddProcessMetrics(MetricsRegistry& registry);

// tailrace_build_info{version, ...} 1; `more` adds labels such as the versions of libraries.
void AddBuildInfo(MetricsRegistry& registry, const MetricLabels& more = {});

}  // namespace tailrace::base
