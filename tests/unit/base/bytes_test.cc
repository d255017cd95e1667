// Goal: encodings equal Java's and decoders never read past the end. Method: known bytes, round trips at the edges of
// each length, and every truncation of an encoded value.
#include "tailrace/base/bytes.h"

#include <gtest/gtest.h>

#include <limits>

namespace tailrace::base {
namespace {

TEST(Bytes, BigEndianIsJavasByteBuffer) {
  std::string out;
  AppendBigEndian<int64_t>(out, 0x0102030405060708);
  AppendBigEndian<int32_t>(out, -2);
  EXPECT_EQ(HexEncode(out), "0102030405060708fffffffe");
  std::string_view in = out;
  int64_t a = 0;
  int32_t b = 0;
  EXPECT_TRUE(ConsumeBigEndian(in, a));
  EXPECT_TRUE(ConsumeBigEndian(in, b));
  EXPECT_EQ(a, 0x0102030405060708);
  EXPECT_EQ(b, -2);
  EXPECT_FALSE(ConsumeBigEndian(in, b));
}

TEST(Bytes, VarintsAreKafkasZigZag) {
  struct {
    int64_t value;
    std::string_view hex;
  } const cases[] = {{0, "00"},   {-1, "01"},   {1, "02"},      {63, "7e"},
                     {-64, "7f"}, {64, "8001"}, {8191, "fe7f"}, {8192, "808001"}};
  for (const auto& one : cases) {
    std::string out;
    AppendVarint(out, one.value);
    EXPECT_EQ(HexEncode(out), one.hex) << one.value;
  }
}

TEST(Bytes, VarintsSurviveARoundTripAndNoTruncation) {
  for (const int64_t value : {int64_t{0}, int64_t{-1}, int64_t{300}, std::numeric_limits<int64_t>::max(),
                              std::numeric_limits<int64_t>::min()}) {
    std::string out;
    AppendVarint(out, value);
    std::string_view in = out;
    int64_t read = 0;
    ASSERT_TRUE(ConsumeVarint(in, read));
    EXPECT_EQ(read, value);
    EXPECT_TRUE(in.empty());
    for (size_t size = 0; size < out.size(); ++size) {
      std::string_view cut(out.data(), size);
      EXPECT_FALSE(ConsumeVarint(cut, read)) << value << " cut to " << size;
    }
  }
}

TEST(Bytes, AnEndlessVarintIsRefused) {
  const std::string endless(11, '\x80');
  std::string_view in = endless;
  int64_t read = 0;
  EXPECT_FALSE(ConsumeVarint(in, read));
}

TEST(Bytes, Base64) {
  EXPECT_EQ(Base64Encode("foobar"), "Zm9vYmFy");
  EXPECT_EQ(Base64Encode("foob"), "Zm9vYg==");
  for (const std::string text : {"", "f", "fo", "foo", "\xff\xfe"}) EXPECT_EQ(Base64Decode(Base64Encode(text)), text);
  EXPECT_EQ(Base64Decode("Zm9v!"), std::nullopt);
}

}  // namespace
}  // namespace tailrace::base
