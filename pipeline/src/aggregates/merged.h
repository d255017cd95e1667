// `first` and `last` whose windows merge by another rule than order: the value of a day is its latest, that of many days
// their average, smallest or largest.
//
// Fixed part: that of ordered.h; for averages 24 bytes more: i64 windows merged (0: the state of one window), compensated
// sum of their values.
#pragma once

#include <cstddef>

#include "aggregates/aggregate_plan.h"
#include "tailrace/pipeline/event.h"

namespace tailrace::pipeline::aggregates {

size_t MergedFixedBytes(MergeRule rule);
bool MergedHeadIsValid(const char* fixed, MergeRule rule);

// `out` is as large as a state. REQUIRES: valid states of numbers; a rule that is not kOwn.
void MergeByRule(MergeRule rule, const char* a, const char* b, char* out);

// Null when no window had a value. REQUIRES: a number; the value of an average of one window is that window's own.
FieldValue MergedValue(const char* fixed, MergeRule rule);

}  // namespace tailrace::pipeline::aggregates
