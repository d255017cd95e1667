#include "tailrace/base/units.h"

#include <charconv>
#include <limits>

namespace tailrace::base {
namespace {

struct Unit {
  std::string_view name;
  int64_t factor;
};

constexpr Unit kDurations[] = {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}};
constexpr Unit kSizes[] = {{"B", 1},        {"KiB", 1 << 10}, {"KB", 1 << 10},  {"K", 1 << 10},  {"MiB", 1 << 20},
                           {"MB", 1 << 20}, {"M", 1 << 20},   {"GiB", 1 << 30}, {"GB", 1 << 30}, {"G", 1 << 30}};

// Takes a run of digits off the front.
std::optional<int64_t> ConsumeDigits(std::string_view& text) {
  int64_t value = 0;
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return value;
}

std::string_view ConsumeLetters(std::string_view& text) {
  size_t size = 0;
  while (size < text.size() && (text[size] < '0' || text[size] > '9')) ++size;
  const std::string_view letters = text.substr(0, size);
  text.remove_prefix(size);
  return letters;
}

}  // namespace

std::optional<int64_t> ParseInt(std::string_view text) {
  if (text.starts_with('+') && text.size() > 1 && text[1] != '-') text.remove_prefix(1);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::optional<int64_t> ParseDurationMs(std::string_view text) {
  int64_t total = 0;
  bool first = true;
  const Unit* last = nullptr;
  while (first || !text.empty()) {
    const std::optional<int64_t> amount = ConsumeDigits(text);
    if (!amount.has_value()) return std::nullopt;
    const std::string_view name = ConsumeLetters(text);
    if (name.empty()) return first ? amount : std::nullopt;  // A number without a unit stands alone.
    const Unit* unit = nullptr;
    for (const Unit& candidate : kDurations) {
      if (candidate.name == name) unit = &candidate;
    }
    if (unit == nullptr || (last != nullptr && unit <= last)) return std::nullopt;
    int64_t part = 0;
    if (__builtin_mul_overflow(*amount, unit->factor, &part) || __builtin_add_overflow(total, part, &total))
      return std::nullopt;
    last = unit;
    first = false;
  }
  return total;
}

std::optional<int64_t> ParseBytes(std::string_view text) {
  const std::optional<int64_t> amount = ConsumeDigits(text);
  if (!amount.has_value()) return std::nullopt;
  while (text.starts_with(' ')) text.remove_prefix(1);
  if (text.empty()) return amount;
  for (const Unit& unit : kSizes) {
    int64_t bytes = 0;
    if (unit.name == text)
      return __builtin_mul_overflow(*amount, unit.factor, &bytes) ? std::nullopt : std::optional(bytes);
  }
  return std::nullopt;
}

std::string FormatDurationMs(int64_t ms) {
  if (ms <= 0) return std::to_string(ms) + "ms";
  std::string text;
  for (const Unit& unit : kDurations) {
    if (ms >= unit.factor) text += std::to_string(ms / unit.factor) + std::string(unit.name);
    ms %= unit.factor;
  }
  return text;
}

}  // namespace tailrace::base
