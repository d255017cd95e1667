#include "spec/map_reader.h"

#include <algorithm>
#include <vector>

#include "tailrace/base/units.h"

namespace tailrace::pipeline::spec {

MapReader::MapReader(const Yaml& node, std::string_view what, std::initializer_list<std::string_view> allowed, Problems& problems)
    : node_(node), what_(what), problems_(problems) {
  const std::vector<std::string_view> names(allowed);
  if (!is_map()) {
    problems_.Add(node_.at, what_ + " must be a map with " + Join(names) + ", not " + Describe(node_));
    return;
  }
  for (const auto& [key, value] : node_.members) {
    if (std::find(names.begin(), names.end(), key.text) == names.end()) {
      problems_.AddUnknown(key.at, "key of " + what_, key.text, names);
    }
  }
}

const Yaml* MapReader::Get(std::string_view key) const {
  for (const auto& [name, value] : node_.members) {
    if (name.text == key && value.kind != Yaml::Kind::kNull) return &value;
  }
  return nullptr;
}

const Yaml* MapReader::Require(std::string_view key) const {
  const Yaml* found = Get(key);
  if (found == nullptr && is_map()) problems_.Add(node_.at, what_ + " needs '" + std::string(key) + "'");
  return found;
}

std::optional<std::string> MapReader::Text(std::string_view key) const {
  const Yaml* found = Get(key);
  return found == nullptr ? std::nullopt : ReadText(*found, key, problems_);
}

std::optional<std::string> MapReader::RequireText(std::string_view key) const {
  const Yaml* found = Require(key);
  return found == nullptr ? std::nullopt : ReadText(*found, key, problems_);
}

std::optional<int64_t> MapReader::DurationMs(std::string_view key) const {
  const Yaml* found = Get(key);
  return found == nullptr ? std::nullopt : ReadDurationMs(*found, key, problems_);
}

std::optional<std::string> ReadText(const Yaml& node, std::string_view what, Problems& problems) {
  if (node.kind == Yaml::Kind::kInvalid) return std::nullopt;
  if (node.kind == Yaml::Kind::kScalar && !node.text.empty()) return node.text;
  problems.Add(node.at, std::string(what) + " must be a text, not " + Describe(node));
  return std::nullopt;
}

std::optional<int64_t> ReadDurationMs(const Yaml& node, std::string_view what, Problems& problems) {
  if (node.kind == Yaml::Kind::kInvalid) return std::nullopt;
  if (node.kind == Yaml::Kind::kScalar) {
    if (const auto ms = base::ParseDurationMs(node.text)) return ms;
  }
  problems.Add(node.at, std::string(what) + " must be a duration such as 5m, 90s, 1d or 500ms, not " + Describe(node));
  return std::nullopt;
}

std::optional<int64_t> ReadInt(const Yaml& node, std::string_view what, int64_t min, int64_t max, Problems& problems) {
  if (node.kind == Yaml::Kind::kInvalid) return std::nullopt;
  if (node.kind == Yaml::Kind::kScalar) {
    const auto value = base::ParseInt(node.text);
    if (value && *value >= min && *value <= max) return value;
  }
  problems.Add(node.at, std::string(what) + " must be an integer from " + std::to_string(min) + " to " + std::to_string(max) +
                            ", not " + Describe(node));
  return std::nullopt;
}

std::optional<FieldName> ReadField(const Yaml& node, std::string_view what, Problems& problems) {
  if (node.kind == Yaml::Kind::kInvalid) return std::nullopt;
  if (node.kind == Yaml::Kind::kScalar && !node.text.empty()) return FieldName{node.text, node.at};
  problems.Add(node.at, std::string(what) + " must be the name of a field, not " + Describe(node));
  return std::nullopt;
}

}  // namespace tailrace::pipeline::spec
