#include "embedded/chunk.h"

#include "gtest/gtest.h"
#include "tailrace/base/bytes.h"
#include "tailrace/base/random.h"

namespace tailrace::kafka::embedded {
namespace {

std::vector<RecordView> ReadAll(std::string_view bytes, int64_t base, bool* damaged = nullptr) {
  ChunkReader reader(bytes, base);
  std::vector<RecordView> records;
  RecordView record;
  while (reader.Next(record)) records.push_back(record);
  if (damaged != nullptr) *damaged = reader.damaged();
  return records;
}

TEST(ChunkTest, RecordsComeBackWithOffsetsFromTheBase) {
  ChunkBuilder builder;
  const Headers headers = {{"h", "1"}, {"null", std::nullopt}, {"", ""}};
  builder.Add(10, std::string_view("key"), std::string_view("value"), &headers);
  builder.Add(-5, NullableBytes(), std::string_view(""), nullptr);
  builder.Add(7, std::string_view(""), NullableBytes(), nullptr);
  const ChunkBytes bytes = builder.Seal();
  EXPECT_TRUE(builder.empty());

  ChunkInfo info;
  ASSERT_TRUE(ParseChunkInfo(*bytes, info));
  EXPECT_EQ(info.count, 3u);
  EXPECT_EQ(info.span, 3u);
  EXPECT_EQ(info.max_timestamp_ms, 10);
  const std::vector<RecordView> records = ReadAll(*bytes, 100);
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[0].offset, base::Offset{100});
  EXPECT_EQ(records[0].key.view(), "key");
  EXPECT_EQ(records[0].value.view(), "value");
  EXPECT_EQ(DecodeHeaders(records[0].native), headers);
  EXPECT_EQ(records[1].timestamp_ms, -5);
  EXPECT_TRUE(records[1].key.is_null());
  EXPECT_FALSE(records[1].value.is_null());
  EXPECT_TRUE(DecodeHeaders(records[1].native).empty());
  EXPECT_FALSE(records[2].key.is_null());
  EXPECT_TRUE(records[2].value.is_null());
  EXPECT_EQ(records[2].offset, base::Offset{102});
}

// Goal: the stored bytes never change, so that a directory written today is read tomorrow.
TEST(ChunkTest, TheFormatIsFixed) {
  ChunkBuilder builder;
  const Headers headers = {{"h", std::nullopt}};
  builder.Add(1, std::string_view("k"), NullableBytes(), &headers);
  EXPECT_EQ(base::HexEncode(*builder.Seal()),
            "01" "00000001" "00000001" "0000000000000001"
            "00000000" "0000000000000001" "00000001" "ffffffff" "00000004"
            "6b" "02" "02" "68" "01");
}

TEST(ChunkTest, RawRecordsKeepTheirBytesUnderNewDeltas) {
  ChunkBuilder builder;
  for (int i = 0; i < 4; ++i) builder.Add(i, std::string_view("k"), std::string_view("v"), nullptr);
  const ChunkBytes bytes = builder.Seal();
  ChunkReader reader(*bytes, 50);
  RecordView record;
  while (reader.Next(record)) {
    if (record.offset.value() % 2 == 1) {
      builder.AddRaw(static_cast<uint32_t>(record.offset.value() - 51), reader.raw(), record.timestamp_ms);
    }
  }
  const ChunkBytes rewritten = builder.Seal();
  const std::vector<RecordView> records = ReadAll(*rewritten, 51);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].offset, base::Offset{51});
  EXPECT_EQ(records[1].offset, base::Offset{53});
  EXPECT_EQ(records[1].timestamp_ms, 3);
  ChunkInfo info;
  ASSERT_TRUE(ParseChunkInfo(*rewritten, info));
  EXPECT_EQ(info.span, 3u);
}

// Goal: damaged bytes are noticed or harmless, never read past their end (the sanitizers watch).
TEST(ChunkTest, DamagedBytesAreNoticed) {
  ChunkBuilder builder;
  for (int i = 0; i < 20; ++i) builder.Add(i, std::string_view("some key"), std::string_view("some value"), nullptr);
  const std::string good = *builder.Seal();
  bool damaged = false;
  for (size_t size = 0; size < good.size(); ++size) {
    const std::string cut = good.substr(0, size);
    EXPECT_LT(ReadAll(cut, 0, &damaged).size(), 20u);
    EXPECT_TRUE(damaged) << size;
  }
  base::Random random(7);
  for (int i = 0; i < 20'000; ++i) {
    std::string bad = good;
    bad[random.Below(bad.size())] = static_cast<char>(random.Next());
    for (const RecordView& record : ReadAll(bad, 0)) {
      EXPECT_GE(record.key.view().data(), bad.data());
      EXPECT_LE(record.value.view().data() + record.value.view().size(), bad.data() + bad.size());
    }
  }
}

}  // namespace
}  // namespace tailrace::kafka::embedded
