#include "aggregates/aggregate_plan.h"

#include <limits>

#include "aggregates/compensated.h"
#include "aggregates/distinct.h"
#include "aggregates/hyperloglog.h"
#include "aggregates/merged.h"
#include "aggregates/ordered.h"
#include "aggregates/raw.h"
#include "tailrace/base/check.h"
#include "tailrace/base/limits.h"
#include "tailrace/base/json_text.h"

namespace tailrace::pipeline::aggregates {
namespace {

constexpr char kVersion = 1;
constexpr size_t kHeaderBytes = 3;  // u8 version, u16 fingerprint of the fields

bool IsVariable(const PlannedField& field) {
  return field.kind == AggregateKind::kDistinct ||
         ((field.kind == AggregateKind::kFirst || field.kind == AggregateKind::kLast) && field.type == FieldType::kText);
}

size_t FixedBytes(const PlannedField& field) {
  switch (field.kind) {
    case AggregateKind::kCount:
    case AggregateKind::kCountIf:
    case AggregateKind::kWindows: return 8;
    case AggregateKind::kSum: return field.type == FieldType::kInt ? 8 : 16;
    case AggregateKind::kMin:
    case AggregateKind::kMax: return 9;
    case AggregateKind::kAvg: return 24;
    case AggregateKind::kFirst:
    case AggregateKind::kLast: return field.merge == MergeRule::kOwn ? kOrderedFixedBytes : MergedFixedBytes(field.merge);
    case AggregateKind::kDistinct: return kDistinctFixedBytes;
  }
  base::CheckFailed(__FILE__, __LINE__, "AggregateKind", "unknown value");
}

// Sums saturate: a wrong sign would be worse than a value that is plainly at the limit.
int64_t AddSaturating(int64_t a, int64_t b) {
  int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b > 0 ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
}

// u8 present, then the value.
void Extreme(char* at, FieldType type, bool max, const char* value) {
  bool better = at[0] == 0;
  if (!better && type == FieldType::kInt) {
    const auto a = Load<int64_t>(value), b = Load<int64_t>(at + 1);
    better = max ? a > b : a < b;
  } else if (!better) {
    const auto a = Load<double>(value), b = Load<double>(at + 1);
    better = max ? a > b : a < b;
  }
  if (!better) return;
  at[0] = 1;
  std::memcpy(at + 1, value, 8);
}

uint64_t HashOf(const FieldValue& value) {
  switch (value.type()) {
    case FieldType::kText: return HashValue(value.text());
    case FieldType::kInt: {
      char bytes[8];
      Store(bytes, value.integer());
      return HashValue({bytes, 8});
    }
    case FieldType::kDouble: {
      char bytes[8];
      Store(bytes, value.number() == 0 ? 0.0 : value.number());  // -0 and 0 are the same number.
      return HashValue({bytes, 8});
    }
    case FieldType::kBool: return HashValue(value.boolean() ? "1" : "0");
    case FieldType::kNull:
    case FieldType::kTextList: break;
  }
  base::CheckFailed(__FILE__, __LINE__, "HashOf takes single values", FieldTypeName(value.type()));
}

OrderedInput OrderedInputOf(const PlannedField& field, const FieldValue& value, const AggregateInput& input) {
  const int64_t order = field.by_slot ? OrderOf(input.event[*field.by_slot]) : input.timestamp_ms;
  return {.value = value, .order = order, .offset = input.offset};
}

FieldValue ValueOf(const PlannedField& field, const char* fixed, const char* variable) {
  return field.merge == MergeRule::kOwn ? OrderedValue(fixed, variable) : MergedValue(fixed, field.merge);
}

void AppendValueJson(std::string& out, const FieldValue& value) {
  switch (value.type()) {
    case FieldType::kText: base::AppendJsonString(out, value.text()); return;
    case FieldType::kInt: base::AppendJsonInt(out, value.integer()); return;
    case FieldType::kDouble: base::AppendJsonDouble(out, value.number()); return;
    case FieldType::kBool: out += value.boolean() ? "true" : "false"; return;
    case FieldType::kNull:
    case FieldType::kTextList: out += "null"; return;
  }
}

}  // namespace

AggregatePlan::AggregatePlan(std::vector<PlannedField> fields) : fields_(std::move(fields)), fixed_bytes_(kHeaderBytes) {
  TAILRACE_CHECK(fields_.size() <= base::limits::kAggregateFieldsMax, "the pipeline's check bounds the fields");
  std::string description;
  for (const PlannedField& field : fields_) {
    fixed_at_.push_back(fixed_bytes_);
    fixed_bytes_ += FixedBytes(field);
    description += field.name + '/' + std::to_string(static_cast<int>(field.kind)) + '/' +
                   std::to_string(static_cast<int>(field.type)) + '/' + std::to_string(field.exact_max);
    // Only where they are used, so that the states of other aggregates keep their fingerprint.
    if (field.by_slot) description += "/by";
    if (field.merge != MergeRule::kOwn) description += "/merge " + std::to_string(static_cast<int>(field.merge));
    description += '\n';
  }
  fingerprint_ = static_cast<uint16_t>(HashValue(description));
}

size_t AggregatePlan::VariableBytes(size_t field, const char* state) const {
  if (!IsVariable(fields_[field])) return 0;
  const char* fixed = state + fixed_at_[field];
  return fields_[field].kind == AggregateKind::kDistinct ? DistinctVariableBytes(fixed) : OrderedVariableBytes(fixed);
}

bool AggregatePlan::IsValid(std::string_view state) const {
  if (state.size() < fixed_bytes_ || state[0] != kVersion || Load<uint16_t>(state.data() + 1) != fingerprint_) return false;
  size_t size = fixed_bytes_;
  for (size_t i = 0; i < fields_.size(); ++i) {
    const PlannedField& field = fields_[i];
    const char* fixed = state.data() + fixed_at_[i];
    if (field.kind == AggregateKind::kDistinct) {
      if (!DistinctHeadIsValid(fixed, field.exact_max)) return false;
    } else if (field.kind == AggregateKind::kFirst || field.kind == AggregateKind::kLast) {
      const auto type = static_cast<FieldType>(fixed[0]);
      if (!OrderedHeadIsValid(fixed) || (type != FieldType::kNull && type != field.type)) return false;
      if (field.merge != MergeRule::kOwn && !MergedHeadIsValid(fixed, field.merge)) return false;
    }
    size += VariableBytes(i, state.data());
  }
  return size == state.size();
}

void AggregatePlan::Reset(std::string& state) const {
  state.assign(fixed_bytes_, '\0');
  state[0] = kVersion;
  Store(state.data() + 1, fingerprint_);
}

void AggregatePlan::UpdateFixed(const PlannedField& field, char* fixed, const AggregateInput& input) const {
  if (field.kind == AggregateKind::kCount) {
    Store(fixed, Load<int64_t>(fixed) + (input.correction ? 0 : 1));
    return;
  }
  if (field.kind == AggregateKind::kWindows) {
    Store<int64_t>(fixed, 1);
    return;
  }
  if (field.kind == AggregateKind::kCountIf) {
    Store(fixed, Load<int64_t>(fixed) + (!input.correction && field.condition.Matches(input.event) ? 1 : 0));
    return;
  }
  const FieldValue& value = input.event[field.slot];
  if (value.is_null()) return;  // Nothing is known, so nothing changes: as in SQL.
  switch (field.kind) {
    case AggregateKind::kSum:
      if (field.type == FieldType::kInt) {
        Store(fixed, AddSaturating(Load<int64_t>(fixed), value.integer()));
      } else {
        AddCompensated(fixed, value.number());
      }
      return;
    case AggregateKind::kMin:
    case AggregateKind::kMax: {
      char bytes[8];
      if (field.type == FieldType::kInt) {
        Store(bytes, value.integer());
      } else {
        Store(bytes, value.number());
      }
      Extreme(fixed, field.type, field.kind == AggregateKind::kMax, bytes);
      return;
    }
    case AggregateKind::kAvg:
      Store(fixed, Load<int64_t>(fixed) + 1);
      AddCompensated(fixed + 8, value.AsDouble());
      return;
    case AggregateKind::kFirst:
    case AggregateKind::kLast:
      OrderedUpdateInPlace(fixed, nullptr, field.kind == AggregateKind::kLast, OrderedInputOf(field, value, input));
      return;
    case AggregateKind::kCount:
    case AggregateKind::kCountIf:
    case AggregateKind::kWindows:
    case AggregateKind::kDistinct: break;
  }
  base::CheckFailed(__FILE__, __LINE__, "UpdateFixed", "field " + field.name + " has a variable part");
}

void AggregatePlan::Update(std::string& state, const AggregateInput& input) const {
  size_t variable_at = fixed_bytes_;
  for (size_t i = 0; i < fields_.size(); ++i) {
    const PlannedField& field = fields_[i];
    if (!IsVariable(field)) {
      UpdateFixed(field, state.data() + fixed_at_[i], input);
      continue;
    }
    const FieldValue& value = input.event[field.slot];
    if (field.kind != AggregateKind::kDistinct) {
      if (!value.is_null()) {
        OrderedUpdate(state, fixed_at_[i], variable_at, field.kind == AggregateKind::kLast, OrderedInputOf(field, value, input));
      }
    } else if (value.type() == FieldType::kTextList) {
      for (const std::string_view item : value.list()) {
        DistinctAdd(state, fixed_at_[i], variable_at, field.exact_max, HashValue(item));
      }
    } else if (!value.is_null()) {
      DistinctAdd(state, fixed_at_[i], variable_at, field.exact_max, HashOf(value));
    }
    variable_at += VariableBytes(i, state.data());
  }
}

bool AggregatePlan::UpdateInPlace(char* state, const AggregateInput& input) const {
  // First ask every field with a variable part, so that a refusal leaves nothing changed.
  size_t variable_at = fixed_bytes_;
  for (size_t i = 0; i < fields_.size(); ++i) {
    const PlannedField& field = fields_[i];
    if (!IsVariable(field)) continue;
    const FieldValue& value = input.event[field.slot];
    const char* fixed = state + fixed_at_[i];
    if (value.type() == FieldType::kTextList) return false;
    if (!value.is_null()) {
      const bool fits = field.kind == AggregateKind::kDistinct
                            ? DistinctFits(fixed, state + variable_at, HashOf(value))
                            : OrderedFits(fixed, field.kind == AggregateKind::kLast, OrderedInputOf(field, value, input));
      if (!fits) return false;
    }
    variable_at += VariableBytes(i, state);
  }
  variable_at = fixed_bytes_;
  for (size_t i = 0; i < fields_.size(); ++i) {
    const PlannedField& field = fields_[i];
    char* fixed = state + fixed_at_[i];
    if (!IsVariable(field)) {
      UpdateFixed(field, fixed, input);
      continue;
    }
    const FieldValue& value = input.event[field.slot];
    if (!value.is_null() && field.kind == AggregateKind::kDistinct) {
      DistinctAddInPlace(fixed, state + variable_at, HashOf(value));
    } else if (!value.is_null()) {
      OrderedUpdateInPlace(fixed, state + variable_at, field.kind == AggregateKind::kLast, OrderedInputOf(field, value, input));
    }
    variable_at += VariableBytes(i, state);
  }
  return true;
}

void AggregatePlan::MergeFixed(const PlannedField& field, const char* a, const char* b, char* out) const {
  std::memcpy(out, a, FixedBytes(field));
  switch (field.kind) {
    case AggregateKind::kCount:
    case AggregateKind::kCountIf:
    case AggregateKind::kWindows: Store(out, AddSaturating(Load<int64_t>(a), Load<int64_t>(b))); return;
    case AggregateKind::kSum:
      if (field.type == FieldType::kInt) {
        Store(out, AddSaturating(Load<int64_t>(a), Load<int64_t>(b)));
      } else {
        AddCompensated(out, Load<double>(b));
        AddCompensated(out, Load<double>(b + 8));
      }
      return;
    case AggregateKind::kMin:
    case AggregateKind::kMax:
      if (b[0] != 0) Extreme(out, field.type, field.kind == AggregateKind::kMax, b + 1);
      return;
    case AggregateKind::kAvg:
      Store(out, Load<int64_t>(a) + Load<int64_t>(b));
      AddCompensated(out + 8, Load<double>(b + 8));
      AddCompensated(out + 8, Load<double>(b + 16));
      return;
    case AggregateKind::kFirst:
    case AggregateKind::kLast:
      if (field.merge != MergeRule::kOwn) return MergeByRule(field.merge, a, b, out);
      if (!OrderedKeepsFirst(a, "", b, "", field.kind == AggregateKind::kLast)) std::memcpy(out, b, kOrderedFixedBytes);
      return;
    case AggregateKind::kDistinct: break;
  }
  base::CheckFailed(__FILE__, __LINE__, "MergeFixed", "field " + field.name + " has a variable part");
}

std::string AggregatePlan::Merge(std::string_view a, std::string_view b) const {
  TAILRACE_CHECK(a.size() >= fixed_bytes_ && b.size() >= fixed_bytes_, "states are validated before they are merged");
  std::string out;
  Reset(out);
  const char* variable_a = a.data() + fixed_bytes_;
  const char* variable_b = b.data() + fixed_bytes_;
  std::string variable;
  for (size_t i = 0; i < fields_.size(); ++i) {
    const PlannedField& field = fields_[i];
    const char* fixed_a = a.data() + fixed_at_[i];
    const char* fixed_b = b.data() + fixed_at_[i];
    char* fixed = out.data() + fixed_at_[i];
    if (!IsVariable(field)) {
      MergeFixed(field, fixed_a, fixed_b, fixed);
      continue;
    }
    if (field.kind == AggregateKind::kDistinct) {
      DistinctMerge(fixed_a, variable_a, fixed_b, variable_b, field.exact_max, fixed, variable);
    } else if (OrderedKeepsFirst(fixed_a, variable_a, fixed_b, variable_b, field.kind == AggregateKind::kLast)) {
      std::memcpy(fixed, fixed_a, kOrderedFixedBytes);
      variable.append(variable_a, OrderedVariableBytes(fixed_a));
    } else {
      std::memcpy(fixed, fixed_b, kOrderedFixedBytes);
      variable.append(variable_b, OrderedVariableBytes(fixed_b));
    }
    variable_a += VariableBytes(i, a.data());
    variable_b += VariableBytes(i, b.data());
  }
  return out + variable;
}

void AggregatePlan::AppendJson(std::string& out, std::string_view state) const {
  out += '{';
  size_t variable_at = fixed_bytes_;
  for (size_t i = 0; i < fields_.size(); ++i) {
    const PlannedField& field = fields_[i];
    const char* fixed = state.data() + fixed_at_[i];
    if (i > 0) out += ',';
    base::AppendJsonString(out, field.name);
    out += ':';
    switch (field.kind) {
      case AggregateKind::kCount:
      case AggregateKind::kCountIf:
      case AggregateKind::kWindows: base::AppendJsonInt(out, Load<int64_t>(fixed)); break;
      case AggregateKind::kSum:
        if (field.type == FieldType::kInt) {
          base::AppendJsonInt(out, Load<int64_t>(fixed));
        } else {
          base::AppendJsonDouble(out, CompensatedSum(fixed));
        }
        break;
      case AggregateKind::kMin:
      case AggregateKind::kMax:
        if (fixed[0] == 0) {
          out += "null";
        } else if (field.type == FieldType::kInt) {
          base::AppendJsonInt(out, Load<int64_t>(fixed + 1));
        } else {
          base::AppendJsonDouble(out, Load<double>(fixed + 1));
        }
        break;
      case AggregateKind::kAvg:
        if (Load<int64_t>(fixed) == 0) {
          out += "null";
        } else {
          base::AppendJsonDouble(out, CompensatedSum(fixed + 8) / static_cast<double>(Load<int64_t>(fixed)));
        }
        break;
      case AggregateKind::kFirst:
      case AggregateKind::kLast: AppendValueJson(out, ValueOf(field, fixed, state.data() + variable_at)); break;
      case AggregateKind::kDistinct: {
        const DistinctCount count = CountDistinct(fixed, state.data() + variable_at);
        base::AppendJsonInt(out, count.count);
        out += ',';
        base::AppendJsonString(out, field.name + "_exact");
        out += count.exact ? ":true" : ":false";
        break;
      }
    }
    variable_at += VariableBytes(i, state.data());
  }
  out += '}';
}

std::optional<double> AggregatePlan::Numeric(std::string_view state, std::string_view name) const {
  size_t variable_at = fixed_bytes_;
  for (size_t i = 0; i < fields_.size(); ++i) {
    const PlannedField& field = fields_[i];
    if (field.name != name) {
      variable_at += VariableBytes(i, state.data());
      continue;
    }
    const char* fixed = state.data() + fixed_at_[i];
    const bool integer = field.type == FieldType::kInt;
    switch (field.kind) {
      case AggregateKind::kCount:
      case AggregateKind::kCountIf:
      case AggregateKind::kWindows: return static_cast<double>(Load<int64_t>(fixed));
      case AggregateKind::kSum: return integer ? static_cast<double>(Load<int64_t>(fixed)) : CompensatedSum(fixed);
      case AggregateKind::kMin:
      case AggregateKind::kMax:
        if (fixed[0] == 0) return std::nullopt;
        return integer ? static_cast<double>(Load<int64_t>(fixed + 1)) : Load<double>(fixed + 1);
      case AggregateKind::kAvg:
        if (Load<int64_t>(fixed) == 0) return std::nullopt;
        return CompensatedSum(fixed + 8) / static_cast<double>(Load<int64_t>(fixed));
      case AggregateKind::kFirst:
      case AggregateKind::kLast: {
        const FieldValue value = ValueOf(field, fixed, state.data() + variable_at);
        if (value.type() != FieldType::kInt && value.type() != FieldType::kDouble) return std::nullopt;
        return value.AsDouble();
      }
      case AggregateKind::kDistinct: return static_cast<double>(CountDistinct(fixed, state.data() + variable_at).count);
    }
  }
  return std::nullopt;
}

}  // namespace tailrace::pipeline::aggregates
