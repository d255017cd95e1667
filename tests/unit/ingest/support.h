// What the tests of this room share.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tailrace/ingest/post_generator.h"
#include "tailrace/kafka/cluster.h"

namespace tailrace::ingest {

inline constexpr int64_t kStartMs = 1'767'225'600'000;  // 2026-01-01T00:00:00Z

inline std::vector<GeneratedPost> Posts(const PostOptions& options, int count) {
  PostGenerator generator(options);
  std::vector<GeneratedPost> posts(static_cast<size_t>(count));
  for (GeneratedPost& post : posts) generator.Next(post);
  return posts;
}

// A folder that goes with the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "tailrace-ingest-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  std::string File(const std::string& name) const { return (path_ / name).string(); }
  std::string Write(const std::string& name, const std::string& content) const {
    std::ofstream(File(name), std::ios::binary) << content;
    return File(name);
  }

 private:
  std::filesystem::path path_;
};

inline std::string ReadWhole(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct StoredRecord {
  std::optional<std::string> key;
  std::string value;
  int64_t timestamp_ms = 0;
  int32_t partition = 0;
};

// All records of a topic, by partition, then offset.
inline std::vector<StoredRecord> ReadTopic(kafka::Cluster& cluster, const std::string& topic) {
  const auto description = cluster.admin().DescribeTopic(topic, 1'000);
  auto consumer = cluster.NewConsumer({.client_id = "reader"});
  std::vector<StoredRecord> stored;
  for (int32_t partition = 0; partition < (*description)->partition_count; ++partition) {
    const base::TopicPartition source{topic, base::Partition{partition}};
    const auto range = (*consumer)->QueryOffsets(source, 1'000);
    int64_t left = range->end.value() - range->begin.value();
    EXPECT_TRUE((*consumer)->Assign({{source, base::kOffsetBeginning}}).ok());
    kafka::RecordBatch batch;
    while (left > 0 && (*consumer)->Poll(batch, 1'000).ok() && !batch.empty()) {
      for (const kafka::RecordView& record : batch.records()) {
        const auto key = record.key.is_null() ? std::nullopt : std::optional<std::string>(record.key.view());
        stored.push_back({key, std::string(record.value.view()), record.timestamp_ms, partition});
        --left;
      }
    }
    EXPECT_EQ(left, 0) << topic << "-" << partition;
  }
  return stored;
}

inline std::unique_ptr<kafka::Cluster> InMemory(const std::string& topic, int32_t partitions) {
  auto cluster = kafka::OpenInMemory();
  EXPECT_TRUE((*cluster)->admin().CreateTopics({{.name = topic, .partition_count = partitions, .config = {}}}, 1'000).ok());
  return *std::move(cluster);
}

}  // namespace tailrace::ingest
