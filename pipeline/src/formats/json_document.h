// One reused simdjson parser with a padded copy of the input, and conversions from its elements to field values.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "simdjson.h"
#include "tailrace/pipeline/event.h"
#include "tailrace/pipeline/skip_reason.h"

namespace tailrace::pipeline::formats {

// The document model is used instead of simdjson's on-demand reader although that is faster: on-demand does not look at
// what it skips, so whether a broken record counts as malformed would depend on which fields a pipeline uses.
class JsonDocument {
 public:
  JsonDocument();
  JsonDocument(const JsonDocument&) = delete;
  JsonDocument& operator=(const JsonDocument&) = delete;

  // kNone, or why `bytes` is not one JSON value. Elements are valid until the next Parse.
  SkipReason Parse(std::string_view bytes, simdjson::dom::element& root);

 private:
  simdjson::dom::parser parser_;
  std::unique_ptr<char[]> padded_;
  size_t capacity_ = 0;
};

// Looks up a field; nullopt when it is absent or null. Of several fields with the same name the last counts, as in most
// JSON readers; `repeated`, where given, becomes true.
std::optional<simdjson::dom::element> Find(simdjson::dom::object object, std::string_view key, bool* repeated = nullptr);
std::optional<simdjson::dom::object> FindObject(simdjson::dom::object object, std::string_view key);

// Recognises what streams send between events; kNone when the object is none of these.
SkipReason ClassifyNotice(simdjson::dom::object object);

// How a JSON value becomes a field's value.
enum class Conversion : uint8_t {
  kText,
  kId,              // text; integers are written out, for sources that give ids as numbers
  kInt,
  kDouble,
  kBool,
  kTimestamp,       // milliseconds, or text in any form of ParseTimestampMs
  kTimestampSeconds,
  kDate,            // a calendar day as midnight UTC; an empty text is null, a time of day is no date
  kFlag,            // text; true and false become "Y" and "N"
  kTextList,        // an array of texts, or of objects with a text member named by `list_member`
};

// Holds the texts that conversions make (ids from numbers, lists); reused for every record.
class Scratch {
 public:
  void Clear() {
    used_ = 0;
    list_.clear();
  }
  std::string_view Integer(int64_t value);
  std::string_view Unsigned(uint64_t value);
  std::vector<std::string_view>& list() { return list_; }

 private:
  static constexpr size_t kSlot = 24;
  char text_[kSlot * 8] = {};
  size_t used_ = 0;
  std::vector<std::string_view> list_;
};

// kNone and the value, or why it is not of that type. A JSON null gives a null value.
SkipReason Convert(simdjson::dom::element element, Conversion conversion, std::string_view list_member,
                   int64_t timestamp_max_ms, Scratch& scratch, FieldValue& value);

// kNone when `timestamp_ms` may be an event's time.
SkipReason CheckTimestamp(int64_t timestamp_ms, int64_t timestamp_max_ms);

}  // namespace tailrace::pipeline::formats
