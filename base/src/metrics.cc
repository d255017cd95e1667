#include "tailrace/base/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <mutex>
#include <variant>

#include "absl/base/thread_annotations.h"
#include "tailrace/base/check.h"
#include "tailrace/base/version.h"

namespace tailrace::base {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

bool IsNameCharacter(char c, bool first) {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (!first && c >= '0' && c <= '9');
}

bool IsName(std::string_view name) {
  if (name.empty()) return false;
  for (size_t i = 0; i < name.size(); ++i) {
    if (!IsNameCharacter(name[i], i == 0)) return false;
  }
  return true;
}

void CheckName(std::string_view name, MetricType type, const MetricLabels& labels) {
  TAILRACE_CHECK(IsName(name) && (name.starts_with("tailrace_") || name.starts_with("process_")),
                 "a metric's name begins with tailrace_: " + std::string(name));
  TAILRACE_CHECK(name.ends_with("_total") == (type == MetricType::Counter),
                 "counters, and only counters, end in _total: " + std::string(name));
  for (const auto& [label, value] : labels) TAILRACE_CHECK(IsName(label), "not a label name: " + label);
}

ClientMetric WithLabels(const MetricLabels& labels) {
  ClientMetric metric;
  for (const auto& [name, value] : labels) metric.label.push_back({name, value});
  return metric;
}

ClientMetric Show(const MetricLabels& labels, const Counter& counter) {
  ClientMetric metric = WithLabels(labels);
  metric.counter.value = counter.Value();
  return metric;
}

ClientMetric Show(const MetricLabels& labels, const Gauge& gauge) {
  ClientMetric metric = WithLabels(labels);
  metric.gauge.value = gauge.Value();
  return metric;
}

ClientMetric Show(const MetricLabels& labels, const Histogram& histogram) {
  const Histogram::Snapshot snapshot = histogram.Read();
  ClientMetric metric = WithLabels(labels);
  metric.histogram.sample_count = snapshot.count;
  metric.histogram.sample_sum = snapshot.sum;
  uint64_t cumulative = 0;
  for (size_t i = 0; i < snapshot.counts.size(); ++i) {
    cumulative += snapshot.counts[i];
    const double bound = i < snapshot.bounds.size() ? snapshot.bounds[i] : std::numeric_limits<double>::infinity();
    metric.histogram.bucket.push_back({cumulative, bound});
  }
  return metric;
}

// Families by name, in the order of their names, so that two readings are easy to compare.
class Page final : public MetricsSink {
 public:
  void Counter(std::string_view name, std::string_view help, const MetricLabels& labels, double value) override {
    ClientMetric metric = WithLabels(labels);
    metric.counter.value = value;
    Add(name, help, MetricType::Counter, labels, std::move(metric));
  }
  void Gauge(std::string_view name, std::string_view help, const MetricLabels& labels, double value) override {
    ClientMetric metric = WithLabels(labels);
    metric.gauge.value = value;
    Add(name, help, MetricType::Gauge, labels, std::move(metric));
  }
  void Add(std::string_view name, std::string_view help, MetricType type, const MetricLabels& labels,
           ClientMetric metric) {
    CheckName(name, type, labels);
    MetricFamily& family = families_[std::string(name)];
    TAILRACE_CHECK(family.metric.empty() || family.type == type, "one metric, one type: " + std::string(name));
    family.name = name;
    family.help = help;
    family.type = type;
    family.metric.push_back(std::move(metric));
  }
  std::string ToText() && {
    std::vector<MetricFamily> families;
    for (auto& [name, family] : families_) families.push_back(std::move(family));
    return prometheus::TextSerializer().Serialize(families);
  }

 private:
  std::map<std::string, MetricFamily> families_;
};

using Series = std::variant<std::shared_ptr<Counter>, std::shared_ptr<Gauge>, std::shared_ptr<Histogram>>;

struct Family {
  std::string help;
  MetricType type;
  std::map<MetricLabels, Series> series;
};

}  // namespace

Histogram::Histogram(std::vector<double> bounds) : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {
  TAILRACE_CHECK(std::is_sorted(bounds_.begin(), bounds_.end()), "histogram bounds ascend");
}

void Histogram::Observe(double value) {
  const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  counts_[static_cast<size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

Histogram::Snapshot Histogram::Read() const {
  Snapshot snapshot{.bounds = bounds_, .counts = {}, .count = 0, .sum = sum_.load(std::memory_order_relaxed)};
  for (const std::atomic<uint64_t>& count : counts_) {
    snapshot.counts.push_back(count.load(std::memory_order_relaxed));
    snapshot.count += snapshot.counts.back();
  }
  return snapshot;
}

std::vector<double> Histogram::DurationBounds() {
  std::vector<double> bounds;
  for (double bound = 0.00025; bound < 20; bound *= 2) bounds.push_back(bound);
  return bounds;
}

struct MetricsRegistry::CollectorHandle::State {
  std::mutex mutex;  // held while the collector runs
  Collector collector ABSL_GUARDED_BY(mutex);
};

MetricsRegistry::CollectorHandle& MetricsRegistry::CollectorHandle::operator=(CollectorHandle&& other) noexcept {
  if (this != &other) {
    Reset();
    state_ = std::move(other.state_);
  }
  return *this;
}

void MetricsRegistry::CollectorHandle::Reset() {
  if (state_ == nullptr) return;
  {
    const std::lock_guard lock(state_->mutex);
    state_->collector = nullptr;
  }
  state_.reset();
}

struct MetricsRegistry::Impl {
  mutable std::mutex mutex;
  std::map<std::string, Family, std::less<>> families ABSL_GUARDED_BY(mutex);
  std::vector<std::weak_ptr<CollectorHandle::State>> collectors ABSL_GUARDED_BY(mutex);

  // `make` makes the series when it is new.
  template <class T, class Make>
  std::shared_ptr<T> Get(std::string_view name, std::string_view help, MetricType type, const MetricLabels& labels,
                         Make make) {
    CheckName(name, type, labels);
    const std::lock_guard lock(mutex);
    auto family = families.find(name);
    if (family == families.end())
      family = families.emplace(std::string(name), Family{std::string(help), type, {}}).first;
    TAILRACE_CHECK(family->second.type == type, "one metric, one type: " + std::string(name));
    auto series = family->second.series.find(labels);
    if (series == family->second.series.end()) series = family->second.series.emplace(labels, make()).first;
    return std::get<std::shared_ptr<T>>(series->second);
  }
};

MetricsRegistry::MetricsRegistry() : impl_(std::make_unique<Impl>()) {}
MetricsRegistry::~MetricsRegistry() = default;

std::shared_ptr<Counter> MetricsRegistry::GetCounter(std::string_view name, std::string_view help,
                                                     const MetricLabels& labels) {
  return impl_->Get<Counter>(name, help, MetricType::Counter, labels, [] { return std::make_shared<Counter>(); });
}

std::shared_ptr<Gauge> MetricsRegistry::GetGauge(std::string_view name, std::string_view help,
                                                 const MetricLabels& labels) {
  return impl_->Get<Gauge>(name, help, MetricType::Gauge, labels, [] { return std::make_shared<Gauge>(); });
}

std::shared_ptr<Histogram> MetricsRegistry::GetHistogram(std::string_view name, std::string_view help,
                                                         const MetricLabels& labels, std::vector<double> bounds) {
  return impl_->Get<Histogram>(name, help, MetricType::Histogram, labels,
                               [&] { return std::make_shared<Histogram>(std::move(bounds)); });
}

void MetricsRegistry::Remove(const MetricLabels& labels) {
  TAILRACE_CHECK(!labels.empty(), "removing by no label would remove everything");
  const std::lock_guard lock(impl_->mutex);
  for (auto& [name, family] : impl_->families) {
    std::erase_if(family.series, [&](const auto& series) {
      return std::includes(series.first.begin(), series.first.end(), labels.begin(), labels.end());
    });
  }
}

MetricsRegistry::CollectorHandle MetricsRegistry::AddCollector(Collector collector) {
  CollectorHandle handle;
  handle.state_ = std::make_shared<CollectorHandle::State>();
  handle.state_->collector = std::move(collector);
  const std::lock_guard lock(impl_->mutex);
  std::erase_if(impl_->collectors, [](const auto& state) { return state.expired(); });
  impl_->collectors.push_back(handle.state_);
  return handle;
}

std::string MetricsRegistry::Expose() const {
  Page page;
  std::vector<std::shared_ptr<CollectorHandle::State>> collectors;
  {
    const std::lock_guard lock(impl_->mutex);
    for (const auto& [name, family] : impl_->families) {
      for (const auto& [labels, series] : family.series) {
        std::visit([&](const auto& metric) { page.Add(name, family.help, family.type, labels, Show(labels, *metric)); },
                   series);
      }
    }
    for (const auto& state : impl_->collectors) {
      if (auto alive = state.lock()) collectors.push_back(std::move(alive));
    }
  }
  for (const auto& state : collectors) {
    const std::lock_guard lock(state->mutex);
    if (state->collector) state->collector(page);
  }
  return std::move(page).ToText();
}

void AddBuildInfo(MetricsRegistry& registry, const MetricLabels& more) {
  MetricLabels labels = more;
  labels.emplace("version", Version());
  registry
      .GetGauge("tailrace_build_info", "The version of this program and of the libraries it uses; always 1.", labels)
      ->Set(1);
}

}  // namespace tailrace::base
