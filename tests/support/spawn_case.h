// Runs one disabled case of a test program in a process of its own: for tests that kill what they started.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

namespace tailrace::testing_support {

// Where the spawned case finds the write end of the pipe that its parent reads.
inline constexpr int kReportDescriptor = 200;

// Starts this test program again with one (disabled) case and one environment variable, and returns its process id. The
// program is loaded anew: a forked copy would lack the threads of RocksDB, and could inherit a lock that one of them holds at
// that moment. For the same reason nothing is allocated between fork and exec. `report` becomes kReportDescriptor there.
// The process is killed when the thread that called this ends.
inline pid_t SpawnCase(const std::string& test_case, const std::string& variable, const std::string& value, int report = -1) {
  std::vector<std::string> arguments = {"/proc/self/exe", "--gtest_filter=" + test_case, "--gtest_also_run_disabled_tests"};
  std::vector<std::string> environment = {variable + "=" + value};
  for (char** entry = environ; *entry != nullptr; ++entry)
    if (std::strncmp(*entry, (variable + "=").c_str(), variable.size() + 1) != 0) environment.emplace_back(*entry);
  std::vector<char*> argument_pointers;
  std::vector<char*> environment_pointers;
  for (std::string& text : arguments) argument_pointers.push_back(text.data());
  for (std::string& text : environment) environment_pointers.push_back(text.data());
  argument_pointers.push_back(nullptr);
  environment_pointers.push_back(nullptr);

  const pid_t child = fork();
  if (child != 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (report >= 0 && dup2(report, kReportDescriptor) != kReportDescriptor) _exit(126);
  execve(argument_pointers[0], argument_pointers.data(), environment_pointers.data());
  _exit(127);
}

}  // namespace tailrace::testing_support
