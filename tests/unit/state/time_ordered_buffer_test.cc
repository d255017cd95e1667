// Goal: the buffer of a suppression keeps order, sizes and bytes as Kafka Streams' InMemoryTimeOrderedKeyValueChangeBuffer does,
// and holds the same after a restart. Method: the bytes by themselves, then the buffer on both backends.
#include "support.h"
#include "tailrace/base/bytes.h"
#include "tailrace/state/time_ordered_buffer.h"

namespace tailrace::state {
namespace {

using std::string;
using std::string_view;

StoreSpec BufferSpec() {
  StoreSpec spec = KeyValueSpec("buffer");
  spec.kind = StoreKind::kTimeOrderedBuffer;
  return spec;
}

BufferedContext From(int64_t timestamp_ms, int64_t offset) { return {timestamp_ms, offset, "in", 1, {}}; }

string Bytes(const BufferedChange& change, int64_t time_ms) {
  string bytes;
  AppendBufferedChange(bytes, change, time_ms);
  return bytes;
}

// Big-endian, of four and of eight bytes.
string Four(int32_t number) {
  string bytes;
  base::AppendBigEndian(bytes, number);
  return bytes;
}
string Eight(int64_t number) {
  string bytes;
  base::AppendBigEndian(bytes, number);
  return bytes;
}

TEST(BufferedChange, AChangelogValueIsContextPriorOldNewAndTime) {
  const BufferedContext context{3, 7, "in", 1, {{"h", "x"}, {"e", std::nullopt}}};
  EXPECT_EQ(Bytes({"prior", "old", "new", context}, 99),
            Eight(3) + Eight(7) + Four(2) + "in" + Four(1) + Four(2) + Four(1) + "h" + Four(1) + "x" + Four(1) + "e" + Four(-1) +
                Four(5) + "prior" + Four(3) + "old" + Four(3) + "new" + Eight(99));
}

TEST(BufferedChange, AnOldValueThatEqualsThePriorOneIsMinusTwo) {
  const string head = Eight(3) + Eight(7) + Four(2) + "in" + Four(1) + Four(0);
  EXPECT_EQ(Bytes({"same", "same", "new", From(3, 7)}, 99), head + Four(4) + "same" + Four(-2) + Four(3) + "new" + Eight(99));
  EXPECT_EQ(Bytes({std::nullopt, std::nullopt, std::nullopt, From(3, 7)}, 99), head + Four(-1) + Four(-1) + Four(-1) + Eight(99));
}

TEST(BufferedChange, WhatWasWrittenIsRead) {
  const BufferedContext context{3, 7, "in", 1, {{"h", "x"}, {"e", std::nullopt}}};
  for (const BufferedChange& written :
       {BufferedChange{"prior", "old", "new", context}, BufferedChange{"same", "same", std::nullopt, context},
        BufferedChange{std::nullopt, std::nullopt, "", context}, BufferedChange{"", std::nullopt, "new", context}}) {
    const string bytes = Bytes(written, 99);
    BufferedChange change;
    int64_t time_ms = 0;
    ASSERT_TRUE(ParseBufferedChange(bytes, change, time_ms));
    EXPECT_EQ(time_ms, 99);
    EXPECT_EQ(Bytes(change, time_ms), bytes);
    for (size_t size = 0; size < bytes.size(); ++size)
      EXPECT_FALSE(ParseBufferedChange(string_view(bytes).substr(0, size), change, time_ms)) << size;
    EXPECT_FALSE(ParseBufferedChange(bytes + "x", change, time_ms));
  }
}

class TimeOrderedBufferTest : public BothBackends {};
TEST_BOTH_BACKENDS(TimeOrderedBufferTest);

// "time:key=new(prior)" in the order in which they leave.
std::vector<string> Drain(TimeOrderedBuffer& buffer) {
  std::vector<string> left;
  for (auto oldest = buffer.Oldest(); oldest.has_value(); oldest = buffer.Oldest()) {
    left.push_back(std::to_string(oldest->time_ms) + ":" + string(oldest->key) + "=" + oldest->change->new_value.value_or("~") + "(" +
                   oldest->change->prior_value.value_or("~") + ")");
    EXPECT_OK(buffer.RemoveOldest());
  }
  return left;
}

void Put(TimeOrderedBuffer& buffer, int64_t time_ms, string_view key, kafka::NullableBytes new_value, kafka::NullableBytes old_value = {}) {
  EXPECT_OK(buffer.Put(time_ms, key, new_value, old_value, From(time_ms, 0)));
}

TEST_P(TimeOrderedBufferTest, LeavesByTimeThenKeyAndAnUpdateKeepsPlaceAndPriorValue) {
  auto task = OpenTask(Options({BufferSpec()}, Directory()));
  TimeOrderedBuffer& buffer = task->time_ordered_buffer("buffer");
  EXPECT_OK(buffer.Load());
  Put(buffer, 5, "b", string_view("1"));
  Put(buffer, 5, "a", string_view("2"), string_view("was"));
  Put(buffer, 3, "\xff", string_view("3"));
  Put(buffer, 9, "a", string_view("4"), string_view("2"));
  EXPECT_EQ(buffer.record_count(), 3);
  EXPECT_EQ(buffer.Find("a")->prior_value, "was");
  EXPECT_EQ(buffer.Find("c"), nullptr);
  EXPECT_EQ(Drain(buffer), (std::vector<string>{"3:\xff=3(~)", "5:a=4(was)", "5:b=1(~)"}));
  EXPECT_EQ(buffer.byte_count(), 0);
}

TEST_P(TimeOrderedBufferTest, CountsBytesAsKafkaStreamsEstimatesThem) {
  auto task = OpenTask(Options({BufferSpec()}, Directory()));
  TimeOrderedBuffer& buffer = task->time_ordered_buffer("buffer");
  EXPECT_OK(buffer.Load());
  Put(buffer, 5, "key", string_view("new"), string_view("old"));
  // Time, timestamp, offset and partition; key; topic; the old value is the prior one, too, and counts once.
  EXPECT_EQ(buffer.byte_count(), 28 + 3 + 2 + 3 + 3);
  Put(buffer, 6, "key", string_view("newer"), string_view("new"));
  EXPECT_EQ(buffer.byte_count(), 28 + 3 + 2 + 5 + 3 + 3);
  EXPECT_OK(buffer.Put(7, "k", {}, {}, {7, 0, "\xc3\xa4", 1, {{"name", "value"}, {"n", std::nullopt}}}));
  EXPECT_EQ(buffer.byte_count(), 44 + 28 + 1 + 1 + 9 + 1) << "names count by their characters";
}

TEST_P(TimeOrderedBufferTest, LogsEachChangedKeyOncePerCommitAndATombstoneForWhatHasLeft) {
  RecordingChangelog changelog;
  auto task = OpenTask(Options({BufferSpec()}, Directory()));
  task->SetChangelogWriter(&changelog);
  TimeOrderedBuffer& buffer = task->time_ordered_buffer("buffer");
  EXPECT_OK(buffer.Load());
  Put(buffer, 5, "b", string_view("1"));
  Put(buffer, 4, "a", string_view("2"));
  Put(buffer, 6, "b", string_view("3"), string_view("1"));
  EXPECT_OK(buffer.RemoveOldest());
  EXPECT_OK(FlushAndCommit(*task, 1));
  // In the order of a java.util.HashSet: by the hash of the bytes.
  EXPECT_EQ(changelog.changes, (std::vector<LoggedChange>{
                                   {0, "a", std::nullopt, -1},
                                   {0, "b", Bytes({std::nullopt, "1", "3", From(6, 0)}, 5), -1}}));
  changelog.changes.clear();
  EXPECT_OK(FlushAndCommit(*task, 2));
  EXPECT_TRUE(changelog.changes.empty());
}

TEST_P(TimeOrderedBufferTest, KeysAreLoggedInTheOrderOfAJavaHashSet) {
  RecordingChangelog changelog;
  auto task = OpenTask(Options({BufferSpec()}, Directory()));
  task->SetChangelogWriter(&changelog);
  TimeOrderedBuffer& buffer = task->time_ordered_buffer("buffer");
  EXPECT_OK(buffer.Load());
  // Arrays.hashCode of one byte b is 31 + b, so 'q' (144 = 9 * 16) is in the first of 16 buckets and 'a' (128) as well.
  for (const char* key : {"q", "a", "b", "p"}) Put(buffer, 1, key, string_view("v"));
  EXPECT_OK(FlushAndCommit(*task, 1));
  string order;
  for (const LoggedChange& change : changelog.changes) order += change.key;
  EXPECT_EQ(order, "qabp");
}

TEST_P(TimeOrderedBufferTest, ARevertGoesBackToWhatWasCommitted) {
  auto task = OpenTask(Options({BufferSpec()}, Directory()));
  TimeOrderedBuffer& buffer = task->time_ordered_buffer("buffer");
  EXPECT_OK(buffer.Load());
  Put(buffer, 5, "a", string_view("1"), string_view("was"));
  Put(buffer, 6, "b", string_view("2"));
  EXPECT_OK(FlushAndCommit(*task, 1));
  const int64_t bytes = buffer.byte_count();
  Put(buffer, 7, "a", string_view("3"), string_view("1"));
  Put(buffer, 1, "c", string_view("4"));
  EXPECT_OK(buffer.RemoveOldest());
  EXPECT_OK(buffer.RemoveOldest());
  task->DiscardUncommitted();
  EXPECT_OK(buffer.Load());
  EXPECT_EQ(buffer.byte_count(), bytes);
  EXPECT_EQ(Drain(buffer), (std::vector<string>{"5:a=1(was)", "6:b=2(~)"}));
}

TEST_P(TimeOrderedBufferTest, IsRebuiltFromItsChangelog) {
  RecordingChangelog changelog;
  auto task = OpenTask(Options({BufferSpec()}));
  task->SetChangelogWriter(&changelog);
  TimeOrderedBuffer& buffer = task->time_ordered_buffer("buffer");
  EXPECT_OK(buffer.Load());
  for (int round = 0; round < 3; ++round) {
    const string number = std::to_string(round);
    Put(buffer, 10 - round, "a", string_view(number));
    Put(buffer, 20 + round, "k" + number, string_view(number), string_view("was"));
    EXPECT_OK(FlushAndCommit(*task, round));
  }
  EXPECT_OK(buffer.RemoveOldest());
  EXPECT_OK(FlushAndCommit(*task, 3));

  auto copy = OpenTask(Options({BufferSpec()}, Directory()));
  std::vector<ChangelogRecord> records;
  for (const LoggedChange& change : changelog.changes)
    records.push_back({change.key, change.value.has_value() ? kafka::NullableBytes(string_view(*change.value)) : kafka::NullableBytes(),
                       change.timestamp_ms});
  EXPECT_OK(copy->ApplyChangelog(0, records, base::Offset(9)));
  TimeOrderedBuffer& restored = copy->time_ordered_buffer("buffer");
  EXPECT_OK(restored.Load());
  EXPECT_EQ(restored.byte_count(), buffer.byte_count());
  EXPECT_EQ(Drain(restored), (std::vector<string>{"20:k0=0(was)", "21:k1=1(was)", "22:k2=2(was)"}));
}

TEST_P(TimeOrderedBufferTest, AChangelogOfAnotherVersionIsRefusedWithWhatToDo) {
  auto task = OpenTask(Options({BufferSpec()}, Directory()));
  const std::vector<ChangelogRecord> records{{string_view("k"), string_view("version 0"), 1}};
  EXPECT_OK(task->ApplyChangelog(0, records, base::Offset(0)));
  const absl::Status status = task->time_ordered_buffer("buffer").Load();
  EXPECT_EQ(base::ReactionOf(status), base::Reaction::kFatal);
  EXPECT_NE(status.message().find("app-buffer-changelog"), absl::string_view::npos) << status;
}

TEST(TimeOrderedBuffer, IsThereAgainAfterAReopen) {
  TempDirectory directory;
  for (int round = 0; round < 2; ++round) {
    auto task = OpenTask(Options({BufferSpec()}, directory.Sub("0_1")));
    TimeOrderedBuffer& buffer = task->time_ordered_buffer("buffer");
    EXPECT_OK(buffer.Load());
    if (round == 1) {
      EXPECT_EQ(Drain(buffer), (std::vector<string>{"5:a=1(was)"}));
      continue;
    }
    Put(buffer, 5, "a", string_view("1"), string_view("was"));
    EXPECT_OK(FlushAndCommit(*task, 1));
    Put(buffer, 6, "lost", string_view("2"));
  }
}

}  // namespace
}  // namespace tailrace::state
