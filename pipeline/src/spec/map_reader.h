// Reads one map of a pipeline file: known keys only, typed values, every problem with its place.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "spec/problems.h"
#include "spec/yaml_tree.h"

namespace tailrace::pipeline::spec {

// Not thread-safe; refers to the node and the problems, which outlive it.
class MapReader {
 public:
  // `what` names the map in messages: "source". Reports a node that is not a map and every key that is not allowed.
  MapReader(const Yaml& node, std::string_view what, std::initializer_list<std::string_view> allowed, Problems& problems);

  bool is_map() const { return node_.kind == Yaml::Kind::kMap; }
  Location at() const { return node_.at; }
  bool Has(std::string_view key) const { return Get(key) != nullptr; }
  // Null when absent.
  const Yaml* Get(std::string_view key) const;
  // Reports a missing key.
  const Yaml* Require(std::string_view key) const;

  // nullopt when absent or, after a report, when it is not a non-empty text.
  std::optional<std::string> Text(std::string_view key) const;
  std::optional<std::string> RequireText(std::string_view key) const;
  std::optional<int64_t> DurationMs(std::string_view key) const;

 private:
  const Yaml& node_;
  std::string what_;
  Problems& problems_;
};

// Single values; nullopt after a report.
std::optional<std::string> ReadText(const Yaml& node, std::string_view what, Problems& problems);
std::optional<int64_t> ReadDurationMs(const Yaml& node, std::string_view what, Problems& problems);
std::optional<int64_t> ReadInt(const Yaml& node, std::string_view what, int64_t min, int64_t max, Problems& problems);
std::optional<FieldName> ReadField(const Yaml& node, std::string_view what, Problems& problems);

}  // namespace tailrace::pipeline::spec
