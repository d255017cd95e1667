// The version of this library, as the build named it.
#pragma once

#include <string_view>

namespace tailrace::base {

std::string_view Version();

}  // namespace tailrace::base
