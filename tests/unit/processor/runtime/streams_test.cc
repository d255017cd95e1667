// Goal: a topology run by Streams gives exact results through starts, stops, crashes and errors, and shows itself truly.
// Method: whole Streams on the in-memory and the embedded log; producers that fail on demand; failpoints that end a run
// between two commit steps.
#include "runtime/stream_thread.h"
#include "support.h"

namespace tailrace::processor {
namespace {

using testing::CountTopology;
using testing::CreateTopics;
using testing::Eventually;
using testing::ExpectOutput;
using testing::Fault;
using testing::Produce;
using testing::ReadOutput;
using testing::RepartitionTopology;
using testing::TestConfig;
using base::Reaction;

class StreamsTest : public ::testing::TestWithParam<bool> {
 protected:
  void TearDown() override { failpoint::SetHandler(nullptr); }
  bool exactly_once() const { return GetParam(); }

  std::unique_ptr<Streams> Run(kafka::Cluster& cluster, Topology topology) {
    return Run(cluster, std::move(topology), TestConfig(state_.path(), exactly_once()));
  }
  std::unique_ptr<Streams> Run(kafka::Cluster& cluster, Topology topology, const base::Config& config) {
    auto streams = std::make_unique<Streams>(std::move(topology), config, cluster, metrics_);
    const absl::Status status = streams->Start();
    EXPECT_TRUE(status.ok()) << status;
    return streams;
  }

  testing::TemporaryDirectory state_;
  base::MetricsRegistry metrics_;
  std::map<std::string, int64_t> expected_;
};

INSTANTIATE_TEST_SUITE_P(Guarantees, StreamsTest, ::testing::Bool(),
                         [](const auto& parameter) { return parameter.param ? "ExactlyOnce" : "AtLeastOnce"; });

TEST_P(StreamsTest, Counts) {
  auto cluster = testing::InMemory();
  CreateTopics(*cluster);
  Produce(*cluster, 10'000, 50, expected_);
  auto streams = Run(*cluster, CountTopology());
  ASSERT_TRUE(streams->WaitFor(StreamsState::kRunning, 10'000)) << streams->status();
  ExpectOutput(*cluster, expected_);
  Produce(*cluster, 1'000, 50, expected_);
  ExpectOutput(*cluster, expected_);
  EXPECT_TRUE(ReadOutput(*cluster).only_grew);
  ASSERT_TRUE(streams->Close(10'000).ok());
  EXPECT_EQ(streams->state(), StreamsState::kNotRunning);
}

TEST_P(StreamsTest, CountsThroughARepartitionTopicOnTwoThreads) {
  auto cluster = testing::InMemory();
  CreateTopics(*cluster, 5);
  Produce(*cluster, 10'000, 50, expected_);
  auto streams = Run(*cluster, RepartitionTopology(),
                     TestConfig(state_.path(), exactly_once()).With("num.stream.threads", "2").With("repartition.purge.interval.ms", "50"));
  ASSERT_TRUE(streams->WaitFor(StreamsState::kRunning, 10'000)) << streams->status();
  ExpectOutput(*cluster, expected_, 5);
  EXPECT_EQ(streams->queryable().Tasks().size(), 10u);
  // Processed records leave the repartition topic.
  EXPECT_TRUE(Eventually([&] {
    const auto range = cluster->admin().Offsets({"app-by-word-repartition", base::Partition(0)}, 1'000);
    return range.ok() && range->begin.value() > 0;
  }));
  ASSERT_TRUE(streams->Close(10'000).ok());
}

TEST_P(StreamsTest, GoesOnAfterCloseAndReopen) {
  testing::TemporaryDirectory log;
  for (int round = 0; round < 3; ++round) {
    auto cluster = testing::Embedded(log.path());
    if (round == 0) CreateTopics(*cluster);
    auto streams = Run(*cluster, CountTopology());
    Produce(*cluster, 2'000, 70, expected_);
    ASSERT_TRUE(streams->WaitFor(StreamsState::kRunning, 10'000)) << streams->status();
    ExpectOutput(*cluster, expected_);
    // Nothing was replayed: what was committed was also stored.
    for (const TaskInfo& task : streams->queryable().Tasks()) EXPECT_EQ(task.restore_total, 0) << task.id.ToString();
    ASSERT_TRUE(streams->Close(10'000).ok());
  }
}

TEST_P(StreamsTest, RebuildsALostStateDirectoryFromTheChangelog) {
  auto cluster = testing::InMemory();
  CreateTopics(*cluster);
  for (int round = 0; round < 2; ++round) {
    Produce(*cluster, 2'000, 70, expected_);
    testing::TemporaryDirectory fresh;
    auto streams = Run(*cluster, CountTopology(), TestConfig(fresh.path(), exactly_once()));
    ExpectOutput(*cluster, expected_);
    int64_t restored = 0;
    for (const TaskInfo& task : streams->queryable().Tasks()) restored += task.restore_total;
    EXPECT_EQ(restored > 0, round > 0);
    ASSERT_TRUE(streams->Close(10'000).ok());
  }
}

// Ends the run at each failpoint once, in turn, and starts again on the same disk.
TEST_P(StreamsTest, ACrashAtAnyCommitStepLosesNothing) {
  auto cluster = testing::InMemory();
  CreateTopics(*cluster);
  for (const char* const point : {"commit.prepare", "commit.flushed", "commit.offsets_sent", "commit.committed", "commit.stored"}) {
    SCOPED_TRACE(point);
    Produce(*cluster, 1'000, 40, expected_);
    std::atomic<int> hits{0};
    failpoint::SetHandler([&](std::string_view name) {
      if (name != point || hits.fetch_add(1) != 0) return absl::OkStatus();
      return base::Error(Reaction::kFatal, absl::StatusCode::kInternal, "crashed here");
    });
    auto streams = Run(*cluster, CountTopology());
    ASSERT_TRUE(streams->WaitFor(StreamsState::kError, 10'000));
    EXPECT_NE(streams->status().message().find("crashed here"), absl::string_view::npos) << streams->status();
    EXPECT_GT(hits.load(), 0);
    streams.reset();
    failpoint::SetHandler(nullptr);

    streams = Run(*cluster, CountTopology());
    if (exactly_once()) {
      ExpectOutput(*cluster, expected_);
      EXPECT_TRUE(ReadOutput(*cluster).only_grew);
    } else {
      // At-least-once may count again what was logged before the crash, but never less.
      EXPECT_TRUE(Eventually([&] {
        const auto output = ReadOutput(*cluster);
        for (const auto& [key, count] : expected_)
          if (!output.last.contains(key) || output.last.at(key) < count) return false;
        return true;
      }));
      expected_ = ReadOutput(*cluster).last;
    }
    ASSERT_TRUE(streams->Close(10'000).ok());
    expected_ = ReadOutput(*cluster).last;
  }
}

struct ReactionCase {
  const char* name;
  Fault fault;
  int producers;  // how many a stream thread has made in the end
};

class ReactionTest : public ::testing::TestWithParam<ReactionCase> {};

absl::Status Injected(Reaction reaction) { return base::Error(reaction, absl::StatusCode::kAborted, "injected"); }

INSTANTIATE_TEST_SUITE_P(
    Errors, ReactionTest,
    ::testing::Values(ReactionCase{"SendAborts", {"send", Injected(Reaction::kAbortTransaction)}, 1},
                      ReactionCase{"SendRecreates", {"send", Injected(Reaction::kRecreateProducer)}, 2},
                      ReactionCase{"SendRetries", {"send", Injected(Reaction::kRetry)}, 1},
                      ReactionCase{"SendOffsetsAborts", {"send_offsets", Injected(Reaction::kAbortTransaction)}, 1},
                      ReactionCase{"SendOffsetsRetries", {"send_offsets", Injected(Reaction::kRetry)}, 1},
                      ReactionCase{"SendOffsetsFenced", {"send_offsets", Injected(Reaction::kTaskMigrated)}, 2},
                      ReactionCase{"CommitAborts", {"commit", Injected(Reaction::kAbortTransaction)}, 1},
                      ReactionCase{"CommitRetries", {"commit", Injected(Reaction::kRetry)}, 1},
                      ReactionCase{"CommitFenced", {"commit", Injected(Reaction::kTaskMigrated)}, 2},
                      ReactionCase{"CommitUnknownAndNotDone", {"commit", Injected(Reaction::kRecreateProducer)}, 2},
                      ReactionCase{"CommitUnknownButDone", {"commit", Injected(Reaction::kRecreateProducer), true}, 2}),
    [](const auto& parameter) { return parameter.param.name; });

// After each error the thread goes on, and every record counts once.
TEST_P(ReactionTest, KeepsCountsExact) {
  testing::TemporaryDirectory state;
  base::MetricsRegistry metrics;
  std::map<std::string, int64_t> expected;
  auto cluster = testing::InMemory();
  CreateTopics(*cluster);
  Produce(*cluster, 3'000, 60, expected);
  Streams streams(CountTopology(), TestConfig(state.path(), true), *cluster, metrics);
  ASSERT_TRUE(streams.Start().ok());
  ExpectOutput(*cluster, expected);
  cluster->script.Add(GetParam().fault);
  Produce(*cluster, 3'000, 60, expected);
  ExpectOutput(*cluster, expected);
  Produce(*cluster, 500, 60, expected);
  ExpectOutput(*cluster, expected);
  EXPECT_TRUE(ReadOutput(*cluster).only_grew);
  EXPECT_EQ(cluster->script.fired, 1);
  EXPECT_EQ(cluster->stream_producers, GetParam().producers);
  EXPECT_TRUE(streams.WaitFor(StreamsState::kRunning, 10'000));
  ASSERT_TRUE(streams.Close(10'000).ok());
}

TEST(StreamsErrors, AnAbortThatFailsCostsTheProducer) {
  testing::TemporaryDirectory state;
  base::MetricsRegistry metrics;
  std::map<std::string, int64_t> expected;
  auto cluster = testing::InMemory();
  CreateTopics(*cluster);
  Streams streams(CountTopology(), TestConfig(state.path(), true), *cluster, metrics);
  ASSERT_TRUE(streams.Start().ok());
  cluster->script.Add({"send_offsets", Injected(Reaction::kAbortTransaction)});
  cluster->script.Add({"abort", Injected(Reaction::kRecreateProducer)});
  cluster->script.Add({"init", Injected(Reaction::kRetry)}, 1);
  Produce(*cluster, 3'000, 60, expected);
  ExpectOutput(*cluster, expected);
  EXPECT_EQ(cluster->stream_producers, 2);
  ASSERT_TRUE(streams.Close(10'000).ok());
}

TEST(StreamsErrors, AFatalErrorStopsWithItsMessage) {
  testing::TemporaryDirectory state;
  base::MetricsRegistry metrics;
  std::map<std::string, int64_t> expected;
  auto cluster = testing::InMemory();
  CreateTopics(*cluster);
  Streams streams(CountTopology(), TestConfig(state.path(), true), *cluster, metrics);
  ASSERT_TRUE(streams.Start().ok());
  cluster->script.Add({"commit", Injected(Reaction::kFatal)});
  Produce(*cluster, 10, 5, expected);
  EXPECT_TRUE(streams.WaitFor(StreamsState::kError, 10'000));
  EXPECT_NE(streams.status().message().find("injected"), absl::string_view::npos);
  EXPECT_TRUE(streams.Close(10'000).ok());
  EXPECT_EQ(streams.state(), StreamsState::kError);
}

TEST(StreamsErrors, AtLeastOnceSurvivesALostFlush) {
  testing::TemporaryDirectory state;
  base::MetricsRegistry metrics;
  std::map<std::string, int64_t> expected;
  auto cluster = testing::InMemory();
  CreateTopics(*cluster);
  Streams streams(CountTopology(), TestConfig(state.path(), false), *cluster, metrics);
  ASSERT_TRUE(streams.Start().ok());
  Produce(*cluster, 3'000, 60, expected);
  ExpectOutput(*cluster, expected);
  cluster->script.Add({"flush", Injected(Reaction::kRecreateProducer)});
  Produce(*cluster, 3'000, 60, expected);
  ExpectOutput(*cluster, expected);
  EXPECT_EQ(cluster->stream_producers, 2);
  ASSERT_TRUE(streams.Close(10'000).ok());
}

TEST(StreamsErrors, AProgramsOwnHandlerDecidesAndItsListenerHearsEveryState) {
  testing::TemporaryDirectory state;
  base::MetricsRegistry metrics;
  auto cluster = testing::InMemory();
  CreateTopics(*cluster);
  StreamsBuilder builder;
  builder.Stream<std::string, std::string>(testing::words_topic)
      .MapValues([](const std::string& word) {
        if (word == "key-1") throw std::runtime_error("not this one");
        return word;
      })
      .GroupByKey()
      .Count(Materialized("counts-store"))
      .ToStream()
      .To(testing::counts_topic);
  Streams streams(*builder.Build(), TestConfig(state.path(), false), *cluster, metrics);
  std::atomic<int> asked{0};
  streams.SetErrorHandlers({.deserialization = nullptr,
                            .processing = [&](const ErrorContext&, const absl::Status&) {
                              ++asked;
                              return ErrorResponse::kContinue;
                            },
                            .production = nullptr});
  std::mutex mu;
  std::vector<StreamsState> heard;
  streams.SetStateListener([&](StreamsState now, StreamsState) {
    const std::lock_guard lock(mu);
    heard.push_back(now);
  });
  ASSERT_TRUE(streams.Start().ok());
  ASSERT_TRUE(streams.WaitFor(StreamsState::kRunning, 10'000));
  std::map<std::string, int64_t> expected;
  Produce(*cluster, 300, 3, expected);
  expected.erase("key-1");
  ExpectOutput(*cluster, expected);
  EXPECT_EQ(asked, 100);
  ASSERT_TRUE(streams.Close(10'000).ok());
  const std::lock_guard lock(mu);
  EXPECT_EQ(heard, (std::vector{StreamsState::kRebalancing, StreamsState::kRunning, StreamsState::kPendingShutdown,
                                StreamsState::kNotRunning}));
}

// As a worker that was frozen until its tasks had another owner: nothing fences what its producer writes.
TEST(StreamsErrors, AtLeastOnceAWorkerThatWasAwayForASessionWritesNothingBeforeTheGroupTakesItsCommit) {
  testing::TemporaryDirectory state;
  base::MetricsRegistry metrics;
  std::map<std::string, int64_t> expected;
  auto cluster = testing::InMemory();
  CreateTopics(*cluster);
  Produce(*cluster, 3'000, 60, expected);
  const base::Config config =
      TestConfig(state.path(), false).With("session.timeout.ms", "200").With("heartbeat.interval.ms", "50");
  Streams streams(CountTopology(), config, *cluster, metrics);
  ASSERT_TRUE(streams.Start().ok());
  ExpectOutput(*cluster, expected);
  std::this_thread::sleep_for(std::chrono::milliseconds(400));  // long after its last commit
  cluster->script.Add({"commit_offsets", Injected(Reaction::kTaskMigrated)});
  Produce(*cluster, 3'000, 60, expected);
  ExpectOutput(*cluster, expected);
  ASSERT_TRUE(Eventually([&] { return cluster->script.fired == 1; }));
  Produce(*cluster, 500, 60, expected);
  ExpectOutput(*cluster, expected);
  EXPECT_TRUE(ReadOutput(*cluster).only_grew) << "it wrote before it was refused, and again afterwards";
}

TEST(StreamsErrors, ASecondProcessOnTheSameDirectoryIsRefused) {
  testing::TemporaryDirectory state;
  base::MetricsRegistry metrics;
  auto cluster = testing::InMemory();
  CreateTopics(*cluster);
  Streams first(CountTopology(), TestConfig(state.path(), false), *cluster, metrics);
  ASSERT_TRUE(first.Start().ok());
  Streams second(CountTopology(), TestConfig(state.path(), false), *cluster, metrics);
  const absl::Status status = second.Start();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(status.message().find("in use by another process"), absl::string_view::npos) << status;
}

TEST(StreamsErrors, AStoreAheadOfItsChangelogIsRefused) {
  testing::TemporaryDirectory state;
  base::MetricsRegistry metrics;
  std::map<std::string, int64_t> expected;
  {
    auto cluster = testing::InMemory();
    CreateTopics(*cluster);
    Produce(*cluster, 500, 20, expected);
    Streams streams(CountTopology(), TestConfig(state.path(), true), *cluster, metrics);
    ASSERT_TRUE(streams.Start().ok());
    ExpectOutput(*cluster, expected);
    ASSERT_TRUE(streams.Close(10'000).ok());
  }
  auto other = testing::InMemory();
  CreateTopics(*other);
  Streams streams(CountTopology(), TestConfig(state.path(), true), *other, metrics);
  ASSERT_TRUE(streams.Start().ok());
  EXPECT_TRUE(streams.WaitFor(StreamsState::kError, 10'000));
  EXPECT_NE(streams.status().message().find("tailrace reset"), absl::string_view::npos) << streams.status();
  EXPECT_EQ(base::ReactionOf(streams.status()), Reaction::kTaskCorrupted);
}

TEST(StreamsQueries, ShowsStoresViewsTasksRoutingAndUpdates) {
  testing::TemporaryDirectory state;
  base::MetricsRegistry metrics;
  std::map<std::string, int64_t> expected;
  auto cluster = testing::InMemory();
  CreateTopics(*cluster);
  std::mutex mu;
  std::map<std::string, int64_t> updates;  // outlives the streams that call the sink
  Streams streams(CountTopology(), TestConfig(state.path(), true).With("application.server", "here:1"), *cluster, metrics);
  ASSERT_TRUE(streams.Start().ok());
  Queryable& query = streams.queryable();
  ASSERT_TRUE(streams.WaitFor(StreamsState::kRunning, 10'000));
  EXPECT_TRUE(query.ready());
  EXPECT_EQ(query.application_id(), "app");
  ASSERT_EQ(query.Stores().size(), 1u);
  EXPECT_EQ(query.Stores()[0].partition_count, 4);
  EXPECT_EQ(query.Store("none").status().code(), absl::StatusCode::kNotFound);
  EXPECT_NE(query.Store("none").status().message().find("counts-store"), absl::string_view::npos);

  auto subscription = query.Subscribe("counts-store", [&](const StoreUpdate& update) {
    std::lock_guard lock(mu);
    updates[update.key] = base::LoadBigEndian<int64_t>(update.value->data());
    return true;
  });
  ASSERT_TRUE(subscription.ok());
  Produce(*cluster, 1'000, 30, expected);
  ExpectOutput(*cluster, expected);
  EXPECT_TRUE(Eventually([&] {
    std::lock_guard lock(mu);
    return updates == expected;
  }));

  std::map<std::string, int64_t> stored;
  EXPECT_TRUE(Eventually([&] {
    stored.clear();
    const auto views = query.Views("counts-store");
    if (!views.ok()) return false;
    for (const StoreView& view : *views)
      EXPECT_TRUE(view.view->Range("counts-store", {}, {}, {}, [&](const state::Row& row) {
        stored[std::string(row.key)] = base::LoadBigEndian<int64_t>(row.value.data());
        return true;
      }).ok());
    return stored == expected;
  })) << ::testing::PrintToString(stored);

  int64_t next = 0;
  EXPECT_TRUE(Eventually([&] {
    next = 0;
    int64_t end = 0;
    for (const TaskInfo& task : query.Tasks())
      for (const InputProgress& input : task.inputs) {
        next += std::max<int64_t>(input.next_offset.value(), 0);
        end += input.end_offset.value();
      }
    return next == 1'000 && end == 1'000;
  })) << next;
  const RoutingTable routing = query.Routing();
  ASSERT_EQ(routing.workers.size(), 1u);
  EXPECT_EQ(routing.workers[0].endpoint, "here:1");
  EXPECT_EQ(routing.workers[0].active.size(), 4u);
  const std::string page = metrics.Expose();
  for (const char* const line : {"tailrace_state{application=\"app\",state=\"RUNNING\"} 1",
                                 "tailrace_thread_state{application=\"app\",state=\"RUNNING\",thread=\"0\"} 1",
                                 "tailrace_thread_state{application=\"app\",state=\"DEAD\",thread=\"0\"} 0",
                                 "tailrace_assigned_tasks{application=\"app\",role=\"active\"} 4",
                                 "tailrace_records_consumed_total{application=\"app\",topic=\"words\"} 1000"})
    EXPECT_NE(page.find(line), std::string::npos) << line << "\n" << page;
  for (const char* const zero : {"tailrace_records_emitted_total 0\n", "tailrace_process_latency_seconds_count 0\n",
                                 "tailrace_e2e_latency_seconds_count 0\n"})
    EXPECT_EQ(page.find(zero), std::string::npos) << page;
  subscription->reset();
  ASSERT_TRUE(streams.Close(10'000).ok());
}

}  // namespace
}  // namespace tailrace::processor
