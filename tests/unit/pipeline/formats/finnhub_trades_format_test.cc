// One frame, many events: each element stands for itself.
#include <gtest/gtest.h>

#include "../read_one.h"

namespace tailrace::pipeline {
namespace {

// "symbol price volume ts conditions seq" of each event, "reason field" of what is none.
std::vector<std::string> Pieces(std::string_view frame, const ReaderOptions& options = {}) {
  const auto reader = FindFormat("finnhub-trades")->NewReader({"symbol", "price", "volume", "ts", "conditions", "type", "seq"}, options);
  std::vector<std::string> pieces;
  for (int round = 0; round < 2; ++round) {  // A reader starts anew with every record.
    pieces.clear();
    reader->Start(frame);
    ParseResult result;
    while (reader->Next(result)) {
      std::string piece;
      if (result.reason != SkipReason::kNone) {
        piece = std::string(SkipReasonName(result.reason)) + " " + std::string(result.field);
      } else {
        for (const FieldValue& value : result.event) piece += ReadOne::Render(value) + " ";
      }
      pieces.push_back(piece);
    }
  }
  return pieces;
}

using Lines = std::vector<std::string>;

TEST(FinnhubTradesFormatTest, GivesOneEventPerElement) {
  EXPECT_EQ(Pieces(R"({"data":[{"c":["1","8","24","12"],"p":122.1,"s":"TSLA","t":1615909802020,"v":1},)"
                   R"({"c":null,"p":64125.5,"s":"BINANCE:BTCUSDT","t":1615909802020,"v":0.0123}],"type":"trade"})"),
            (Lines{R"("TSLA" 122.1 1 1615909802020 ["1","8","24","12"] "trade" 1 )",
                   R"("BINANCE:BTCUSDT" 64125.5 0.0123 1615909802020 null "trade" 2 )"}));
}

TEST(FinnhubTradesFormatTest, CountsControlFrames) {
  EXPECT_EQ(Pieces(R"({"type":"ping"})"), (Lines{"control_frame "}));
  EXPECT_EQ(Pieces(R"({"type":"error","msg":"too many"})"), (Lines{"control_frame "}));
  EXPECT_EQ(Pieces(R"({"type":"trade","data":[]})"), (Lines{"control_frame "}));
}

TEST(FinnhubTradesFormatTest, ABrokenElementTakesNothingWithIt) {
  const ReaderOptions options{.required = {"ts"}, .timestamp_max_ms = 1'000};
  EXPECT_EQ(Pieces(R"({"type":"trade","data":[7,{"s":"A","p":"1","v":1,"t":1},{"s":"A","p":0,"v":1,"t":1},{"s":"A","p":1,"v":-1,"t":1},)"
                   R"({"s":"A","p":1,"v":1},{"s":"A","p":1,"v":1,"t":1001},{"s":"A","p":9007199254740993,"v":1,"t":1},)"
                   R"({"s":"A","s":"B","p":1,"v":1,"t":1},{"p":1,"v":1,"t":1},{"s":"A","p":1,"v":0,"t":1000}]})", options),
            (Lines{"not_an_object ", "wrong_type price", "number_out_of_range price", "number_out_of_range volume", "missing_field ts",
                   "future_timestamp ts", "number_out_of_range price", "duplicate_key symbol", "missing_field symbol",
                   R"("A" 1 0 1000 null "trade" 10 )"}));
}

TEST(FinnhubTradesFormatTest, RefusesWhatIsNoFrame) {
  EXPECT_EQ(Pieces(""), (Lines{"blank "}));
  EXPECT_EQ(Pieces("{"), (Lines{"malformed_json "}));
  EXPECT_EQ(Pieces("[]"), (Lines{"not_an_object "}));
  EXPECT_EQ(Pieces(R"({"data":[]})"), (Lines{"missing_field type"}));
  EXPECT_EQ(Pieces(R"({"type":1})"), (Lines{"wrong_type type"}));
  EXPECT_EQ(Pieces(R"({"type":"trade"})"), (Lines{"missing_field data"}));
  EXPECT_EQ(Pieces(R"({"type":"trade","data":{}})"), (Lines{"wrong_type data"}));
  EXPECT_EQ(Pieces(R"({"type":"trade","data":[],"data":[]})"), (Lines{"duplicate_key data"}));
  EXPECT_EQ(Pieces("{\"type\":\"\xff\"}"), (Lines{"invalid_utf8 "}));
}

}  // namespace
}  // namespace tailrace::pipeline
