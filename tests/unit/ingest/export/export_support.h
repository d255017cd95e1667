// What the tests of exports share: a topic whose records are known, and readers of what was written.
#pragma once

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "support.h"
#include "tailrace/ingest/export.h"

namespace tailrace::ingest {

// Of partition and offset, the number in the value.
using Numbers = std::map<std::pair<int32_t, int64_t>, int>;

inline std::string ValueOf(int number) { return absl::StrCat("{\"number\":", number, ",\"text\":\"", std::string(80, 'x'), "\"}"); }

// Sends `count` records, numbered from `first`, to the partitions in turn, and keeps what is where.
inline void SendNumbers(kafka::Cluster& cluster, const std::string& topic, int32_t partitions, int first, int count, Numbers& truth) {
  auto producer = cluster.NewProducer({.client_id = "test"});
  ASSERT_TRUE(producer.ok()) << producer.status();
  const auto handle = (*producer)->Topic(topic);
  std::map<int32_t, int64_t> next;
  for (const auto& [at, number] : truth) next[at.first] = std::max(next[at.first], at.second + 1);
  for (int number = first; number < first + count; ++number) {
    const int32_t partition = number % partitions;
    const std::string key = absl::StrCat("key ", number);
    const std::string value = ValueOf(number);
    ASSERT_TRUE((*producer)
                    ->Send({.topic = *handle, .partition = base::Partition(partition), .key = key, .value = value, .timestamp_ms = kStartMs + number})
                    .ok());
    truth[{partition, next[partition]++}] = number;
  }
  ASSERT_TRUE((*producer)->Flush(10'000).ok());
}

inline std::string Unpacked(const std::string& packed) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string out;
  char block[4'096];
  for (int result = Z_OK; result == Z_OK;) {
    stream.next_out = reinterpret_cast<Bytef*>(block);
    stream.avail_out = sizeof(block);
    result = inflate(&stream, Z_NO_FLUSH);
    EXPECT_TRUE(result == Z_OK || result == Z_STREAM_END) << result;
    out.append(block, sizeof(block) - stream.avail_out);
  }
  EXPECT_EQ(stream.avail_in, 0u) << "there is something behind the end";
  inflateEnd(&stream);
  return out;
}

// The rows of one file, into `found`; a row that was there before is a double.
inline void AddRows(const std::string& name, const std::string& content, Numbers& found) {
  const std::string text = name.ends_with(".gz") ? Unpacked(content) : content;
  EXPECT_TRUE(text.ends_with('\n')) << name;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin);
    const auto row = nlohmann::json::parse(text.substr(begin, end - begin));
    const int number = row["value"]["number"];
    EXPECT_EQ(row["key"], absl::StrCat("key ", number));
    EXPECT_EQ(row["timestamp"], kStartMs + number);
    EXPECT_TRUE(found.try_emplace({row["partition"].get<int32_t>(), row["offset"].get<int64_t>()}, number).second) << row << " is there twice";
    begin = end + 1;
  }
}

// All rows below a folder; hidden files are not of it.
inline Numbers RowsBelow(const std::string& folder) {
  Numbers found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && !entry.path().filename().string().starts_with('.'))
      AddRows(entry.path().string(), ReadWhole(entry.path().string()), found);
  return found;
}

}  // namespace tailrace::ingest
