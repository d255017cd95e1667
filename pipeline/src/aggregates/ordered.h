// The state of `first` and `last`: a value with its place in an order, (event time, offset) or (a field, offset).
//
// Fixed part (25 bytes): u8 type (FieldType; 0: none yet), i64 event time or OrderOf the field, i64 offset, 8 bytes of value: an integer, a
// double, 0 or 1, or the length of a text. Variable part: the text.
#pragma once

#include <cstdint>
#include <string>

#include "tailrace/pipeline/event.h"

namespace tailrace::pipeline::aggregates {

inline constexpr size_t kOrderedFixedBytes = 25;

struct OrderedInput {
  FieldValue value;  // not null, not a list
  int64_t order = 0;  // the event's time, or OrderOf the field that orders
  int64_t offset = 0;
};

// Integers that sort as the numbers do, for integers and for doubles; null comes before all.
int64_t OrderOf(const FieldValue& value);

size_t OrderedVariableBytes(const char* fixed);
bool OrderedHeadIsValid(const char* fixed);

// True when the state's size stays the same after OrderedUpdate.
bool OrderedFits(const char* fixed, bool last, const OrderedInput& input);
void OrderedUpdateInPlace(char* fixed, char* variable, bool last, const OrderedInput& input);
void OrderedUpdate(std::string& state, size_t fixed_at, size_t variable_at, bool last, const OrderedInput& input);

// Which of two states the merge keeps: true for a. Ties are decided by the bytes, so that the order of arguments does not
// matter.
bool OrderedKeepsFirst(const char* fixed_a, const char* variable_a, const char* fixed_b, const char* variable_b, bool last);

FieldValue OrderedValue(const char* fixed, const char* variable);

}  // namespace tailrace::pipeline::aggregates
