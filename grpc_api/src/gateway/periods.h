// Lengths of time as people write them, and periods of a zone's calendar.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "tailrace/grpc_api/query_client.h"

namespace tailrace::grpc_api {

inline constexpr int64_t kDayMs = 86'400'000;

// "90s", "5m", "1h", "7d", in milliseconds; nullopt for anything else, and for zero.
std::optional<int64_t> ParseDurationMs(std::string_view text);

// The start of the period that contains `at_ms`: a multiple of the length since 1970, and for whole days the zone's own
// midnight.
int64_t CalendarPeriodStart(int64_t at_ms, int64_t period_ms, const absl::TimeZone& zone);
// The start of the period after one that starts at `start_ms`.
int64_t NextCalendarPeriod(int64_t start_ms, int64_t period_ms, const absl::TimeZone& zone);

// Daily windows are kept by date, as windows that start at the date's midnight in UTC. Which date is today is a matter of
// the zone.
class DayWindows {
 public:
  DayWindows(int64_t now_ms, const absl::TimeZone& zone) : today_(absl::ToCivilDay(absl::FromUnixMillis(now_ms), zone)) {}

  absl::CivilDay today() const { return today_; }
  // The seven dates before today.
  WindowRange Week() const { return {StartOf(today_ - 7), StartOf(today_)}; }
  // Today and the six dates before.
  WindowRange WeekWithToday() const { return {StartOf(today_ - 6), StartOf(today_ + 1)}; }
  // Both.
  WindowRange Both() const { return {StartOf(today_ - 7), StartOf(today_ + 1)}; }

  static int64_t StartOf(absl::CivilDay day) { return (day - absl::CivilDay(1970, 1, 1)) * kDayMs; }
  // "2026-01-01"
  static std::string Name(int64_t window_start_ms);

 private:
  const absl::CivilDay today_;
};

}  // namespace tailrace::grpc_api
