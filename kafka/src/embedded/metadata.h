// The metadata entries of the embedded log: keys and values as bytes.
//
//   'F'                                             -> version:u8 (1)          format of the directory
//   'N'                                             -> next topic id:u32
//   'T' topic name                                  -> version:u8 (1) id:u32 partitions:u32 n:varint {name, value: varint size, bytes}*n
//   'L' topic id:u32 partition:u32                  -> begin offset:i64        only once something was deleted
//   'G' group: varint size, bytes; topic: the same; partition:u32 -> version:u8 (1) offset:i64 metadata
//   'X' transactional id                            -> epoch:i64
//
// Integers are big-endian. Never renumber.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "embedded/storage.h"
#include "tailrace/base/types.h"

namespace tailrace::kafka::embedded {

inline constexpr char kFormatVersion = 1;

struct StoredTopic {
  uint32_t id = 0;
  uint32_t partition_count = 0;
  std::map<std::string, std::string> config;
};

struct StoredGroupOffset {
  std::string group;
  base::TopicPartition partition;
  int64_t offset = 0;
  std::string metadata;
};

enum class MetadataKind : char {
  kFormat = 'F',
  kNextTopic = 'N',
  kTopic = 'T',
  kLogBegin = 'L',
  kGroupOffset = 'G',
  kTransactionalId = 'X',
};

std::string FormatKey();
std::string NextTopicKey();
std::string TopicKey(std::string_view name);
std::string LogBeginKey(LogId log);
std::string GroupOffsetKey(std::string_view group, const base::TopicPartition& partition);
std::string TransactionalIdKey(std::string_view id);

std::string EncodeU32(uint32_t value);
std::string EncodeI64(int64_t value);
std::string EncodeTopic(const StoredTopic& topic);
std::string EncodeGroupOffset(int64_t offset, std::string_view metadata);

// Each returns false on bytes that are not of that form. `rest` is the key without its first byte.
bool DecodeU32(std::string_view bytes, uint32_t& value);
bool DecodeI64(std::string_view bytes, int64_t& value);
bool DecodeLogId(std::string_view rest, LogId& log);
bool DecodeTopic(std::string_view bytes, StoredTopic& topic);
bool DecodeGroupOffset(std::string_view rest, std::string_view bytes, StoredGroupOffset& offset);

}  // namespace tailrace::kafka::embedded
