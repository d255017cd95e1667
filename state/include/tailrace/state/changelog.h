// Changelog records in Kafka Streams' bytes (WindowKeySchema, SessionKeySchema, ValueAndTimestampSerializer; docs/formats.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tailrace/kafka/record.h"

namespace tailrace::state {

// key ‖ int64 window start ‖ int32 sequence: the key of a window store's changelog record.
void AppendWindowKey(std::string& out, std::string_view key, int64_t window_start_ms, int32_t sequence);

struct WindowKey {
  std::string_view key;
  int64_t window_start_ms = 0;
  int32_t sequence = 0;
};
// nullopt when the bytes are too short to be one.
std::optional<WindowKey> ParseWindowKey(std::string_view bytes);

// key ‖ int64 END ‖ int64 start: the key of a session store's changelog record (SessionKeySchema).
void AppendSessionKey(std::string& out, std::string_view key, int64_t start_ms, int64_t end_ms);

struct SessionKey {
  std::string_view key;
  int64_t start_ms = 0;
  int64_t end_ms = 0;
};
// nullopt when the bytes are too short to be one.
std::optional<SessionKey> ParseSessionKey(std::string_view bytes);

// Receives every change of a task's logged stores, in the order in which the changelog must hold them.
// Called on the task's thread. The bytes are valid during the call.
class ChangelogWriter {
 public:
  virtual ~ChangelogWriter() = default;
  // `store` is the index of the store in TaskStateOptions::stores. A null value is a delete.
  virtual void Append(int32_t store, std::string_view key, kafka::NullableBytes value, int64_t timestamp_ms) = 0;
};

// A record read back from a changelog topic.
struct ChangelogRecord {
  std::string_view key;
  kafka::NullableBytes value;
  int64_t timestamp_ms = 0;
};

}  // namespace tailrace::state
