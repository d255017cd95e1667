// Which slot of an event holds which field, at one point of a pipeline's steps.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "compile/predicate.h"
#include "spec/field_scope.h"
#include "tailrace/pipeline/spec.h"

namespace tailrace::pipeline::compile {

class SlotMap {
 public:
  // Collects the fields that the sources must deliver: all that the steps and branches use before a step gives them, and the
  // timestamp, which has slot 0, unless it is the time of processing. REQUIRES: the pipeline passed its check.
  explicit SlotMap(const PipelineSpec& pipeline);

  // The fields to read, in slot order, for one source.
  std::vector<std::string> FieldsOf(const SourceSpec& source) const;
  size_t slot_count() const { return slot_count_; }

  // REQUIRES: the field is known at this point.
  size_t SlotOf(std::string_view field) const;
  const spec::ScopedField& TypeOf(std::string_view field) const { return *scope_.Find(field); }
  const spec::FieldScope& scope() const { return scope_; }

  // A step that gives a field: it is in the next slot from here on.
  void Give(const FieldName& target, const spec::ScopedField& field);

  // Which of the slots of now these steps read, by slot.
  std::vector<bool> SlotsOf(std::span<const Step> steps) const;

  Predicate Compile(const Condition& condition) const;

 private:
  void Collect(const std::vector<Step>& steps, std::set<std::string>& given);
  void Use(const FieldName& field);

  spec::FieldScope scope_;
  std::map<std::string, size_t, std::less<>> slots_;
  std::vector<std::string> read_;  // fields of the slots behind the timestamp
  size_t slot_count_ = 1;  // the timestamp's; none with processing time
};

}  // namespace tailrace::pipeline::compile
