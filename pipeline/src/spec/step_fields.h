// Which fields a step reads and which it gives: the one list that the check, the slots and the repartitioning go by.
#pragma once

#include <concepts>
#include <type_traits>

#include "absl/functional/function_ref.h"
#include "spec/field_scope.h"
#include "tailrace/pipeline/spec.h"

namespace tailrace::pipeline::spec {

template <class S>
concept DerivingStep = std::derived_from<S, DerivedField>;

// Every field that the step reads, some perhaps several times; FieldNames of steps that name none are empty.
void ForEachField(const Step& step, absl::FunctionRef<void(const FieldName&)> use);

// The field that the step gives an event; null for steps that give none.
const FieldName* GivenField(const Step& step);
// What it holds. REQUIRES: GivenField(step) is not null, and the scope has the fields that the step reads.
ScopedField TypeOfGiven(const Step& step, const FieldScope& scope);

}  // namespace tailrace::pipeline::spec
