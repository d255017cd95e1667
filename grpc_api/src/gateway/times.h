// Times as people and browsers write them, and time zones by IANA name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace tailrace::grpc_api {

// RFC 3339 ("2026-01-01T00:00:00.5+02:00"; a space stands for a '+' that was not encoded) or epoch milliseconds.
std::optional<int64_t> ParseTimeMs(std::string_view text);

// RFC 3339 with the zone's offset at that time: "2026-01-01T00:00:00Z", milliseconds only when there are some.
std::string FormatTime(int64_t ms, const absl::TimeZone& zone = absl::UTCTimeZone());

// The zone of an IANA name ("America/Toronto", "UTC"); nullopt when the system's tz database has no such name.
std::optional<absl::TimeZone> FindZone(const std::string& name);

}  // namespace tailrace::grpc_api
