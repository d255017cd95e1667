// Exports to folders of this machine.
#include "tailrace/ingest/export.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <unistd.h>

#include "export/export_target.h"
#include "export_support.h"

namespace tailrace::ingest {
namespace {

namespace fs = std::filesystem;

constexpr int32_t kPartitions = 3;
constexpr uid_t kNobody = 65'534;

class ExportTest : public ::testing::Test {
 protected:
  ExportTest() { SendNumbers(*cluster_, "numbers", kPartitions, 0, 300, truth_); }
  absl::StatusOr<ExportSummary> Export(ExportOptions options = {}) {
    options.topic = "numbers";
    if (options.target.empty()) options.target = folder_.File("out");
    return ExportTopic(*cluster_, options, stop_);
  }
  std::string Part(int32_t partition) const { return folder_.File(absl::StrCat("out/numbers/", partition)); }

  const TemporaryFolder folder_;
  const std::unique_ptr<kafka::Cluster> cluster_ = InMemory("numbers", kPartitions);
  Numbers truth_;
  StopSignal stop_;
};

TEST_F(ExportTest, EveryRecordIsWrittenOnceAlsoWhenRunAgain) {
  const auto first = Export();
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->records, 300);
  EXPECT_EQ(first->files, 3);
  EXPECT_EQ(RowsBelow(folder_.File("out")), truth_);
  EXPECT_TRUE(fs::exists(Part(1) + "/00000000000000000000-00000000000000000099.jsonl"));

  const auto nothing_new = Export();
  ASSERT_TRUE(nothing_new.ok()) << nothing_new.status();
  EXPECT_EQ(nothing_new->files, 0);
  SendNumbers(*cluster_, "numbers", kPartitions, 300, 31, truth_);
  const auto more = Export();
  ASSERT_TRUE(more.ok()) << more.status();
  EXPECT_EQ(more->records, 31);
  EXPECT_EQ(RowsBelow(folder_.File("out")), truth_);
  EXPECT_EQ(DescribeExport(*more).substr(0, 21), "31 records in 3 files");
}

TEST_F(ExportTest, FilesHaveABoundAndGzipIsReadable) {
  const auto row_bytes = static_cast<int64_t>(ValueOf(299).size() + 100);  // at most
  const auto plain = Export({.file_bytes = 1'000});
  ASSERT_TRUE(plain.ok()) << plain.status();
  EXPECT_GT(plain->files, 10);
  for (const auto& entry : fs::recursive_directory_iterator(folder_.File("out")))
    EXPECT_TRUE(!entry.is_regular_file() || static_cast<int64_t>(entry.file_size()) < 1'000 + row_bytes) << entry.path();
  const auto packed = Export({.target = folder_.File("packed"), .gzip = true});
  ASSERT_TRUE(packed.ok()) << packed.status();
  EXPECT_LT(packed->bytes * 4, plain->bytes);
  EXPECT_TRUE(fs::exists(folder_.File("packed/numbers/0/00000000000000000000-00000000000000000099.jsonl.gz")));
  EXPECT_EQ(RowsBelow(folder_.File("packed")), truth_);
  EXPECT_EQ(RowsBelow(folder_.File("out")), truth_);
  EXPECT_TRUE(absl::IsInvalidArgument(Export({.file_bytes = base::limits::kExportFileBytesMax + 1}).status()));
}

TEST_F(ExportTest, WhatWasHalfWrittenIsDeletedAndLaterFilesAreKept) {
  ASSERT_TRUE(Export({.file_bytes = 1'000}).ok());
  // As if it had been killed in the middle: the newer half of a partition is missing, and one file is half written.
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(Part(0))) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (size_t i = files.size() / 2; i < files.size(); ++i) fs::remove(files[i]);
  const std::string half = absl::StrCat(Part(0), "/.tmp-", files[files.size() / 2].filename().string());
  std::ofstream(half) << "{\"partition\":0,";
  std::ofstream(Part(0) + "/.note") << "somebody's";
  const auto summary = Export();
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->leftovers, 1);
  EXPECT_FALSE(fs::exists(half));
  EXPECT_TRUE(fs::exists(Part(0) + "/.note"));
  EXPECT_EQ(RowsBelow(folder_.File("out")), truth_);
}

TEST_F(ExportTest, AFollowingExportEndsFilesByAgeUntilItIsStopped) {
  int told = 0;  // since all was read; the second time every file is old enough
  ExportOptions options{.follow = true, .file_ms = 1};
  options.on_progress = [&](const ExportProgress& progress) {
    if (progress.records == static_cast<int64_t>(truth_.size()) && ++told == 2) stop_.Request();
  };
  const auto summary = Export(options);
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_TRUE(summary->stopped);
  EXPECT_EQ(RowsBelow(folder_.File("out")), truth_);
}

TEST_F(ExportTest, ATopicThatWasMadeAnewIsRefused) {
  ASSERT_TRUE(Export().ok());
  const auto other = InMemory("numbers", kPartitions);
  const auto summary = ExportTopic(*other, {.topic = "numbers", .target = folder_.File("out")}, stop_);
  EXPECT_TRUE(absl::IsFailedPrecondition(summary.status())) << summary.status();
  EXPECT_NE(summary.status().message().find("made anew"), std::string::npos) << summary.status();
}

TEST_F(ExportTest, FilesThatOverlapAreRefused) {
  ASSERT_TRUE(Export().ok());
  std::ofstream(Part(2) + "/00000000000000000050-00000000000000000060.jsonl") << "{}\n";
  const auto summary = Export();
  EXPECT_TRUE(absl::IsFailedPrecondition(summary.status())) << summary.status();
  EXPECT_NE(summary.status().message().find("00000000000000000050"), std::string::npos) << summary.status();
}

TEST_F(ExportTest, AnUnknownTopicAndAnUnknownTargetAreNamed) {
  const auto missing = ExportTopic(*cluster_, {.topic = "nowhere", .target = folder_.File("out")}, stop_);
  EXPECT_TRUE(absl::IsNotFound(missing.status())) << missing.status();
  EXPECT_NE(missing.status().message().find("nowhere"), std::string::npos);
  EXPECT_FALSE(fs::exists(folder_.File("out"))) << "nothing is made for a topic that is not there";
  for (const char* const target : {"s3://bucket/x", "file://host/x", "webhdfs:///x", "webhdfs://user:secret@host/x"}) {
    const auto summary = Export({.target = target});
    EXPECT_TRUE(absl::IsInvalidArgument(summary.status())) << target << ": " << summary.status();
    EXPECT_EQ(summary.status().message().find("secret"), std::string::npos) << summary.status();
  }
}

TEST_F(ExportTest, AFolderThatMayNotBeWrittenIsNamed) {
  fs::create_directory(folder_.File("closed"));
  fs::permissions(folder_.File("closed"), fs::perms::owner_read | fs::perms::owner_exec);
  if (::geteuid() == 0) ::setfsuid(kNobody);  // root may write everywhere
  const auto summary = Export({.target = folder_.File("closed/out")});
  if (::geteuid() == 0) ::setfsuid(0);
  EXPECT_TRUE(absl::IsPermissionDenied(summary.status())) << summary.status();
  EXPECT_NE(summary.status().message().find(folder_.File("closed/out")), std::string::npos) << summary.status();

  folder_.Write("file", "");
  const auto in_the_way = Export({.target = folder_.File("file")});
  EXPECT_TRUE(absl::IsFailedPrecondition(in_the_way.status())) << in_the_way.status();
}

TEST_F(ExportTest, TwoExportsOfATopicToAFolderAreRefused) {
  ASSERT_TRUE(Export().ok());
  const int other = ::open(folder_.File("out/numbers/.lock").c_str(), O_RDWR);
  ASSERT_EQ(::flock(other, LOCK_EX | LOCK_NB), 0) << "an export that has ended holds nothing";
  EXPECT_TRUE(absl::IsFailedPrecondition(Export().status()));
  ::close(other);
  EXPECT_TRUE(Export().ok());
}

TEST(DirectoryTarget, AFullDiskIsTriedAgainAndLeavesNoFileOfTheName) {
  const TemporaryFolder folder;
  const auto target = NewDirectoryTarget(folder.File("out"));
  ASSERT_TRUE(target->Prepare("t/0").ok());
  const std::string file = folder.File("out/t/0/00000000000000000000-00000000000000000001.jsonl");
  const std::string temporary = folder.File("out/t/0/.tmp-00000000000000000000-00000000000000000001.jsonl");
  fs::create_symlink("/dev/full", temporary);
  const std::string name = fs::path(file).filename().string();
  const absl::Status full = target->Put("t/0", name, "content\n");
  EXPECT_EQ(base::ReactionOf(full), base::Reaction::kRetry) << full;
  EXPECT_NE(full.message().find("make room"), std::string::npos) << full;
  EXPECT_FALSE(fs::exists(file));
  fs::remove(temporary);
  EXPECT_TRUE(target->Put("t/0", name, "content\n").ok());
  EXPECT_EQ(ReadWhole(file), "content\n");
  EXPECT_FALSE(fs::exists(temporary));
}

}  // namespace
}  // namespace tailrace::ingest
