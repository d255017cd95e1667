// Goal: an application can be moved between Kafka Streams and Tailrace in mid-stream, in both directions, and nobody who reads
// its topics can tell.
// Method: one application on a real broker is run by the JVM, by us, by the JVM, by us; each is stopped while records wait.
// Another runs on the JVM from beginning to end. Their outputs by key, and the last values of their changelogs, must be equal.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "jvm_peer.h"
#include "local_broker.h"
#include "support.h"
#include "tailrace/base/clock.h"
#include "tailrace/tailrace.h"

extern char** environ;

namespace tailrace::processor {
namespace {

using testing_support::LocalBroker;

constexpr int kPartitions = 4;
constexpr int kPeople = 50;
constexpr int kOrdersPerStage = 8'000;
constexpr int kCallsPerStage = 2'000;
constexpr int64_t kStageMs = 10'000'000;  // between the times of two stages; more than any window and its grace
constexpr int64_t kAnswerWithinMs = 250;
constexpr char kWaitingChangelog[] = "-answered-left-shared-join-store-changelog";
constexpr int kTimeoutMs = 120'000;

// What both sides are told.
std::vector<std::pair<std::string, std::string>> CommonSettings(bool exactly_once) {
  return {{"bootstrap.servers", LocalBroker::Shared().bootstrap_servers()},
          {"processing.guarantee", exactly_once ? "exactly_once_v2" : "at_least_once"},
          {"commit.interval.ms", "100"},
          {"statestore.cache.max.bytes", "0"},  // every update is seen, so that sequences can be compared
          {"max.task.idle.ms", "2000"},  // the table's rows are there before the orders that are younger
          {"session.timeout.ms", "6000"},
          {"heartbeat.interval.ms", "1000"}};
}

Topology OrdersTopology(const std::string& input, const std::string& output) {
  StreamsBuilder builder;
  const auto orders = builder.Stream<std::string, std::string>(input + "-orders", Consumed<>{.name = "orders"});
  const auto people = builder.Table<std::string, std::string>(input + "-people", Consumed<>{.name = "people"}, Materialized("people-store"));

  orders.GroupByKey(Grouped("by-person"))
      .WindowedBy(TimeWindows::OfSizeAndGrace(std::chrono::seconds(10), std::chrono::seconds(5)))
      .Count(Materialized("windows"), "per-window")
      .ToStream("windows-stream")
      .Map([](const Windowed<std::string>& window, int64_t count) {
        return std::pair(absl::StrCat(window.key, "@", window.start_ms), absl::StrCat(count));
      }, "shown")
      .To(output + "-windows", Produced<>{.name = "windows-out"});
  orders.Join(people, [](const std::string& order, const std::string& person) { return order + "/" + person; }, Joined("with-people"))
      .To(output + "-enriched", Produced<>{.name = "enriched-out"});
  orders.GroupBy([](const std::string&, const std::string& order) { return order.substr(0, 1); }, Grouped("by-letter"))
      .Count(Materialized("letters"), "per-letter")
      .ToStream("letters-stream")
      .MapValues([](int64_t count) { return absl::StrCat(count); }, "letters-shown")
      .To(output + "-letters", Produced<>{.name = "letters-out"});

  const auto calls = builder.Stream<std::string, std::string>(input + "-calls", Consumed<>{.name = "calls"});
  const auto answers = builder.Stream<std::string, std::string>(input + "-answers", Consumed<>{.name = "answers"});
  const auto window = JoinWindows::OfTimeDifferenceAndGrace(std::chrono::milliseconds(0), std::chrono::seconds(5))
                          .After(std::chrono::milliseconds(kAnswerWithinMs));
  calls.LeftJoin(answers,
                 [](const std::string& call, const std::string* answer) { return call + "/" + (answer == nullptr ? "nobody" : *answer); },
                 window, StreamJoined("with-answers").WithStoreName("answered"))
      .To(output + "-answered", Produced<>{.name = "answered-out"});
  auto topology = builder.Build();
  EXPECT_TRUE(topology.ok()) << topology.status();
  return *std::move(topology);
}

// The application on Kafka Streams, in a process of its own; ends and leaves its group when destroyed.
class JvmRun {
 public:
  JvmRun(const std::string& class_path, const std::string& application, const std::string& input, const std::string& state,
         const std::string& log, bool exactly_once)
      : log_(log) {
    std::vector<std::string> words = {"java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", class_path,
                                      "TakeOver", application, input, state};
    for (const auto& [name, value] : CommonSettings(exactly_once)) words.push_back(absl::StrCat(name, "=", value));
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    int input_pipe[2];
    EXPECT_EQ(pipe2(input_pipe, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input_pipe[0], STDIN_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    EXPECT_EQ(posix_spawnp(&pid_, "java", &actions, nullptr, argv.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(input_pipe[0]);
    input_ = input_pipe[1];
  }
  ~JvmRun() {
    close(input_);
    int status = 0;
    waitpid(pid_, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "the JVM ended with " << status << "\n" << std::ifstream(log_).rdbuf();
  }

 private:
  const std::string log_;
  pid_t pid_ = 0;
  int input_ = -1;
};

// The same application here; commits, closes and leaves its group when destroyed.
class OurRun {
 public:
  OurRun(const std::string& application, const std::string& input, const std::string& state, bool exactly_once) {
    base::Config config;
    for (const auto& [name, value] : CommonSettings(exactly_once)) config = config.With(name, value);
    config = config.With("application.id", application).With("state.dir", state).With("group.instance.id", "one");
    auto cluster = kafka::Connect(config);
    EXPECT_TRUE(cluster.ok()) << cluster.status();
    cluster_ = *std::move(cluster);
    streams_ = std::make_unique<Streams>(OrdersTopology(input, application), config, *cluster_, metrics_);
    const absl::Status status = streams_->Start();
    EXPECT_TRUE(status.ok()) << status;
  }
  ~OurRun() {
    const absl::Status status = streams_->Close(30'000, /*leave_group=*/true);
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_TRUE(streams_->status().ok()) << streams_->status();
  }

 private:
  std::unique_ptr<kafka::Cluster> cluster_;
  base::MetricsRegistry metrics_;
  std::unique_ptr<Streams> streams_;
};

using Entry = std::pair<std::string, int64_t>;  // value, time
using ByKey = std::map<std::string, std::vector<Entry>>;

class TakeOver : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    const char* const source = std::getenv("TAILRACE_SOURCE_DIR");
    const auto class_path = differential::JvmClassPath(source == nullptr ? "." : source, folder_.path());
    if (absl::IsNotFound(class_path.status())) GTEST_SKIP() << class_path.status().message();
    ASSERT_TRUE(class_path.ok()) << class_path.status();
    class_path_ = *class_path;
    auto cluster = kafka::Connect(base::Config().With("bootstrap.servers", LocalBroker::Shared().bootstrap_servers()));
    ASSERT_TRUE(cluster.ok()) << cluster.status();
    cluster_ = *std::move(cluster);
    input_ = absl::StrCat("in-", ::getpid(), exactly_once() ? "-eos" : "-alo");
    CreateTopics({input_ + "-orders", input_ + "-people", input_ + "-calls", input_ + "-answers"});
    auto producer = cluster_->NewProducer({.client_id = "orders"});
    ASSERT_TRUE(producer.ok());
    producer_ = *std::move(producer);
  }
  bool exactly_once() const { return GetParam(); }

  void CreateTopics(const std::vector<std::string>& names) {
    std::vector<kafka::NewTopic> topics;
    for (const std::string& name : names)
      topics.push_back({.name = name, .partition_count = kPartitions, .config = {{"retention.ms", "-1"}}});
    const absl::Status status = cluster_->admin().CreateTopics(topics, 30'000);
    ASSERT_TRUE(status.ok()) << status;
  }
  void CreateOutputs(const std::string& application) {
    CreateTopics({application + "-windows", application + "-enriched", application + "-letters",
                  application + "-answered"});
  }

  void Send(const std::string& topic, const std::string& key, const std::string& value, int64_t time_ms) {
    const auto handle = producer_->Topic(topic);
    ASSERT_TRUE(handle.ok());
    ASSERT_TRUE(producer_->Send({.topic = *handle, .key = key, .value = value, .timestamp_ms = time_ms}).ok());
  }
  void Flush() { ASSERT_TRUE(producer_->Flush(30'000).ok()); }

  static std::string Person(int i) { return absl::StrCat("person-", i % kPeople); }
  // The people of a stage, older than its orders.
  void SendPeople(int stage) {
    for (int i = 0; i < kPeople; ++i)
      if (stage == 0 || (i + stage) % 3 == 0) Send(input_ + "-people", Person(i), absl::StrCat("v", stage), start_ms_ + stage * kStageMs + i);
    Flush();
  }
  // Orders [begin, end) of a stage. Some are late within the grace; in the first half of a stage, but not at its beginning,
  // some are later than that: an operator's own stream time does not survive a restart.
  void SendOrders(int stage, int begin, int end) {
    for (int i = begin; i < end; ++i) {
      int64_t time_ms = start_ms_ + stage * kStageMs + 100'000 + i * 20;
      if (i % 11 == 5) time_ms -= 4'000;
      if (i % 53 == 7 && i > 2'000 && i < kOrdersPerStage / 2) time_ms -= 60'000;
      Send(input_ + "-orders", Person(i * 7), absl::StrCat(std::string(1, static_cast<char>('a' + i % 7)), i), time_ms);
    }
    Flush();
  }

  // The calls of a stage, and their answers: every third call has one, of which some are just in time (250 ms) and some are not.
  // Both streams are in order, so that where an application stops decides nothing, and both are there before the stage begins: an
  // application that waits at the ends of both takes what comes first, whatever its time (max.task.idle.ms is over by then).
  void SendCalls(int stage) {
    for (int i = 0; i < kCallsPerStage; ++i) {
      // The second half begins later than all that the answers to the first half can close.
      const int64_t time_ms = start_ms_ + stage * kStageMs + i * 80 + (i >= kCallsPerStage / 2 ? 60'000 : 0);
      const std::string call = absl::StrCat(stage, "-", i);
      if (i % 3 == 0) Send(input_ + "-answers", Person(i), absl::StrCat("a", call), time_ms + 100 + i % 5 * 50);
      Send(input_ + "-calls", Person(i), absl::StrCat("c", call), time_ms);
    }
    Flush();
  }
  static bool HasAnswer(int i) { return i % 3 == 0 && 100 + i % 5 * 50 <= kAnswerWithinMs; }
  // A call of each person after all others, which closes the windows of those that nobody has answered.
  void SendLastCalls() {
    for (int i = 0; i < kPeople; ++i)
      Send(input_ + "-calls", Person(i), "last", start_ms_ + 4 * kStageMs + i);
    Flush();
  }

  // What a topic has for readers of committed records.
  ByKey Read(const std::string& topic, int64_t* count = nullptr) {
    ByKey rows;
    auto consumer = cluster_->NewConsumer({.client_id = "reader", .read_committed = true});
    EXPECT_TRUE(consumer.ok());
    std::vector<kafka::AssignedPartition> all;
    std::vector<base::Offset> ends;
    for (int p = 0; p < kPartitions; ++p) {
      const base::TopicPartition partition{topic, base::Partition(p)};
      all.push_back({partition, base::kOffsetBeginning});
      auto range = (*consumer)->QueryOffsets(partition, 10'000);
      EXPECT_TRUE(range.ok()) << range.status();
      if (!range.ok()) return rows;
      ends.push_back(range->end > range->begin ? range->end : base::Offset(-100));
    }
    EXPECT_TRUE((*consumer)->Assign(all).ok());
    kafka::RecordBatch batch;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (std::chrono::steady_clock::now() < deadline) {
      bool done = true;
      for (int p = 0; p < kPartitions; ++p) done &= (*consumer)->Position(p) >= ends[static_cast<size_t>(p)];
      if (done) break;
      EXPECT_TRUE((*consumer)->Poll(batch, 50).ok());
      for (const kafka::RecordView& record : batch.records()) {
        rows[std::string(record.key.view())].emplace_back(record.value.is_null() ? "(null)" : std::string(record.value.view()),
                                                           record.timestamp_ms);
        if (count != nullptr) ++*count;
      }
    }
    batch.Clear();
    return rows;
  }
  int64_t Count(const std::string& topic) {
    int64_t count = 0;
    Read(topic, &count);
    return count;
  }
  // The last entry of each key.
  ByKey ReadLast(const std::string& topic) {
    ByKey rows = Read(topic);
    for (auto& [key, entries] : rows) entries.erase(entries.begin(), entries.end() - 1);
    return rows;
  }
  bool EventuallyEnriched(const std::string& application, int64_t count) {
    return testing::Eventually([&] { return Count(application + "-enriched") >= count; }, kTimeoutMs);
  }
  // Every order is counted by its letter too, one topic later.
  bool EventuallyAllCounted(const std::string& application, int64_t count) {
    return EventuallyEnriched(application, count) && testing::Eventually([&] {
             int64_t sum = 0;
             for (const auto& [letter, entries] : ReadLast(application + "-letters")) sum += std::stoll(entries.back().first);
             return sum >= count;
           }, kTimeoutMs);
  }

  // Every call of all stages has met its answer or is known to have none. Windows are looked after once a second, when a record
  // comes, so that the last calls are made until then.
  bool EventuallyAllAnswered(const std::string& application, int64_t count) {
    return testing::Eventually([&] {
      if (Count(application + "-answered") >= count) return true;
      SendLastCalls();
      return false;
    }, kTimeoutMs);
  }

  // Recent: the broker deletes what is older than a changelog's retention.
  const int64_t start_ms_ = base::SystemClock().WallMs() / kStageMs * kStageMs - 5 * kStageMs;
  testing::TemporaryDirectory folder_;
  std::string class_path_;
  std::string input_;
  std::unique_ptr<kafka::Cluster> cluster_;
  std::unique_ptr<kafka::Producer> producer_;
};

// In an order that does not depend on when closed windows were looked for.
ByKey Sorted(ByKey rows) {
  for (auto& [key, entries] : rows) std::sort(entries.begin(), entries.end());
  return rows;
}

// Keys whose last entry is no tombstone, with its time.
ByKey Present(ByKey rows) {
  std::erase_if(rows, [](const auto& row) { return row.second.back().first == "(null)"; });
  for (auto& [key, entries] : rows) entries.assign(1, {"present", entries.back().second});
  return rows;
}

INSTANTIATE_TEST_SUITE_P(Guarantees, TakeOver, ::testing::Bool(),
                         [](const auto& parameter) { return parameter.param ? "ExactlyOnce" : "AtLeastOnce"; });

void ExpectSame(const std::string& what, const ByKey& whole, const ByKey& relay) {
  EXPECT_GT(whole.size(), 0u) << what;
  EXPECT_EQ(whole.size(), relay.size()) << what;
  int shown = 0;
  for (const auto& [key, entries] : whole) {
    const auto other = relay.find(key);
    if (other != relay.end() && other->second == entries) continue;
    if (++shown > 3) continue;
    const size_t size = other == relay.end() ? 0 : other->second.size();
    size_t at = 0;
    while (at < std::min(size, entries.size()) && entries[at] == other->second[at]) ++at;
    ADD_FAILURE() << what << ": key " << key << " has " << entries.size() << " and " << size << " records; the first that differs is "
                  << at << ": " << (at < entries.size() ? absl::StrCat(entries[at].first, " at ", entries[at].second) : "none")
                  << " uninterrupted, "
                  << (at < size ? absl::StrCat(other->second[at].first, " at ", other->second[at].second) : "none") << " taken over";
  }
  EXPECT_EQ(shown, 0) << what;
}

TEST_P(TakeOver, TheApplicationGoesOnWhereTheOtherStopped) {
  const std::string relay = absl::StrCat("relay-", input_);
  const std::string whole = absl::StrCat("whole-", input_);
  CreateOutputs(relay);
  CreateOutputs(whole);
  constexpr int kStages = 4;
  for (int stage = 0; stage < kStages; ++stage) {
    SendCalls(stage);
    const bool jvm = stage % 2 == 0;
    std::unique_ptr<JvmRun> theirs;
    std::unique_ptr<OurRun> ours;
    if (jvm) theirs = std::make_unique<JvmRun>(class_path_, relay, input_, folder_.path() + "/jvm", folder_.path() + "/relay.log", exactly_once());
    else ours = std::make_unique<OurRun>(relay, input_, folder_.path() + "/ours", exactly_once());
    SendPeople(stage);
    SendOrders(stage, 0, kOrdersPerStage / 2);
    ASSERT_TRUE(EventuallyEnriched(relay, stage * kOrdersPerStage + kOrdersPerStage / 2)) << "stage " << stage;
    SendOrders(stage, kOrdersPerStage / 2, kOrdersPerStage);
    // Stops here, with some of these orders counted and some not; the last one counts them all.
    if (stage + 1 == kStages) {
      ASSERT_TRUE(EventuallyAllCounted(relay, kStages * kOrdersPerStage));
      ASSERT_TRUE(EventuallyAllAnswered(relay, kStages * kCallsPerStage));
      ASSERT_TRUE(testing::Eventually([&] { return Present(ReadLast(relay + kWaitingChangelog)).size() == kPeople; }, kTimeoutMs));
    }
    theirs.reset();
    ours.reset();
    std::cout << "stage " << stage << " on " << (jvm ? "the JVM" : "Tailrace") << " ended after "
              << Count(relay + "-enriched") << " of " << (stage + 1) * kOrdersPerStage << " orders" << std::endl;
  }
  {
    const JvmRun reference(class_path_, whole, input_, folder_.path() + "/whole", folder_.path() + "/whole.log", exactly_once());
    ASSERT_TRUE(EventuallyAllCounted(whole, kStages * kOrdersPerStage));
    // Its windows are looked after at each record.
    ASSERT_TRUE(testing::Eventually([&] { return Count(whole + "-answered") >= kStages * kCallsPerStage; }, kTimeoutMs));
    ASSERT_TRUE(testing::Eventually([&] { return Present(ReadLast(whole + kWaitingChangelog)).size() == kPeople; }, kTimeoutMs));
  }
  ExpectSame("windows", Read(whole + "-windows"), Read(relay + "-windows"));
  ExpectSame("enriched", Read(whole + "-enriched"), Read(relay + "-enriched"));
  const ByKey answered = Read(relay + "-answered");
  ExpectSame("answered", Sorted(Read(whole + "-answered")), Sorted(answered));
  int with_answer = 0;
  for (const auto& [key, entries] : answered)
    with_answer += static_cast<int>(std::count_if(entries.begin(), entries.end(),
                                                  [](const Entry& entry) { return !entry.first.ends_with("/nobody"); }));
  int expected = 0;
  for (int i = 0; i < kCallsPerStage; ++i) expected += kStages * static_cast<int>(HasAnswer(i));
  EXPECT_EQ(with_answer, expected);
  // Several tasks write into a partition of the repartition topic, in an order of chance.
  const auto values = [](ByKey rows) {
    for (auto& [key, entries] : rows) entries.back().second = 0;
    return rows;
  };
  ExpectSame("letters", values(ReadLast(whole + "-letters")), values(ReadLast(relay + "-letters")));
  ExpectSame("changelog of windows", ReadLast(whole + "-windows-changelog"), ReadLast(relay + "-windows-changelog"));
  // Those who still wait are the last calls.
  ExpectSame("changelog of who waits", Present(ReadLast(whole + kWaitingChangelog)), Present(ReadLast(relay + kWaitingChangelog)));
}

}  // namespace
}  // namespace tailrace::processor
