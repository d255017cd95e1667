#include "gateway/parameters.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "gateway/periods.h"
#include "gateway/times.h"
#include "gateway/url.h"

namespace tailrace::grpc_api {
namespace {

std::string Quoted(const std::string& text) {
  constexpr size_t kShownMax = 80;
  return "'" + (text.size() <= kShownMax ? text : text.substr(0, kShownMax) + "...") + "'";
}

}  // namespace

Parameters::Parameters(std::string_view query, const base::Clock& clock) : clock_(clock) {
  std::set<std::string> given;
  for (QueryPart& part : ParseQuery(query)) {
    if (!part.name) {
      AddError("query", "the name of a parameter is not valid percent-encoded UTF-8");
      continue;
    }
    if (!given.insert(*part.name).second) AddError(*part.name, "is given more than once");
    if (part.value) {
      values_.emplace(*part.name, *std::move(part.value));
    } else {
      // Read as if it were not there; what else is wrong is found all the same.
      AddError(*part.name, "is not valid percent-encoded UTF-8");
    }
  }
}

const std::string* Parameters::Find(const std::string& name) {
  known_.insert(name);
  const auto found = values_.find(name);
  return found == values_.end() ? nullptr : &found->second;
}

std::string Parameters::Text(const std::string& name) {
  const std::string* value = Find(name);
  return value == nullptr ? std::string() : *value;
}

bool Parameters::Has(const std::string& name) { return Find(name) != nullptr; }

int Parameters::Int(const std::string& name, int fallback, int smallest, int largest) {
  const std::string* text = Find(name);
  if (text == nullptr) return fallback;
  int value = 0;
  const std::from_chars_result result = std::from_chars(text->data(), text->data() + text->size(), value);
  if (result.ec != std::errc() || result.ptr != text->data() + text->size() || value < smallest || value > largest) {
    AddError(name, Quoted(*text) + " is not a whole number from " + std::to_string(smallest) + " to " +
                       std::to_string(largest));
    return fallback;
  }
  return value;
}

bool Parameters::Bool(const std::string& name, bool fallback) {
  const std::string text = OneOf(name, fallback ? "true" : "false", {"true", "false"});
  return text == "true";
}

std::string Parameters::OneOf(const std::string& name, std::string fallback,
                              std::initializer_list<std::string_view> allowed) {
  const std::string* text = Find(name);
  if (text == nullptr) return fallback;
  if (std::find(allowed.begin(), allowed.end(), *text) != allowed.end()) return *text;
  std::string message = Quoted(*text) + " is not one of ";
  for (const std::string_view value : allowed) {
    if (value != *allowed.begin()) message += ", ";
    message += value;
  }
  AddError(name, std::move(message));
  return fallback;
}

std::optional<int64_t> Parameters::Time(const std::string& name) {
  const std::string* text = Find(name);
  if (text == nullptr) return std::nullopt;
  std::optional<int64_t> ms = ParseTimeMs(*text);
  if (!ms) {
    AddError(name, Quoted(*text) + " is not a time: write RFC 3339 (2026-01-01T00:00:00Z) or milliseconds since 1970");
    return std::nullopt;
  }
  // Two days below the last that RFC 3339 can write: room for windows and zones.
  constexpr int64_t kLatestMs = 253'402'128'000'000;
  return std::clamp<int64_t>(*ms, 0, kLatestMs);
}

WindowRange Parameters::Range(int64_t default_ms) {
  const size_t errors_before = errors_.size();
  const std::optional<int64_t> from = Time("from");
  const std::optional<int64_t> to = Time("to");
  const int64_t now_ms = clock_.WallMs();
  WindowRange range;
  range.to_ms = to.value_or(now_ms);
  range.from_ms = from.value_or(std::max<int64_t>(range.to_ms - default_ms, 0));
  if (errors_.size() == errors_before && range.from_ms > range.to_ms) {
    AddError("from", to ? "is after to" : "is in the future, and to is now when it is not given");
  }
  return range;
}

std::optional<int64_t> Parameters::DurationMs(const std::string& name) {
  const std::string* text = Find(name);
  if (text == nullptr) return std::nullopt;
  std::optional<int64_t> ms = ParseDurationMs(*text);
  if (!ms) AddError(name, Quoted(*text) + " is not a length of time: write a number and s, m, h or d, such as 5m or 1h");
  return ms;
}

absl::TimeZone Parameters::Zone() {
  const std::string* name = Find("zone");
  if (name == nullptr) return absl::UTCTimeZone();
  if (std::optional<absl::TimeZone> zone = FindZone(*name)) return *zone;
  AddError("zone", Quoted(*name) + " is not a time zone: write an IANA name such as America/Toronto");
  return absl::UTCTimeZone();
}

CallOptions Parameters::ReadOptions(int64_t timeout_ms) {
  constexpr int kStalenessMsMax = 86'400'000;
  CallOptions options;
  options.timeout_ms = timeout_ms;
  options.json_only = true;
  if (Has("max_staleness_ms")) options.max_staleness_ms = Int("max_staleness_ms", 0, 0, kStalenessMsMax);
  options.require_active = Bool("require_active", false);
  return options;
}

void Parameters::AddError(std::string parameter, std::string message) {
  errors_.push_back({std::move(parameter), std::move(message)});
}

bool Parameters::Finish() {
  for (const auto& [name, value] : values_) {
    if (known_.contains(name)) continue;
    std::string message = "is not a parameter of this route; it has ";
    if (known_.empty()) message += "none";
    for (const std::string& known : known_) message += (known == *known_.begin() ? "" : ", ") + known;
    AddError(name, std::move(message));
  }
  return errors_.empty();
}

WindowRange AlignedToWindows(WindowRange range, int64_t window_size_ms) {
  if (window_size_ms > 0) range.from_ms -= range.from_ms % window_size_ms;
  return range;
}

}  // namespace tailrace::grpc_api
