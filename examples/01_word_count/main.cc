// Counts words: lines from standard input go to the topic "text"; each change of a count is printed.
//   word_count log.embedded.dir=/tmp/words state.dir=/tmp/words-state
//   word_count bootstrap.servers=localhost:9092
#include <iostream>
#include <sstream>

#include "tailrace/tailrace.h"

using namespace tailrace;

std::vector<std::string> Words(const std::string& line) {
  std::istringstream in(line);
  return {std::istream_iterator<std::string>(in), {}};
}

absl::Status Run(std::vector<std::string> settings) {
  StreamsBuilder builder;
  builder.Stream<std::string, std::string>("text")
      .FlatMapValues(Words)
      .GroupBy([](const std::string&, const std::string& word) { return word; }, Grouped("words"))
      .Count(Materialized("counts"))
      .ToStream()
      .ForEach([](const std::string& word, int64_t count) { std::cout << word << " " << count << std::endl; });
  TAILRACE_ASSIGN_OR_RETURN(Topology topology, builder.Build());

  settings.insert(settings.begin(), "application.id=word-count");
  TAILRACE_ASSIGN_OR_RETURN(const Config config, Config::Load({.set = settings}));
  TAILRACE_ASSIGN_OR_RETURN(const auto cluster, kafka::Open(config));
  TAILRACE_RETURN_IF_ERROR(cluster->admin().CreateTopics({{.name = "text", .partition_count = 3}}, 10'000));

  MetricsRegistry metrics;
  Streams streams(std::move(topology), config, *cluster, metrics);
  TAILRACE_RETURN_IF_ERROR(streams.Start());
  if (!streams.WaitFor(StreamsState::kRunning, 60'000)) return streams.status();

  TAILRACE_ASSIGN_OR_RETURN(const auto producer, cluster->NewProducer({.client_id = "lines"}));
  TAILRACE_ASSIGN_OR_RETURN(const auto text, producer->Topic("text"));
  for (std::string line; std::getline(std::cin, line);) {
    TAILRACE_RETURN_IF_ERROR(producer->Send({.topic = text, .value = line, .timestamp_ms = base::SystemClock().WallMs()}));
    TAILRACE_RETURN_IF_ERROR(producer->Flush(10'000));
  }
  return streams.Close(10'000);  // commits what was read; the next start goes on from there
}

int main(int argc, char** argv) {
  const absl::Status status = Run({argv + 1, argv + argc});
  if (!status.ok()) std::cerr << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
