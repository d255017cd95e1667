// Goal: workers of one application on a real broker share its tasks, hand them over, survive kill -9, and count exactly.
// Method: several Streams in this process, each with its own state directory; and worker processes, which are this program
// started again, killed at random moments. The expected counts come from what was produced.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "local_broker.h"
#include "support.h"
#include "tailrace/base/log.h"
#include "tailrace/base/random.h"
#include "tailrace/kafka/group_admin.h"

namespace tailrace::processor {
namespace {

using testing::CountTopology;
using testing::Eventually;
using testing::ExpectOutput;
using testing::Produce;
using testing::ReadOutput;
using testing_support::LocalBroker;

constexpr int kPartitions = 6;

base::Config WorkerConfig(const std::string& bootstrap_servers, const std::string& application, const std::string& instance,
                          const std::string& state_dir, bool exactly_once) {
  return base::Config()
      .With("bootstrap.servers", bootstrap_servers)
      .With("application.id", application)
      .With("application.server", instance + ":9090")
      .With("group.instance.id", instance)
      .With("state.dir", state_dir)
      .With("processing.guarantee", exactly_once ? "exactly_once_v2" : "at_least_once")
      .With("commit.interval.ms", "50")
      .With("session.timeout.ms", "3000")
      .With("heartbeat.interval.ms", "300")
      // Longer than a broker is away here. A single broker that was killed and then finds timed-out transactions rolls them
      // back before it knows the partitions' leaders, skips their markers ("likely deleted already"), and leaves them hanging.
      .With("transaction.timeout.ms", "60000");
}

class StreamsOnABroker : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    auto cluster = kafka::Connect(base::Config().With("bootstrap.servers", LocalBroker::Shared().bootstrap_servers()));
    ASSERT_TRUE(cluster.ok()) << cluster.status();
    cluster_ = *std::move(cluster);
    // Each case has an application and topics of its own.
    static int next = 0;
    application_ = "app-" + std::to_string(::getpid()) + "-" + std::to_string(++next);
    testing::words_topic = application_ + "-words";
    testing::counts_topic = application_ + "-counts";
    testing::CreateTopics(*cluster_, kPartitions);
  }
  bool exactly_once() const { return GetParam(); }

  struct Worker {
    testing::TemporaryDirectory state;
    std::unique_ptr<kafka::Cluster> cluster;
    base::MetricsRegistry metrics;
    std::unique_ptr<Streams> streams;
  };
  std::unique_ptr<Worker> Start(const std::string& instance) {
    auto worker = std::make_unique<Worker>();
    Restart(*worker, instance);
    return worker;
  }
  void Restart(Worker& worker, const std::string& instance) {
    const base::Config config = WorkerConfig(LocalBroker::Shared().bootstrap_servers(), application_, instance,
                                             worker.state.path(), exactly_once())
                                    .With("num.standby.replicas", standby_replicas_);
    auto cluster = kafka::Connect(config);
    ASSERT_TRUE(cluster.ok());
    worker.streams.reset();
    worker.cluster = *std::move(cluster);
    worker.streams = std::make_unique<Streams>(CountTopology(), config, *worker.cluster, worker.metrics);
    const absl::Status status = worker.streams->Start();
    ASSERT_TRUE(status.ok()) << status;
  }
  // Waits until everything that was produced is also committed: a worker that goes then leaves nothing to be counted again.
  void AwaitCommits() {
    EXPECT_TRUE(Eventually([&] {
      int64_t produced = 0, committed = 0;
      for (int p = 0; p < kPartitions; ++p) {
        const auto range = cluster_->admin().Offsets({testing::words_topic, base::Partition(p)}, 10'000);
        if (!range.ok()) return false;
        produced += range->end.value();
      }
      const auto offsets = kafka::GroupsOf(*cluster_).GroupOffsets(application_, 10'000);
      if (!offsets.ok()) return false;
      for (const kafka::CommittedOffset& one : *offsets)
        if (one.partition.topic == testing::words_topic) committed += one.offset.value();
      return committed == produced;
    }));
  }
  static size_t Running(Worker& worker) {
    size_t running = 0;
    for (const TaskInfo& task : worker.streams->queryable().Tasks()) running += task.phase == TaskPhase::kRunning;
    return running;
  }

  std::unique_ptr<kafka::Cluster> cluster_;
  std::string application_;
  std::string standby_replicas_ = "0";
  std::map<std::string, int64_t> expected_;
};

INSTANTIATE_TEST_SUITE_P(Guarantees, StreamsOnABroker, ::testing::Bool(),
                         [](const auto& parameter) { return parameter.param ? "ExactlyOnce" : "AtLeastOnce"; });

TEST_P(StreamsOnABroker, OneWorkerCounts) {
  Produce(*cluster_, 50'000, 500, expected_);
  auto one = Start("one");
  ASSERT_TRUE(one->streams->WaitFor(StreamsState::kRunning, 30'000)) << one->streams->status();
  ExpectOutput(*cluster_, expected_, kPartitions);
  Produce(*cluster_, 5'000, 500, expected_);
  ExpectOutput(*cluster_, expected_, kPartitions);
  ASSERT_TRUE(one->streams->Close(10'000).ok());
  // Again on the same disk: nothing is replayed, nothing is counted twice.
  Restart(*one, "one");
  ASSERT_TRUE(one->streams->WaitFor(StreamsState::kRunning, 30'000)) << one->streams->status();
  for (const TaskInfo& task : one->streams->queryable().Tasks()) EXPECT_LE(task.restore_total, exactly_once() ? 1 : 0);
  Produce(*cluster_, 5'000, 500, expected_);
  ExpectOutput(*cluster_, expected_, kPartitions);
  EXPECT_TRUE(ReadOutput(*cluster_, kPartitions).only_grew);
}

TEST_P(StreamsOnABroker, TasksMoveToAWorkerThatJoinsAndBackWhenItLeaves) {
  Produce(*cluster_, 20'000, 500, expected_);
  auto one = Start("one");
  ExpectOutput(*cluster_, expected_, kPartitions);
  EXPECT_EQ(Running(*one), 6u);
  auto two = Start("two");
  EXPECT_TRUE(Eventually([&] { return Running(*one) == 3 && Running(*two) == 3; }, 30'000)) << Running(*one) << " " << Running(*two);
  Produce(*cluster_, 20'000, 500, expected_);
  ExpectOutput(*cluster_, expected_, kPartitions);
  for (Worker* const worker : {one.get(), two.get()}) {
    EXPECT_TRUE(worker->streams->WaitFor(StreamsState::kRunning, 10'000));
    const RoutingTable routing = worker->streams->queryable().Routing();
    ASSERT_EQ(routing.workers.size(), 2u);
    EXPECT_EQ(routing.workers[0].active.size(), 3u);
    EXPECT_EQ(routing.workers[1].endpoint, "two:9090");
  }
  // The leader leaves: the other takes everything without waiting for the session to end.
  const auto start = std::chrono::steady_clock::now();
  ASSERT_TRUE(one->streams->Close(10'000, /*leave_group=*/true).ok());
  EXPECT_TRUE(Eventually([&] { return Running(*two) == 6; }, 30'000)) << Running(*two);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(2'500));
  Produce(*cluster_, 5'000, 500, expected_);
  ExpectOutput(*cluster_, expected_, kPartitions);
  EXPECT_TRUE(ReadOutput(*cluster_, kPartitions).only_grew);
}

// What the standbys of a worker show by key.
std::map<std::string, int64_t> StandbyCounts(Streams& streams) {
  std::map<std::string, int64_t> counts;
  const auto views = streams.queryable().Views("counts-store");
  if (!views.ok()) return counts;
  for (const StoreView& view : *views) {
    if (view.role != TaskRole::kStandby) continue;
    EXPECT_GE(view.staleness_ms, 0);
    const absl::Status status = view.view->Range("counts-store", {}, {}, {}, [&](const state::Row& row) {
      counts[std::string(row.key)] = base::LoadBigEndian<int64_t>(row.value.data());
      return true;
    });
    EXPECT_TRUE(status.ok()) << status;
  }
  return counts;
}

TEST_P(StreamsOnABroker, StandbysFollowAndTakeOverWhereTheyStand) {
  standby_replicas_ = "1";
  Produce(*cluster_, 20'000, 500, expected_);
  auto one = Start("one");
  auto two = Start("two");
  const auto standbys = [](Worker& worker) {
    size_t complete = 0;
    for (const TaskInfo& task : worker.streams->queryable().Tasks()) complete += task.role == TaskRole::kStandby && task.phase == TaskPhase::kRunning;
    return complete;
  };
  ASSERT_TRUE(Eventually([&] { return standbys(*one) == 3 && standbys(*two) == 3; }, 30'000)) << standbys(*one) << " " << standbys(*two);
  Produce(*cluster_, 20'000, 500, expected_);
  ExpectOutput(*cluster_, expected_, kPartitions);
  // Each has the copies of what the other counts, up to the last commit.
  std::map<std::string, int64_t> copies;
  EXPECT_TRUE(Eventually([&] {
    copies = StandbyCounts(*one->streams);
    copies.merge(StandbyCounts(*two->streams));
    return copies == expected_;
  }, 30'000));
  EXPECT_EQ(copies, expected_);
  const RoutingTable routing = two->streams->queryable().Routing();
  ASSERT_EQ(routing.workers.size(), 2u);
  for (const WorkerRoute& route : routing.workers) EXPECT_EQ(route.standby.size(), 3u);

  // One goes for good: the other's copies become its tasks, and read no more than their tails.
  ASSERT_TRUE(one->streams->Close(10'000, /*leave_group=*/true).ok());
  EXPECT_TRUE(Eventually([&] {
    const auto tasks = two->streams->queryable().Tasks();
    return tasks.size() == 6 && std::all_of(tasks.begin(), tasks.end(), [](const TaskInfo& task) {
             return task.role == TaskRole::kActive && task.phase == TaskPhase::kRunning;
           });
  }, 30'000));
  int64_t restored = 0;
  for (const TaskInfo& task : two->streams->queryable().Tasks()) restored += task.restore_total;
  EXPECT_LE(restored, 100) << "a copy was read again from its beginning";
  Produce(*cluster_, 5'000, 500, expected_);
  ExpectOutput(*cluster_, expected_, kPartitions);
  EXPECT_TRUE(ReadOutput(*cluster_, kPartitions).only_grew);

  // It comes back on its disk, and gets tasks and copies again.
  Restart(*one, "one");
  EXPECT_TRUE(Eventually([&] { return standbys(*one) == 3 && standbys(*two) == 3; }, 30'000)) << standbys(*one) << " " << standbys(*two);
  Produce(*cluster_, 5'000, 500, expected_);
  ExpectOutput(*cluster_, expected_, kPartitions);
  EXPECT_TRUE(ReadOutput(*cluster_, kPartitions).only_grew);
}

TEST_P(StreamsOnABroker, ARestartWithinTheSessionMovesNothing) {
  auto one = Start("one");
  auto two = Start("two");
  ASSERT_TRUE(Eventually([&] { return Running(*one) == 3 && Running(*two) == 3; }, 30'000));
  const auto before = two->streams->queryable().Routing().workers[0].active;
  const auto kept = two->streams->queryable().Tasks();
  ASSERT_TRUE(one->streams->Close(10'000).ok());
  Restart(*one, "one");
  ASSERT_TRUE(one->streams->WaitFor(StreamsState::kRunning, 20'000));
  EXPECT_EQ(one->streams->queryable().Routing().workers[0].active, before);
  EXPECT_EQ(Running(*two), kept.size());
  Produce(*cluster_, 5'000, 500, expected_);
  ExpectOutput(*cluster_, expected_, kPartitions);
}

TEST_P(StreamsOnABroker, ABrokerThatDiesAndComesBackCostsNothing) {
  auto one = Start("one");
  auto two = Start("two");
  ASSERT_TRUE(Eventually([&] { return Running(*one) == 3 && Running(*two) == 3; }, 30'000));
  for (int round = 0; round < 3; ++round) {
    Produce(*cluster_, 20'000, 300, expected_);
    round % 2 == 0 ? LocalBroker::Shared().Kill() : LocalBroker::Shared().Stop();
    LocalBroker::Shared().Start();
    Produce(*cluster_, 2'000, 300, expected_);
    if (exactly_once()) {
      const bool counted =
          Eventually([&] { return testing::Sum(ReadOutput(*cluster_, kPartitions).last) >= testing::Sum(expected_); }, 60'000);
      const auto output = ReadOutput(*cluster_, kPartitions).last;
      const std::string skipped = LocalBroker::Shared().SkippedMarkers();
      if (!skipped.empty() && output != expected_) GTEST_SKIP() << "the broker broke its own transactions: " << skipped;
      ASSERT_TRUE(counted);
      EXPECT_EQ(output, expected_);
    } else {
      EXPECT_TRUE(Eventually([&] {
        const auto output = ReadOutput(*cluster_, kPartitions);
        for (const auto& [key, count] : expected_)
          if (!output.last.contains(key) || output.last.at(key) < count) return false;
        return true;
      }, 60'000));
    }
  }
  for (Worker* const worker : {one.get(), two.get()}) {
    EXPECT_TRUE(worker->streams->WaitFor(StreamsState::kRunning, 30'000));
    EXPECT_TRUE(worker->streams->status().ok()) << worker->streams->status();
  }
}

TEST_P(StreamsOnABroker, ClosesInTimeWhileTheBrokerIsGone) {
  Worker one;
  // An answer inside a transaction is waited for as long as the transaction may take.
  const base::Config config = WorkerConfig(LocalBroker::Shared().bootstrap_servers(), application_, "one", one.state.path(), exactly_once())
                                  .With("transaction.timeout.ms", "5000");
  one.cluster = *kafka::Connect(config);
  one.streams = std::make_unique<Streams>(CountTopology(), config, *one.cluster, one.metrics);
  ASSERT_TRUE(one.streams->Start().ok());
  Produce(*cluster_, 20'000, 300, expected_);
  ExpectOutput(*cluster_, expected_, kPartitions);
  Produce(*cluster_, 20'000, 300, expected_);
  LocalBroker::Shared().Kill();
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(one.streams->Close(20'000).ok());
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT_LT(took, std::chrono::seconds(12)) << std::chrono::duration_cast<std::chrono::milliseconds>(took).count() << " ms";
  LocalBroker::Shared().Start();
}

TEST_P(StreamsOnABroker, AProcessWithATakenInstanceIdFencesTheOlder) {
  auto older = Start("same");
  ASSERT_TRUE(older->streams->WaitFor(StreamsState::kRunning, 30'000));
  auto newer = Start("same");
  EXPECT_TRUE(older->streams->WaitFor(StreamsState::kError, 30'000));
  EXPECT_NE(older->streams->status().message().find("group.instance.id"), absl::string_view::npos) << older->streams->status();
  EXPECT_TRUE(newer->streams->WaitFor(StreamsState::kRunning, 30'000));
  Produce(*cluster_, 5'000, 300, expected_);
  ExpectOutput(*cluster_, expected_, kPartitions);
}

// What a worker meets whose own new identity came between, after a session that ended while the broker was away: it is fenced,
// by its commits or by its heartbeats, and no other process shows itself.
TEST_P(StreamsOnABroker, AWorkerThatWasFencedByNobodyJoinsAgain) {
  auto one = Start("one");
  ASSERT_TRUE(one->streams->WaitFor(StreamsState::kRunning, 30'000));
  for (int round = 0; round < 3; ++round) {
    auto seat = cluster_->NewMembership({.group = application_,
                                         .coordination_topic = application_ + "-coordination",
                                         .instance_id = "one",
                                         .session_timeout_ms = 3'000,
                                         .heartbeat_interval_ms = 300});
    ASSERT_TRUE(seat.ok()) << seat.status();
    ASSERT_TRUE(Eventually([&] {
      Produce(*cluster_, 300, 300, expected_);  // so that there is always something to commit
      const auto event = (*seat)->Poll(10);
      return event.ok() && event->has_value() && (*event)->kind == kafka::MembershipEventKind::kJoined;
    }));
    seat->reset();
    Produce(*cluster_, 3'000, 300, expected_);
    EXPECT_TRUE(Eventually([&] { return testing::Sum(ReadOutput(*cluster_, kPartitions).last) >= testing::Sum(expected_); }, 30'000));
    ASSERT_TRUE(one->streams->status().ok()) << one->streams->status();
  }
  const auto output = ReadOutput(*cluster_, kPartitions);
  for (const auto& [key, count] : expected_) EXPECT_GE(output.last.at(key), count);
  if (exactly_once()) {
    EXPECT_EQ(output.last, expected_);
  }
}

TEST_P(StreamsOnABroker, AMemberWithAnotherTopologyGetsNoTasks) {
  auto one = Start("one");
  ASSERT_TRUE(one->streams->WaitFor(StreamsState::kRunning, 30'000));
  Worker odd;
  const base::Config config = WorkerConfig(LocalBroker::Shared().bootstrap_servers(), application_, "odd", odd.state.path(), exactly_once());
  odd.cluster = *kafka::Connect(config);
  odd.streams = std::make_unique<Streams>(testing::RepartitionTopology(), config, *odd.cluster, odd.metrics);
  ASSERT_TRUE(odd.streams->Start().ok());
  Produce(*cluster_, 5'000, 300, expected_);
  ExpectOutput(*cluster_, expected_, kPartitions);
  EXPECT_FALSE(odd.streams->WaitFor(StreamsState::kRunning, 1'000));
  EXPECT_TRUE(odd.streams->queryable().Tasks().empty());
  EXPECT_EQ(Running(*one), 6u);
}

TEST_P(StreamsOnABroker, ADeletedCoordinationTopicComesBack) {
  auto one = Start("one");
  auto two = Start("two");
  ASSERT_TRUE(Eventually([&] { return Running(*one) == 3 && Running(*two) == 3; }, 30'000));
  ASSERT_TRUE(cluster_->admin().DeleteTopics({application_ + "-coordination"}, 10'000).ok());
  Produce(*cluster_, 5'000, 300, expected_);
  ExpectOutput(*cluster_, expected_, kPartitions);
  EXPECT_TRUE(Eventually([&] {
    const auto topic = cluster_->admin().DescribeTopic(application_ + "-coordination", 5'000);
    return topic.ok() && topic->has_value();
  }, 30'000));
  auto three = Start("three");
  EXPECT_TRUE(Eventually([&] { return Running(*one) == 2 && Running(*two) == 2 && Running(*three) == 2; }, 40'000))
      << Running(*one) << " " << Running(*two) << " " << Running(*three);
  Produce(*cluster_, 5'000, 300, expected_);
  ExpectOutput(*cluster_, expected_, kPartitions);
}

// --- worker processes -------------------------------------------------------------------------------------------------

// The child's side: this program, started again by Spawn with its configuration in the environment.
TEST(WorkerProcess, DISABLED_Run) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const auto get = [](const char* name) { return std::string(std::getenv(name)); };
  const base::Config config = WorkerConfig(get("WORKER_BOOTSTRAP"), get("WORKER_APPLICATION"), get("WORKER_INSTANCE"),
                                           get("WORKER_STATE"), get("WORKER_EXACTLY_ONCE") == "1")
                                  .With("num.standby.replicas", "1");
  testing::words_topic = get("WORKER_APPLICATION") + "-words";
  testing::counts_topic = get("WORKER_APPLICATION") + "-counts";
  auto cluster = kafka::Connect(config);
  ASSERT_TRUE(cluster.ok());
  base::MetricsRegistry metrics;
  Streams streams(CountTopology(), config, **cluster, metrics);
  const absl::Status status = streams.Start();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_FALSE(streams.WaitFor(StreamsState::kError, 600'000)) << streams.status();
}

class Process {
 public:
  Process(const std::string& application, const std::string& instance, const std::string& state, bool exactly_once,
          const std::string& failpoints = "") {
    std::vector<std::string> environment;
    for (char** variable = environ; *variable != nullptr; ++variable) environment.emplace_back(*variable);
    environment.push_back("WORKER_APPLICATION=" + application);
    environment.push_back("WORKER_INSTANCE=" + instance);
    environment.push_back("WORKER_STATE=" + state);
    environment.push_back("WORKER_EXACTLY_ONCE=" + std::string(exactly_once ? "1" : "0"));
    environment.push_back("WORKER_BOOTSTRAP=" + LocalBroker::Shared().bootstrap_servers());
    if (!failpoints.empty()) environment.push_back("TAILRACE_FAILPOINTS=" + failpoints);
    std::vector<std::string> arguments = {"/proc/self/exe", "--gtest_also_run_disabled_tests", "--gtest_filter=WorkerProcess.*"};
    std::vector<char*> environment_pointers;
    std::vector<char*> argument_pointers;
    for (std::string& text : environment) environment_pointers.push_back(text.data());
    for (std::string& text : arguments) argument_pointers.push_back(text.data());
    environment_pointers.push_back(nullptr);
    argument_pointers.push_back(nullptr);
    EXPECT_EQ(::posix_spawn(&pid_, "/proc/self/exe", nullptr, nullptr, argument_pointers.data(), environment_pointers.data()), 0);
  }
  ~Process() { Kill(); }
  void Signal(int signal) {
    if (pid_ > 0) ::kill(pid_, signal);
  }
  // kill -9, and waits for the end.
  void Kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
  }
  // Whether it has ended by itself within the time.
  bool Ended(int timeout_ms) {
    return Eventually([&] {
      int status = 0;
      if (pid_ > 0 && ::waitpid(pid_, &status, WNOHANG) == pid_) pid_ = -1;
      return pid_ < 0;
    }, timeout_ms);
  }

 private:
  pid_t pid_ = -1;
};

TEST_P(StreamsOnABroker, KillMinusNineLosesAndDoublesNothing) {
  const uint64_t seed = 20'261;
  base::Random random(seed);
  testing::TemporaryDirectory states[2];
  std::unique_ptr<Process> workers[2];
  const auto start = [&](int i) {
    workers[i] = std::make_unique<Process>(application_, "w" + std::to_string(i), states[i].path(), exactly_once());
  };
  start(0);
  start(1);
  for (int round = 0; round < 8; ++round) {
    for (int burst = 0; burst < 5; ++burst) {
      Produce(*cluster_, 4'000, 300, expected_);
      timespec pause{0, static_cast<long>(random.Below(250)) * 1'000'000};
      nanosleep(&pause, nullptr);
    }
    const int victim = static_cast<int>(random.Below(2));
    workers[victim]->Kill();
    // Half of the time the victim stays away until its session is over, and the other takes its tasks.
    if (random.Chance(0.5)) {
      timespec pause{3, 500'000'000};
      nanosleep(&pause, nullptr);
    }
    start(victim);
  }
  if (exactly_once()) {
    ExpectOutput(*cluster_, expected_, kPartitions);
    const auto output = ReadOutput(*cluster_, kPartitions);
    EXPECT_TRUE(output.only_grew);
  } else {
    EXPECT_TRUE(Eventually([&] {
      const auto output = ReadOutput(*cluster_, kPartitions);
      for (const auto& [key, count] : expected_)
        if (!output.last.contains(key) || output.last.at(key) < count) return false;
      return true;
    }, 60'000));
  }
}

TEST_P(StreamsOnABroker, ACrashAtEachCommitStepLosesNothing) {
  if (!exactly_once()) GTEST_SKIP() << "at-least-once makes no promise to check here";
  testing::TemporaryDirectory state;
  for (const char* const point : {"commit.prepare", "commit.flushed", "commit.offsets_sent", "commit.committed", "commit.stored"}) {
    SCOPED_TRACE(point);
    Produce(*cluster_, 3'000, 300, expected_);
    {
      Process crashing(application_, "w", state.path(), true, std::string(point) + "=crash@2");
      for (int i = 0; i < 20 && !crashing.Ended(500); ++i) Produce(*cluster_, 300, 300, expected_);
      EXPECT_TRUE(crashing.Ended(1)) << "the failpoint was not reached";
    }
    Process again(application_, "w", state.path(), true);
    ExpectOutput(*cluster_, expected_, kPartitions);
    EXPECT_TRUE(ReadOutput(*cluster_, kPartitions).only_grew);
  }
}

TEST_P(StreamsOnABroker, AFrozenWorkerThatWakesUpCommitsNothing) {
  testing::TemporaryDirectory states[2];
  Process sleeper(application_, "w0", states[0].path(), exactly_once());
  Produce(*cluster_, 5'000, 300, expected_);
  ExpectOutput(*cluster_, expected_, kPartitions);
  Process other(application_, "w1", states[1].path(), exactly_once());
  Produce(*cluster_, 5'000, 300, expected_);
  ExpectOutput(*cluster_, expected_, kPartitions);
  AwaitCommits();
  sleeper.Signal(SIGSTOP);
  Produce(*cluster_, 5'000, 300, expected_);
  ExpectOutput(*cluster_, expected_, kPartitions);  // the other has taken over
  sleeper.Signal(SIGCONT);
  Produce(*cluster_, 5'000, 300, expected_);
  ExpectOutput(*cluster_, expected_, kPartitions);
  timespec pause{3, 0};
  nanosleep(&pause, nullptr);
  Produce(*cluster_, 5'000, 300, expected_);
  ExpectOutput(*cluster_, expected_, kPartitions);
  if (exactly_once()) {
    EXPECT_TRUE(ReadOutput(*cluster_, kPartitions).only_grew);
  }
}

}  // namespace
}  // namespace tailrace::processor
