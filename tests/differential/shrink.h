// Makes a case that shows a difference as small as it gets.
#pragma once

#include "absl/functional/function_ref.h"
#include "case.h"
#include "grammar.h"

namespace tailrace::differential {

// Drops events, operators and arguments while `still_differs` says yes, with at most `runs_max` questions.
Case Shrink(const Grammar& grammar, Case c, int runs_max, absl::FunctionRef<bool(const Case&)> still_differs);

}  // namespace tailrace::differential
