#include "gateway/times.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "absl/time/civil_time.h"

namespace tailrace::grpc_api {
namespace {

constexpr size_t kZoneNameMax = 64;
constexpr size_t kEpochDigitsMax = 15;
constexpr int64_t kEpochMsMax = 253'402'300'799'999;  // 9999-12-31T23:59:59.999Z

bool ConsumeDigits(std::string_view& in, size_t count, int& value) {
  if (in.size() < count) return false;
  value = 0;
  for (size_t i = 0; i < count; ++i) {
    if (in[i] < '0' || in[i] > '9') return false;
    value = value * 10 + (in[i] - '0');
  }
  in.remove_prefix(count);
  return true;
}

bool ConsumeChar(std::string_view& in, char c) {
  if (in.empty() || in.front() != c) return false;
  in.remove_prefix(1);
  return true;
}

// Milliseconds of ".123456"; more than three digits are cut off.
bool ConsumeFraction(std::string_view& in, int& ms) {
  ms = 0;
  if (in.empty() || in.front() != '.') return true;
  in.remove_prefix(1);
  int scale = 100;
  size_t digits = 0;
  while (!in.empty() && in.front() >= '0' && in.front() <= '9') {
    ms += (in.front() - '0') * scale;
    scale /= 10;
    ++digits;
    in.remove_prefix(1);
  }
  return digits > 0 && digits <= 9;
}

bool ConsumeOffset(std::string_view& in, int& minutes) {
  if (in == "Z" || in == "z") {
    in = {};
    minutes = 0;
    return true;
  }
  if (in.empty()) return false;
  const char sign = in.front();
  if (sign != '+' && sign != '-' && sign != ' ') return false;
  in.remove_prefix(1);
  int h = 0, m = 0;
  if (!ConsumeDigits(in, 2, h) || !ConsumeChar(in, ':') || !ConsumeDigits(in, 2, m) || h > 23 || m > 59) return false;
  minutes = (sign == '-' ? -1 : 1) * (h * 60 + m);
  return true;
}

std::optional<int64_t> ParseEpochMs(std::string_view text) {
  int64_t value = 0;
  if (text.empty() || text.size() > kEpochDigitsMax) return std::nullopt;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  // RFC 3339 has no year of five digits, and neither could the answer be written.
  return value <= kEpochMsMax ? std::optional(value) : std::nullopt;
}

}  // namespace

std::optional<int64_t> ParseTimeMs(std::string_view text) {
  if (std::optional<int64_t> epoch_ms = ParseEpochMs(text)) return epoch_ms;
  std::string_view in = text;
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, ms = 0, offset_minutes = 0;
  if (!ConsumeDigits(in, 4, year) || !ConsumeChar(in, '-') || !ConsumeDigits(in, 2, month) || !ConsumeChar(in, '-') ||
      !ConsumeDigits(in, 2, day)) {
    return std::nullopt;
  }
  if (!ConsumeChar(in, 'T') && !ConsumeChar(in, 't') && !ConsumeChar(in, ' ')) return std::nullopt;
  if (!ConsumeDigits(in, 2, hour) || !ConsumeChar(in, ':') || !ConsumeDigits(in, 2, minute) || !ConsumeChar(in, ':') ||
      !ConsumeDigits(in, 2, second) || !ConsumeFraction(in, ms) || !ConsumeOffset(in, offset_minutes) || !in.empty()) {
    return std::nullopt;
  }
  if (hour > 23 || minute > 59 || second > 60) return std::nullopt;
  const absl::CivilSecond civil(year, month, day, hour, minute, std::min(second, 59));
  // CivilSecond carries 31 February over into March; RFC 3339 has no such day.
  if (civil.month() != month || civil.day() != day) return std::nullopt;
  return absl::ToUnixMillis(absl::FromCivil(civil, absl::UTCTimeZone())) + ms - int64_t{offset_minutes} * 60'000;
}

std::string FormatTime(int64_t ms, const absl::TimeZone& zone) {
  std::string format = ms % 1'000 == 0 ? "%Y-%m-%dT%H:%M:%S" : "%Y-%m-%dT%H:%M:%E3S";
  format += zone == absl::UTCTimeZone() ? "Z" : "%Ez";
  return absl::FormatTime(format, absl::FromUnixMillis(ms), zone);
}

std::optional<absl::TimeZone> FindZone(const std::string& name) {
  if (name == "UTC") return absl::UTCTimeZone();
  // The name becomes a file name, and the library remembers every name it was ever asked for: so only names that can be
  // and are files of the database reach it.
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '+' || c == '/';
  });
  if (!plain || name.empty() || name.size() > kZoneNameMax || name.front() == '/') return std::nullopt;
  const char* configured = std::getenv("TZDIR");
  const std::filesystem::path database = configured != nullptr ? configured : "/usr/share/zoneinfo";
  std::error_code error;
  if (!std::filesystem::is_regular_file(database / name, error)) return std::nullopt;
  absl::TimeZone zone;
  if (!absl::LoadTimeZone(name, &zone)) return std::nullopt;
  return zone;
}

}  // namespace tailrace::grpc_api
