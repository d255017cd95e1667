// Rows of CSV become the JSON that the format reads; what is no CSV stays as it is.
#include "tailrace/pipeline/event_lines.h"

#include <gtest/gtest.h>

#include <cstring>

#include "tailrace/base/limits.h"

namespace tailrace::pipeline {
namespace {

class TextSource final : public ByteSource {
 public:
  explicit TextSource(std::string text) : text_(std::move(text)) {}
  absl::StatusOr<size_t> Read(char* buffer, size_t size) override {
    const size_t got = std::min(size, text_.size() - at_);
    std::memcpy(buffer, text_.data() + at_, got);
    at_ += got;
    return got;
  }
  const std::string& name() const override { return name_; }
  int64_t bytes_read() const override { return static_cast<int64_t>(at_); }
  int64_t bytes_total() const override { return 0; }

 private:
  const std::string text_;
  const std::string name_ = "text";
  size_t at_ = 0;
};

using Pieces = std::vector<std::string>;

// "LINE: piece"; large pieces by their size.
Pieces Read(const char* format, std::string text) {
  EventLines lines(LineReader(std::make_unique<TextSource>(std::move(text))), *FindFormat(format));
  Pieces pieces;
  for (std::string_view piece; lines.Next(piece).value();) {
    pieces.push_back(std::to_string(lines.line_number()) + ": " + (piece.size() > 1'000 ? std::to_string(piece.size()) : std::string(piece)));
  }
  return pieces;
}

TEST(EventLinesTest, RowsBecomeObjects) {
  EXPECT_EQ(Read("bar", "\xEF\xBB\xBFticker, date ,open,note,volume\r\nRY,2026-01-02,1.50,\"a \"\"b\"\", c\",\r\n\nAAPL,2026-01-05,-2e-3,x\ty,12\n"),
            (Pieces{R"(2: {"ticker":"RY","date":"2026-01-02","open":1.50,"note":"a \"b\", c"})", "3: ",
                    R"(4: {"ticker":"AAPL","date":"2026-01-05","open":-2e-3,"note":"x\ty","volume":12})"}));
  EXPECT_EQ(Read("news", "id,datetime\n1,1596589501"), (Pieces{R"(2: {"id":1,"datetime":1596589501})"}));
}

// What is no number as JSON writes it stays a text, whose type the format finds wrong.
TEST(EventLinesTest, OnlyNumbersAreNumbers) {
  EXPECT_EQ(Read("visa", "jobTitle,wageRangeFrom\n007,007\n1,\"1,5\"\n1,.5\n1,1.\n1,1e\n1,-\n1,0x1\n1,NaN\n1,0.5e+2\n"),
            (Pieces{R"(2: {"jobTitle":"007","wageRangeFrom":"007"})", R"(3: {"jobTitle":"1","wageRangeFrom":"1,5"})",
                    R"(4: {"jobTitle":"1","wageRangeFrom":".5"})", R"(5: {"jobTitle":"1","wageRangeFrom":"1."})",
                    R"(6: {"jobTitle":"1","wageRangeFrom":"1e"})", R"(7: {"jobTitle":"1","wageRangeFrom":"-"})",
                    R"(8: {"jobTitle":"1","wageRangeFrom":"0x1"})", R"(9: {"jobTitle":"1","wageRangeFrom":"NaN"})",
                    R"(10: {"jobTitle":"1","wageRangeFrom":0.5e+2})"}));
}

TEST(EventLinesTest, QuotedCellsMayHoldLineEnds) {
  EXPECT_EQ(Read("visa", "jobTitle,company\n\"a\nb\r\n\nc\",x\nd,y\n"),
            (Pieces{R"(2: {"jobTitle":"a\nb\n\nc","company":"x"})", R"(6: {"jobTitle":"d","company":"y"})"}));
}

TEST(EventLinesTest, BrokenRowsAreNoJsonAndTakeNothingWithThem) {
  EXPECT_EQ(Read("visa", "jobTitle,company\na,b,c\n\"a\"b,c\na\nd,\"e\n"), (Pieces{"2: {", "3: {", R"(4: {"jobTitle":"a"})", "5: {"}));
  const std::string large(base::limits::kEventBytesMax + 1, 'x');
  EXPECT_EQ(Read("visa", "jobTitle,company\n" + large + "\nd,e\n"),
            (Pieces{"2: " + std::to_string(large.size()), R"(3: {"jobTitle":"d","company":"e"})"}));
  // A quote that never ends is given up at the bound, and the next line is a row again.
  std::string open = "jobTitle,company\n\"";
  for (size_t i = 0; i <= base::limits::kEventBytesMax / 1'024; ++i) open += std::string(1'023, 'x') + "\n";
  const Pieces pieces = Read("visa", open + "d,e\n");
  ASSERT_EQ(pieces.size(), 2u);
  EXPECT_GT(std::stoul(pieces[0].substr(3)), base::limits::kEventBytesMax);
  EXPECT_TRUE(pieces[1].ends_with(R"({"jobTitle":"d","company":"e"})"));
}

TEST(EventLinesTest, WhatIsNoCsvStaysAsItIs) {
  EXPECT_EQ(Read("bar", "{\"ticker\":\"A\",\"date\":\"2026-01-02\"}\nticker,date\n"),
            (Pieces{R"(1: {"ticker":"A","date":"2026-01-02"})", "2: ticker,date"}));
  EXPECT_EQ(Read("bar", "ticker,other\nA,B\n"), (Pieces{"1: ticker,other", "2: A,B"}));
  EXPECT_EQ(Read("post", "id,text\n1,x\n"), (Pieces{"1: id,text", "2: 1,x"}));
  EXPECT_EQ(Read("bar", ""), (Pieces{}));
  EXPECT_EQ(Read("bar", "ticker,date"), (Pieces{}));
}

}  // namespace
}  // namespace tailrace::pipeline
