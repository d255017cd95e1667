// Where the dashboard's files are.
#pragma once

#include <string>

namespace tailrace::cli {

// `given` when it is not empty; else the installed place beside the executable, else that of a build tree, else "".
std::string DashboardDirectory(const std::string& given);

}  // namespace tailrace::cli
