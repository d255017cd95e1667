// Formats: how the records of a source are read into events.
//
// A format knows its fields by canonical name ("place.full_name") and makes readers for the few that a pipeline uses.
// One piece of input (a record's value, a line of a file, a WebSocket frame) gives any number of events; for most formats
// exactly one event or one reason why there is none.
//
//   const Format* format = FindFormat("post");
//   std::unique_ptr<EventReader> reader = format->NewReader({"created_at", "place.full_name"}, {});
//   reader->Start(value);
//   while (reader->Next(result)) {
//     if (result.reason == SkipReason::kNone) Use(result.event[0].integer(), result.event[1].text());
//   }
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tailrace/pipeline/event.h"
#include "tailrace/pipeline/skip_reason.h"

namespace tailrace::pipeline {

struct FieldInfo {
  std::string_view name;
  // What the field holds when it is not null. Timestamps are kInt, milliseconds since the epoch.
  FieldType type = FieldType::kText;
  bool is_timestamp = false;
  // An event without this field is skipped with kMissingField even when the format is otherwise lenient.
  bool required = false;
};

struct ParseResult {
  SkipReason reason = SkipReason::kNone;
  Event event;                  // when reason is kNone
  std::string_view field;       // the field that is missing or wrong; "" when it is not about one field
};

struct ReaderOptions {
  // Field names, in slot order, that every event must have (the pipeline's timestamp).
  std::vector<std::string> required;
  // Timestamps above this are kFutureTimestamp.
  int64_t timestamp_max_ms = std::numeric_limits<int64_t>::max();
};

// Not thread-safe: one reader per task. It reuses its buffers, so a steady stream allocates nothing.
class EventReader {
 public:
  virtual ~EventReader() = default;
  // `bytes` is borrowed until the next Start or the end of the reader; it is copied where padding is needed.
  virtual void Start(std::string_view bytes) = 0;
  // The next event or skipped piece of the input; false at its end. Views in `result` are valid until the next call.
  virtual bool Next(ParseResult& result) = 0;
  // As the wall clock goes on.
  virtual void SetTimestampMax(int64_t timestamp_max_ms) = 0;
};

// Thread-safe: immutable. Lives as long as the process.
class Format {
 public:
  virtual ~Format() = default;
  virtual std::string_view name() const = 0;
  virtual std::string_view description() const = 0;
  virtual std::span<const FieldInfo> fields() const = 0;
  // The field that is an event's time when nothing else is said.
  virtual std::string_view default_timestamp() const = 0;
  // REQUIRES: every name is one of fields().
  virtual std::unique_ptr<EventReader> NewReader(const std::vector<std::string>& fields,
                                                 const ReaderOptions& options) const = 0;

  const FieldInfo* FindField(std::string_view name) const;
};

// Null when there is no such format.
const Format* FindFormat(std::string_view name);
std::vector<std::string_view> FormatNames();

}  // namespace tailrace::pipeline
