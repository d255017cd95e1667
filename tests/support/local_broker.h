// A real Kafka broker for the cases of one test binary, started by tools/kafka/broker on free ports when it is first asked
// for, and stopped when the process ends.
#pragma once

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

namespace tailrace::testing_support {

// Not thread-safe. REQUIRES: TAILRACE_SOURCE_DIR is set, as ctest does; otherwise the working directory is the source folder.
class LocalBroker {
 public:
  // The broker of this process, running; the address is empty when it could not be started (broker.log says why).
  static LocalBroker& Shared() {
    static LocalBroker broker;
    return broker;
  }

  LocalBroker() {
    std::string name = (std::filesystem::temp_directory_path() / "tailrace-broker-XXXXXX").string();
    directory_ = mkdtemp(name.data());
    Start();
  }
  ~LocalBroker() {
    Stop();
    if (std::getenv("TAILRACE_TEST_KEEP_BROKER") != nullptr) {
      std::fprintf(stderr, "the broker's logs are kept in %s\n", directory_.c_str());
      return;
    }
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  LocalBroker(const LocalBroker&) = delete;
  LocalBroker& operator=(const LocalBroker&) = delete;

  // host:port; the same after a Stop or Kill and another Start.
  const std::string& bootstrap_servers() const { return bootstrap_; }

  void Start() {
    // Quick cleaning of transactions whose producer is gone, and a small heap: the cases are small.
    Run("start", "transaction.abort.timed.out.transaction.cleanup.interval.ms=1000 log.retention.check.interval.ms=1000");
    std::ifstream file(directory_ + "/bootstrap");
    std::getline(file, bootstrap_);
  }
  void Stop() { Run("stop", ""); }
  void Kill() { Run("kill", ""); }

  // What the broker logged, first line, when it skipped markers that it owed to transactions; empty: it never did. A lone broker
  // that ends, or comes back while its controller still counts on its old session, has no leader for its partitions for a
  // moment. Its transaction coordinator takes them for deleted: committed records and offsets then stay pending for ever, for
  // every client, and join the producer's next transaction.
  std::string SkippedMarkers() const {
    for (const char* const name : {"/broker.earlier.log", "/broker.log"}) {
      std::ifstream log(directory_ + name);
      for (std::string line; std::getline(log, line);)
        if (line.find("Couldn't find leader endpoint for partitions") != std::string::npos) return line;
    }
    return "";
  }

 private:
  void Run(const std::string& verb, const std::string& arguments) const {
    const char* source = std::getenv("TAILRACE_SOURCE_DIR");
    const std::string command = "KAFKA_HEAP=${KAFKA_HEAP:-512m} '" + std::string(source == nullptr ? "." : source) +
                                "/tools/kafka/broker' " + verb + " '" + directory_ + "' " + arguments + " >&2";
    if (std::system(command.c_str()) != 0) std::fprintf(stderr, "failed: %s\n", command.c_str());
  }

  std::string directory_;
  std::string bootstrap_;
};

}  // namespace tailrace::testing_support
