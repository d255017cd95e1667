#include "tailrace/base/json_text.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "tailrace/base/random.h"

namespace tailrace::base {
namespace {

std::string Quoted(std::string_view text) {
  std::string out;
  AppendJsonString(out, text);
  return out;
}
std::string Number(double value) {
  std::string out;
  AppendJsonDouble(out, value);
  return out;
}

TEST(JsonTextTest, EscapesWhatJsonMustEscape) {
  EXPECT_EQ(Quoted("Montréal, Québec"), "\"Montréal, Québec\"");
  EXPECT_EQ(Quoted("a\"b\\c\n\t\r\x01"), "\"a\\\"b\\\\c\\n\\t\\r\\u0001\"");
  EXPECT_EQ(Quoted(""), "\"\"");
}

TEST(JsonTextTest, EveryByteBelow128IsReadBack) {
  std::string all;
  for (int c = 0; c < 128; ++c) all += static_cast<char>(c);
  EXPECT_EQ(nlohmann::json::parse(Quoted(all)).get<std::string>(), all);
}

TEST(JsonTextTest, WritesIntegralDoublesAsIntegers) {
  EXPECT_EQ(Number(12), "12");
  EXPECT_EQ(Number(-3), "-3");
  EXPECT_EQ(Number(0.5), "0.5");
  EXPECT_EQ(Number(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(Number(std::numeric_limits<double>::quiet_NaN()), "null");
}

TEST(JsonTextTest, DoublesAreReadBackExactly) {
  Random random(7);
  for (int i = 0; i < 10'000; ++i) {
    const double value = (random.Unit() - 0.5) * static_cast<double>(random.Next() >> random.Below(60));
    EXPECT_EQ(nlohmann::json::parse(Number(value)).get<double>(), value);
  }
}

}  // namespace
}  // namespace tailrace::base
