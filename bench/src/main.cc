// tailrace_bench MODE [options]: see bench/run, which starts the broker and compares the modes.
#include <iostream>

#include "CLI/CLI.hpp"
#include "bench.h"

int main(int argc, char** argv) {
  using namespace tailrace;
  CLI::App app{"Measures one workload in this process; bench/run compares them."};
  bench::Workload workload;
  std::string mode;
  app.add_option("mode", mode)->required()->check(CLI::IsMember({"load", "load-posts", "bare", "streams"}));
  app.add_option("--bootstrap", workload.bootstrap)->required();
  app.add_option("--topic", workload.topic)->required();
  app.add_option("--records", workload.records)->required();
  app.add_option("--keys", workload.keys);
  app.add_option("--partitions", workload.partitions);
  app.add_option("--value-bytes", workload.value_bytes);
  app.add_option("--guarantee", workload.guarantee);
  app.add_option("--state-dir", workload.state_dir);
  app.add_option("--pipeline", workload.pipeline);
  app.add_option("--set", workload.set);
  CLI11_PARSE(app, argc, argv);
  const absl::Status status = mode == "load"         ? bench::LoadRecords(workload)
                              : mode == "load-posts" ? bench::LoadPosts(workload)
                              : mode == "bare"       ? bench::RunBareConsumer(workload)
                                                     : bench::RunStreams(workload);
  if (!status.ok()) std::cerr << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
