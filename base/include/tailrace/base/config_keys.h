// The registry of configuration keys: name, type, default and meaning of each. `docs` and `--help` are printed from it.
//
// Thread-safe: constant data.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "tailrace/base/status.h"

namespace tailrace::base {

enum class ConfigType { kString, kBool, kInt, kMs, kBytes, kChoice };

struct ConfigKey {
  std::string_view name;
  ConfigType type;
  std::string_view default_value;
  std::string_view doc;
  std::string_view choices = {};  // "a|b|c" for kChoice
  int64_t least = INT64_MIN;      // the smallest allowed number
};

// Sorted by name.
std::span<const ConfigKey> ConfigKeys();

// nullptr when the key is not known.
const ConfigKey* FindConfigKey(std::string_view name);

// True for keys that go to the Kafka client or to topics as they are: consumer.*, producer.*, admin.*, main.consumer.*,
// restore.consumer.*, topic.*, security.*, sasl.*, ssl.*.
bool IsPassThroughKey(std::string_view name);

// True for keys whose value must never be printed.
bool IsSecretKey(std::string_view name);

// OK when `value` is a valid value of `key`; otherwise says what is expected.
absl::Status CheckConfigValue(const ConfigKey& key, std::string_view value);

// The table of all keys in Markdown, for docs/configuration.md.
std::string ConfigKeysAsMarkdown();

}  // namespace tailrace::base
