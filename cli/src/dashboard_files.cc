#include "dashboard_files.h"

#include <filesystem>

namespace tailrace::cli {

std::string DashboardDirectory(const std::string& given) {
  if (!given.empty()) return given;
  std::error_code error;
  const std::filesystem::path executable = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return {};
  const std::filesystem::path bin = executable.parent_path();
  for (const char* place : {"../share/tailrace/dashboard", "../../../dashboard/dist"}) {
    const std::filesystem::path directory = (bin / place).lexically_normal();
    if (std::filesystem::exists(directory / "index.html", error)) return directory.string();
  }
  return {};
}

}  // namespace tailrace::cli
