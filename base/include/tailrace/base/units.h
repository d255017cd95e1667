// Durations and sizes as people write them: "5m", "1h30m", "250ms", "64MiB", or a plain number.
//
// Pure functions. nullopt for text that is neither, is negative, or does not fit.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tailrace::base {

// Units ms, s, m, h, d, largest first; a plain number is milliseconds.
std::optional<int64_t> ParseDurationMs(std::string_view text);

// Units B, KiB/KB/K, MiB/MB/M, GiB/GB/G, all powers of 1,024; a plain number is bytes.
std::optional<int64_t> ParseBytes(std::string_view text);

// A decimal integer with an optional sign and nothing else.
std::optional<int64_t> ParseInt(std::string_view text);

// "5m", "1h30m", "250ms", "0ms": what ParseDurationMs reads back as the same number.
std::string FormatDurationMs(int64_t ms);

}  // namespace tailrace::base
