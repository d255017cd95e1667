// Structured logs to standard error: a level, the component that speaks, a fixed message, and fields.
//
// The message never contains values; values are fields, so that lines can be searched and counted:
//   base::LogInfo("processor", "task restored", {{"task", id.ToString()}, {"records", records}});
//   text:  2026-01-01T00:00:00.000Z info  processor: task restored task=0_3 records=1200
//   json:  {"time":"2026-01-01T00:00:00.000Z","level":"info","component":"processor","message":"task
//   restored","task":"0_3","records":1200}
//
// Thread-safe. A line is written whole. Never call it per record; where something may repeat, ask a LogEveryMs first.
#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "tailrace/base/clock.h"
#include "tailrace/base/status.h"

namespace tailrace::base {

enum class LogLevel { kDebug, kInfo, kWarning, kError, kOff };
enum class LogFormat { kText, kJson };

class LogField {
 public:
  LogField(std::string_view key, std::string_view value) : key_(key), text_(value), quoted_(true) {}
  LogField(std::string_view key, const char* value) : LogField(key, std::string_view(value)) {}
  LogField(std::string_view key, const std::string& value) : LogField(key, std::string_view(value)) {}
  LogField(std::string_view key, bool value) : key_(key), text_(value ? "true" : "false") {}
  LogField(std::string_view key, double value);
  template <std::integral T>
  LogField(std::string_view key, T value) : key_(key), text_(std::to_string(value)) {}
  // The code, message and reaction of an error.
  LogField(std::string_view key, const absl::Status& status);

  std::string_view key() const { return key_; }
  const std::string& text() const { return text_; }
  bool quoted() const { return quoted_; }

 private:
  std::string_view key_;
  std::string text_;
  bool quoted_ = false;
};

struct LogOptions {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kText;
  // Where lines go, without their line end; standard error when empty. Called by one thread at a time.
  std::function<void(std::string_view line)> sink;
};

// Replaces the options of the process. Until it is called: text at level info on standard error.
void ConfigureLog(LogOptions options);

// "debug", "info", "warning" (or "warn"), "error", "off".
std::optional<LogLevel> ParseLogLevel(std::string_view name);

bool LogEnabled(LogLevel level);

void Log(LogLevel level, std::string_view component, std::string_view message,
         std::initializer_list<LogField> fields = {});

inline void LogDebug(std::string_view component, std::string_view message,
                     std::initializer_list<LogField> fields = {}) {
  if (LogEnabled(LogLevel::kDebug)) Log(LogLevel::kDebug, component, message, fields);
}
inline void LogInfo(std::string_view component, std::string_view message, std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kInfo, component, message, fields);
}
inline void LogWarning(std::string_view component, std::string_view message,
                       std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kWarning, component, message, fields);
}
inline void LogError(std::string_view component, std::string_view message,
                     std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kError, component, message, fields);
}

// Lets one line through per interval and counts what it held back. Thread-safe and lock-free; usually a member.
//
//   if (auto held = skipped_log_.Pass()) LogWarning("task", "records skipped", {{"more", *held}});
class LogEveryMs {
 public:
  explicit LogEveryMs(int64_t interval_ms, const Clock& clock = SystemClock())
      : interval_ms_(interval_ms), clock_(clock) {}

  // The number of calls held back since the last line, when this call may log; nullopt when it may not.
  std::optional<uint64_t> Pass();

 private:
  const int64_t interval_ms_;
  const Clock& clock_;
  std::atomic<int64_t> next_ms_{INT64_MIN};
  std::atomic<uint64_t> held_{0};
};

}  // namespace tailrace::base
