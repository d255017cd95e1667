// Whatever a file is called, its content says whether it is packed. Packed inputs come from zlib's own writer.
#include "tailrace/pipeline/byte_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>

namespace tailrace::pipeline {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class ByteSourceTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / ("byte_source_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string Path(const std::string& name) const { return (folder_ / name).string(); }
  std::string Write(const std::string& name, const std::string& content) const {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << content;
    return Path(name);
  }
  std::string Packed(const std::string& text) const {
    const std::string file = Path("packed");
    gzFile out = gzopen(file.c_str(), "wb");
    gzwrite(out, text.data(), static_cast<unsigned>(text.size()));
    gzclose(out);
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  fs::path folder_;
};

absl::StatusOr<std::string> ReadAll(const std::string& name, size_t block = 1'000) {
  TAILRACE_ASSIGN_OR_RETURN(const auto source, OpenInput(name));
  std::string all, buffer(block, '\0');
  for (;;) {
    TAILRACE_ASSIGN_OR_RETURN(const size_t got, source->Read(buffer.data(), buffer.size()));
    if (got == 0) break;
    all.append(buffer, 0, got);
  }
  // The end stays the end.
  TAILRACE_ASSIGN_OR_RETURN(const size_t more, source->Read(buffer.data(), buffer.size()));
  EXPECT_EQ(more, 0u);
  EXPECT_EQ(source->bytes_read(), source->bytes_total());
  EXPECT_EQ(source->bytes_total(), static_cast<int64_t>(fs::file_size(name)));
  return all;
}

std::string Text(size_t size) {
  std::string text;
  for (size_t i = 0; text.size() < size; ++i) text += std::to_string(i * i) + "\n";
  return text;
}

TEST_F(ByteSourceTest, ReadsPlainAndPackedByContent) {
  const std::string text = Text(500'000);
  EXPECT_EQ(ReadAll(Write("plain.gz", text)).value(), text);
  EXPECT_EQ(ReadAll(Write("packed.jsonl", Packed(text))).value(), text);
  EXPECT_EQ(ReadAll(Write("packed.jsonl", Packed(text)), 1).value(), text);
  EXPECT_EQ(ReadAll(Write("empty", "")).value(), "");
  EXPECT_EQ(ReadAll(Write("one", "x")).value(), "x");
  EXPECT_EQ(ReadAll(Write("packed-empty", Packed(""))).value(), "");
  EXPECT_EQ(ReadAll(Write("half-magic", "\x1f")).value(), "\x1f");
}

TEST_F(ByteSourceTest, MembersInARowAreOneText) {
  const std::string one = Text(100'000);
  EXPECT_EQ(ReadAll(Write("three", Packed(one) + Packed("") + Packed("two"))).value(), one + "two");
}

TEST_F(ByteSourceTest, DamagedFilesAreNamed) {
  const std::string packed = Packed(Text(300'000));
  std::string flipped = packed;
  flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 0x40);
  for (const auto& [content, why] : {std::pair<std::string, const char*>{packed.substr(0, packed.size() - 3), "ends early"},
                                     {packed + "junk", "something that is not gzip follows"},
                                     {packed + "\x1f", "something that is not gzip follows"},
                                     {flipped, "cannot read on"}}) {
    const auto read = ReadAll(Write("damaged", content));
    EXPECT_EQ(read.status().code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(read.status().message()), HasSubstr(why));
    EXPECT_THAT(std::string(read.status().message()), HasSubstr(Path("damaged")));
  }
}

TEST_F(ByteSourceTest, WhatCannotBeReadIsNotFound) {
  EXPECT_EQ(OpenInput(Path("nothing")).status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(OpenInput(folder_.string()).status().message()), HasSubstr("it is a folder"));
}

TEST_F(ByteSourceTest, FoldersAreReadInTheOrderOfTheirPaths) {
  for (const char* name : {"b.jsonl", "a/z.jsonl", "a.jsonl", ".hidden", ".git/x", "a/.y"}) Write(name, "");
  const auto expanded = ExpandInputs({"-", folder_.string(), "http://host/a.jsonl", Path("nothing")});
  ASSERT_TRUE(expanded.ok()) << expanded.status();
  EXPECT_EQ(*expanded, (std::vector<std::string>{"-", Path("a.jsonl"), Path("a/z.jsonl"), Path("b.jsonl"), "http://host/a.jsonl", Path("nothing")}));
}

}  // namespace
}  // namespace tailrace::pipeline
