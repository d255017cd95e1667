#include "compile/predicate.h"

#include <algorithm>
#include <compare>
#include <string_view>

namespace tailrace::pipeline::compile {
namespace {

bool OneOf(std::string_view text, const std::vector<std::string>& texts) {
  return std::any_of(texts.begin(), texts.end(), [&](const std::string& candidate) { return candidate == text; });
}

}  // namespace

bool Predicate::Compares(const FieldValue& value) const {
  std::partial_ordering order = std::partial_ordering::unordered;
  if (value.type() == FieldType::kText && !texts.empty()) {
    order = value.text() <=> std::string_view(texts[0]);
  } else if (value.type() == FieldType::kInt && !integers.empty()) {
    order = value.integer() <=> integers[0];
  } else if ((value.type() == FieldType::kInt || value.type() == FieldType::kDouble) && !numbers.empty()) {
    order = value.AsDouble() <=> numbers[0];
  }
  switch (op) {
    case Op::kGreater: return order > 0;
    case Op::kGreaterOrEqual: return order >= 0;
    case Op::kLess: return order < 0;
    default: return order <= 0;
  }
}

bool Predicate::Matches(Event event) const {
  switch (op) {
    case Op::kAll: return std::all_of(children.begin(), children.end(), [&](const Predicate& c) { return c.Matches(event); });
    case Op::kAny: return std::any_of(children.begin(), children.end(), [&](const Predicate& c) { return c.Matches(event); });
    case Op::kNot: return !children[0].Matches(event);
    case Op::kExists: return !event[slot].is_null();
    default: break;
  }
  const FieldValue& value = event[slot];
  if (value.is_null()) return false;
  switch (op) {
    case Op::kTextIn:
      if (value.type() == FieldType::kTextList) {
        return std::any_of(value.list().begin(), value.list().end(), [&](std::string_view item) { return OneOf(item, texts); });
      }
      return value.type() == FieldType::kText && OneOf(value.text(), texts);
    case Op::kNumberIn:
      if (value.type() == FieldType::kInt && std::find(integers.begin(), integers.end(), value.integer()) != integers.end()) return true;
      if (value.type() != FieldType::kInt && value.type() != FieldType::kDouble) return false;
      return std::find(numbers.begin(), numbers.end(), value.AsDouble()) != numbers.end();
    case Op::kBoolIs:
      return value.type() == FieldType::kBool &&
             std::find(integers.begin(), integers.end(), value.boolean() ? 1 : 0) != integers.end();
    case Op::kPrefix:
      return value.type() == FieldType::kText &&
             std::any_of(texts.begin(), texts.end(), [&](const std::string& prefix) { return value.text().starts_with(prefix); });
    default: return Compares(value);
  }
}

}  // namespace tailrace::pipeline::compile
