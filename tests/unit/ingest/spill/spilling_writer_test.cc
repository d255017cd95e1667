// Goal: what a spilling writer took is in the topic exactly once and in order, whatever the log and the process do.
// Method: a log that goes away and loses what is under way; journals that are reopened, as after a kill, in the middle.
#include "tailrace/ingest/spilling_writer.h"

#include "faulty_cluster.h"
#include "spill/delivery.h"
#include "spill/journal.h"
#include "support.h"

namespace tailrace::ingest {
namespace {

namespace fs = std::filesystem;
using base::Reaction;

constexpr int kLongMs = 30'000;

// The numbers that were written, by partition.
std::vector<std::vector<int>> Numbers(kafka::Cluster& cluster, int32_t partitions) {
  std::vector<std::vector<int>> numbers(static_cast<size_t>(partitions));
  for (const StoredRecord& record : ReadTopic(cluster, "t")) numbers[static_cast<size_t>(record.partition)].push_back(std::stoi(record.value));
  return numbers;
}

void ExpectEachOnceInOrder(kafka::Cluster& cluster, int32_t partitions, int count) {
  std::vector<int> all;
  for (const std::vector<int>& partition : Numbers(cluster, partitions)) {
    EXPECT_TRUE(std::is_sorted(partition.begin(), partition.end()));
    all.insert(all.end(), partition.begin(), partition.end());
  }
  std::sort(all.begin(), all.end());
  ASSERT_EQ(all.size(), static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) ASSERT_EQ(all[static_cast<size_t>(i)], i);
}

absl::Status Put(RecordSink& sink, int number) { return sink.Write(std::to_string(number % 17), std::to_string(number), kStartMs + number); }

TEST(SpillingWriter, WhatTheLogCannotTakeWaitsOnDiskAndComesInOrder) {
  const TemporaryFolder folder;
  const auto inner = InMemory("t", 3);
  FaultyCluster cluster(*inner);
  base::MetricsRegistry metrics;
  const auto writer = SpillingWriter::Open(cluster, {.directory = folder.File("spill"), .topic = "t", .metrics = &metrics});
  ASSERT_TRUE(writer.ok()) << writer.status();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(Put(**writer, i).ok());
  ASSERT_TRUE((*writer)->Drain(kLongMs).ok());
  cluster.faults.down = true;
  for (int i = 100; i < 3'000; ++i) ASSERT_TRUE(Put(**writer, i).ok());
  const absl::Status away = (*writer)->Drain(0);
  EXPECT_TRUE(absl::IsUnavailable(away));
  EXPECT_NE(away.message().find(folder.File("spill")), std::string::npos) << away;
  EXPECT_EQ((*writer)->pending_records(), 2'900);
  EXPECT_NE(metrics.Expose().find("tailrace_ingest_spilled_records{topic=\"t\"} 2900"), std::string::npos) << metrics.Expose();
  cluster.faults.down = false;
  ASSERT_TRUE((*writer)->Finish().ok());
  EXPECT_EQ((*writer)->pending_records(), 0);
  EXPECT_EQ((*writer)->pending_bytes(), 0);
  ExpectEachOnceInOrder(*inner, 3, 3'000);
}

TEST(SpillingWriter, ARestartWhileTheLogIsAwayGoesOnWhereItWas) {
  const TemporaryFolder folder;
  const auto inner = InMemory("t", 3);
  FaultyCluster cluster(*inner);
  const SpillOptions options{.directory = folder.File("spill"), .topic = "t"};
  cluster.faults.down = true;
  for (int round = 0; round < 3; ++round) {
    const auto writer = SpillingWriter::Open(cluster, options);
    ASSERT_TRUE(writer.ok()) << writer.status();
    EXPECT_EQ((*writer)->pending_records(), 100 * round);
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(Put(**writer, 100 * round + i).ok());
  }
  cluster.faults.down = false;
  const auto writer = SpillingWriter::Open(cluster, options);
  ASSERT_TRUE(writer.ok()) << writer.status();
  ASSERT_TRUE((*writer)->Drain(kLongMs).ok());
  ExpectEachOnceInOrder(*inner, 3, 300);
}

TEST(SpillingWriter, FailedDeliveriesOfUnknownOutcomeAreLookedUp) {
  const TemporaryFolder folder;
  const auto inner = InMemory("t", 3);
  FaultyCluster cluster(*inner);
  cluster.faults.loss = 0.7;
  const auto writer = SpillingWriter::Open(cluster, {.directory = folder.File("spill"), .topic = "t"});
  ASSERT_TRUE(writer.ok()) << writer.status();
  for (int i = 0; i < 2'000; ++i) {
    ASSERT_TRUE(Put(**writer, i).ok());
    // So that the records go in several flushes.
    if (i % 200 == 0) {
      cluster.faults.loss = 0.7 * ((i / 200) % 2);
      (void)(*writer)->Drain(100);
    }
  }
  cluster.faults.loss = 0;
  ASSERT_TRUE((*writer)->Finish().ok());
  EXPECT_GT(cluster.faults.losses, 0);
  ExpectEachOnceInOrder(*inner, 3, 2'000);
}

// A process that is killed saves nothing: the journal and the checkpoint of a moment before are all there is.
TEST(Delivery, AKillAtAnyMomentNeitherLosesNorDoubles) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const TemporaryFolder folder;
    const auto inner = InMemory("t", 3);
    FaultyCluster cluster(*inner);
    base::Random random(seed);
    base::ManualClock clock;
    int written = 0;
    for (int life = 0; life < 8; ++life) {
      const auto journal = Journal::Open(folder.File("spill"), 1 << 20);
      ASSERT_TRUE(journal.ok()) << journal.status();
      const auto delivery = Delivery::Open(cluster, **journal, "t", "test", clock);
      ASSERT_TRUE(delivery.ok()) << delivery.status();
      cluster.faults.loss = life < 7 ? 0.3 : 0;
      for (uint64_t steps = 0; steps < 6; ++steps) {
        for (uint64_t i = random.Below(40); i > 0; --i) {
          ASSERT_TRUE((*journal)->Append(std::to_string(written % 17), std::to_string(written), kStartMs).ok());
          ++written;
        }
        clock.AdvanceMs(static_cast<int64_t>(random.Below(600)));
        const absl::Status status = (*delivery)->Step(100);
        ASSERT_TRUE(status.ok() || base::ReactionOf(status) == Reaction::kRetry) << status;
      }
      if (life == 7) {
        while ((*delivery)->next_sequence() < (*journal)->end_sequence()) ASSERT_TRUE((*delivery)->Step(100).ok());
      }
    }
    ExpectEachOnceInOrder(*inner, 3, written);
  }
}

TEST(SpillingWriter, TheBoundIsAClearErrorAndWhatIsThereStays) {
  const TemporaryFolder folder;
  const auto inner = InMemory("t", 1);
  FaultyCluster cluster(*inner);
  const SpillOptions options{.directory = folder.File("spill"), .topic = "t", .bytes_max = 64 << 10};
  cluster.faults.down = true;
  int written = 0;
  {
    const auto writer = SpillingWriter::Open(cluster, options);
    ASSERT_TRUE(writer.ok()) << writer.status();
    absl::Status status = Put(**writer, 0);
    for (written = 1; status.ok() && written < 100'000; ++written) status = Put(**writer, written);
    --written;
    EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
    EXPECT_NE(status.message().find("spill.max.bytes"), std::string::npos) << status;
    EXPECT_GT((*writer)->pending_bytes(), 60 << 10);
    EXPECT_LE((*writer)->pending_bytes(), 64 << 10);
  }
  const auto writer = SpillingWriter::Open(cluster, options);
  cluster.faults.down = false;
  (*writer)->WaitForRoom(kLongMs);
  ASSERT_TRUE(Put(**writer, written).ok());
  ASSERT_TRUE((*writer)->Drain(kLongMs).ok());
  ExpectEachOnceInOrder(*inner, 1, written + 1);
}

TEST(SpillingWriter, AMissingTopicAndATakenFolderAreSaid) {
  const TemporaryFolder folder;
  const auto cluster = InMemory("t", 1);
  const auto missing = SpillingWriter::Open(*cluster, {.directory = folder.File("spill"), .topic = "other"});
  EXPECT_TRUE(absl::IsNotFound(missing.status())) << missing.status();
  EXPECT_NE(missing.status().message().find("tailrace topics create other"), std::string::npos);
  const auto first = SpillingWriter::Open(*cluster, {.directory = folder.File("spill"), .topic = "t"});
  ASSERT_TRUE(first.ok());
  const auto second = SpillingWriter::Open(*cluster, {.directory = folder.File("spill"), .topic = "t"});
  EXPECT_TRUE(absl::IsFailedPrecondition(second.status())) << second.status();
  EXPECT_NE(second.status().message().find("spill.dir"), std::string::npos);
}

TEST(Journal, EntriesComeBackAsTheyWereOverManyFiles) {
  const TemporaryFolder folder;
  const std::string long_value(40'000, 'x');
  const auto write = [&](Journal& journal) {
    ASSERT_TRUE(journal.Append(kafka::NullableBytes(), "null key", 7).ok());
    ASSERT_TRUE(journal.Append(std::string_view(), "", -1).ok());
    ASSERT_TRUE(journal.Append(std::string_view("k\0\n", 3), long_value, INT64_MAX).ok());
  };
  uint64_t id = 0;
  {
    const auto journal = Journal::Open(folder.File("j"), 1 << 20);
    for (int i = 0; i < 10; ++i) write(**journal);
    id = (*journal)->id();
  }
  const auto journal = Journal::Open(folder.File("j"), 1 << 20);
  ASSERT_TRUE(journal.ok()) << journal.status();
  EXPECT_EQ((*journal)->id(), id);
  EXPECT_GT(std::distance(fs::directory_iterator(folder.File("j")), fs::directory_iterator()), 2) << "several files and the lock";
  Journal::Position at = (*journal)->PositionOf((*journal)->begin_sequence());
  uint64_t sequence = 1;
  while (at.sequence < (*journal)->end_sequence()) {
    const auto batch = (*journal)->Read(at);
    ASSERT_TRUE(batch.ok()) << batch.status();
    for (const JournalEntry& entry : batch->entries) {
      EXPECT_EQ(entry.sequence, sequence);
      switch (sequence++ % 3) {
        case 1:
          EXPECT_TRUE(entry.key.is_null());
          EXPECT_EQ(entry.value, "null key");
          EXPECT_EQ(entry.timestamp_ms, 7);
          break;
        case 2:
          EXPECT_FALSE(entry.key.is_null());
          EXPECT_EQ(entry.value, "");
          EXPECT_EQ(entry.timestamp_ms, -1);
          break;
        default:
          EXPECT_EQ(entry.key.view(), std::string_view("k\0\n", 3));
          EXPECT_EQ(entry.value, long_value);
      }
    }
    at = batch->end;
  }
  EXPECT_EQ(sequence, 31u);
  (*journal)->Release(at);
  EXPECT_EQ((*journal)->pending_bytes(), 0);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.File("j")), fs::directory_iterator()), 2) << "one file and the lock";
}

std::string LastFile(const std::string& directory) {
  std::string last;
  for (const auto& file : fs::directory_iterator(directory))
    if (file.path().extension() == ".spill") last = std::max(last, file.path().string());
  return last;
}

TEST(Journal, AnEntryThatWasCutShortIsDroppedAndTheOthersStay) {
  for (const int cut : {1, 10, 30}) {
    const TemporaryFolder folder;
    {
      const auto journal = Journal::Open(folder.File("j"), 1 << 20);
      for (int i = 0; i < 5; ++i) ASSERT_TRUE((*journal)->Append(std::string_view("key"), "value of an entry", i).ok());
    }
    const std::string file = LastFile(folder.File("j"));
    fs::resize_file(file, fs::file_size(file) - static_cast<uintmax_t>(cut));
    const auto journal = Journal::Open(folder.File("j"), 1 << 20);
    ASSERT_TRUE(journal.ok()) << journal.status();
    EXPECT_EQ((*journal)->end_sequence(), 5u);
    ASSERT_TRUE((*journal)->Append(kafka::NullableBytes(), "next", 9).ok());
    const auto batch = (*journal)->Read((*journal)->PositionOf(1));
    ASSERT_TRUE(batch.ok()) << batch.status();
    ASSERT_EQ(batch->entries.size(), 5u);
    EXPECT_EQ(batch->entries[4].value, "next");
  }
}

TEST(Journal, ADamagedFileIsNamed) {
  const TemporaryFolder folder;
  std::string first;
  {
    const auto journal = Journal::Open(folder.File("j"), 64 << 10);
    first = LastFile(folder.File("j"));
    for (int i = 0; i < 500; ++i) ASSERT_TRUE((*journal)->Append(std::string_view("key"), "value of an entry", i).ok());
  }
  std::string bytes = ReadWhole(first);
  bytes[100] = static_cast<char>(bytes[100] ^ 1);
  std::ofstream(first, std::ios::binary) << bytes;
  const auto journal = Journal::Open(folder.File("j"), 64 << 10);
  EXPECT_TRUE(absl::IsDataLoss(journal.status())) << journal.status();
  EXPECT_NE(journal.status().message().find(first), std::string::npos);
}

}  // namespace
}  // namespace tailrace::ingest
