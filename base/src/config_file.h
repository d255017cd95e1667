// Reads the settings of a configuration file, each with the line it stands on. Nothing is checked here but the syntax.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tailrace/base/config.h"

namespace tailrace::base {

// By extension: .yaml, .yml and .json are YAML (nested maps join their names with dots, lists join with commas),
// .properties and .conf are Java properties.
absl::StatusOr<std::vector<ConfigSetting>> ReadConfigFile(const std::string& path);

// The parts of ReadConfigFile; `name` is used in messages only.
absl::StatusOr<std::vector<ConfigSetting>> ParseYamlSettings(std::string_view name, const std::string& text);
absl::StatusOr<std::vector<ConfigSetting>> ParsePropertiesSettings(std::string_view name, std::string_view text);

}  // namespace tailrace::base
