#include "stream_lines.h"

#include <sys/stat.h>

#include <thread>

#include "support.h"
#include "tailrace/base/clock.h"
#include "tailrace/base/limits.h"

namespace tailrace::ingest {
namespace {

std::vector<std::string> LinesOf(const std::string& content) {
  const TemporaryFolder folder;
  const StopSignal stop;
  auto file = StreamFile::Open(folder.Write("lines", content), StreamFile::Mode::kRead, stop);
  EXPECT_TRUE(file.ok());
  StreamLines lines(*std::move(file), stop);
  std::vector<std::string> all;
  for (std::string_view line; *lines.Next(line);) all.emplace_back(line);
  return all;
}

TEST(StreamLines, LineEndsAndBlankLines) {
  EXPECT_EQ(LinesOf("a\r\nb\n\n\r\nlast"), (std::vector<std::string>{"a", "b", "", "", "last"}));
  EXPECT_EQ(LinesOf(""), std::vector<std::string>{});
  EXPECT_EQ(LinesOf("\n"), std::vector<std::string>{""});
}

TEST(StreamLines, LongLinesAreCutAndTheRestIsSkipped) {
  const std::string largest(base::limits::kEventBytesMax, 'x');
  const auto lines = LinesOf(largest + "\n" + std::string(3 * base::limits::kEventBytesMax, 'y') + "\nnext\n" +
                             std::string(2 * base::limits::kEventBytesMax, 'z'));
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0], largest);
  EXPECT_EQ(lines[1].size(), base::limits::kEventBytesMax + 1);
  EXPECT_EQ(lines[2], "next");
  EXPECT_EQ(lines[3].size(), base::limits::kEventBytesMax + 1);
}

TEST(StreamLines, APipeIsFollowedUntilItsWriterClosesIt) {
  const TemporaryFolder folder;
  const StopSignal stop;
  ASSERT_EQ(::mkfifo(folder.File("pipe").c_str(), 0600), 0);
  // Opened before there is a writer: that is not the end.
  auto file = StreamFile::Open(folder.File("pipe"), StreamFile::Mode::kRead, stop);
  ASSERT_TRUE(file.ok()) << file.status();
  StreamLines lines(*std::move(file), stop);
  StopSignal first_was_read;
  std::thread writer([&] {
    auto out = StreamFile::Open(folder.File("pipe"), StreamFile::Mode::kWrite, stop);
    ASSERT_TRUE(out.ok()) << out.status();
    ASSERT_TRUE(out->Write("first\nhalf", stop).ok());
    ASSERT_TRUE(first_was_read.WaitMs(10'000)) << "the line did not come before the block was full";
    ASSERT_TRUE(out->Write(" a line\n" + std::string(200'000, 'x'), stop).ok());
  });
  std::string_view line;
  ASSERT_TRUE(*lines.Next(line));
  EXPECT_EQ(line, "first");
  first_was_read.Request();
  ASSERT_TRUE(*lines.Next(line));
  EXPECT_EQ(line, "half a line");
  ASSERT_TRUE(*lines.Next(line));
  EXPECT_EQ(line.size(), 200'000u);
  EXPECT_FALSE(*lines.Next(line));
  writer.join();
}

TEST(StreamFile, AStopEndsEveryWait) {
  const TemporaryFolder folder;
  ASSERT_EQ(::mkfifo(folder.File("pipe").c_str(), 0600), 0);
  StopSignal stop;
  stop.Request();
  EXPECT_TRUE(absl::IsCancelled(StreamFile::Open(folder.File("pipe"), StreamFile::Mode::kWrite, stop).status()));
  auto reader = StreamFile::Open(folder.File("pipe"), StreamFile::Mode::kRead, stop);
  ASSERT_TRUE(reader.ok());
  char buffer[10];
  EXPECT_TRUE(absl::IsCancelled(reader->Read(buffer, sizeof(buffer), stop).status()));
}

TEST(StreamFile, ErrorsNameTheFile) {
  const TemporaryFolder folder;
  const StopSignal stop;
  const auto missing = StreamFile::Open(folder.File("absent"), StreamFile::Mode::kRead, stop).status();
  EXPECT_TRUE(absl::IsNotFound(missing)) << missing;
  EXPECT_NE(std::string(missing.message()).find("absent"), std::string::npos);
  EXPECT_FALSE(StreamFile::Open(folder.File(""), StreamFile::Mode::kRead, stop).ok()) << "a folder";
}

}  // namespace
}  // namespace tailrace::ingest
