#include "tailrace/base/version.h"

namespace tailrace::base {

std::string_view Version() { return TAILRACE_VERSION; }

}  // namespace tailrace::base
