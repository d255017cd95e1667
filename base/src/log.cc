#include "tailrace/base/log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <memory>
#include <mutex>

#include "tailrace/base/json_text.h"

namespace tailrace::base {
namespace {

constexpr std::string_view kLevelNames[] = {"debug", "info", "warning", "error", "off"};

// The state of the process's log. Never destroyed, since threads may log until the end.
struct Logger {
  std::atomic<LogLevel> level{LogLevel::kInfo};
  std::mutex mutex;  // guards the rest
  LogFormat format = LogFormat::kText;
  std::function<void(std::string_view)> sink;
  spdlog::logger stderr_logger{"tailrace", std::make_shared<spdlog::sinks::stderr_sink_st>()};

  Logger() {
    stderr_logger.set_pattern("%v");
    stderr_logger.set_level(spdlog::level::trace);
    stderr_logger.flush_on(spdlog::level::trace);
  }
};

Logger& TheLogger() {
  static Logger& logger = *new Logger();
  return logger;
}

std::string TimeText() {
  const int64_t now_ms = SystemClock().WallMs();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(static_cast<std::time_t>(now_ms / 1000)),
                     now_ms % 1000);
}

void AppendQuoted(fmt::memory_buffer& out, std::string_view text) {
  std::string quoted;
  AppendJsonString(quoted, text);
  out.append(std::string_view(quoted));
}

bool NeedsQuotes(std::string_view text) {
  if (text.empty()) return true;
  for (const char c : text) {
    if (c == ' ' || c == '"' || c == '=' || static_cast<unsigned char>(c) < 0x20) return true;
  }
  return false;
}

void FormatText(fmt::memory_buffer& out, LogLevel level, std::string_view component, std::string_view message,
                std::initializer_list<LogField> fields) {
  fmt::format_to(fmt::appender(out), "{} {:<7} {}: {}", TimeText(), kLevelNames[static_cast<int>(level)], component,
                 message);
  for (const LogField& field : fields) {
    fmt::format_to(fmt::appender(out), " {}=", field.key());
    if (field.quoted() && NeedsQuotes(field.text())) {
      AppendQuoted(out, field.text());
    } else {
      out.append(std::string_view(field.text()));
    }
  }
}

void FormatJson(fmt::memory_buffer& out, LogLevel level, std::string_view component, std::string_view message,
                std::initializer_list<LogField> fields) {
  fmt::format_to(fmt::appender(out), R"({{"time":"{}","level":"{}","component":)", TimeText(),
                 kLevelNames[static_cast<int>(level)]);
  AppendQuoted(out, component);
  out.append(std::string_view(R"(,"message":)"));
  AppendQuoted(out, message);
  for (const LogField& field : fields) {
    out.push_back(',');
    AppendQuoted(out, field.key());
    out.push_back(':');
    if (field.quoted()) {
      AppendQuoted(out, field.text());
    } else {
      out.append(std::string_view(field.text()));
    }
  }
  out.push_back('}');
}

}  // namespace

LogField::LogField(std::string_view key, double value) : key_(key), text_(fmt::format("{}", value)) {
  quoted_ = text_.find_first_of("in") != std::string::npos;  // JSON has no inf and nan.
}

LogField::LogField(std::string_view key, const absl::Status& status)
    : key_(key), text_(status.ToString(absl::StatusToStringMode::kWithNoExtraData)), quoted_(true) {
  if (!status.ok()) text_ += " [" + std::string(ReactionName(ReactionOf(status))) + "]";
}

void ConfigureLog(LogOptions options) {
  Logger& logger = TheLogger();
  const std::lock_guard lock(logger.mutex);
  logger.level = options.level;
  logger.format = options.format;
  logger.sink = std::move(options.sink);
}

std::optional<LogLevel> ParseLogLevel(std::string_view name) {
  if (name == "warn") return LogLevel::kWarning;
  for (size_t i = 0; i < std::size(kLevelNames); ++i) {
    if (kLevelNames[i] == name) return static_cast<LogLevel>(i);
  }
  return std::nullopt;
}

bool LogEnabled(LogLevel level) {
  return level >= TheLogger().level.load(std::memory_order_relaxed) && level != LogLevel::kOff;
}

void Log(LogLevel level, std::string_view component, std::string_view message, std::initializer_list<LogField> fields) {
  if (!LogEnabled(level)) return;
  Logger& logger = TheLogger();
  fmt::memory_buffer line;
  const std::lock_guard lock(logger.mutex);
  logger.format == LogFormat::kJson ? FormatJson(line, level, component, message, fields)
                                    : FormatText(line, level, component, message, fields);
  const std::string_view text(line.data(), line.size());
  if (logger.sink) {
    logger.sink(text);
  } else {
    logger.stderr_logger.info(text);
  }
}

std::optional<uint64_t> LogEveryMs::Pass() {
  const int64_t now_ms = clock_.SteadyMs();
  int64_t next_ms = next_ms_.load(std::memory_order_relaxed);
  if (now_ms >= next_ms &&
      next_ms_.compare_exchange_strong(next_ms, now_ms + interval_ms_, std::memory_order_relaxed)) {
    return held_.exchange(0, std::memory_order_relaxed);
  }
  held_.fetch_add(1, std::memory_order_relaxed);
  return std::nullopt;
}

}  // namespace tailrace::base
