// Goal: records exactly on the edges of windows are taken, dropped and emitted as Kafka Streams does, and windows lie where it
// lays them. Method: one record on an edge and one beside it, for each rule.
#include <chrono>

#include "gtest/gtest.h"
#include "tailrace/processor/streams_builder.h"
#include "tailrace/processor/topology_test_driver.h"

namespace tailrace::processor {
namespace {

using std::chrono::milliseconds;
using Text = TopologyTestDriver::TypedRecord<std::string, std::string>;

// "in" is counted in `windows`; each update of a window comes out of "out" as key "start-end" and the count, or "gone".
class Counting {
 public:
  template <class Windows>
  explicit Counting(const Windows& windows, EmitStrategy emit = EmitStrategy::kOnWindowUpdate) {
    Start([&](auto grouped) { return grouped.WindowedBy(windows).WithEmitStrategy(emit).Count(Store()); });
  }
  template <class Windows>
  static Counting Suppressed(const Windows& windows) {
    Counting counting;
    counting.Start([&](auto grouped) {
      return grouped.WindowedBy(windows)
          .Count(Store())
          .Suppress(processor::Suppressed::UntilWindowCloses(BufferConfig::Unbounded()));
    });
    return counting;
  }

  // What a record at this time makes.
  std::vector<Text> At(int64_t time_ms, std::optional<std::string> value = "v", std::optional<std::string> key = "k") {
    const absl::Status status = driver_->InputTopic<std::string, std::string>("in").Pipe(key, value, time_ms);
    EXPECT_TRUE(status.ok()) << status;
    return driver_->OutputTopic<std::string, std::string>("out").ReadAll().value();
  }
  TopologyTestDriver& driver() { return *driver_; }

 private:
  Counting() = default;
  static Materialized<> Store() {
    Materialized<> store("counts");
    return store.WithCachingDisabled().WithRetention(milliseconds(100'000));
  }
  template <class Build>
  void Start(Build build) {
    StreamsBuilder builder;
    build(builder.Stream<std::string, std::string>("in").GroupByKey())
        .ToStream()
        .Map([](const Windowed<std::string>* window, const int64_t* count) {
          return std::pair(std::to_string(window->start_ms) + "-" + std::to_string(window->end_ms),
                           count == nullptr ? std::string("gone") : std::to_string(*count));
        })
        .To("out");
    auto topology = builder.Build();
    EXPECT_TRUE(topology.ok()) << topology.status();
    auto driver = TopologyTestDriver::Create(*std::move(topology));
    EXPECT_TRUE(driver.ok()) << driver.status();
    driver_ = *std::move(driver);
  }

  std::unique_ptr<TopologyTestDriver> driver_;
};

using Texts = std::vector<Text>;

TEST(TimeWindowEdges, TheStartBelongsToAWindowAndTheEndDoesNot) {
  Counting windows(TimeWindows::OfSizeWithNoGrace(milliseconds(10)));
  EXPECT_EQ(windows.At(9), (Texts{{"0-10", "1", 9}}));
  EXPECT_EQ(windows.At(10), (Texts{{"10-20", "1", 10}}));
}

TEST(TimeWindowEdges, StartsAreMultiplesOfTheAdvanceAndNeverBelowZero) {
  Counting windows(TimeWindows::OfSizeAndGrace(milliseconds(10), milliseconds(100)).AdvanceBy(milliseconds(3)));
  EXPECT_EQ(windows.At(1), (Texts{{"0-10", "1", 1}}));
  EXPECT_EQ(windows.At(10), (Texts{{"3-13", "1", 10}, {"6-16", "1", 10}, {"9-19", "1", 10}}));
  EXPECT_EQ(windows.At(12), (Texts{{"3-13", "2", 12}, {"6-16", "2", 12}, {"9-19", "2", 12}, {"12-22", "1", 12}}));
}

TEST(TimeWindowEdges, AWindowThatEndsAtStreamTimeLessTheGraceIsClosed) {
  Counting windows(TimeWindows::OfSizeAndGrace(milliseconds(10), milliseconds(5)));
  windows.At(14);
  EXPECT_EQ(windows.At(9), (Texts{{"0-10", "1", 9}})) << "10 > 14 - 5";
  windows.At(15);
  EXPECT_EQ(windows.At(9), Texts{}) << "10 <= 15 - 5";
  EXPECT_EQ(windows.driver().Dropped()["late"], 1);
}

TEST(SessionEdges, ASessionMergesAtTheGapAndNotBeyond) {
  Counting sessions(SessionWindows::OfInactivityGapAndGrace(milliseconds(5), milliseconds(100)));
  EXPECT_EQ(sessions.At(10), (Texts{{"10-10", "1", 10}}));
  EXPECT_EQ(sessions.At(16), (Texts{{"16-16", "1", 16}})) << "one beyond the gap";
  EXPECT_EQ(sessions.At(5), (Texts{{"10-10", "gone", 10}, {"5-10", "2", 10}})) << "the gap before";
  EXPECT_EQ(sessions.At(21), (Texts{{"16-16", "gone", 16}, {"16-21", "2", 21}})) << "the gap after";
}

TEST(SessionEdges, ASessionIsLateBelowStreamTimeLessGraceAndGap) {
  Counting sessions(SessionWindows::OfInactivityGapAndGrace(milliseconds(5), milliseconds(3)));
  sessions.At(100);
  EXPECT_EQ(sessions.At(92), (Texts{{"92-92", "1", 92}})) << "92 = 100 - 3 - 5";
  EXPECT_EQ(sessions.At(86), Texts{});
  EXPECT_EQ(sessions.driver().Dropped()["late"], 1);
}

TEST(SlidingEdges, BothBoundsAreInclusive) {
  Counting windows(SlidingWindows::OfTimeDifferenceAndGrace(milliseconds(10), milliseconds(100)));
  windows.At(20);
  EXPECT_EQ(windows.At(30), (Texts{{"21-31", "1", 30}, {"20-30", "2", 30}}));
  // 30 is outside, one beyond the difference: what begins after it is also what ends with 41, and is written as both.
  EXPECT_EQ(windows.At(41), (Texts{{"31-41", "1", 41}, {"31-41", "1", 41}}));
}

TEST(SlidingEdges, ANullValueIsDropped) {
  Counting windows(SlidingWindows::OfTimeDifferenceWithNoGrace(milliseconds(10)));
  EXPECT_EQ(windows.At(20, std::nullopt), Texts{});
  EXPECT_EQ(windows.At(20), (Texts{{"10-20", "1", 20}}));
}

// The end of sliding windows and of sessions is inclusive, so that they close one later than a time window of the same end.
TEST(EmitOnCloseEdges, AWindowIsShownByTheFirstRecordThatClosesIt) {
  Counting time(TimeWindows::OfSizeAndGrace(milliseconds(10), milliseconds(5)), EmitStrategy::kOnWindowClose);
  time.At(3);
  EXPECT_EQ(time.At(14), Texts{});
  EXPECT_EQ(time.At(15), (Texts{{"0-10", "1", 3}})) << "10 <= 15 - 5";

  Counting sliding(SlidingWindows::OfTimeDifferenceAndGrace(milliseconds(10), milliseconds(5)), EmitStrategy::kOnWindowClose);
  sliding.At(20);
  EXPECT_EQ(sliding.At(25), Texts{});
  EXPECT_EQ(sliding.At(26), (Texts{{"10-20", "1", 20}})) << "20 < 26 - 5";

  Counting sessions(SessionWindows::OfInactivityGapAndGrace(milliseconds(5), milliseconds(3)), EmitStrategy::kOnWindowClose);
  sessions.At(20);
  EXPECT_EQ(sessions.At(28), Texts{});
  EXPECT_EQ(sessions.At(29), (Texts{{"20-20", "1", 20}})) << "20 < 29 - 3 - 5";
}

TEST(SuppressEdges, AWindowLeavesAtItsEndPlusGraceAndASessionAtItsEndPlusGapAndGrace) {
  Counting time = Counting::Suppressed(TimeWindows::OfSizeAndGrace(milliseconds(10), milliseconds(5)));
  time.At(3);
  EXPECT_EQ(time.At(14), Texts{});
  EXPECT_EQ(time.At(15), (Texts{{"0-10", "1", 3}}));

  Counting sessions = Counting::Suppressed(SessionWindows::OfInactivityGapAndGrace(milliseconds(5), milliseconds(3)));
  sessions.At(20);
  EXPECT_EQ(sessions.At(27), Texts{});
  EXPECT_EQ(sessions.At(28), (Texts{{"20-20", "1", 20}}));
}

TEST(PartitionOfAWindowedKey, IsThatOfTheKey) {
  using Key = Windowed<std::string>;
  EXPECT_EQ(detail::WindowBytes(TimeWindowedSerde<StringSerde>{}), 8u);
  EXPECT_EQ(detail::WindowBytes(detail::AnySerde<Key>::Of(TimeWindowedSerde<StringSerde>{})), 8u);
  EXPECT_EQ(detail::WindowBytes(detail::AnySerde<Key>::Of(SessionWindowedSerde<StringSerde>{})), 16u);
  EXPECT_EQ(detail::WindowBytes(detail::AnySerde<std::string>::Of(StringSerde{})), 0u);
  // But not in repartition topics, to which Kafka Streams sends a key by all its bytes.
  EXPECT_EQ(detail::WindowBytes(detail::WholeKeySerde<SessionWindowedSerde<StringSerde>>{}), 0u);
}

}  // namespace
}  // namespace tailrace::processor
