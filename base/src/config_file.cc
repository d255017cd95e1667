#include "config_file.h"

#include <yaml-cpp/yaml.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace tailrace::base {
namespace {

std::string At(std::string_view name, int line) { return std::string(name) + ":" + std::to_string(line); }

std::string At(std::string_view name, const YAML::Mark& mark) { return At(name, mark.line + 1); }

absl::Status Flatten(std::string_view name, const std::string& prefix, const YAML::Node& map,
                     std::vector<ConfigSetting>& settings) {
  for (const auto& item : map) {
    if (!item.first.IsScalar()) return UsageError(At(name, item.first.Mark()) + ": a key must be text");
    const std::string key = prefix.empty() ? item.first.Scalar() : prefix + "." + item.first.Scalar();
    const YAML::Node& value = item.second;
    const std::string origin = At(name, item.first.Mark());
    if (value.IsMap()) {
      TAILRACE_RETURN_IF_ERROR(Flatten(name, key, value, settings));
    } else if (value.IsSequence()) {
      std::string joined;
      for (const YAML::Node& element : value) {
        if (!element.IsScalar()) return UsageError(origin + ": the list of '" + key + "' may hold plain values only");
        joined += (joined.empty() ? "" : ",") + element.Scalar();
      }
      settings.push_back({key, joined, origin});
    } else {
      settings.push_back({key, value.IsNull() ? "" : value.Scalar(), origin});
    }
  }
  return absl::OkStatus();
}

std::string_view TrimFront(std::string_view text) {
  const size_t start = text.find_first_not_of(" \t\f");
  return start == std::string_view::npos ? std::string_view() : text.substr(start);
}

// Appends the escaped character after a backslash; false when a \u escape is cut short.
bool AppendEscaped(std::string_view text, size_t& i, std::string& out) {
  const char c = text[i];
  if (c != 'u') {
    constexpr std::string_view kNames = "ntrf", kValues = "\n\t\r\f";
    const size_t known = kNames.find(c);
    out.push_back(known == std::string_view::npos ? c : kValues[known]);
    return true;
  }
  if (i + 4 >= text.size()) return false;
  unsigned code = 0;
  for (size_t digit = 1; digit <= 4; ++digit) {
    constexpr std::string_view kHex = "0123456789abcdef";
    const size_t value = kHex.find(static_cast<char>(std::tolower(static_cast<unsigned char>(text[i + digit]))));
    if (value == std::string_view::npos) return false;
    code = code * 16 + static_cast<unsigned>(value);
  }
  i += 4;
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xc0 | (code >> 6)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3f)));
  } else {
    out.push_back(static_cast<char>(0xe0 | (code >> 12)));
    out.push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3f)));
  }
  return true;
}

// Splits a logical line at the first '=', ':' or blank that is not escaped.
absl::Status ParsePropertiesLine(std::string_view line, const std::string& origin,
                                 std::vector<ConfigSetting>& settings) {
  ConfigSetting setting{.key = "", .value = "", .origin = origin};
  size_t i = 0;
  for (; i < line.size() && line[i] != '=' && line[i] != ':' && line[i] != ' ' && line[i] != '\t'; ++i) {
    if (line[i] != '\\') {
      setting.key.push_back(line[i]);
    } else if (++i >= line.size() || !AppendEscaped(line, i, setting.key)) {
      return UsageError(origin + ": the escape in the key is cut short");
    }
  }
  std::string_view rest = TrimFront(line.substr(i));
  if (!rest.empty() && (rest.front() == '=' || rest.front() == ':')) rest = TrimFront(rest.substr(1));
  for (size_t j = 0; j < rest.size(); ++j) {
    if (rest[j] != '\\') {
      setting.value.push_back(rest[j]);
    } else if (++j >= rest.size() || !AppendEscaped(rest, j, setting.value)) {
      return UsageError(origin + ": the escape in the value of '" + setting.key + "' is cut short");
    }
  }
  settings.push_back(std::move(setting));
  return absl::OkStatus();
}

bool EndsInOddBackslashes(std::string_view line) {
  size_t count = 0;
  while (count < line.size() && line[line.size() - 1 - count] == '\\') ++count;
  return count % 2 == 1;
}

}  // namespace

absl::StatusOr<std::vector<ConfigSetting>> ParseYamlSettings(std::string_view name, const std::string& text) {
  try {
    const YAML::Node root = YAML::Load(text);
    std::vector<ConfigSetting> settings;
    if (root.IsNull()) return settings;
    if (!root.IsMap()) return UsageError(At(name, root.Mark()) + ": expected 'key: value' lines");
    TAILRACE_RETURN_IF_ERROR(Flatten(name, "", root, settings));
    return settings;
  } catch (const YAML::Exception& error) {
    return UsageError(At(name, error.mark) + ": not valid YAML: " + error.msg);
  }
}

absl::StatusOr<std::vector<ConfigSetting>> ParsePropertiesSettings(std::string_view name, std::string_view text) {
  std::vector<ConfigSetting> settings;
  std::string logical;
  int line_number = 0, first_line = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = TrimFront(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    ++line_number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (logical.empty() && (line.empty() || line.front() == '#' || line.front() == '!')) continue;
    if (logical.empty()) first_line = line_number;
    const bool continued = EndsInOddBackslashes(line);
    if (continued) line.remove_suffix(1);
    logical.append(line);
    if (continued && !text.empty()) continue;
    TAILRACE_RETURN_IF_ERROR(ParsePropertiesLine(logical, At(name, first_line), settings));
    logical.clear();
  }
  return settings;
}

absl::StatusOr<std::vector<ConfigSetting>> ReadConfigFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file || text.fail()) {
    return Error(Reaction::kFatal, absl::StatusCode::kNotFound,
                 "cannot read the configuration file '" + path + "': " + std::strerror(errno));
  }
  const std::string_view name = path;
  if (name.ends_with(".yaml") || name.ends_with(".yml") || name.ends_with(".json"))
    return ParseYamlSettings(path, text.str());
  if (name.ends_with(".properties") || name.ends_with(".conf")) return ParsePropertiesSettings(path, text.str());
  return UsageError("the configuration file '" + path + "' must end in .yaml, .yml, .json, .properties or .conf");
}

}  // namespace tailrace::base
