#include "jvm_peer.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

namespace tailrace::differential {
namespace {

constexpr int kSkipped = 77;  // what tests/differential/jvm/build answers without Java

}  // namespace

absl::StatusOr<std::string> JvmClassPath(const std::string& source_folder, const std::string& folder) {
  const std::string command = "'" + source_folder + "/tests/differential/jvm/build' '" + folder + "/classes'";
  std::FILE* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return absl::InternalError("cannot run " + command);
  std::string path;
  std::array<char, 4096> buffer;
  while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) path += buffer.data();
  const int status = pclose(pipe);
  if (WIFEXITED(status) && WEXITSTATUS(status) == kSkipped) return absl::NotFoundError("there is no Java here");
  if (status != 0 || path.empty()) return absl::InternalError("failed: " + command);
  if (path.back() == '\n') path.pop_back();
  return path;
}

absl::StatusOr<std::unique_ptr<JvmPeer>> JvmPeer::Start(const std::string& source_folder, const std::string& folder) {
  std::filesystem::create_directories(folder + "/state");
  absl::StatusOr<std::string> class_path = JvmClassPath(source_folder, folder);
  if (!class_path.ok()) return class_path.status();
  int to[2];
  int from[2];
  if (pipe(to) != 0 || pipe(from) != 0) return absl::InternalError("cannot make a pipe");
  const std::string state = folder + "/state/" + std::to_string(getpid());
  std::signal(SIGPIPE, SIG_IGN);  // a peer that has ended is an error of the next write
  const pid_t pid = fork();
  if (pid < 0) return absl::InternalError("cannot start a process");
  if (pid == 0) {
    dup2(to[0], STDIN_FILENO);
    dup2(from[1], STDOUT_FILENO);
    for (const int fd : {to[0], to[1], from[0], from[1]}) close(fd);
    // Cases are small and many: what starts quickly is quick.
    execlp("java", "java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-cp",
           class_path->c_str(), "Peer", state.c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }
  close(to[0]);
  close(from[1]);
  return std::unique_ptr<JvmPeer>(new JvmPeer(pid, fdopen(to[1], "w"), fdopen(from[0], "r")));
}

JvmPeer::~JvmPeer() {
  std::fclose(to_);
  std::fclose(from_);
  waitpid(pid_, nullptr, 0);
}

absl::Status JvmPeer::Send(const std::string& case_text) {
  if (std::fwrite(case_text.data(), 1, case_text.size(), to_) != case_text.size() || std::fflush(to_) != 0)
    return absl::UnavailableError("the JVM has ended");
  return absl::OkStatus();
}

absl::StatusOr<Transcript> JvmPeer::Receive() {
  Transcript transcript;
  char* line = nullptr;
  size_t capacity = 0;
  for (ssize_t size = 0; (size = getline(&line, &capacity, from_)) > 0;) {
    transcript.emplace_back(line, static_cast<size_t>(size - 1));
    if (transcript.back() != "end") continue;
    transcript.pop_back();
    std::free(line);
    return transcript;
  }
  std::free(line);
  return absl::UnavailableError("the JVM ended before it had answered; its last lines are above");
}

}  // namespace tailrace::differential
