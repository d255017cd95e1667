// Goal: a replay has every row that the live application has: closed windows as they are there, open ones from the input. It
// drops what is late for the live one, and a preparation that died leaves nothing behind.
// Method: whole Streams on the in-memory log; the live application's changelog is damaged on purpose, so that it shows which rows
// were copied and which were rebuilt.
#include "tailrace/processor/replay.h"

#include <algorithm>
#include <array>

#include "support.h"
#include "tailrace/kafka/group_admin.h"
#include "tailrace/processor/application_id.h"
#include "tailrace/processor/catch_up.h"
#include "tailrace/processor/replay_reading.h"
#include "tailrace/state/changelog.h"

namespace tailrace::processor {
namespace {

using testing::Eventually;

constexpr int64_t kMinute = 60'000;
constexpr int64_t kStart = 1'790'000'040'000 / kMinute * kMinute;
constexpr int64_t kGrace = 30'000;
constexpr int64_t kDamaged = 9'999;

// The words are "a" and "d", which belong to different partitions of two: each has a stream time of its own.
// (key, window start) -> count
using Rows = std::map<std::pair<std::string, int64_t>, int64_t>;

Topology WindowTopology(bool repartition) {
  StreamsBuilder builder;
  auto words = builder.Stream<std::string, std::string>("words");
  auto windows = TimeWindows::OfSizeAndGrace(std::chrono::minutes(1), std::chrono::milliseconds(kGrace));
  const auto count = [&](auto grouped) {
    grouped.WindowedBy(windows).Count(Materialized("windows").WithRetention(std::chrono::hours(24)));
  };
  if (repartition) {
    count(words.GroupBy([](const std::string&, const std::string& word) { return word; }, Grouped("by-word")));
  } else {
    count(words.GroupByKey());
  }
  auto topology = builder.Build();
  EXPECT_TRUE(topology.ok()) << topology.status();
  return *std::move(topology);
}

class ReplayTest : public ::testing::TestWithParam<std::tuple<bool, bool>> {
 protected:
  bool exactly_once() const { return std::get<0>(GetParam()); }
  bool repartition() const { return std::get<1>(GetParam()); }
  base::Config ConfigOf(const std::string& id) const { return testing::TestConfig(state_.path(), exactly_once()).With("application.id", id); }

  void SetUp() override {
    cluster_ = testing::InMemory();
    ASSERT_TRUE(cluster_->admin().CreateTopics({{.name = "words", .partition_count = 2, .config = {{"retention.ms", "-1"}}}}, 1'000).ok());
    auto producer = cluster_->NewProducer({.client_id = "test"});
    ASSERT_TRUE(producer.ok());
    producer_ = *std::move(producer);
    words_ = *producer_->Topic("words");
  }

  // Counts in the truth unless it is late there.
  void Send(const std::string& word, int64_t time_ms) {
    ASSERT_TRUE(producer_->Send({.topic = words_, .key = word, .value = word, .timestamp_ms = time_ms}).ok());
    int64_t& observed = observed_ms_[word];
    observed = std::max(observed, time_ms);
    const int64_t start = time_ms / kMinute * kMinute;
    if (start + kMinute > observed - kGrace) ++truth_[{word, start}];
  }
  void Flush() { ASSERT_TRUE(producer_->Flush(10'000).ok()); }

  // Ten minutes, with records that are out of order but in time, and some that are late.
  void SendHistory() {
    for (int64_t second = 0; second < 600; ++second) {
      for (const char* word : {"a", "d"}) {
        Send(word, kStart + second * 1'000);
        if (second > 60 && second % 7 == 0) Send(word, kStart + (second - 25) * 1'000);
        if (second > 200 && second % 50 == 0) Send(word, kStart + (second - 200) * 1'000);
      }
    }
    Flush();
  }

  std::unique_ptr<Streams> Run(const std::string& id) {
    auto streams = std::make_unique<Streams>(WindowTopology(repartition()), ConfigOf(id), *cluster_, metrics_);
    const absl::Status status = streams->Start();
    EXPECT_TRUE(status.ok()) << status;
    return streams;
  }

  static Rows RowsOf(Streams& streams) {
    Rows rows;
    const auto views = streams.queryable().Views("windows");
    if (!views.ok()) return rows;
    for (const StoreView& view : *views) {
      const absl::Status status = view.view->FetchAll("windows", 0, kStart * 2, std::nullopt, [&](const state::Row& row) {
        rows[{std::string(row.key), row.window_start_ms}] = base::LoadBigEndian<int64_t>(row.value.data());
        return true;
      });
      EXPECT_TRUE(status.ok()) << status;
    }
    return rows;
  }

  // A row of the live changelog that nobody has counted.
  void Damage(const std::string& word, int64_t window_start_ms, std::string value = {}) {
    for (int32_t p = 0; p < 2; ++p) {
      const auto consumer = cluster_->NewConsumer({.client_id = "test", .read_committed = true});
      ASSERT_TRUE((*consumer)->Assign({{{"app-windows-changelog", base::Partition(p)}, base::Offset(0)}}).ok());
      std::string key;
      state::AppendWindowKey(key, word, window_start_ms, 0);
      kafka::RecordBatch batch;
      bool there = false;
      do {
        ASSERT_TRUE((*consumer)->Poll(batch, 10).ok());
        for (const kafka::RecordView& record : batch.records()) there |= record.key.view() == key;
      } while (!batch.empty());
      if (!there) continue;
      if (value.empty()) base::AppendBigEndian(value, kDamaged);  // its timestamp is the record's
      const auto topic = producer_->Topic("app-windows-changelog");
      ASSERT_TRUE(producer_->Send({.topic = *topic, .partition = base::Partition(p), .key = key, .value = value, .timestamp_ms = window_start_ms + 1}).ok());
      Flush();
      return;
    }
    FAIL() << "no window of " << word << " at " << window_start_ms;
  }

  absl::StatusOr<ReplayPlan> Prepare(std::optional<int64_t> from_ms, bool dry_run = false, int number = 1) {
    Topology topology = WindowTopology(repartition());
    return PrepareReplay(topology,
                         {.live = "app", .number = number, .config = ConfigOf("app"), .from_ms = from_ms,
                          .windows = {{.store = "windows", .size_ms = size_ms_, .grace_ms = kGrace}}, .check_values = true,
                          .outputs = {}, .dry_run = dry_run},
                         *cluster_);
  }

  testing::TemporaryDirectory state_;
  base::MetricsRegistry metrics_;
  std::unique_ptr<testing::FaultyCluster> cluster_;
  std::unique_ptr<kafka::Producer> producer_;
  kafka::TopicHandle words_ = 0;
  std::map<std::string, int64_t> observed_ms_;
  Rows truth_;
  int64_t size_ms_ = kMinute;  // of the windows that a replay takes the store's to be
};

INSTANTIATE_TEST_SUITE_P(Guarantees, ReplayTest, ::testing::Combine(::testing::Bool(), ::testing::Bool()), [](const auto& parameter) {
  return std::string(std::get<0>(parameter.param) ? "ExactlyOnce" : "AtLeastOnce") + (std::get<1>(parameter.param) ? "Repartitioned" : "");
});

TEST_P(ReplayTest, RowsOfOtherWindowsOrFieldsAreNotCopied) {
  SendHistory();
  auto live = Run("app");
  ASSERT_TRUE(Eventually([&] { return RowsOf(*live) == truth_; }));
  ASSERT_TRUE(live->Close(10'000).ok());
  const int64_t from_ms = kStart + 4 * kMinute + 30'000;
  size_ms_ = 2 * kMinute;
  absl::Status status = Prepare(from_ms).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_NE(status.message().find("the windows have changed"), std::string::npos) << status;

  size_ms_ = kMinute;
  Damage("a", kStart + 2 * kMinute, "seven b");
  status = Prepare(from_ms).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_NE(status.message().find("the fields have changed"), std::string::npos) << status;
  EXPECT_NE(status.message().find("use --from earliest"), std::string::npos) << status;
}

TEST_P(ReplayTest, ClosedWindowsAreCopiedAndOpenOnesRebuilt) {
  SendHistory();
  auto live = Run("app");
  ASSERT_TRUE(Eventually([&] { return RowsOf(*live) == truth_; }));
  ASSERT_TRUE(live->Close(10'000).ok());

  // From the middle of the fifth minute: windows that end at or before it are closed, later ones are not.
  const int64_t from_ms = kStart + 4 * kMinute + 30'000;
  Damage("a", kStart + 2 * kMinute);
  Damage("d", kStart + 3 * kMinute);
  Damage("a", kStart + 4 * kMinute);
  Damage("d", kStart + 8 * kMinute);
  const auto dry = Prepare(from_ms, /*dry_run=*/true);
  ASSERT_TRUE(dry.ok()) << dry.status();
  EXPECT_FALSE(cluster_->admin().DescribeTopic("app-replay-1-windows-changelog", 1'000)->has_value());
  const auto plan = Prepare(from_ms);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->application_id, "app@1");
  EXPECT_GT(plan->copied_records, 0);
  for (const ReplayPlan::Start& start : plan->starts) EXPECT_GT(start.offset.value(), 0) << start.partition.ToString();

  Rows expected = truth_;
  expected[{"a", kStart + 2 * kMinute}] = kDamaged;
  expected[{"d", kStart + 3 * kMinute}] = kDamaged;
  auto replay = Run("app@1");
  EXPECT_TRUE(Eventually([&] { return RowsOf(*replay) == expected; }));
  EXPECT_EQ(RowsOf(*replay), expected);

  // What is late for the live application is late for the replay; what is not counts in both.
  truth_ = expected;
  Send("a", kStart + 10 * kMinute);
  Send("a", kStart + 3 * kMinute);
  Send("d", kStart + 10 * kMinute + 5'000);
  Flush();
  EXPECT_TRUE(Eventually([&] { return RowsOf(*replay) == truth_; }));
  EXPECT_EQ(RowsOf(*replay), truth_);
  ASSERT_TRUE(replay->Close(10'000).ok());
}

// Nothing after the preparation says what time it is but its own offsets: a record of a closed window is all that comes.
TEST_P(ReplayTest, TheFirstRecordOfAClosedWindowIsLateAlready) {
  Send("a", kStart + 1'000);
  Send("a", kStart + 10 * kMinute);
  Send("d", kStart + 1'000);
  Send("d", kStart + 10 * kMinute);
  Flush();
  auto live = Run("app");
  ASSERT_TRUE(Eventually([&] { return RowsOf(*live) == truth_; })) << ::testing::PrintToString(RowsOf(*live));
  const auto plan = Prepare(kStart + 9 * kMinute);
  ASSERT_TRUE(plan.ok()) << plan.status();
  // The records at ten minutes are read again; this one comes first where they are not, and is late everywhere.
  ASSERT_TRUE(live->Close(10'000).ok());
  const auto offsets = kafka::GroupsOf(*cluster_).GroupOffsets("app@1", 1'000);
  std::vector<kafka::OffsetToCommit> at_end;
  for (const kafka::CommittedOffset& offset : *offsets) {
    const bool input = offset.partition.topic == "words";
    at_end.push_back({offset.partition, input ? cluster_->admin().Offsets(offset.partition, 1'000)->end : offset.offset, offset.metadata});
  }
  ASSERT_TRUE(kafka::GroupsOf(*cluster_).SetGroupOffsets("app@1", at_end, 1'000).ok());
  for (const char* word : {"a", "d"}) Send(word, kStart + 2'000);
  Flush();
  auto replay = Run("app@1");
  ASSERT_TRUE(replay->WaitFor(StreamsState::kRunning, 10'000));
  CatchUp catch_up(CatchUp::Options{.group = "app@1", .inputs = {"words"}, .repartitions = {}}, *cluster_);
  ASSERT_TRUE(Eventually([&] { return catch_up.caught_up(); }));
  EXPECT_EQ(catch_up.behind(), 0);
  const Rows closed = {{{"a", kStart}, 1}, {{"d", kStart}, 1}};
  EXPECT_TRUE(Eventually([&] { return RowsOf(*replay) == closed; }));
  EXPECT_EQ(RowsOf(*replay), closed);
  ASSERT_TRUE(replay->Close(10'000).ok());
}

TEST_P(ReplayTest, PreparingIsDoneOnceAndClearsWhatDied) {
  SendHistory();
  auto live = Run("app");
  ASSERT_TRUE(Eventually([&] { return RowsOf(*live) == truth_; }));
  // What a preparation that died would have left: a changelog with rows, and no offsets.
  ASSERT_TRUE(cluster_->admin().CreateTopics({{.name = "app-replay-1-windows-changelog", .partition_count = 2, .config = {{"cleanup.policy", "compact,delete"}}}}, 1'000).ok());
  std::string key;
  state::AppendWindowKey(key, "ghost", kStart, 0);
  ASSERT_TRUE(producer_->Send({.topic = *producer_->Topic("app-replay-1-windows-changelog"), .partition = base::Partition(0), .key = key,
                               .value = std::string(16, '\1'), .timestamp_ms = kStart}).ok());
  Flush();
  EXPECT_EQ(*GreatestReplay(*cluster_, "app"), 0);

  const auto plan = Prepare(kStart + 5 * kMinute);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->leftovers, std::vector<std::string>{"app-replay-1-windows-changelog"});
  EXPECT_EQ(*GreatestReplay(*cluster_, "app"), 1);
  const auto again = Prepare(kStart + 9 * kMinute);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->prepared_before);
  EXPECT_EQ(again->copied_records, 0);

  auto replay = Run("app@1");
  EXPECT_TRUE(Eventually([&] { return RowsOf(*replay) == truth_; }));
  EXPECT_EQ(RowsOf(*replay), truth_);
  ASSERT_TRUE(replay->Close(10'000).ok());
  ASSERT_TRUE(live->Close(10'000).ok());
}

TEST_P(ReplayTest, FromTheBeginningNeedsNoLiveApplication) {
  SendHistory();
  EXPECT_EQ(Prepare(kStart).status().code(), absl::StatusCode::kFailedPrecondition);
  const auto plan = Prepare(std::nullopt, false, 7);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->copied_records, 0);
  EXPECT_EQ(*GreatestReplay(*cluster_, "app"), 7);
  auto replay = Run("app@7");
  EXPECT_TRUE(Eventually([&] { return RowsOf(*replay) == truth_; }));
  EXPECT_EQ(RowsOf(*replay), truth_);
  ASSERT_TRUE(replay->Close(10'000).ok());
}

// Two partitions of which one is read long before the other, as a cluster's client does with hours of input: the records behind
// it would be late at the repartition topic.
TEST(ReplayReadingTest, InputsAreReadInTheOrderOfTheirTimes) {
  auto inner = kafka::OpenInMemory();
  ASSERT_TRUE(inner.ok());
  kafka::Cluster& log = **inner;
  ASSERT_TRUE(log.admin().CreateTopics({{.name = "in", .partition_count = 2, .config = {}}, {.name = "other", .partition_count = 1, .config = {}}}, 1'000).ok());
  const auto producer = log.NewProducer({.client_id = "test"});
  ASSERT_TRUE(producer.ok());
  const auto send = [&](const char* topic, int32_t partition, int64_t time_ms) {
    const kafka::Headers headers = {{"n", std::to_string(time_ms)}};
    ASSERT_TRUE((*producer)->Send({.topic = *(*producer)->Topic(topic), .partition = base::Partition(partition), .key = std::to_string(time_ms),
                                   .timestamp_ms = time_ms, .headers = &headers}).ok());
  };
  constexpr int64_t kCount = 9'000;  // more than wait at a time
  for (int64_t i = 0; i < kCount; ++i) {
    send("in", 0, 1'000 + 2 * i);
    send("in", 1, 1'001 + 2 * i);
  }
  send("in", 1, 500);  // out of order where it is
  send("other", 0, 7);
  ASSERT_TRUE((*producer)->Flush(10'000).ok());

  bool in_order = true;
  const auto cluster = ReadForReplay(*std::move(inner), {.inputs = {{"in", 2}}, .in_order = [&] { return in_order; },
                                                         .ends = {{{"in", base::Partition(0)}, base::Offset(kCount - 100)}}});
  const auto consumer = cluster->NewConsumer({.client_id = "test"});
  ASSERT_TRUE(consumer.ok());
  // One that has not all inputs yet waits for the others, and goes on with what is none.
  kafka::RecordBatch batch;
  ASSERT_TRUE((*consumer)->Assign({{{"in", base::Partition(0)}, base::Offset(0)}, {{"other", base::Partition(0)}, base::Offset(0)}}).ok());
  ASSERT_TRUE((*consumer)->Poll(batch, 100).ok());
  ASSERT_EQ(batch.records().size(), 1u);
  EXPECT_EQ(batch.records()[0].source, 1);
  EXPECT_EQ((*consumer)->Position(0), base::Offset(0)) << "what waits has not been given out";

  ASSERT_TRUE((*consumer)->Assign({{{"in", base::Partition(0)}, base::Offset(0)}, {{"in", base::Partition(1)}, base::Offset(0)}}).ok());
  std::vector<int64_t> times;
  std::vector<int64_t> next = {0, 0};
  const auto poll = [&] {
    EXPECT_TRUE((*consumer)->Poll(batch, 50).ok());
    for (const kafka::RecordView& record : batch.records()) {
      EXPECT_EQ(record.offset.value(), next[static_cast<size_t>(record.source)]++);
      EXPECT_EQ(record.key.view(), std::to_string(record.timestamp_ms));
      EXPECT_TRUE(record.value.is_null());
      const kafka::Headers headers = batch.HeadersOf(record);
      EXPECT_EQ(headers.size() == 1 ? headers[0].value : std::nullopt, std::to_string(record.timestamp_ms));
      times.push_back(record.timestamp_ms);
    }
    return times.size();
  };
  const std::array<int32_t, 1> first = {0};
  ASSERT_TRUE(Eventually([&] { return poll() > 3'000; }));
  ASSERT_TRUE((*consumer)->Pause(first).ok());
  const size_t before = times.size();
  const int64_t given = next[0];
  poll();
  EXPECT_EQ(next[0], given) << "a paused source gives nothing";
  EXPECT_GE(times.size(), before) << "and is not waited for";
  ASSERT_TRUE((*consumer)->Resume(first).ok());
  const auto all = static_cast<size_t>(kCount - 100 + kCount + 1);
  ASSERT_TRUE(Eventually([&] { return poll() >= all; }));
  poll();
  EXPECT_EQ(times.size(), all) << "nothing comes from behind an end";
  EXPECT_EQ((*consumer)->Position(0), base::Offset(kCount - 100));
  EXPECT_EQ((*consumer)->KnownEnd(0), base::Offset(kCount - 100));
  EXPECT_EQ((*consumer)->Position(1), base::Offset(kCount + 1));
  EXPECT_TRUE(std::is_sorted(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(before)));
  const auto late = std::find(times.begin(), times.end(), 500);
  ASSERT_NE(late, times.end());
  EXPECT_EQ(*std::prev(late), 1'001 + 2 * (kCount - 1)) << "a partition keeps its own order";

  in_order = false;
  send("in", 1, 20'000);
  ASSERT_TRUE((*producer)->Flush(10'000).ok());
  ASSERT_TRUE(Eventually([&] { return poll() > all; }));
  batch.Clear();
}

TEST(ApplicationIdTest, TopicsOfAReplayHaveLegalNames) {
  EXPECT_EQ(InternalTopicPrefix("city-metrics"), "city-metrics");
  EXPECT_EQ(InternalTopicPrefix("city-metrics@12"), "city-metrics-replay-12");
  EXPECT_EQ(CoordinationTopicOf("a@1"), "a-replay-1-coordination");
  EXPECT_EQ(ReplayTopic("posts", 3), "posts-replay-3");
  const auto id = ParseApplicationId("a.b_c@12");
  ASSERT_TRUE(id.ok()) << id.status();
  EXPECT_EQ(id->name, "a.b_c");
  EXPECT_EQ(id->number, 12);
  EXPECT_EQ(id->ToString(), "a.b_c@12");
  for (const char* bad : {"", "a@", "a@0", "a@01", "a@x", "a@1@2", "@1", "a b", "a@-1", "a@1234567", "x-replay-1", "x-replay-1@2"})
    EXPECT_TRUE(absl::IsInvalidArgument(ParseApplicationId(bad).status())) << bad;
  for (const char* good : {"a", "x-replay", "x-replay-", "x-replay-1a", "x-replay-01"}) EXPECT_TRUE(ParseApplicationId(good).ok()) << good;
  EXPECT_EQ(ReplayOfTopic("city", "city-replay-12-city-changelog"), 12);
  EXPECT_EQ(ReplayOfTopic("city", "city-replay-3"), 3);
  for (const char* other : {"city-city-changelog", "city-replay-0-x", "city-replay-x", "citys-replay-3", "city-replay-1234567-x"})
    EXPECT_EQ(ReplayOfTopic("city", other), 0) << other;
}

}  // namespace
}  // namespace tailrace::processor
