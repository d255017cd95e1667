#include "compile/slot_map.h"

#include <algorithm>

#include "spec/step_fields.h"
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
  // A step that reads the sources' time finds it where it is: a reader gives a field one slot.
  const std::string& timestamp = pipeline.sources[0].timestamp.name;
  const bool same = std::all_of(pipeline.sources.begin(), pipeline.sources.end(),
                                [&](const SourceSpec& source) { return source.timestamp.name == timestamp; });
  // Processing time is in no slot; the check lets all sources have it or none.
  if (pipeline.sources[0].processing_time) slot_count_ = 0;
  else if (same) slots_[timestamp] = 0;
  std::set<std::string> given;  // by the common steps
  Collect(pipeline.steps, given);
  for (const BranchSpec& branch : pipeline.branches) {
    std::set<std::string> in_branch = given;
    Collect(branch.steps, in_branch);
  }
}

void SlotMap::Collect(const std::vector<Step>& steps, std::set<std::string>& given) {
  for (const Step& step : steps) {
    spec::ForEachField(step, [&](const FieldName& field) {
      if (!field.name.empty() && !given.contains(field.name)) Use(field);
    });
    if (const FieldName* target = spec::GivenField(step)) given.insert(target->name);
  }
}

void SlotMap::Use(const FieldName& field) {
  if (!slots_.try_emplace(field.name, slot_count_).second) return;
  read_.push_back(field.name);
  ++slot_count_;
}

std::vector<std::string> SlotMap::FieldsOf(const SourceSpec& source) const {
  std::vector<std::string> fields;
  if (!source.processing_time) fields.push_back(source.timestamp.name);
  fields.insert(fields.end(), read_.begin(), read_.end());
  return fields;
}

size_t SlotMap::SlotOf(std::string_view field) const {
  const auto found = slots_.find(field);
  TAILRACE_CHECK(found != slots_.end(), "field " + std::string(field) + " has no slot");
  return found->second;
}

void SlotMap::Give(const FieldName& target, const spec::ScopedField& field) {
  scope_.Set(target.name, field);
  slots_[target.name] = slot_count_++;
}

std::vector<bool> SlotMap::SlotsOf(std::span<const Step> steps) const {
  std::vector<bool> used(slot_count_, false);
  for (const Step& step : steps) {
    spec::ForEachField(step, [&](const FieldName& field) {
      if (const auto found = slots_.find(field.name); found != slots_.end()) used[found->second] = true;
    });
  }
  return used;
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
