// Goal: what was counted is shown, in the text form Prometheus reads. Method: exact lines of the exposition.
#include "tailrace/base/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tailrace/base/version.h"

namespace tailrace::base {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Metrics, CountersAndGauges) {
  MetricsRegistry metrics;
  const auto counter = metrics.GetCounter("tailrace_records_processed_total", "Records processed.", {{"task", "0_3"}});
  EXPECT_THAT(metrics.Expose(), HasSubstr("tailrace_records_processed_total{task=\"0_3\"} 0\n"))
      << "a series begins at zero";
  counter->Add(41);
  counter->Increment();
  metrics.GetGauge("tailrace_state", "State.")->Set(2.5);
  const std::string page = metrics.Expose();
  EXPECT_THAT(page, HasSubstr("# HELP tailrace_records_processed_total Records processed.\n# TYPE "
                              "tailrace_records_processed_total counter\n"
                              "tailrace_records_processed_total{task=\"0_3\"} 42\n"));
  EXPECT_THAT(page, HasSubstr("# TYPE tailrace_state gauge\ntailrace_state 2.5\n"));
  EXPECT_EQ(metrics.GetCounter("tailrace_records_processed_total", "", {{"task", "0_3"}}), counter);
}

TEST(Metrics, HistogramBucketsAreCumulativeAndIncludeTheirBound) {
  MetricsRegistry metrics;
  const auto latency = metrics.GetHistogram("tailrace_commit_latency_seconds", "Commits.", {}, {0.1, 1});
  for (const double value : {0.05, 0.1, 0.5, 3.0}) latency->Observe(value);
  EXPECT_THAT(metrics.Expose(),
              HasSubstr("tailrace_commit_latency_seconds_count 4\ntailrace_commit_latency_seconds_sum 3.65\n"
                        "tailrace_commit_latency_seconds_bucket{le=\"0.1\"} 2\n"
                        "tailrace_commit_latency_seconds_bucket{le=\"1\"} 3\n"
                        "tailrace_commit_latency_seconds_bucket{le=\"+Inf\"} 4\n"));
}

TEST(Metrics, CollectorsAreReadWhileTheyLive) {
  MetricsRegistry metrics;
  double lag = 7;
  auto handle = metrics.AddCollector([&](MetricsSink& sink) {
    sink.Gauge("tailrace_consumer_lag_records", "Lag.", {{"topic", "a\"b"}}, lag);
  });
  EXPECT_THAT(metrics.Expose(), HasSubstr("tailrace_consumer_lag_records{topic=\"a\\\"b\"} 7\n"));
  lag = 8;
  auto moved = std::move(handle);
  EXPECT_THAT(metrics.Expose(), HasSubstr("} 8\n"));
  moved.Reset();
  EXPECT_THAT(metrics.Expose(), Not(HasSubstr("consumer_lag")));
}

TEST(Metrics, ASeriesCanBeRemovedWhileItsHandleIsHeld) {
  MetricsRegistry metrics;
  const auto first = metrics.GetCounter("tailrace_commits_total", "Commits.", {{"task", "0_1"}, {"result", "ok"}});
  const auto second = metrics.GetCounter("tailrace_commits_total", "Commits.", {{"task", "0_2"}, {"result", "ok"}});
  metrics.Remove({{"task", "0_1"}});
  first->Increment();
  EXPECT_THAT(metrics.Expose(), Not(HasSubstr("0_1")));
  EXPECT_THAT(metrics.Expose(), HasSubstr("0_2"));
}

TEST(Metrics, AHandleMayOutliveTheRegistry) {
  auto metrics = std::make_unique<MetricsRegistry>();
  const auto counter = metrics->GetCounter("tailrace_commits_total", "Commits.");
  auto collector = metrics->AddCollector([](MetricsSink&) {});
  metrics.reset();
  counter->Increment();
  EXPECT_EQ(counter->Value(), 1);
}

TEST(Metrics, NoUpdateIsLostBetweenThreads) {
  MetricsRegistry metrics;
  const auto counter = metrics.GetCounter("tailrace_commits_total", "Commits.");
  const auto histogram = metrics.GetHistogram("tailrace_commit_latency_seconds", "Commits.");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 10'000; ++j) {
        counter->Increment();
        histogram->Observe(0.001);
      }
    });
  }
  for (int i = 0; i < 20; ++i) metrics.Expose();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter->Value(), 40'000);
  EXPECT_EQ(histogram->Read().count, 40'000u);
}

TEST(Metrics, ProcessAndBuild) {
  MetricsRegistry metrics;
  const auto process = AddProcessMetrics(metrics);
  AddBuildInfo(metrics, {{"librdkafka", "2.8.0"}});
  const std::string page = metrics.Expose();
  EXPECT_THAT(page,
              HasSubstr("tailrace_build_info{librdkafka=\"2.8.0\",version=\"" + std::string(Version()) + "\"} 1\n"));
  for (const char* name : {"process_cpu_seconds_total ", "process_resident_memory_bytes ", "process_open_fds ",
                           "process_max_fds ", "process_threads ", "process_start_time_seconds "}) {
    EXPECT_THAT(page, HasSubstr(std::string("\n") + name)) << name;
  }
  EXPECT_THAT(page, Not(HasSubstr("process_open_fds 0\n")));
}

TEST(MetricsDeathTest, NamesAreChecked) {
  MetricsRegistry metrics;
  EXPECT_DEATH(metrics.GetCounter("tailrace_commits", "x"), "end in _total");
  EXPECT_DEATH(metrics.GetGauge("lag", "x"), "begins with tailrace_");
}

}  // namespace
}  // namespace tailrace::base
