// Which slot of an event holds which field, at one point of a pipeline's steps.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "compile/predicate.h"
#include "spec/field_scope.h"
#include "tailrace/pipeline/spec.h"

namespace tailrace::pipeline::compile {

class SlotMap {
 public:
  // Collects the fields that the sources must deliver: all that the steps use before a `set` step gives them, and the
  // timestamp, which has slot 0. REQUIRES: the pipeline passed its check.
  explicit SlotMap(const PipelineSpec& pipeline);

  // The fields to read, in slot order, for one source.
  std::vector<std::string> FieldsOf(const SourceSpec& source) const;
  size_t slot_count() const { return slot_count_; }

  // REQUIRES: the field is known at this point.
  size_t SlotOf(std::string_view field) const;
  const spec::ScopedField& TypeOf(std::string_view field) const { return *scope_.Find(field); }

  // A `set` step: its target is the next slot from here on.
  void Apply(const SetStep& step);

  Predicate Compile(const Condition& condition) const;

 private:
  void Use(const FieldName& field);
  void Use(const Condition& condition);

  spec::FieldScope scope_;
  std::map<std::string, size_t, std::less<>> slots_;
  std::vector<std::string> read_;  // fields of slots 1 and up
  size_t slot_count_ = 1;
};

}  // namespace tailrace::pipeline::compile
