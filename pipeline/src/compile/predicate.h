// A condition of a pipeline as a small program over an event's slots.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tailrace/pipeline/event.h"

namespace tailrace::pipeline::compile {

// Immutable after it is built; Matches allocates nothing. A comparison with a null field is false; kNot of it is true.
struct Predicate {
  enum class Op : uint8_t {
    kAll,       // every child; true without children
    kAny,       // some child
    kNot,       // not its only child
    kExists,    // the field is not null
    kTextIn,    // the text, or one text of the list, is one of `texts`
    kNumberIn,  // the number is one of `numbers` (integers among them exactly in `integers`)
    kBoolIs,    // the truth value, 0 or 1, is one of `integers`
    kPrefix,    // the text begins with one of `texts`
    kGreater,   // numbers and timestamps by value, texts by bytes
    kGreaterOrEqual,
    kLess,
    kLessOrEqual,
  };
  Op op = Op::kAll;
  size_t slot = 0;
  std::vector<std::string> texts;
  std::vector<int64_t> integers;
  std::vector<double> numbers;
  std::vector<Predicate> children;

  bool Matches(Event event) const;

 private:
  bool Compares(const FieldValue& value) const;
};

}  // namespace tailrace::pipeline::compile
