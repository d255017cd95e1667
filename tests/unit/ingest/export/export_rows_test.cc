#include "export/export_rows.h"

#include <gtest/gtest.h>

#include "export/export_file.h"
#include "export/file_name.h"
#include "nlohmann/json.hpp"

namespace tailrace::ingest {
namespace {

using nlohmann::json;

using Bytes = std::optional<std::string_view>;

kafka::NullableBytes Nullable(Bytes bytes) { return bytes ? kafka::NullableBytes(*bytes) : kafka::NullableBytes(); }

kafka::RecordView Record(Bytes key, Bytes value) {
  return {.offset = base::Offset(5), .timestamp_ms = 1'767'225'600'000, .key = Nullable(key), .value = Nullable(value)};
}

std::string Row(ExportFormat format, const ExportKey& key, const kafka::RecordView& record) {
  std::string out;
  ExportRows(format, key).Append(out, base::Partition(2), record);
  return out;
}

std::string Json(Bytes key, Bytes value) { return Row(ExportFormat::kJsonLines, {}, Record(key, value)); }
std::string Csv(Bytes key, Bytes value) { return Row(ExportFormat::kCsv, {}, Record(key, value)); }

// A time as Kafka Streams writes it into a key.
std::string BigEndian(uint64_t number) {
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>((number >> shift) & 0xff);
  return bytes;
}

TEST(ExportRows, JsonLinesKeepEveryValueApart) {
  const std::string head = R"({"partition":2,"offset":5,"timestamp":1767225600000,)";
  EXPECT_EQ(Json("Québec", R"({"id":9007199254740993})"), head + "\"key\":\"Québec\",\"value\":{\"id\":9007199254740993}}\n");
  EXPECT_EQ(Json({}, {}), head + "\"key\":null,\"value\":null}\n");
  EXPECT_EQ(Json("", "null"), head + "\"key\":\"\",\"value_text\":\"null\"}\n") << "the text null is no missing value";
  EXPECT_EQ(Json("a\"b", "no json\n"), head + "\"key\":\"a\\\"b\",\"value_text\":\"no json\\n\"}\n");
  EXPECT_EQ(Json("\xff", "\xfe\xff"), head + "\"key_base64\":\"/w==\",\"value_base64\":\"/v8=\"}\n");
  EXPECT_EQ(Json("k", "[1,\r\n2]"), head + "\"key\":\"k\",\"value\":[1,  2]}\n") << "one record is one line";
}

TEST(ExportRows, CsvQuotesAndSaysWhatAFieldIs) {
  std::string head;
  ExportRows(ExportFormat::kCsv, {}).AppendHead(head);
  EXPECT_EQ(head, "partition,offset,timestamp,key,key_encoding,value,value_encoding\r\n");
  EXPECT_EQ(Csv("Toronto, Ontario", R"({"a":1})"), "2,5,1767225600000,\"Toronto, Ontario\",text,\"{\"\"a\"\":1}\",json\r\n");
  EXPECT_EQ(Csv({}, {}), "2,5,1767225600000,,,,\r\n");
  EXPECT_EQ(Csv("", ""), "2,5,1767225600000,,text,,text\r\n") << "empty is not null";
  EXPECT_EQ(Csv("\xff", "x"), "2,5,1767225600000,/w==,base64,x,text\r\n");
}

TEST(ExportRows, WindowsOfKeysAreColumns) {
  const ExportKey windowed{.kind = ExportKey::Kind::kWindowed, .window_size_ms = 300'000};
  const ExportKey session{.kind = ExportKey::Kind::kSession};
  const std::string in_window = "Bern" + BigEndian(600'000);
  const std::string in_session = "Bern" + BigEndian(900) + BigEndian(700);  // the end comes first
  const json a = json::parse(Row(ExportFormat::kJsonLines, windowed, Record(in_window, "1")));
  EXPECT_EQ(a["key"], "Bern");
  EXPECT_EQ(a["window"], json({{"start", 600'000}, {"end", 900'000}}));
  const json b = json::parse(Row(ExportFormat::kJsonLines, session, Record(in_session, "1")));
  EXPECT_EQ(b["key"], "Bern");
  EXPECT_EQ(b["window"], json({{"start", 700}, {"end", 900}}));
  EXPECT_EQ(Row(ExportFormat::kCsv, windowed, Record(in_window, "1")), "2,5,1767225600000,600000,900000,Bern,text,1,json\r\n");
  EXPECT_EQ(Row(ExportFormat::kCsv, windowed, Record("short", "1")), "2,5,1767225600000,,,short,text,1,json\r\n");
}

TEST(ExportRows, KindsOfKeysAreRead) {
  EXPECT_EQ(ParseExportKey("windowed:5m")->window_size_ms, 300'000);
  EXPECT_EQ(ParseExportKey("session")->kind, ExportKey::Kind::kSession);
  for (const char* const wrong : {"", "windowed", "windowed:", "windowed:0", "windowed:x", "json"})
    EXPECT_TRUE(absl::IsInvalidArgument(ParseExportKey(wrong).status())) << wrong;
}

TEST(ExportFileName, SaysItsOffsetsAndSortsAsTheyDo) {
  const std::string early = ExportFileName({base::Offset(9), base::Offset(99)}, ".jsonl.gz");
  const std::string late = ExportFileName({base::Offset(100), base::Offset(100)}, ".csv");
  EXPECT_EQ(early, "00000000000000000009-00000000000000000099.jsonl.gz");
  EXPECT_LT(early, late);
  EXPECT_EQ(ParseExportFileName(early)->last, base::Offset(99));
  for (const std::string wrong : {std::string("notes.txt"), TemporaryName(early), early + "x", "x" + early, std::string("-1"),
                                  ExportFileName({base::Offset(5), base::Offset(4)}, ".csv")})
    EXPECT_FALSE(ParseExportFileName(wrong).has_value()) << wrong;
  EXPECT_TRUE(IsTemporaryName(TemporaryName(late)));
  EXPECT_FALSE(IsTemporaryName(".tmp-other people's")) << "what is not an export's is not deleted";
}

TEST(ExportFile, PackedBytesDependOnTheRowsOnly) {
  ExportFile once(true), again(true);
  once.Append("one row\n");
  once.Append("two\n");
  again.Append("one row\n");
  again.Append("two\n");
  EXPECT_EQ(once.Finish(), again.Finish());
}

}  // namespace
}  // namespace tailrace::ingest
