// Invariant checks that stay on in production builds: it is better to stop than to go on with wrong state.
//
// TAILRACE_CHECK is for broken invariants of our own code. Input, however bad, never reaches it: input is answered
// with an absl::Status.
#pragma once

#include <string_view>

namespace tailrace::base {

// Prints the broken invariant with its place and aborts the process.
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition, std::string_view detail);

}  // namespace tailrace::base

// `detail` is a string that is evaluated only when the check fails.
#define TAILRACE_CHECK(condition, detail)                                            \
  do {                                                                               \
    if (!(condition)) [[unlikely]]                                                   \
      ::tailrace::base::CheckFailed(__FILE__, __LINE__, #condition, (detail));       \
  } while (false)
