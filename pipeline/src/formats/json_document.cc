#include "formats/json_document.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "tailrace/base/check.h"
#include "tailrace/base/limits.h"
#include "tailrace/pipeline/timestamps.h"

namespace tailrace::pipeline::formats {
namespace {

namespace dom = simdjson::dom;

SkipReason ReasonOf(simdjson::error_code error) {
  switch (error) {
    case simdjson::SUCCESS: return SkipReason::kNone;
    case simdjson::UTF8_ERROR: return SkipReason::kInvalidUtf8;
    case simdjson::NUMBER_ERROR: return SkipReason::kNumberOutOfRange;
    case simdjson::CAPACITY: return SkipReason::kTooLarge;
    case simdjson::EMPTY: return SkipReason::kBlank;
    default: return SkipReason::kMalformedJson;
  }
}

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// simdjson reports every odd number as NUMBER_ERROR. Only one that is correctly written and too large is out of range.
bool HasHugeNumber(std::string_view bytes) {
  constexpr size_t kDigitsOfInt64 = 19;
  size_t digits = 0;
  bool in_string = false;
  for (size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
      continue;
    }
    in_string = c == '"';
    digits = c >= '0' && c <= '9' ? digits + 1 : 0;
    if (digits > kDigitsOfInt64) return true;
  }
  return false;
}

constexpr int64_t kExactMax = int64_t{1} << 53;  // Above it not every integer is a double.

SkipReason ConvertInt(dom::element element, int64_t& out) {
  switch (element.type()) {
    case dom::element_type::INT64:
      out = element.get_int64().value_unsafe();
      return SkipReason::kNone;
    case dom::element_type::UINT64: return SkipReason::kNumberOutOfRange;
    case dom::element_type::DOUBLE: {
      const double number = element.get_double().value_unsafe();
      if (std::trunc(number) != number) return SkipReason::kWrongType;
      if (std::abs(number) > static_cast<double>(kExactMax)) return SkipReason::kNumberOutOfRange;
      out = static_cast<int64_t>(number);
      return SkipReason::kNone;
    }
    default: return SkipReason::kWrongType;
  }
}

SkipReason ConvertTimestamp(dom::element element, bool seconds, int64_t max_ms, FieldValue& value) {
  int64_t ms = 0;
  if (element.is_string()) {
    const std::optional<int64_t> parsed = ParseTimestampMs(element.get_string().value_unsafe());
    if (!parsed) return SkipReason::kBadTimestamp;
    ms = *parsed;
  } else {
    if (const SkipReason reason = ConvertInt(element, ms); reason != SkipReason::kNone) {
      return reason == SkipReason::kNumberOutOfRange ? SkipReason::kBadTimestamp : reason;
    }
    if (seconds && __builtin_mul_overflow(ms, int64_t{1000}, &ms)) return SkipReason::kBadTimestamp;
  }
  value = FieldValue::Int(ms);
  return CheckTimestamp(ms, max_ms);
}

SkipReason ConvertDouble(dom::element element, FieldValue& value) {
  double number = 0;
  if (element.get_double().get(number) != simdjson::SUCCESS) return SkipReason::kWrongType;
  if (element.type() == dom::element_type::UINT64) return SkipReason::kNumberOutOfRange;  // Above all int64.
  if (element.type() == dom::element_type::INT64) {
    const int64_t integer = element.get_int64().value_unsafe();
    if (integer > kExactMax || integer < -kExactMax) return SkipReason::kNumberOutOfRange;
  }
  value = FieldValue::Double(number);
  return SkipReason::kNone;
}

SkipReason ConvertDate(dom::element element, int64_t max_ms, FieldValue& value) {
  if (element.is_string() && element.get_string().value_unsafe().empty()) return SkipReason::kNone;
  const SkipReason reason = ConvertTimestamp(element, false, max_ms, value);
  constexpr int64_t kDayMs = 86'400'000;
  // Which day a moment belongs to depends on a zone that nobody has named.
  return reason == SkipReason::kNone && value.integer() % kDayMs != 0 ? SkipReason::kBadTimestamp : reason;
}

SkipReason ConvertFlag(dom::element element, FieldValue& value) {
  if (element.is_bool()) {
    value = FieldValue::Text(element.get_bool().value_unsafe() ? "Y" : "N");
  } else if (element.is_string()) {
    value = FieldValue::Text(element.get_string().value_unsafe());
  } else {
    return SkipReason::kWrongType;
  }
  return SkipReason::kNone;
}

SkipReason ConvertList(dom::element element, std::string_view member, Scratch& scratch, FieldValue& value) {
  dom::array array;
  if (element.get_array().get(array) != simdjson::SUCCESS) return SkipReason::kWrongType;
  // One list per event: a second would move the first one's storage.
  TAILRACE_CHECK(scratch.list().empty(), "a format has at most one list field");
  for (dom::element item : array) {
    if (!member.empty()) {
      dom::object object;
      if (item.get_object().get(object) != simdjson::SUCCESS) return SkipReason::kWrongType;
      const auto found = Find(object, member);
      if (!found) continue;
      item = *found;
    }
    if (!item.is_string()) return SkipReason::kWrongType;
    if (scratch.list().size() == base::limits::kEventListItemsMax) break;
    scratch.list().push_back(item.get_string().value_unsafe());
  }
  value = FieldValue::TextList(scratch.list());
  return SkipReason::kNone;
}

}  // namespace

JsonDocument::JsonDocument() : parser_(base::limits::kEventBytesMax) {}

SkipReason JsonDocument::Parse(std::string_view bytes, dom::element& root) {
  if (bytes.size() > base::limits::kEventBytesMax) return SkipReason::kTooLarge;
  if (std::all_of(bytes.begin(), bytes.end(), IsSpace)) return SkipReason::kBlank;
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (bytes.starts_with(kByteOrderMark)) bytes.remove_prefix(kByteOrderMark.size());
  const size_t needed = bytes.size() + simdjson::SIMDJSON_PADDING;
  if (needed > capacity_) {
    capacity_ = std::max<size_t>(needed * 2, 4096);
    padded_ = std::make_unique<char[]>(capacity_);
  }
  std::memcpy(padded_.get(), bytes.data(), bytes.size());
  std::memset(padded_.get() + bytes.size(), 0, simdjson::SIMDJSON_PADDING);
  const simdjson::error_code error = parser_.parse(padded_.get(), bytes.size(), false).get(root);
  const SkipReason reason = ReasonOf(error);
  if (reason == SkipReason::kNumberOutOfRange && !HasHugeNumber(bytes)) return SkipReason::kMalformedJson;
  return reason;
}

std::optional<dom::element> Find(dom::object object, std::string_view key, bool* repeated) {
  std::optional<dom::element> found;
  for (const dom::key_value_pair field : object) {
    if (field.key != key) continue;
    if (found && repeated != nullptr) *repeated = true;
    found = field.value;
  }
  if (found && found->is_null()) return std::nullopt;
  return found;
}

std::optional<dom::object> FindObject(dom::object object, std::string_view key) {
  const auto found = Find(object, key);
  dom::object inner;
  if (!found || found->get_object().get(inner) != simdjson::SUCCESS) return std::nullopt;
  return inner;
}

SkipReason ClassifyNotice(dom::object object) {
  // A notice is an object whose single field says what it is.
  auto it = object.begin();
  if (it == object.end()) return SkipReason::kNone;
  const dom::key_value_pair first = *it;
  if (++it != object.end() && first.key != "errors") return SkipReason::kNone;
  if (first.key == "delete") return SkipReason::kDeleteNotice;
  if (first.key == "limit") return SkipReason::kLimitNotice;
  for (const std::string_view key : {"scrub_geo", "status_withheld", "user_withheld", "disconnect", "warning", "friends",
                                     "friends_str", "event", "errors", "status", "ping"}) {
    if (first.key == key) return SkipReason::kControlFrame;
  }
  return SkipReason::kNone;
}

std::string_view Scratch::Integer(int64_t value) {
  TAILRACE_CHECK(used_ + kSlot <= sizeof(text_), "more ids from numbers than a format has");
  char* begin = text_ + used_;
  const auto result = std::to_chars(begin, begin + kSlot, value);
  used_ += kSlot;
  return {begin, static_cast<size_t>(result.ptr - begin)};
}

std::string_view Scratch::Unsigned(uint64_t value) {
  TAILRACE_CHECK(used_ + kSlot <= sizeof(text_), "more ids from numbers than a format has");
  char* begin = text_ + used_;
  const auto result = std::to_chars(begin, begin + kSlot, value);
  used_ += kSlot;
  return {begin, static_cast<size_t>(result.ptr - begin)};
}

SkipReason CheckTimestamp(int64_t timestamp_ms, int64_t timestamp_max_ms) {
  if (timestamp_ms < 0) return SkipReason::kNegativeTimestamp;
  return timestamp_ms > timestamp_max_ms ? SkipReason::kFutureTimestamp : SkipReason::kNone;
}

SkipReason Convert(dom::element element, Conversion conversion, std::string_view list_member, int64_t timestamp_max_ms,
                   Scratch& scratch, FieldValue& value) {
  value = FieldValue();
  if (element.is_null()) return SkipReason::kNone;
  switch (conversion) {
    case Conversion::kText:
      if (!element.is_string()) return SkipReason::kWrongType;
      value = FieldValue::Text(element.get_string().value_unsafe());
      return SkipReason::kNone;
    case Conversion::kId:
      if (element.is_string()) {
        value = FieldValue::Text(element.get_string().value_unsafe());
      } else if (element.is_int64()) {
        value = FieldValue::Text(scratch.Integer(element.get_int64().value_unsafe()));
      } else if (element.is_uint64()) {
        value = FieldValue::Text(scratch.Unsigned(element.get_uint64().value_unsafe()));
      } else {
        return SkipReason::kWrongType;
      }
      return SkipReason::kNone;
    case Conversion::kInt: {
      int64_t integer = 0;
      const SkipReason reason = ConvertInt(element, integer);
      if (reason == SkipReason::kNone) value = FieldValue::Int(integer);
      return reason;
    }
    case Conversion::kDouble: return ConvertDouble(element, value);
    case Conversion::kBool: {
      bool boolean = false;
      if (element.get_bool().get(boolean) != simdjson::SUCCESS) return SkipReason::kWrongType;
      value = FieldValue::Bool(boolean);
      return SkipReason::kNone;
    }
    case Conversion::kTimestamp: return ConvertTimestamp(element, false, timestamp_max_ms, value);
    case Conversion::kTimestampSeconds: return ConvertTimestamp(element, true, timestamp_max_ms, value);
    case Conversion::kDate: return ConvertDate(element, timestamp_max_ms, value);
    case Conversion::kFlag: return ConvertFlag(element, value);
    case Conversion::kTextList: return ConvertList(element, list_member, scratch, value);
  }
  base::CheckFailed(__FILE__, __LINE__, "Conversion", "unknown value");
}

}  // namespace tailrace::pipeline::formats
