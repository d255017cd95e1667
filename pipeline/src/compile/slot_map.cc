#include "compile/slot_map.h"

#include <set>

#include "tailrace/base/check.h"

namespace tailrace::pipeline::compile {
namespace {

Predicate::Op OpOf(Condition::Kind kind) {
  switch (kind) {
    case Condition::Kind::kAll: return Predicate::Op::kAll;
    case Condition::Kind::kAny: return Predicate::Op::kAny;
    case Condition::Kind::kNot: return Predicate::Op::kNot;
    case Condition::Kind::kExists: return Predicate::Op::kExists;
    case Condition::Kind::kIn: return Predicate::Op::kTextIn;
    case Condition::Kind::kPrefix: return Predicate::Op::kPrefix;
    case Condition::Kind::kGreater: return Predicate::Op::kGreater;
    case Condition::Kind::kGreaterOrEqual: return Predicate::Op::kGreaterOrEqual;
    case Condition::Kind::kLess: return Predicate::Op::kLess;
    case Condition::Kind::kLessOrEqual: return Predicate::Op::kLessOrEqual;
  }
  base::CheckFailed(__FILE__, __LINE__, "Condition::Kind", "unknown value");
}

}  // namespace

SlotMap::SlotMap(const PipelineSpec& pipeline) : scope_(pipeline.sources) {
  std::set<std::string> given;  // by set steps so far
  const auto use = [&](const FieldName& field) {
    if (!field.name.empty() && !given.contains(field.name)) Use(field);
  };
  const auto use_condition = [&](const auto& self, const Condition& condition) -> void {
    use(condition.field);
    for (const Condition& child : condition.children) self(self, child);
  };
  for (const Step& step : pipeline.steps) {
    if (const auto* filter = std::get_if<FilterStep>(&step)) use_condition(use_condition, filter->condition);
    if (const auto* set = std::get_if<SetStep>(&step)) {
      use(set->from);
      given.insert(set->target.name);
    }
    if (const auto* key = std::get_if<KeyStep>(&step)) {
      for (const FieldName& field : key->fields) use(field);
    }
    if (const auto* aggregate = std::get_if<AggregateStep>(&step)) {
      for (const AggregateFieldSpec& field : aggregate->fields) {
        use(field.field);
        use_condition(use_condition, field.condition);
      }
    }
  }
}

void SlotMap::Use(const FieldName& field) {
  if (!slots_.try_emplace(field.name, slot_count_).second) return;
  read_.push_back(field.name);
  ++slot_count_;
}

std::vector<std::string> SlotMap::FieldsOf(const SourceSpec& source) const {
  std::vector<std::string> fields{source.timestamp.name};
  fields.insert(fields.end(), read_.begin(), read_.end());
  return fields;
}

size_t SlotMap::SlotOf(std::string_view field) const {
  const auto found = slots_.find(field);
  TAILRACE_CHECK(found != slots_.end(), "field " + std::string(field) + " has no slot");
  return found->second;
}

void SlotMap::Apply(const SetStep& step) {
  scope_.Set(step.target.name, *scope_.Find(step.from.name));
  slots_[step.target.name] = slot_count_++;
}

Predicate SlotMap::Compile(const Condition& condition) const {
  Predicate out;
  out.op = OpOf(condition.kind);
  for (const Condition& child : condition.children) out.children.push_back(Compile(child));
  if (condition.field.name.empty()) return out;
  out.slot = SlotOf(condition.field.name);
  const spec::ScopedField& field = TypeOf(condition.field.name);
  const bool number = field.type == FieldType::kInt || field.type == FieldType::kDouble;
  if (condition.kind == Condition::Kind::kIn && number) out.op = Predicate::Op::kNumberIn;
  if (condition.kind == Condition::Kind::kIn && field.type == FieldType::kBool) out.op = Predicate::Op::kBoolIs;
  for (const Literal& literal : condition.values) {
    const auto value = spec::ReadLiteral(literal, field);
    TAILRACE_CHECK(value.has_value(), "the pipeline's check let a wrong literal through: " + literal.text);
    if (field.type == FieldType::kText || field.type == FieldType::kTextList) out.texts.push_back(value->text);
    if (field.type == FieldType::kInt || field.type == FieldType::kBool) out.integers.push_back(value->integer);
    if (field.type == FieldType::kDouble) out.numbers.push_back(value->number);
  }
  return out;
}

}  // namespace tailrace::pipeline::compile
