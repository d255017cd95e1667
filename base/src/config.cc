#include "tailrace/base/config.h"

#include <unistd.h>

#include <algorithm>
#include <regex>

#include "config_file.h"
#include "tailrace/base/check.h"
#include "tailrace/base/config_keys.h"
#include "tailrace/base/nearest.h"
#include "tailrace/base/units.h"

namespace tailrace::base {
namespace {

constexpr std::string_view kEnvironmentPrefix = "TAILRACE_";
// Variables that other programs of this project read; they are no settings.
constexpr std::string_view kReservedVariables[] = {"TAILRACE_BIN", "TAILRACE_BINARY_DIR", "TAILRACE_DEPS",
                                                   "TAILRACE_SOURCE_DIR"};

bool IsReservedVariable(const std::string& name) {
  // Kubernetes describes a service called "tailrace" (or "tailrace-gateway") to every container in this way.
  static const std::regex service_link(".*_SERVICE_HOST|.*_SERVICE_PORT(_.*)?|.*_PORT(_[0-9]+_(TCP|UDP|SCTP)(_.*)?)?");
  return name.starts_with("TAILRACE_TEST_") ||
         std::find(std::begin(kReservedVariables), std::end(kReservedVariables), name) !=
             std::end(kReservedVariables) ||
         std::regex_match(name, service_link);
}

std::string KeyOfVariable(std::string_view name) {
  std::string key(name.substr(kEnvironmentPrefix.size()));
  for (char& c : key) c = c == '_' ? '.' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return key;
}

// Collects all problems of all sources, so that they are mended in one round.
class Problems {
 public:
  void Add(std::string line) { lines_ += (lines_.empty() ? "" : "\n") + std::move(line); }
  absl::Status ToStatus() const { return lines_.empty() ? absl::OkStatus() : UsageError(lines_); }

 private:
  std::string lines_;
};

std::vector<ConfigSetting> FromEnvironment(const ConfigSources& sources) {
  std::vector<ConfigSetting> settings;
  for (const auto& [name, value] : sources.environment) {
    if (!name.starts_with(kEnvironmentPrefix) || IsReservedVariable(name)) continue;
    std::string key = KeyOfVariable(name);
    for (const std::string& parameter : sources.parameters) {  // A parameter may hold underscores itself.
      std::string dotted = parameter;
      std::replace(dotted.begin(), dotted.end(), '_', '.');
      if (dotted == key) key = parameter;
    }
    settings.push_back({key, value, "environment " + name});
  }
  return settings;
}

std::vector<ConfigSetting> FromArguments(const std::vector<std::string>& arguments, Problems& problems) {
  std::vector<ConfigSetting> settings;
  for (const std::string& argument : arguments) {
    const size_t equals = argument.find('=');
    if (equals == std::string::npos || equals == 0) {
      problems.Add("--set " + argument + ": expected key=value");
      continue;
    }
    std::string key = argument.substr(0, equals);
    std::string origin = "--set " + key;
    settings.push_back({std::move(key), argument.substr(equals + 1), std::move(origin)});
  }
  return settings;
}

std::string Suggestion(std::string_view key, const std::vector<std::string>& parameters) {
  std::vector<std::string_view> names(parameters.begin(), parameters.end());
  for (const ConfigKey& known : ConfigKeys()) names.push_back(known.name);
  return DidYouMean(key, names);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> ProcessEnvironment() {
  std::vector<std::pair<std::string, std::string>> variables;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    const size_t equals = std::min(text.find('='), text.size());
    variables.emplace_back(text.substr(0, equals), text.substr(std::min(equals + 1, text.size())));
  }
  return variables;
}

Config::Config() = default;

absl::StatusOr<Config> Config::Load(const ConfigSources& sources) {
  Config config;
  Problems problems;
  const auto apply = [&](const std::vector<ConfigSetting>& settings, bool repeatable) {
    std::map<std::string, std::string> seen;
    for (const ConfigSetting& setting : settings) {
      const auto [first, fresh] = seen.emplace(setting.key, setting.origin);
      if (!fresh && !repeatable) {
        problems.Add(setting.origin + ": '" + setting.key + "' is set a second time, first at " + first->second);
        continue;
      }
      const bool parameter =
          std::find(sources.parameters.begin(), sources.parameters.end(), setting.key) != sources.parameters.end();
      const ConfigKey* key = FindConfigKey(setting.key);
      if (key != nullptr) {
        if (const absl::Status status = CheckConfigValue(*key, setting.value); !status.ok()) {
          problems.Add(setting.origin + ": " + std::string(status.message()) + ", not '" + setting.value + "'");
          continue;
        }
      } else if (!parameter && !IsPassThroughKey(setting.key)) {
        problems.Add(setting.origin + ": unknown key '" + setting.key + "'" +
                     Suggestion(setting.key, sources.parameters));
        continue;
      }
      config.entries_[setting.key] = {setting.value, setting.origin, parameter && key == nullptr};
    }
  };
  apply(sources.defaults, true);
  if (!sources.file.empty()) {
    TAILRACE_ASSIGN_OR_RETURN(const std::vector<ConfigSetting> settings, ReadConfigFile(sources.file));
    apply(settings, false);
  }
  apply(FromEnvironment(sources), false);
  apply(FromArguments(sources.set, problems), true);
  TAILRACE_RETURN_IF_ERROR(problems.ToStatus());

  if (config.Ms("heartbeat.interval.ms") >= config.Ms("session.timeout.ms")) {
    problems.Add(config.Origin(config.IsSet("heartbeat.interval.ms") ? "heartbeat.interval.ms" : "session.timeout.ms") +
                 ": 'heartbeat.interval.ms' (" + config.TextOf("heartbeat.interval.ms") +
                 ") must be less than 'session.timeout.ms' (" + config.TextOf("session.timeout.ms") + ")");
  }
  if (config.IsSet("bootstrap.servers") && config.IsSet("log.embedded.dir")) {
    problems.Add(config.Origin("log.embedded.dir") + ": 'log.embedded.dir' and 'bootstrap.servers' (" +
                 config.Origin("bootstrap.servers") + ") exclude each other; remove one");
  }
  TAILRACE_RETURN_IF_ERROR(problems.ToStatus());
  return config;
}

const Config::Entry* Config::Find(std::string_view key) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : &found->second;
}

std::string Config::TextOf(std::string_view key) const {
  if (const Entry* entry = Find(key); entry != nullptr) return entry->value;
  const ConfigKey* known = FindConfigKey(key);
  TAILRACE_CHECK(known != nullptr, "no such configuration key: " + std::string(key));
  // The one default that depends on another key.
  if (key == "commit.interval.ms" && TextOf("processing.guarantee") == "exactly_once_v2") return "100";
  return std::string(known->default_value);
}

std::string Config::String(std::string_view key) const { return TextOf(key); }

bool Config::Bool(std::string_view key) const {
  const std::string text = TextOf(key);
  TAILRACE_CHECK(text == "true" || text == "false", "not a truth value: " + std::string(key));
  return text == "true";
}

int64_t Config::Int(std::string_view key) const {
  const std::optional<int64_t> value = ParseInt(TextOf(key));
  TAILRACE_CHECK(value.has_value(), "not a number: " + std::string(key));
  return *value;
}

int64_t Config::Ms(std::string_view key) const {
  const std::optional<int64_t> value = ParseDurationMs(TextOf(key));
  TAILRACE_CHECK(value.has_value(), "not a duration: " + std::string(key));
  return *value;
}

int64_t Config::Bytes(std::string_view key) const {
  const std::optional<int64_t> value = ParseBytes(TextOf(key));
  TAILRACE_CHECK(value.has_value(), "not a size: " + std::string(key));
  return *value;
}

bool Config::IsSet(std::string_view key) const { return Find(key) != nullptr; }

std::string Config::Origin(std::string_view key) const {
  const Entry* entry = Find(key);
  return entry == nullptr ? "default" : entry->origin;
}

std::map<std::string, std::string> Config::WithPrefix(std::string_view prefix) const {
  std::map<std::string, std::string> settings;
  for (auto at = entries_.lower_bound(prefix); at != entries_.end() && at->first.starts_with(prefix); ++at) {
    settings.emplace(at->first.substr(prefix.size()), at->second.value);
  }
  return settings;
}

std::map<std::string, std::string> Config::ClientSettings(std::string_view role) const {
  std::map<std::string, std::string> settings;
  for (const auto& [key, entry] : entries_) {
    const bool shared = key == "bootstrap.servers" || key == "client.id" || key == "client.rack" ||
                        key.starts_with("security.") || key.starts_with("sasl.") || key.starts_with("ssl.");
    if (shared && !entry.value.empty()) settings[key] = entry.value;
  }
  const auto overlay = [&](std::string_view prefix) {
    for (auto& [key, value] : WithPrefix(std::string(prefix) + ".")) settings[key] = value;
  };
  if (role.ends_with(".consumer")) overlay("consumer");
  overlay(role);
  return settings;
}

std::map<std::string, std::string> Config::Parameters() const {
  std::map<std::string, std::string> parameters;
  for (const auto& [key, entry] : entries_) {
    if (entry.parameter) parameters.emplace(key, entry.value);
  }
  return parameters;
}

std::string Config::Describe() const {
  std::string text;
  for (const auto& [key, entry] : entries_) {
    text += key + " = " + (IsSecretKey(key) ? "(hidden)" : entry.value) + "  (" + entry.origin + ")\n";
  }
  return text;
}

Config Config::With(std::string_view key, std::string_view value) const {
  const ConfigKey* known = FindConfigKey(key);
  TAILRACE_CHECK(known != nullptr || IsPassThroughKey(key), "no such configuration key: " + std::string(key));
  TAILRACE_CHECK(known == nullptr || CheckConfigValue(*known, value).ok(), "wrong value for " + std::string(key));
  Config copy = *this;
  copy.entries_[std::string(key)] = {std::string(value), "program", false};
  return copy;
}

}  // namespace tailrace::base
