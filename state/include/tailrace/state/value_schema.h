// What a store's bytes mean, for readers that know only bytes: JSON rendering, merging windows, ranking by a field.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tailrace::state {

// One object per store, shared by all its tasks (and so a shared_ptr in StoreSpec). Thread-safe: all methods are const and
// pure. Malformed bytes give nullopt, never a crash.
class ValueSchema {
 public:
  virtual ~ValueSchema() = default;

  // The key and the value as JSON text: "\"Toronto\"" or {"posts":12}.
  virtual std::optional<std::string> KeyToJson(std::string_view key) const = 0;
  virtual std::optional<std::string> ValueToJson(std::string_view value) const = 0;

  // The bytes of a key that a caller wrote as text, for queries by name.
  virtual std::optional<std::string> KeyFromText(std::string_view text) const = 0;

  // The aggregate over the union of both inputs (counts add up, distinct sets unite); nullopt when values do not merge.
  virtual std::optional<std::string> Merge(std::string_view a, std::string_view b) const = 0;

  // A number to rank by; an empty field means the value itself. nullopt when there is no such numeric field.
  virtual std::optional<double> NumericField(std::string_view value, std::string_view field) const = 0;
};

}  // namespace tailrace::state
