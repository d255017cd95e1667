#include "commit_record.h"

#include "tailrace/base/bytes.h"

namespace tailrace::state {
namespace {

constexpr int8_t kVersion = 1;

void AppendText(std::string& out, std::string_view text) {
  base::AppendBigEndian(out, static_cast<int32_t>(text.size()));
  out.append(text);
}

bool ConsumeText(std::string_view& in, std::string& text) {
  int32_t size = 0;
  std::string_view bytes;
  if (!base::ConsumeBigEndian(in, size) || size < 0 || !base::ConsumeBytes(in, static_cast<size_t>(size), bytes)) return false;
  text = bytes;
  return true;
}

bool ConsumePosition(std::string_view& in, Position& position) {
  base::TopicPartition partition;
  int32_t number = 0;
  int64_t offset = 0;
  if (!ConsumeText(in, partition.topic) || !base::ConsumeBigEndian(in, number) || !base::ConsumeBigEndian(in, offset)) return false;
  partition.partition = base::Partition(number);
  position[partition] = base::Offset(offset);
  return true;
}

bool ConsumeTime(std::string_view& in, std::map<std::string, int64_t>& times) {
  std::string name;
  int64_t time = 0;
  if (!ConsumeText(in, name) || !base::ConsumeBigEndian(in, time)) return false;
  times[name] = time;
  return true;
}

bool ConsumeStore(std::string_view& in, std::map<std::string, StoreMark, std::less<>>& stores) {
  std::string name;
  StoreMark mark;
  int64_t offset = 0;
  if (!ConsumeText(in, name) || !base::ConsumeBigEndian(in, offset) || !base::ConsumeBigEndian(in, mark.stream_time_ms) ||
      !base::ConsumeBigEndian(in, mark.sequence)) {
    return false;
  }
  mark.changelog_offset = base::Offset(offset);
  stores[name] = mark;
  return true;
}

// A count, then that many items.
template <class Item>
bool ConsumeList(std::string_view& in, Item item) {
  int32_t count = 0;
  if (!base::ConsumeBigEndian(in, count) || count < 0) return false;
  for (int32_t i = 0; i < count; ++i) {
    if (!item(in)) return false;
  }
  return true;
}

}  // namespace

std::string EncodeCommitRecord(const CommitRecord& record) {
  std::string out;
  base::AppendBigEndian(out, kVersion);
  base::AppendBigEndian(out, record.stream_time_ms);
  base::AppendBigEndian(out, static_cast<int32_t>(record.position.size()));
  for (const auto& [partition, offset] : record.position) {
    AppendText(out, partition.topic);
    base::AppendBigEndian(out, partition.partition.value());
    base::AppendBigEndian(out, offset.value());
  }
  base::AppendBigEndian(out, static_cast<int32_t>(record.operator_times_ms.size()));
  for (const auto& [name, time] : record.operator_times_ms) {
    AppendText(out, name);
    base::AppendBigEndian(out, time);
  }
  base::AppendBigEndian(out, static_cast<int32_t>(record.stores.size()));
  for (const auto& [name, mark] : record.stores) {
    AppendText(out, name);
    base::AppendBigEndian(out, mark.changelog_offset.value());
    base::AppendBigEndian(out, mark.stream_time_ms);
    base::AppendBigEndian(out, mark.sequence);
  }
  return out;
}

std::optional<CommitRecord> DecodeCommitRecord(std::string_view bytes) {
  CommitRecord record;
  int8_t version = 0;
  const bool good = base::ConsumeBigEndian(bytes, version) && version == kVersion &&
                    base::ConsumeBigEndian(bytes, record.stream_time_ms) &&
                    ConsumeList(bytes, [&](std::string_view& in) { return ConsumePosition(in, record.position); }) &&
                    ConsumeList(bytes, [&](std::string_view& in) { return ConsumeTime(in, record.operator_times_ms); }) &&
                    ConsumeList(bytes, [&](std::string_view& in) { return ConsumeStore(in, record.stores); }) && bytes.empty();
  if (!good) return std::nullopt;
  return record;
}

}  // namespace tailrace::state
