#include "tailrace/pipeline/timestamps.h"

#include <algorithm>
#include <array>

namespace tailrace::pipeline {
namespace {

constexpr int64_t kDayMs = 86'400'000;

// Takes pieces off the front of a text; after the first mismatch everything fails.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool Digits(size_t count, int64_t& value) {
    if (rest_.size() < count) return false;
    value = 0;
    for (size_t i = 0; i < count; ++i) {
      if (!IsDigit(rest_[i])) return false;
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return true;
  }
  // One or two digits.
  bool Day(int64_t& value) {
    if (rest_.size() >= 2 && IsDigit(rest_[1])) return Digits(2, value);
    return Digits(1, value);
  }
  bool Literal(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // The index of the name at the front.
  template <size_t N>
  bool Name(const std::array<std::string_view, N>& names, int64_t& index) {
    for (size_t i = 0; i < N; ++i) {
      if (!rest_.starts_with(names[i])) continue;
      rest_.remove_prefix(names[i].size());
      index = static_cast<int64_t>(i);
      return true;
    }
    return false;
  }
  // ".123456" to milliseconds; nothing there is 0.
  bool Fraction(int64_t& ms) {
    ms = 0;
    if (rest_.empty() || (rest_[0] != '.' && rest_[0] != ',')) return true;
    rest_.remove_prefix(1);
    if (rest_.empty() || !IsDigit(rest_[0])) return false;
    for (int64_t scale = 100; !rest_.empty() && IsDigit(rest_[0]); rest_.remove_prefix(1), scale /= 10) {
      ms += (rest_[0] - '0') * scale;
    }
    return true;
  }
  // "Z", "+05:30", "-0800", "GMT", or nothing, which is UTC.
  bool Zone(int64_t& offset_ms) {
    offset_ms = 0;
    if (rest_.empty() || rest_ == "Z" || rest_ == "z" || rest_ == "GMT" || rest_ == "UTC") {
      rest_ = {};
      return true;
    }
    const int64_t sign = rest_[0] == '-' ? -1 : 1;
    if (rest_[0] != '-' && rest_[0] != '+') return false;
    rest_.remove_prefix(1);
    int64_t hours = 0, minutes = 0;
    if (!Digits(2, hours)) return false;
    if (!rest_.empty() && rest_[0] == ':') rest_.remove_prefix(1);
    if (!rest_.empty() && !Digits(2, minutes)) return false;
    offset_ms = sign * (hours * 60 + minutes) * 60'000;
    return hours <= 23 && minutes <= 59;
  }
  bool Clock(int64_t& ms) {
    int64_t hour = 0, minute = 0, second = 0;
    if (!Digits(2, hour) || !Literal(':') || !Digits(2, minute)) return false;
    if (Literal(':') && !Digits(2, second)) return false;
    ms = ((hour * 60 + minute) * 60 + second) * 1000;
    return hour <= 23 && minute <= 59 && second <= 60;  // 60: a leap second is the next minute's first.
  }
  bool Done() const { return rest_.empty(); }
  char Front() const { return rest_.empty() ? '\0' : rest_[0]; }

 private:
  static bool IsDigit(char c) { return c >= '0' && c <= '9'; }
  std::string_view rest_;
};

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kWeekdays = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

bool IsLeapYear(int64_t year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

// Milliseconds of midnight; false for a day that does not exist.
bool DateMs(int64_t year, int64_t month, int64_t day, int64_t& ms) {
  static constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12 || day < 1) return false;
  const int last = kDays[static_cast<size_t>(month - 1)] + (month == 2 && IsLeapYear(year) ? 1 : 0);
  if (day > last) return false;
  ms = DaysFromCivil(year, static_cast<int>(month), static_cast<int>(day)) * kDayMs;
  return true;
}

std::optional<int64_t> ParseIso(std::string_view text) {
  Scanner in(text);
  int64_t year = 0, month = 0, day = 0, date = 0, clock = 0, fraction = 0, zone = 0;
  if (!in.Digits(4, year) || !in.Literal('-') || !in.Digits(2, month) || !in.Literal('-') || !in.Digits(2, day)) {
    return std::nullopt;
  }
  if (!DateMs(year, month, day, date)) return std::nullopt;
  if (in.Done()) return date;
  if (!in.Literal('T') && !in.Literal('t') && !in.Literal(' ')) return std::nullopt;
  if (!in.Clock(clock) || !in.Fraction(fraction) || !in.Zone(zone) || !in.Done()) return std::nullopt;
  return date + clock + fraction - zone;
}

// "Thu Jan 01 00:00:00 +0000 2026", after the weekday and a space.
std::optional<int64_t> ParseStatusTime(Scanner in) {
  int64_t year = 0, month = 0, day = 0, date = 0, clock = 0, zone_sign = 1, hours = 0, minutes = 0;
  if (!in.Name(kMonths, month) || !in.Literal(' ') || !in.Day(day) || !in.Literal(' ') || !in.Clock(clock) ||
      !in.Literal(' ')) {
    return std::nullopt;
  }
  if (in.Front() == '-') zone_sign = -1;
  if ((!in.Literal('+') && !in.Literal('-')) || !in.Digits(2, hours) || !in.Digits(2, minutes)) return std::nullopt;
  if (hours > 23 || minutes > 59) return std::nullopt;
  if (!in.Literal(' ') || !in.Digits(4, year) || !in.Done()) return std::nullopt;
  if (!DateMs(year, month + 1, day, date)) return std::nullopt;
  return date + clock - zone_sign * (hours * 60 + minutes) * 60'000;
}

// "01 Jan 2026 00:00:00 +0000", after the weekday and ", ".
std::optional<int64_t> ParseMailTime(Scanner in) {
  int64_t year = 0, month = 0, day = 0, date = 0, clock = 0, zone = 0;
  if (!in.Day(day) || !in.Literal(' ') || !in.Name(kMonths, month) || !in.Literal(' ') || !in.Digits(4, year) ||
      !in.Literal(' ') || !in.Clock(clock)) {
    return std::nullopt;
  }
  if (in.Literal(' ') && in.Done()) return std::nullopt;
  if (!in.Zone(zone) || !in.Done()) return std::nullopt;
  if (!DateMs(year, month + 1, day, date)) return std::nullopt;
  return date + clock - zone;
}

void AppendPadded(std::string& out, int64_t value, int width) {
  char digits[8];
  for (int i = width - 1; i >= 0; --i, value /= 10) digits[i] = static_cast<char>('0' + value % 10);
  out.append(digits, static_cast<size_t>(width));
}

}  // namespace

int64_t DaysFromCivil(int64_t year, int month, int day) {
  // Years begin in March, so that the leap day is the last of its year; 400 years are 146,097 days.
  year -= month <= 2 ? 1 : 0;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const int64_t year_of_era = year - era * 400;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

std::optional<int64_t> ParseTimestampMs(std::string_view text) {
  if (text.empty()) return std::nullopt;
  if (text[0] >= '0' && text[0] <= '9') return ParseIso(text);
  Scanner in(text);
  int64_t weekday = 0;
  if (!in.Name(kWeekdays, weekday)) return std::nullopt;
  if (in.Literal(',')) return in.Literal(' ') ? ParseMailTime(in) : std::nullopt;
  return in.Literal(' ') ? ParseStatusTime(in) : std::nullopt;
}

void AppendTimestamp(std::string& out, int64_t ms) {
  constexpr int64_t kMin = -62'167'219'200'000;  // 0000-01-01
  constexpr int64_t kMax = 253'402'300'799'999;  // 9999-12-31T23:59:59.999
  ms = std::clamp(ms, kMin, kMax);
  const int64_t days = (ms >= 0 ? ms : ms - (kDayMs - 1)) / kDayMs;
  const int64_t of_day = ms - days * kDayMs;
  // The inverse of DaysFromCivil.
  const int64_t shifted = days + 719'468;
  const int64_t era = (shifted >= 0 ? shifted : shifted - 146'096) / 146'097;
  const int64_t day_of_era = shifted - era * 146'097;
  const int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month_index = (5 * day_of_year + 2) / 153;
  const int64_t day = day_of_year - (153 * month_index + 2) / 5 + 1;
  const int64_t month = month_index < 10 ? month_index + 3 : month_index - 9;
  const int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  AppendPadded(out, year, 4);
  out += '-';
  AppendPadded(out, month, 2);
  out += '-';
  AppendPadded(out, day, 2);
  out += 'T';
  AppendPadded(out, of_day / 3'600'000, 2);
  out += ':';
  AppendPadded(out, of_day / 60'000 % 60, 2);
  out += ':';
  AppendPadded(out, of_day / 1000 % 60, 2);
  if (of_day % 1000 != 0) {
    out += '.';
    AppendPadded(out, of_day % 1000, 3);
  }
  out += 'Z';
}

std::string FormatTimestamp(int64_t ms) {
  std::string out;
  AppendTimestamp(out, ms);
  return out;
}

}  // namespace tailrace::pipeline
