#include "spec/field_scope.h"

#include <charconv>

#include "tailrace/base/units.h"
#include "tailrace/pipeline/format.h"
#include "tailrace/pipeline/timestamps.h"

namespace tailrace::pipeline::spec {

FieldScope::FieldScope(const std::vector<SourceSpec>& sources) {
  bool first = true;
  for (const SourceSpec& source : sources) {
    const Format* format = FindFormat(source.format);
    if (format == nullptr) continue;
    std::map<std::string, ScopedField, std::less<>> fields;
    for (const FieldInfo& info : format->fields()) {
      const auto known = fields_.find(info.name);
      if (first || (known != fields_.end() && known->second.type == info.type)) {
        fields[std::string(info.name)] = {.type = info.type, .is_timestamp = info.is_timestamp};
      }
    }
    fields_ = std::move(fields);
    first = false;
  }
}

const ScopedField* FieldScope::Find(std::string_view name) const {
  const auto found = fields_.find(name);
  return found == fields_.end() ? nullptr : &found->second;
}

std::vector<std::string_view> FieldScope::Names() const {
  std::vector<std::string_view> names;
  for (const auto& [name, field] : fields_) names.push_back(name);
  return names;
}

std::optional<TypedLiteral> ReadLiteral(const Literal& literal, const ScopedField& field) {
  TypedLiteral out{.text = literal.text};
  const char* end = literal.text.data() + literal.text.size();
  switch (field.type) {
    case FieldType::kText:
    case FieldType::kTextList: return out;
    case FieldType::kBool:
      out.integer = literal.text == "true" ? 1 : 0;
      return literal.text == "true" || literal.text == "false" ? std::optional(out) : std::nullopt;
    case FieldType::kInt: {
      std::optional<int64_t> value = base::ParseInt(literal.text);
      if (!value && field.is_timestamp) value = ParseTimestampMs(literal.text);
      if (!value) return std::nullopt;
      out.integer = *value;
      out.is_integer = true;
      return out;
    }
    case FieldType::kDouble: {
      const auto result = std::from_chars(literal.text.data(), end, out.number);
      if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
      return out;
    }
    case FieldType::kNull: break;
  }
  return std::nullopt;
}

}  // namespace tailrace::pipeline::spec
