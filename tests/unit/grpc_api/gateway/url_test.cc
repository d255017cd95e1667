// Goal: paths and queries decode exactly, and what is not UTF-8 never gets further.
#include "gateway/url.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace tailrace::grpc_api {
namespace {

TEST(PercentDecode, Decodes) {
  EXPECT_EQ(PercentDecode("Montr%C3%A9al%2C%20Qu%c3%a9bec", false), "Montréal, Québec");
  EXPECT_EQ(PercentDecode("a+b", false), "a+b");
  EXPECT_EQ(PercentDecode("a+b%2B", true), "a b+");
  EXPECT_EQ(PercentDecode("a%2Fb", false), "a/b");
}

TEST(PercentDecode, Refuses) {
  for (const char* text : {"%", "%4", "%zz", "a%2", "%00", "%ff", "%C3", "%C0%AF", "%ED%A0%80", "%F5%80%80%80"}) {
    EXPECT_FALSE(PercentDecode(text, false)) << text;
  }
}

TEST(ParseQuery, SplitsAndDecodes) {
  EXPECT_EQ(ParseQuery("a=1&b=x%20y&&c&d=e=f"), (std::vector<QueryPart>{{"a", "1"}, {"b", "x y"}, {"c", ""}, {"d", "e=f"}}));
  EXPECT_EQ(ParseQuery("a=%&%ff=1&b=2"), (std::vector<QueryPart>{{"a", std::nullopt}, {std::nullopt, "1"}, {"b", "2"}}));
}

TEST(SplitPath, KeepsEncodedSlashes) {
  EXPECT_EQ(SplitPath("/a/b%2Fc/"), (std::vector<std::string_view>{"a", "b%2Fc", ""}));
}

// Names that differ only in accents or case stand side by side.
TEST(SortKey, SortsAccentsAmongTheirLetters) {
  std::vector<std::string> cities = {"Zürich", "Écublens", "Edmonton", "montreal", "Montréal", "Ottawa", "Ölten"};
  std::sort(cities.begin(), cities.end(), [](const auto& a, const auto& b) { return SortKey(a) < SortKey(b); });
  EXPECT_EQ(cities, (std::vector<std::string>{"Écublens", "Edmonton", "Montréal", "montreal", "Ölten", "Ottawa", "Zürich"}));
}

}  // namespace
}  // namespace tailrace::grpc_api
