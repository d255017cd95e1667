// The fields that a step may name: those of the sources' formats and those that earlier `set` steps gave.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tailrace/pipeline/event.h"
#include "tailrace/pipeline/spec.h"

namespace tailrace::pipeline::spec {

struct ScopedField {
  FieldType type = FieldType::kNull;
  bool is_timestamp = false;
};

class FieldScope {
 public:
  // The fields that all sources have. Unknown formats are left out: they are reported elsewhere.
  explicit FieldScope(const std::vector<SourceSpec>& sources);

  const ScopedField* Find(std::string_view name) const;
  void Set(const std::string& name, ScopedField field) { fields_[name] = field; }
  std::vector<std::string_view> Names() const;

 private:
  std::map<std::string, ScopedField, std::less<>> fields_;
};

// A literal as a value of a field; nullopt when it does not fit. Timestamps take any form of ParseTimestampMs.
struct TypedLiteral {
  std::string text;
  int64_t integer = 0;
  double number = 0;
  bool is_integer = false;  // of a double field: whether the literal is integral
};
std::optional<TypedLiteral> ReadLiteral(const Literal& literal, const ScopedField& field);

}  // namespace tailrace::pipeline::spec
