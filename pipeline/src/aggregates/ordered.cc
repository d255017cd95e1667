#include "aggregates/ordered.h"

#include <bit>
#include <limits>
#include <string_view>
#include <utility>

#include "aggregates/raw.h"
#include "tailrace/base/check.h"
#include "tailrace/base/limits.h"

namespace tailrace::pipeline::aggregates {
namespace {

FieldType TypeOf(const char* fixed) { return static_cast<FieldType>(fixed[0]); }

std::pair<int64_t, int64_t> PlaceOf(const char* fixed) { return {Load<int64_t>(fixed + 1), Load<int64_t>(fixed + 9)}; }

// Cuts at the bound, but never inside a character.
std::string_view Cut(std::string_view text) {
  if (text.size() <= base::limits::kAggregateTextBytesMax) return text;
  size_t size = base::limits::kAggregateTextBytesMax;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  return text.substr(0, size);
}

bool Replaces(const char* fixed, bool last, const OrderedInput& input) {
  if (TypeOf(fixed) == FieldType::kNull) return true;
  const std::pair<int64_t, int64_t> candidate{input.order, input.offset};
  // Events of one record share their offset and come in its order.
  return last ? candidate >= PlaceOf(fixed) : candidate < PlaceOf(fixed);
}

size_t TextBytes(const OrderedInput& input) {
  return input.value.type() == FieldType::kText ? Cut(input.value.text()).size() : 0;
}

void WriteFixed(char* fixed, const OrderedInput& input) {
  fixed[0] = static_cast<char>(input.value.type());
  Store(fixed + 1, input.order);
  Store(fixed + 9, input.offset);
  switch (input.value.type()) {
    case FieldType::kInt: Store(fixed + 17, input.value.integer()); return;
    case FieldType::kDouble: Store(fixed + 17, input.value.number()); return;
    case FieldType::kBool: Store<int64_t>(fixed + 17, input.value.boolean() ? 1 : 0); return;
    case FieldType::kText: Store<int64_t>(fixed + 17, static_cast<int64_t>(TextBytes(input))); return;
    case FieldType::kNull:
    case FieldType::kTextList: break;
  }
  base::CheckFailed(__FILE__, __LINE__, "first and last take single values", "the pipeline's check let a list or null through");
}

}  // namespace

int64_t OrderOf(const FieldValue& value) {
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  if (value.type() == FieldType::kInt) return value.integer();
  if (value.type() != FieldType::kDouble) return kMin;
  // The bits of positive doubles sort as integers; those of negative ones the other way round.
  const auto bits = std::bit_cast<int64_t>(value.number() == 0 ? 0.0 : value.number());
  return bits >= 0 ? bits : kMin - bits;
}

size_t OrderedVariableBytes(const char* fixed) {
  return TypeOf(fixed) == FieldType::kText ? static_cast<size_t>(Load<int64_t>(fixed + 17)) : 0;
}

bool OrderedHeadIsValid(const char* fixed) {
  if (TypeOf(fixed) > FieldType::kBool) return false;
  return OrderedVariableBytes(fixed) <= base::limits::kAggregateTextBytesMax;
}

bool OrderedFits(const char* fixed, bool last, const OrderedInput& input) {
  return !Replaces(fixed, last, input) || TextBytes(input) == OrderedVariableBytes(fixed);
}

void OrderedUpdateInPlace(char* fixed, char* variable, bool last, const OrderedInput& input) {
  if (!Replaces(fixed, last, input)) return;
  WriteFixed(fixed, input);
  if (const size_t size = TextBytes(input); size > 0) std::memcpy(variable, input.value.text().data(), size);
}

void OrderedUpdate(std::string& state, size_t fixed_at, size_t variable_at, bool last, const OrderedInput& input) {
  char* fixed = state.data() + fixed_at;
  if (!Replaces(fixed, last, input)) return;
  const size_t before = OrderedVariableBytes(fixed);
  WriteFixed(fixed, input);
  const std::string_view text = input.value.type() == FieldType::kText ? Cut(input.value.text()) : std::string_view();
  state.replace(variable_at, before, text);
}

bool OrderedKeepsFirst(const char* fixed_a, const char* variable_a, const char* fixed_b, const char* variable_b, bool last) {
  if (TypeOf(fixed_b) == FieldType::kNull) return true;
  if (TypeOf(fixed_a) == FieldType::kNull) return false;
  if (PlaceOf(fixed_a) != PlaceOf(fixed_b)) {
    return last ? PlaceOf(fixed_a) > PlaceOf(fixed_b) : PlaceOf(fixed_a) < PlaceOf(fixed_b);
  }
  const std::string_view head_a(fixed_a, kOrderedFixedBytes), head_b(fixed_b, kOrderedFixedBytes);
  if (head_a != head_b) return head_a < head_b;
  return std::string_view(variable_a, OrderedVariableBytes(fixed_a)) <= std::string_view(variable_b, OrderedVariableBytes(fixed_b));
}

FieldValue OrderedValue(const char* fixed, const char* variable) {
  switch (TypeOf(fixed)) {
    case FieldType::kInt: return FieldValue::Int(Load<int64_t>(fixed + 17));
    case FieldType::kDouble: return FieldValue::Double(Load<double>(fixed + 17));
    case FieldType::kBool: return FieldValue::Bool(Load<int64_t>(fixed + 17) != 0);
    case FieldType::kText: return FieldValue::Text({variable, OrderedVariableBytes(fixed)});
    case FieldType::kNull:
    case FieldType::kTextList: break;
  }
  return {};
}

}  // namespace tailrace::pipeline::aggregates
