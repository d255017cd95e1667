// Timestamps as the sources write them, normalised to milliseconds since the epoch.
//
// Pure functions; they never allocate.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tailrace::pipeline {

// Recognises by shape:
//   2026-01-01T00:00:00.123Z, ...+05:30, ...-0800      RFC 3339; fractions beyond milliseconds are cut off
//   2026-01-01T00:00:00, 2026-01-01 00:00:00           no zone: UTC
//   2026-01-01                                         midnight UTC
//   Thu Jan 01 00:00:00 +0000 2026                     v1.1 statuses
//   Thu, 01 Jan 2026 00:00:00 +0000                    RFC 2822
// nullopt for anything else, for days and hours that do not exist, and for years outside 0000-9999.
// Times before 1970 are negative: the caller decides about them.
std::optional<int64_t> ParseTimestampMs(std::string_view text);

// "2026-01-01T00:00:00Z", with ".123" when there are milliseconds. Negative times work; years are clamped to 0000-9999.
std::string FormatTimestamp(int64_t ms);
void AppendTimestamp(std::string& out, int64_t ms);

// Midnight UTC of a civil date, in days since the epoch (proleptic Gregorian calendar).
int64_t DaysFromCivil(int64_t year, int month, int day);

}  // namespace tailrace::pipeline
