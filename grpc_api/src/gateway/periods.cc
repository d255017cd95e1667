#include "gateway/periods.h"

#include <charconv>

namespace tailrace::grpc_api {
namespace {

constexpr absl::CivilDay kEpochDay(1970, 1, 1);

bool IsDays(int64_t period_ms) { return period_ms % kDayMs == 0; }

int64_t MidnightOf(absl::CivilDay day, const absl::TimeZone& zone) {
  return absl::ToUnixMillis(absl::FromCivil(absl::CivilSecond(day), zone));
}

absl::CivilDay FirstDayOf(int64_t at_ms, int64_t period_ms, const absl::TimeZone& zone) {
  const absl::CivilDay day = absl::ToCivilDay(absl::FromUnixMillis(at_ms), zone);
  const int64_t days = day - kEpochDay;
  const int64_t length = period_ms / kDayMs;
  return day - ((days % length) + length) % length;
}

}  // namespace

std::optional<int64_t> ParseDurationMs(std::string_view text) {
  int64_t count = 0;
  const std::from_chars_result result = std::from_chars(text.data(), text.data() + text.size(), count);
  if (result.ec != std::errc() || result.ptr + 1 != text.data() + text.size() || count < 1) return std::nullopt;
  constexpr int64_t kCountMax = 100'000'000;
  if (count > kCountMax) return std::nullopt;
  switch (*result.ptr) {
    case 's': return count * 1'000;
    case 'm': return count * 60'000;
    case 'h': return count * 3'600'000;
    case 'd': return count * kDayMs;
    default: return std::nullopt;
  }
}

int64_t CalendarPeriodStart(int64_t at_ms, int64_t period_ms, const absl::TimeZone& zone) {
  if (!IsDays(period_ms)) return at_ms - at_ms % period_ms;
  return MidnightOf(FirstDayOf(at_ms, period_ms, zone), zone);
}

int64_t NextCalendarPeriod(int64_t start_ms, int64_t period_ms, const absl::TimeZone& zone) {
  if (!IsDays(period_ms)) return start_ms + period_ms;
  return MidnightOf(FirstDayOf(start_ms, period_ms, zone) + period_ms / kDayMs, zone);
}

std::string DayWindows::Name(int64_t window_start_ms) {
  return absl::FormatTime("%Y-%m-%d", absl::FromUnixMillis(window_start_ms), absl::UTCTimeZone());
}

}  // namespace tailrace::grpc_api
