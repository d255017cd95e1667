#include "compile/event_codec.h"

#include <gtest/gtest.h>

#include "../read_one.h"
#include "tailrace/base/bytes.h"
#include "tailrace/base/random.h"

namespace tailrace::pipeline::compile {
namespace {

const std::vector<std::string_view> kTags = {"one", "", "é"};

std::vector<FieldValue> EveryType() {
  return {FieldValue(),          FieldValue::Text("Montréal"), FieldValue::Int(-5),    FieldValue::Double(0.1),
          FieldValue::Bool(true), FieldValue::TextList(kTags),  FieldValue::Text(""), FieldValue::TextList({})};
}

TEST(EventCodecTest, IsReadBackAsTheSame) {
  std::string bytes;
  EncodeEvent(EveryType(), bytes);
  EventDecoder decoder(8);
  Event event;
  ASSERT_TRUE(decoder.Decode(bytes, event));
  for (size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(event[i].type(), EveryType()[i].type());
    EXPECT_EQ(ReadOne::Render(event[i]), ReadOne::Render(EveryType()[i]));
  }
}

// The bytes are kept in topics: they never change.
TEST(EventCodecTest, BytesAreFixed) {
  std::string bytes;
  EncodeEvent(std::vector<FieldValue>{FieldValue::Int(258), FieldValue::Text("ab"), FieldValue(), FieldValue::Bool(true)}, bytes);
  EXPECT_EQ(base::HexEncode(bytes), "01020000000000000102010000000261620004" "01");
}

TEST(EventCodecTest, RefusesOtherBytes) {
  std::string bytes;
  EncodeEvent(EveryType(), bytes);
  Event event;
  EXPECT_FALSE(EventDecoder(7).Decode(bytes, event));
  EXPECT_FALSE(EventDecoder(9).Decode(bytes, event));
  for (size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(EventDecoder(8).Decode(std::string_view(bytes).substr(0, size), event));
  base::Random random(1);
  EventDecoder decoder(8);
  for (int i = 0; i < 20'000; ++i) {
    std::string damaged = bytes;
    damaged[random.Below(damaged.size())] = static_cast<char>(random.Next());
    decoder.Decode(damaged, event);
  }
}

}  // namespace
}  // namespace tailrace::pipeline::compile
