// Goal: every store that Stores describes keeps what a processor puts into it, and is logged and cached as its description says.
// Method: one processor that writes and reads the store, driven record by record.
#include "tailrace/processor/stores.h"

#include <chrono>

#include "gtest/gtest.h"
#include "tailrace/processor/streams_builder.h"
#include "tailrace/processor/topology_test_driver.h"

namespace tailrace::processor {
namespace {

using std::string;
using std::chrono::milliseconds;

// Gives each record to `use` with the context, and forwards what it returns.
class Asking final : public Processor<string, string> {
 public:
  using Use = std::function<string(ProcessorContext<string, string>&, const Record<string, string>&)>;
  explicit Asking(Use use) : use_(std::move(use)) {}
  void Init(ProcessorContext<string, string>& context) override { context_ = &context; }
  void Process(const Record<string, string>& record) override {
    const string answer = use_(*context_, record);
    context_->Forward({record.key, &answer, record.timestamp_ms});
  }

 private:
  const Use use_;
  ProcessorContext<string, string>* context_ = nullptr;
};

struct Seen {
  std::vector<string> answers;
  std::vector<string> logged;  // keys of the changelog
};

// Pipes the times as records of one key, whose value is the time.
Seen Drive(state::StoreSpec store, Asking::Use use, const std::vector<int64_t>& times) {
  StreamsBuilder builder;
  const string name = store.name;
  builder.AddStateStore(std::move(store));
  builder.Stream<string, string>("in")
      .Process([use] { return std::make_unique<Asking>(use); }, {name}, Named("asking"))
      .To("out");
  auto topology = builder.Build();
  EXPECT_TRUE(topology.ok()) << topology.status();
  auto driver = TopologyTestDriver::Create(*std::move(topology), {.application_id = "app"});
  EXPECT_TRUE(driver.ok()) << driver.status();
  auto input = (*driver)->InputTopic<string, string>("in");
  for (const int64_t time : times) EXPECT_TRUE(input.Pipe("k", std::to_string(time), time).ok());
  Seen seen;
  for (const DriverRecord& record : (*driver)->TakeProduced("out")) seen.answers.push_back(*record.value);
  for (const DriverRecord& record : (*driver)->TakeProduced("app-" + name + "-changelog")) seen.logged.push_back(*record.key);
  return seen;
}

// Puts the record at its time and shows all of the key's windows.
string Windows(ProcessorContext<string, string>& context, const Record<string, string>& record) {
  state::WindowStore& store = context.window_store("store");
  EXPECT_TRUE(store.Put(*record.key, record.timestamp_ms, std::string_view(*record.value), record.timestamp_ms).ok());
  string shown;
  EXPECT_TRUE(store.FetchRange(*record.key, 0, 1'000, [&](const state::Row& row) {
    shown += string(row.value) + " ";
    return true;
  }).ok());
  return shown;
}

TEST(StoresTest, WindowStoresKeepEachStartOnceUntilTheRetention) {
  for (const auto make : {Stores::PersistentWindowStore, Stores::InMemoryWindowStore}) {
    const StoreBuilder store = make("store", milliseconds(50), milliseconds(10), false);
    EXPECT_EQ(state::StoreSpec(store).in_memory, make == Stores::InMemoryWindowStore);
    const Seen seen = Drive(store, Windows, {10, 10, 30, 60});
    EXPECT_EQ(seen.answers, (std::vector<string>{"10 ", "10 ", "10 30 ", "30 60 "})) << "10 has left 60 - 50";
    EXPECT_EQ(seen.logged.size(), 4u) << "each put is logged";
  }
}

TEST(StoresTest, WindowStoresThatRetainDuplicatesKeepEveryPut) {
  for (const auto make : {Stores::PersistentWindowStore, Stores::InMemoryWindowStore})
    EXPECT_EQ(Drive(make("store", milliseconds(50), milliseconds(10), true), Windows, {10, 10, 30}).answers,
              (std::vector<string>{"10 ", "10 10 ", "10 10 30 "}));
}

TEST(StoresTest, SessionStoresKeepSessionsUntilTheRetention) {
  const auto use = [](ProcessorContext<string, string>& context, const Record<string, string>& record) {
    state::SessionStore& store = context.session_store("store");
    const int64_t time = record.timestamp_ms;
    EXPECT_TRUE(store.Put(*record.key, time - 5, time, std::string_view(*record.value), time).ok());
    string shown;
    EXPECT_TRUE(store.FindSessions(*record.key, 0, 1'000, [&](const state::Row& row) {
      shown += string(row.value) + " ";
      return true;
    }).ok());
    return shown;
  };
  for (const auto make : {Stores::PersistentSessionStore, Stores::InMemorySessionStore}) {
    const Seen seen = Drive(make("store", milliseconds(50)), use, {10, 30, 61});
    EXPECT_EQ(seen.answers, (std::vector<string>{"10 ", "10 30 ", "30 61 "}));
    EXPECT_EQ(seen.logged.size(), 3u);
  }
}

TEST(StoresTest, VersionedStoresAnswerForATime) {
  const auto use = [](ProcessorContext<string, string>& context, const Record<string, string>& record) {
    state::VersionedStore& store = context.versioned_store("store");
    EXPECT_TRUE(store.Put(*record.key, std::string_view(*record.value), record.timestamp_ms).ok());
    const auto before = store.GetAsOf(*record.key, record.timestamp_ms - 1);
    return before->has_value() ? string((*before)->value) : string("none");
  };
  const Seen seen = Drive(Stores::PersistentVersionedKeyValueStore("store", milliseconds(100)), use, {10, 30, 20});
  EXPECT_EQ(seen.answers, (std::vector<string>{"none", "10", "10"}));
  EXPECT_EQ(seen.logged, (std::vector<string>{"k", "k", "k"}));
}

TEST(StoresTest, ACachedStoreIsLoggedOncePerCommitAndOneWithoutLoggingNever) {
  const auto use = [](ProcessorContext<string, string>& context, const Record<string, string>& record) {
    state::KeyValueStore& store = context.key_value_store("store");
    for (const char* value : {"a", "b"}) EXPECT_TRUE(store.Put(*record.key, std::string_view(value), record.timestamp_ms).ok());
    return string((*store.Get(*record.key))->value);
  };
  for (const auto make : {Stores::PersistentKeyValueStore, Stores::InMemoryKeyValueStore}) {
    EXPECT_EQ(Drive(make("store"), use, {1}).logged.size(), 2u);
    EXPECT_EQ(Drive(make("store").WithCachingEnabled(), use, {1}).logged.size(), 1u);
    const Seen silent = Drive(make("store").WithLoggingDisabled(), use, {1});
    EXPECT_EQ(silent.answers, (std::vector<string>{"b"}));
    EXPECT_TRUE(silent.logged.empty());
  }
}

}  // namespace
}  // namespace tailrace::processor
