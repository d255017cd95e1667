// Goal: what event time decides beyond Kafka Streams' rules is decided the same after a restart, with the same disk and with none;
// and in watermark mode an upstream task that runs ahead makes nothing late. Method: whole Streams on the embedded log.
#include "support.h"

namespace tailrace::processor {
namespace {

using std::string;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Eventually;

class EventTimeTest : public ::testing::TestWithParam<bool> {
 protected:
  // Opens the log anew, and Streams on it; a restart is a second call.
  void Start(Topology topology, const std::map<string, string>& settings, const string& state_dir) {
    if (cluster_ == nullptr) cluster_ = testing::Embedded(log_.path());
    // Times are near 1970, where retention by time would delete changelogs.
    base::Config config = testing::TestConfig(state_dir, GetParam()).With("topic.retention.ms", "-1");
    for (const auto& [key, value] : settings) config = config.With(key, value);
    streams_ = std::make_unique<Streams>(std::move(topology), config, *cluster_, metrics_);
    const absl::Status status = streams_->Start();
    ASSERT_TRUE(status.ok()) << status;
    ASSERT_TRUE(streams_->WaitFor(StreamsState::kRunning, 20'000)) << streams_->status();
  }
  void Stop() {
    ASSERT_TRUE(streams_->Close(10'000).ok());
    streams_.reset();
    cluster_.reset();
  }
  void CreateTopic(const string& name, int partitions) {
    if (cluster_ == nullptr) cluster_ = testing::Embedded(log_.path());
    const absl::Status status =
        cluster_->admin().CreateTopics({{.name = name, .partition_count = partitions, .config = {{"retention.ms", "-1"}}}}, 10'000);
    ASSERT_TRUE(status.ok()) << status;
  }
  void Send(const std::vector<int64_t>& times_ms, int partition = 0, const string& key = "k") {
    auto producer = *cluster_->NewProducer({.client_id = "test"});
    const auto topic = *producer->Topic("in");
    string value;
    base::AppendBigEndian(value, int64_t{1});
    for (const int64_t time_ms : times_ms)
      ASSERT_TRUE(producer->Send({.topic = topic, .partition = base::Partition(partition), .key = key, .value = value, .timestamp_ms = time_ms}).ok());
    ASSERT_TRUE(producer->Flush(30'000).ok());
  }
  // The last value by key of a topic.
  std::map<string, int64_t> Last(const string& topic, int partitions) {
    testing::counts_topic = topic;
    auto last = testing::ReadOutput(*cluster_, partitions).last;
    testing::counts_topic = "counts";
    return last;
  }
  void Expect(const string& topic, int partitions, const std::map<string, int64_t>& expected) {
    std::map<string, int64_t> last;
    EXPECT_TRUE(Eventually([&] { return (last = Last(topic, partitions)) == expected; }));
    EXPECT_EQ(last, expected);
  }
  // Whether all tasks of a subtopology have come this far.
  bool Reached(int32_t subtopology, int64_t time_ms) {
    const auto tasks = streams_->queryable().Tasks();
    return std::all_of(tasks.begin(), tasks.end(), [&](const TaskInfo& task) {
      return task.id.subtopology != subtopology || task.stream_time_ms >= time_ms;
    });
  }

  // What queries of a store see, in order.
  std::vector<string> Keys(const string& store) {
    std::vector<string> found;
    const auto views = streams_->queryable().Views(store);
    EXPECT_TRUE(views.ok()) << views.status();
    for (const StoreView& view : *views)
      EXPECT_TRUE(view.view->Range(store, std::nullopt, std::nullopt, std::nullopt, [&](const state::Row& row) {
                       found.emplace_back(row.key);
                       return true;
                     }).ok());
    return found;
  }

  void KeepThenLimit(const string& directory);

  testing::TemporaryDirectory log_;
  testing::TemporaryDirectory state_;
  testing::TemporaryDirectory fresh_;
  base::MetricsRegistry metrics_;
  std::unique_ptr<testing::FaultyCluster> cluster_;
  std::unique_ptr<Streams> streams_;
};

INSTANTIATE_TEST_SUITE_P(Guarantees, EventTimeTest, ::testing::Bool(),
                         [](const auto& parameter) { return parameter.param ? "ExactlyOnce" : "AtLeastOnce"; });

// Only what is late comes out.
Topology LateOnly() {
  StreamsBuilder builder;
  builder.Stream<string, int64_t>("in")
      .GroupByKey()
      .WindowedBy(TimeWindows::OfSizeWithNoGrace(milliseconds(10)))
      .LateTo("late")
      .Count(Materialized("windows"));
  return *builder.Build();
}

TEST_P(EventTimeTest, TheTimeThatPassedWithoutInputIsKnownAfterARestart) {
  const std::map<string, string> settings{{"stream.time.idle.timeout.ms", "100"}};
  CreateTopic("in", 1);
  CreateTopic("late", 1);
  Start(LateOnly(), settings, state_.path());
  Send({1'000});
  ASSERT_TRUE(Eventually([&] { return Reached(0, 1'100); }));
  Stop();
  // The window [1000, 1010) is closed, though no record says so.
  Start(LateOnly(), settings, state_.path());
  Send({1'001}, 0, "same disk");
  Expect("late", 1, {{"same disk", 1}});
  Stop();
  Start(LateOnly(), settings, fresh_.path());
  Send({1'002}, 0, "no disk");
  Expect("late", 1, {{"same disk", 1}, {"no disk", 1}});
  Stop();
}

Topology Rows(bool with_time_to_live) {
  StreamsBuilder builder;
  Materialized rows("rows");
  if (with_time_to_live) rows.WithTimeToLive(milliseconds(1'000));
  builder.Table<string, int64_t>("in", rows).ToStream().To("out");
  return *builder.Build();
}

TEST_P(EventTimeTest, WhatHasOutlivedItsTimeIsNotBroughtBack) {
  CreateTopic("in", 1);
  CreateTopic("out", 1);
  Start(Rows(true), {}, state_.path());
  Send({1'000}, 0, "old");
  Expect("out", 1, {{"old", 1}});
  Send({1'500}, 0, "young");
  Send({2'100}, 0, "new");
  // A delete reads as 0.
  Expect("out", 1, {{"old", 0}, {"young", 1}, {"new", 1}});
  for (const string& directory : {state_.path(), fresh_.path()}) {
    SCOPED_TRACE(directory == fresh_.path() ? "no disk" : "same disk");
    Stop();
    Start(Rows(true), {}, directory);
    EXPECT_EQ(Keys("rows"), (std::vector<string>{"new", "young"}));
  }
  Send({2'600}, 0, "last");
  Expect("out", 1, {{"old", 0}, {"young", 0}, {"new", 1}, {"last", 1}});
  Stop();
}

void EventTimeTest::KeepThenLimit(const string& directory) {
  CreateTopic("in", 1);
  CreateTopic("out", 1);
  Start(Rows(false), {}, state_.path());
  Send({1'000}, 0, "old");
  Send({2'500}, 0, "new");
  Expect("out", 1, {{"old", 1}, {"new", 1}});
  Stop();
  Start(Rows(true), {}, directory);
  EXPECT_EQ(Keys("rows"), (std::vector<string>{"new"}));
  const auto views = streams_->queryable().Views("rows");
  ASSERT_TRUE(views.ok()) << views.status();
  for (const StoreView& view : *views) {
    const auto old = view.view->Get("rows", "old");
    EXPECT_TRUE(old.ok() && !old->has_value());
    EXPECT_TRUE(view.view->Get("rows", "new")->has_value());
  }
  Send({2'600}, 0, "last");
  Expect("out", 1, {{"old", 0}, {"new", 1}, {"last", 1}});
  Stop();
}

// Nobody has deleted what is too old when a time to live is asked for, so only its time hides it. A disk, or the changelog.
TEST_P(EventTimeTest, WhatIsTooOldOnTheDiskIsHidden) { KeepThenLimit(state_.path()); }
TEST_P(EventTimeTest, WhatIsTooOldInTheChangelogIsHidden) { KeepThenLimit(fresh_.path()); }

// Idle time has let a row expire; after a restart one that is as old is not taken for a living one.
TEST_P(EventTimeTest, ATimeToLiveKnowsTheTimeThatPassedWithoutInput) {
  CreateTopic("in", 1);
  CreateTopic("out", 1);
  Start(Rows(true), {{"stream.time.idle.timeout.ms", "100"}}, state_.path());
  Send({1'000}, 0, "old");
  ASSERT_TRUE(Eventually([&] { return Reached(0, 2'100); }));
  Stop();
  std::vector<string> living;
  for (const string& directory : {state_.path(), fresh_.path()}) {
    SCOPED_TRACE(directory == fresh_.path() ? "no disk" : "same disk");
    // Time that passes now would hide what was forgotten.
    Start(Rows(true), {{"stream.time.idle.timeout.ms", "1h"}}, directory);
    const string run = std::to_string(living.size());
    living.push_back("living" + run);
    Send({1'050}, 0, "old" + run);
    Send({1'900}, 0, living.back());
    ASSERT_TRUE(Eventually([&] { return Last("out", 1).contains(living.back()); }));
    EXPECT_TRUE(Eventually([&] { return Keys("rows") == living; }));
    EXPECT_EQ(Keys("rows"), living);
    Stop();
  }
}

Topology Threes() {
  StreamsBuilder builder;
  builder.Stream<string, int64_t>("in")
      .GroupByKey()
      .WindowedBy(CountWindows::Of(3))
      .Count(Materialized("threes"))
      .ToStream([](const Windowed<string>& key, const int64_t&) { return key.key + std::to_string(key.start_ms); })
      .To("out");
  return *builder.Build();
}

TEST_P(EventTimeTest, ACountWindowGoesOnAfterARestart) {
  CreateTopic("in", 1);
  CreateTopic("out", 1);
  Start(Threes(), {}, state_.path());
  Send({5, 4});
  Expect("out", 1, {{"k0", 2}});
  Stop();
  Start(Threes(), {}, state_.path());
  Send({3, 2});
  Expect("out", 1, {{"k0", 3}, {"k3", 1}});
  Stop();
  Start(Threes(), {}, fresh_.path());
  Send({1, 0, 6});
  Expect("out", 1, {{"k0", 3}, {"k3", 3}, {"k6", 1}});
  Stop();
}

Topology Suppressed100() {
  StreamsBuilder builder;
  builder.Table<string, int64_t>("in", Materialized("rows"))
      .Suppress(Suppressed::UntilTimeLimit(milliseconds(100), BufferConfig::Unbounded()).WithName("later"))
      .ToStream()
      .To("out");
  return *builder.Build();
}

TEST_P(EventTimeTest, ASuppressionKnowsItsTimeAfterARestart) {
  CreateTopic("in", 1);
  CreateTopic("out", 1);
  Start(Suppressed100(), {}, state_.path());
  Send({1'000}, 0, "first");
  Send({1'200}, 0, "waits");
  Expect("out", 1, {{"first", 1}});
  Stop();
  // What comes now has waited long enough by the time that was reached before.
  Start(Suppressed100(), {}, state_.path());
  Send({1'050}, 0, "same disk");
  Expect("out", 1, {{"first", 1}, {"same disk", 1}});
  Stop();
  Start(Suppressed100(), {}, fresh_.path());
  Send({1'060}, 0, "no disk");
  Expect("out", 1, {{"first", 1}, {"same disk", 1}, {"no disk", 1}});
  Stop();
}

Topology JoinedAfter100() {
  StreamsBuilder builder;
  const auto rows = builder.Table<string, int64_t>("rows", Materialized("rows-store").Versioned(seconds(10)));
  builder.Stream<string, int64_t>("in")
      .LeftJoin(rows, [](const int64_t& value, const int64_t*) { return value; },
                Joined("join").WithGracePeriod(milliseconds(100)))
      .To("out");
  return *builder.Build();
}

TEST_P(EventTimeTest, AJoinWithAGracePeriodKnowsItsTimeAfterARestart) {
  for (const char* topic : {"in", "out", "rows"}) CreateTopic(topic, 1);
  Start(JoinedAfter100(), {{"stream.time.idle.timeout.ms", "100"}}, state_.path());
  Send({1'000}, 0, "first");
  ASSERT_TRUE(Eventually([&] { return Reached(0, 1'300); })) << "the buffer has let everything go";
  Expect("out", 1, {{"first", 1}});
  Stop();
  // From here on no time passes: a record that waits would wait for ever.
  Start(JoinedAfter100(), {}, state_.path());
  Send({1'050}, 0, "same disk");
  Expect("out", 1, {{"first", 1}, {"same disk", 1}});
  Stop();
  Start(JoinedAfter100(), {}, fresh_.path());
  Send({1'060}, 0, "no disk");
  Expect("out", 1, {{"first", 1}, {"same disk", 1}, {"no disk", 1}});
  Stop();
}

// Both partitions of "in" go through one repartition topic; "out" has the count by window.
Topology Repartitioned() {
  StreamsBuilder builder;
  builder.Stream<string, int64_t>("in")
      .GroupBy([](const string&, const int64_t&) { return string("all"); }, Grouped("by"))
      .WindowedBy(TimeWindows::OfSizeWithNoGrace(seconds(10)))
      .LateTo("late")
      .Count(Materialized("windows").WithCachingDisabled())
      .ToStream([](const Windowed<string>& key, const int64_t&) { return std::to_string(key.start_ms / 1'000); })
      .To("out");
  return *builder.Build();
}

std::vector<int64_t> EverySecond(int64_t count) {
  std::vector<int64_t> times_ms;
  for (int64_t i = 0; i < count; ++i) times_ms.push_back(i * 1'000);
  return times_ms;
}

std::map<string, int64_t> Windows(int64_t in_each, int64_t in_last) {
  std::map<string, int64_t> windows;
  for (int64_t start = 0; start < 100; start += 10) windows[std::to_string(start)] = start == 90 ? in_last : in_each;
  return windows;
}

TEST_P(EventTimeTest, AnUpstreamTaskThatRunsAheadMakesTheOthersLateOnTheJvmsTime) {
  for (const char* topic : {"in", "late", "out"}) CreateTopic(topic, 2);
  Start(Repartitioned(), {}, state_.path());
  Send(EverySecond(100), 0);
  Expect("out", 2, Windows(10, 10));
  Send(EverySecond(100), 1);
  Expect("out", 2, Windows(10, 20));
  Expect("late", 2, {{"all", 1}});
  Stop();
}

TEST_P(EventTimeTest, AnUpstreamTaskThatRunsAheadMakesNothingLateInWatermarkMode) {
  const std::map<string, string> settings{{"stream.time.mode", "watermark"}, {"watermark.idle.timeout.ms", "1h"}};
  for (const char* topic : {"in", "late", "out"}) CreateTopic(topic, 2);
  Start(Repartitioned(), settings, state_.path());
  Send(EverySecond(100), 0);
  Expect("out", 2, Windows(10, 10));
  Send(EverySecond(20), 1);
  std::map<string, int64_t> expected = Windows(10, 10);
  expected["0"] = expected["10"] = 20;
  Expect("out", 2, expected);
  // The other half comes after a restart, with the same disk and with none, and the first task runs ahead again.
  for (const auto& [from, to, directory] : {std::tuple(20, 60, state_.path()), std::tuple(60, 100, fresh_.path())}) {
    Stop();
    Start(Repartitioned(), settings, directory);
    Send({(100 + from) * 1'000}, 0);
    expected[std::to_string(100 + from)] = 1;
    Expect("out", 2, expected);
    std::vector<int64_t> times_ms;
    for (int64_t i = from; i < to; ++i) times_ms.push_back(i * 1'000);
    Send(times_ms, 1);
    for (int i = from; i < to; i += 10) expected[std::to_string(i)] = 20;
    Expect("out", 2, expected);
  }
  EXPECT_EQ(Last("late", 2), (std::map<string, int64_t>()));
  // Once both have passed a window it is closed.
  Send({200'000}, 0);
  Send({200'000}, 1);
  ASSERT_TRUE(Eventually([&] { return Reached(1, 200'000); }));
  Send({5'000}, 0);
  Expect("late", 2, {{"all", 1}});
  Stop();
}

TEST_P(EventTimeTest, AnIdleUpstreamTaskIsNotWaitedFor) {
  const std::map<string, string> settings{{"stream.time.mode", "watermark"}, {"watermark.idle.timeout.ms", "100"}};
  for (const char* topic : {"in", "late", "out"}) CreateTopic(topic, 2);
  Start(Repartitioned(), settings, state_.path());
  Send(EverySecond(100), 0);
  ASSERT_TRUE(Eventually([&] { return Reached(1, 99'000); })) << "partition 1 has nothing";
  Stop();
}

}  // namespace
}  // namespace tailrace::processor
