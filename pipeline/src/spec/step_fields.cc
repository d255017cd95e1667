#include "spec/step_fields.h"

#include "tailrace/base/check.h"

namespace tailrace::pipeline::spec {
namespace {

using UseField = absl::FunctionRef<void(const FieldName&)>;

void ForEachField(const Condition& condition, UseField use) {
  use(condition.field);
  for (const Condition& child : condition.children) ForEachField(child, use);
}

struct FieldVisitor {
  UseField use;
  void operator()(const FilterStep& step) const { ForEachField(step.condition, use); }
  void operator()(const SetStep& step) const {
    use(step.from);
    if (step.otherwise) use(*step.otherwise);
  }
  void operator()(const KeyStep& step) const {
    for (const FieldName& field : step.fields) use(field);
  }
  void operator()(const WindowStep&) const {}
  void operator()(const AggregateStep& step) const {
    for (const AggregateFieldSpec& field : step.fields) {
      use(field.field);
      use(field.by);
      ForEachField(field.condition, use);
    }
  }
  void operator()(const DerivedField& step) const {
    for (const FieldName& field : step.from) use(field);
  }
  void operator()(const JoinStep&) const {}  // It reads keys.
  void operator()(const DeduplicateStep& step) const {
    use(step.id);
    for (const FieldName& field : step.max) use(field);
  }
};

}  // namespace

void ForEachField(const Step& step, UseField use) { std::visit(FieldVisitor{use}, step); }

const FieldName* GivenField(const Step& step) {
  return std::visit(
      [](const auto& s) -> const FieldName* {
        if constexpr (requires { s.target; }) return &s.target;
        return nullptr;
      },
      step);
}

ScopedField TypeOfGiven(const Step& step, const FieldScope& scope) {
  if (const auto* set = std::get_if<SetStep>(&step)) {
    if (set->convert == SetStep::Convert::kDate) return {.type = FieldType::kText};
    return *scope.Find(set->from.name);
  }
  if (std::holds_alternative<SentimentStep>(step)) return {.type = FieldType::kInt};
  if (std::holds_alternative<ChangeStep>(step)) return {.type = FieldType::kDouble};
  TAILRACE_CHECK(GivenField(step) != nullptr, "the step gives a field");
  return {.type = FieldType::kText};
}

}  // namespace tailrace::pipeline::spec
