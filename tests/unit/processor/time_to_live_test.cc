// Goal: entries of a store with a time to live are gone for everybody at the same event time, and are deleted with bounded work.
// Method: small topologies on the TopologyTestDriver, with and without caching; restarts are in runtime/event_time_test.cc.
#include <chrono>

#include "gtest/gtest.h"
#include "tailrace/base/limits.h"
#include "tailrace/processor/stores.h"
#include "tailrace/processor/streams_builder.h"
#include "tailrace/processor/topology_test_driver.h"

namespace tailrace::processor {
namespace {

using std::string;
using std::chrono::milliseconds;
using Rec = TopologyTestDriver::TypedRecord<string, string>;
using Recs = std::vector<Rec>;

std::unique_ptr<TopologyTestDriver> Drive(const StreamsBuilder& builder, TestDriverOptions options = {}) {
  auto topology = builder.Build();
  EXPECT_TRUE(topology.ok()) << topology.status();
  auto driver = TopologyTestDriver::Create(*std::move(topology), std::move(options));
  EXPECT_TRUE(driver.ok()) << driver.status();
  return *std::move(driver);
}

void Pipe(TopologyTestDriver& driver, const string& topic, const string& key, int64_t time_ms) {
  ASSERT_TRUE((driver.InputTopic<string, string>(topic).Pipe(key, key + std::to_string(time_ms), time_ms).ok()));
}

std::vector<string> Keys(TopologyTestDriver& driver, const string& store) {
  std::vector<string> keys;
  EXPECT_TRUE(driver.Store(store)
                  ->Range(store, std::nullopt, std::nullopt, std::nullopt,
                          [&](const state::Row& row) {
                            keys.emplace_back(row.key);
                            return true;
                          })
                  .ok());
  return keys;
}

TEST(TimeToLive, ARowIsDeletedForTheLogForQueriesForJoinsAndForTablesBelow) {
  for (const bool caching : {true, false}) {
    SCOPED_TRACE(caching);
    StreamsBuilder builder;
    auto rows = builder.Table<string, string>("t", Materialized("rows").WithTimeToLive(milliseconds(100)));
    rows.ToStream().To("out");
    builder.Stream<string, string>("s")
        .LeftJoin(rows, [](const string&, const string* row) { return row == nullptr ? string("none") : *row; })
        .To("joined");
    auto driver = Drive(builder, {.caching = caching});
    const auto joined = [&] { return driver->OutputTopic<string, string>("joined").ReadAll().value(); };
    Pipe(*driver, "t", "a", 0);
    Pipe(*driver, "t", "b", 50);
    Pipe(*driver, "s", "a", 99);
    EXPECT_EQ(joined(), (Recs{{"a", "a0", 99}}));
    EXPECT_EQ(Keys(*driver, "rows"), (std::vector<string>{"a", "b"}));
    driver->TakeProduced("test-rows-changelog");
    Pipe(*driver, "s", "a", 100);
    EXPECT_EQ(joined(), (Recs{{"a", "none", 100}})) << "gone as soon as stream time is there";
    Pipe(*driver, "t", "c", 150);
    EXPECT_EQ(Keys(*driver, "rows"), (std::vector<string>{"c"}));
    EXPECT_FALSE(driver->Store("rows")->Get("rows", "b")->has_value());
    EXPECT_EQ((driver->OutputTopic<string, string>("out").ReadAll().value()),
              (Recs{{"a", "a0", 0}, {"b", "b50", 50}, {"a", std::nullopt, 100}, {"c", "c150", 150}, {"b", std::nullopt, 150}}));
    EXPECT_EQ((driver->OutputTopic<string, string>("test-rows-changelog").ReadAll().value()),
              (Recs{{"a", std::nullopt, 100}, {"c", "c150", 150}, {"b", std::nullopt, 150}}));
  }
}

TEST(TimeToLive, AnUpdateBeginsItAnewAndAnAggregateThatIsGoneBeginsAnew) {
  for (const bool caching : {true, false}) {
    SCOPED_TRACE(caching);
    StreamsBuilder builder;
    builder.Stream<string, string>("s")
        .GroupByKey()
        .Count(Materialized("counts").WithTimeToLive(milliseconds(100)))
        .ToStream()
        .To("out");
    auto driver = Drive(builder, {.caching = caching});
    for (const int64_t time_ms : {0, 60, 159}) Pipe(*driver, "s", "a", time_ms);
    Pipe(*driver, "s", "a", 300);
    using Count = TopologyTestDriver::TypedRecord<string, int64_t>;
    const auto out = driver->OutputTopic<string, int64_t>("out").ReadAll().value();
    ASSERT_GE(out.size(), 4u);
    EXPECT_EQ(out[2], (Count{"a", 3, 159}));
    EXPECT_EQ(out.back(), (Count{"a", 1, 300}));
  }
}

TEST(TimeToLive, ATableThatCountsRowsHearsOfThoseThatAreGone) {
  for (const bool caching : {true, false}) {
    SCOPED_TRACE(caching);
    StreamsBuilder builder;
    builder.Table<string, string>("t", Materialized("rows").WithTimeToLive(milliseconds(100)))
        .GroupBy([](const string&, const string& value) { return std::pair(string("all"), value); }, Grouped("g"))
        .Count(Materialized("live"))
        .ToStream()
        .To("out");
    auto driver = Drive(builder, {.caching = caching});
    Pipe(*driver, "t", "a", 0);
    Pipe(*driver, "t", "b", 50);
    Pipe(*driver, "t", "c", 120);
    const auto out = driver->OutputTopic<string, int64_t>("out").ReadAll().value();
    ASSERT_FALSE(out.empty());
    EXPECT_EQ(out.back().value, 2) << "b and c";
  }
}

// Puts each record and says which keys the store shows, before any commit has deleted one.
class Lister final : public Processor<string, string> {
 public:
  void Init(ProcessorContext<string, string>& context) override {
    context_ = &context;
    rows_ = &context.key_value_store("rows");
  }
  void Process(const Record<string, string>& record) override {
    ASSERT_TRUE(rows_->Put(*record.key, std::string_view(*record.value), record.timestamp_ms).ok());
    string keys;
    ASSERT_TRUE(rows_->Range(std::nullopt, std::nullopt, [&](const state::Row& row) {
                       keys += row.key;
                       return true;
                     }).ok());
    context_->Forward({record.key, &keys, record.timestamp_ms});
  }

 private:
  ProcessorContext<string, string>* context_ = nullptr;
  state::KeyValueStore* rows_ = nullptr;
};

TEST(TimeToLive, AProcessorsStoreShowsWhatLives) {
  for (const bool in_memory : {false, true}) {
    SCOPED_TRACE(in_memory);
    StreamsBuilder builder;
    builder.AddStateStore((in_memory ? Stores::InMemoryKeyValueStore("rows") : Stores::PersistentKeyValueStore("rows"))
                              .WithTimeToLive(milliseconds(100)));
    builder.Stream<string, string>("s").Process([] { return std::make_unique<Lister>(); }, {"rows"}, "lister").To("out");
    auto driver = Drive(builder, {.commit_every_record = false});
    Pipe(*driver, "s", "a", 0);
    Pipe(*driver, "s", "b", 99);
    Pipe(*driver, "s", "c", 100);
    Pipe(*driver, "s", "d", 50);
    ASSERT_TRUE(driver->Commit().ok());
    EXPECT_EQ((driver->OutputTopic<string, string>("out").ReadAll().value()),
              (Recs{{"a", "a", 0}, {"b", "ab", 99}, {"c", "bc", 100}, {"d", "bcd", 50}}));
    EXPECT_EQ(Keys(*driver, "rows"), (std::vector<string>{"b", "c", "d"}));
  }
}

TEST(TimeToLive, ACommitDeletesABoundedNumberOfRowsAndTheNextGoesOn) {
  StreamsBuilder builder;
  builder.Table<string, string>("t", Materialized("rows").WithTimeToLive(milliseconds(100)));
  auto driver = Drive(builder, {.commit_every_record = false});
  constexpr int kMore = 10;
  for (int i = 0; i < base::limits::kTimeToLiveRowsPerCommit + kMore; ++i) Pipe(*driver, "t", "key-" + std::to_string(i), 0);
  ASSERT_TRUE(driver->Commit().ok());
  driver->TakeProduced("test-rows-changelog");
  const auto deletes = [&] {
    int64_t count = 0;
    for (const DriverRecord& record : driver->TakeProduced("test-rows-changelog")) count += !record.value.has_value();
    return count;
  };
  Pipe(*driver, "t", "z", 1000);
  ASSERT_TRUE(driver->Commit().ok());
  EXPECT_EQ(deletes(), base::limits::kTimeToLiveRowsPerCommit);
  EXPECT_EQ(Keys(*driver, "rows"), (std::vector<string>{"z"})) << "what waits to be deleted is not shown";
  Pipe(*driver, "t", "z", 1001);
  ASSERT_TRUE(driver->Commit().ok());
  EXPECT_EQ(deletes(), kMore);
  Pipe(*driver, "t", "z", 1002);
  ASSERT_TRUE(driver->Commit().ok());
  EXPECT_EQ(deletes(), 0);
}

TEST(TimeToLive, OfWindowsAndOfZeroIsRefused) {
  StreamsBuilder windows;
  windows.Stream<string, string>("s")
      .GroupByKey()
      .WindowedBy(TimeWindows::OfSizeWithNoGrace(milliseconds(10)))
      .Count(Materialized("counts").WithTimeToLive(milliseconds(100)));
  const absl::Status refused = windows.Build().value().Compile("app");
  EXPECT_NE(refused.message().find("state store counts: a time to live is for key-value stores"), absl::string_view::npos) << refused;
  StreamsBuilder zero;
  zero.Table<string, string>("t", Materialized("rows").WithTimeToLive(milliseconds(0)));
  EXPECT_NE(zero.Build().value().Compile("app").message().find("must be positive"), absl::string_view::npos);
}

}  // namespace
}  // namespace tailrace::processor
