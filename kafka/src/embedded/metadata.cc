#include "embedded/metadata.h"

#include "tailrace/base/bytes.h"

namespace tailrace::kafka::embedded {
namespace {

constexpr char kEntryVersion = 1;

void AppendSized(std::string& out, std::string_view bytes) {
  base::AppendVarint(out, static_cast<int64_t>(bytes.size()));
  out += bytes;
}

bool ConsumeSized(std::string_view& in, std::string& out) {
  int64_t size = 0;
  std::string_view bytes;
  if (!base::ConsumeVarint(in, size) || size < 0 || !base::ConsumeBytes(in, static_cast<size_t>(size), bytes)) return false;
  out = bytes;
  return true;
}

bool ConsumeVersion(std::string_view& in) {
  if (in.empty() || in[0] != kEntryVersion) return false;
  in.remove_prefix(1);
  return true;
}

std::string Key(MetadataKind kind, std::string_view rest = {}) {
  std::string key(1, static_cast<char>(kind));
  key += rest;
  return key;
}

}  // namespace

std::string FormatKey() { return Key(MetadataKind::kFormat); }
std::string NextTopicKey() { return Key(MetadataKind::kNextTopic); }
std::string TopicKey(std::string_view name) { return Key(MetadataKind::kTopic, name); }
std::string TransactionalIdKey(std::string_view id) { return Key(MetadataKind::kTransactionalId, id); }

std::string LogBeginKey(LogId log) {
  std::string key = Key(MetadataKind::kLogBegin);
  base::AppendBigEndian(key, log.topic);
  base::AppendBigEndian(key, log.partition);
  return key;
}

std::string GroupOffsetKey(std::string_view group, const base::TopicPartition& partition) {
  std::string key = Key(MetadataKind::kGroupOffset);
  AppendSized(key, group);
  AppendSized(key, partition.topic);
  base::AppendBigEndian(key, partition.partition.value());
  return key;
}

std::string EncodeU32(uint32_t value) {
  std::string out;
  base::AppendBigEndian(out, value);
  return out;
}

std::string EncodeI64(int64_t value) {
  std::string out;
  base::AppendBigEndian(out, value);
  return out;
}

std::string EncodeTopic(const StoredTopic& topic) {
  std::string out(1, kEntryVersion);
  base::AppendBigEndian(out, topic.id);
  base::AppendBigEndian(out, topic.partition_count);
  base::AppendVarint(out, static_cast<int64_t>(topic.config.size()));
  for (const auto& [name, value] : topic.config) {
    AppendSized(out, name);
    AppendSized(out, value);
  }
  return out;
}

std::string EncodeGroupOffset(int64_t offset, std::string_view metadata) {
  std::string out(1, kEntryVersion);
  base::AppendBigEndian(out, offset);
  out += metadata;
  return out;
}

bool DecodeU32(std::string_view bytes, uint32_t& value) { return base::ConsumeBigEndian(bytes, value) && bytes.empty(); }
bool DecodeI64(std::string_view bytes, int64_t& value) { return base::ConsumeBigEndian(bytes, value) && bytes.empty(); }

bool DecodeLogId(std::string_view rest, LogId& log) {
  return base::ConsumeBigEndian(rest, log.topic) && base::ConsumeBigEndian(rest, log.partition) && rest.empty();
}

bool DecodeTopic(std::string_view bytes, StoredTopic& topic) {
  int64_t count = 0;
  if (!ConsumeVersion(bytes) || !base::ConsumeBigEndian(bytes, topic.id) ||
      !base::ConsumeBigEndian(bytes, topic.partition_count) || !base::ConsumeVarint(bytes, count)) {
    return false;
  }
  for (int64_t i = 0; i < count; ++i) {
    std::string name;
    std::string value;
    if (!ConsumeSized(bytes, name) || !ConsumeSized(bytes, value)) return false;
    topic.config.emplace(std::move(name), std::move(value));
  }
  return bytes.empty();
}

bool DecodeGroupOffset(std::string_view rest, std::string_view bytes, StoredGroupOffset& offset) {
  int32_t partition = 0;
  if (!ConsumeSized(rest, offset.group) || !ConsumeSized(rest, offset.partition.topic) ||
      !base::ConsumeBigEndian(rest, partition) || !rest.empty()) {
    return false;
  }
  offset.partition.partition = base::Partition{partition};
  if (!ConsumeVersion(bytes) || !base::ConsumeBigEndian(bytes, offset.offset)) return false;
  offset.metadata = bytes;
  return true;
}

}  // namespace tailrace::kafka::embedded
