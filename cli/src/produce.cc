// tailrace produce: files of events in any layout, into a topic.
#include "tailrace/ingest/produce.h"

#include <iostream>
#include <memory>

#include "absl/strings/str_join.h"
#include "stoppable.h"
#include "tailrace/pipeline/format.h"
#include "verb.h"

namespace tailrace::cli {
namespace {

struct ProduceVerb {
  ConfigOptions config;
  std::string bootstrap;
  ingest::ProduceOptions produce;
};

absl::Status Run(const ProduceVerb& verb, const ingest::StopSignal& stop) {
  TAILRACE_ASSIGN_OR_RETURN(const base::Config config, LoadWriterConfig(verb.config, verb.bootstrap, "produce", base::limits::kLogGiveUpMs));
  TAILRACE_ASSIGN_OR_RETURN(const auto cluster, kafka::Open(config));
  TAILRACE_ASSIGN_OR_RETURN(const ingest::ProduceSummary summary, ingest::ProduceFiles(*cluster, verb.produce, stop));
  std::cerr << ingest::DescribeProduce(summary);
  return summary.stopped ? absl::CancelledError("stopped before the end of the input") : absl::OkStatus();
}

}  // namespace

void AddProduce(CLI::App& app, Action& action) {
  auto options = std::make_shared<ProduceVerb>();  // shared with the action, which runs after this function
  CLI::App* const verb = app.add_subcommand("produce", "Writes files of events to a topic, as canonical records");
  AddConfigOptions(*verb, options->config);
  verb->add_option("topic", options->produce.topic, "Topic to write to")->required();
  verb->add_option("--bootstrap", options->bootstrap, "host:port of Kafka brokers");
  verb->add_option("--input", options->produce.inputs,
                   "Files, folders and URLs in the order to read them, plain or gzip; a named pipe is followed until its end, - is standard input")
      ->required();
  verb->add_option("--format", options->produce.format,
                   "Layout of the input: " + absl::StrJoin(pipeline::FormatNames(), ", ", [](std::string* text, std::string_view name) {
                     text->append(name);
                   }))
      ->capture_default_str();
  verb->callback([options, &action] {
    action.run = [options]() -> absl::Status {
      ShutdownSignals signals;
      return RunStoppable(signals, [&](const ingest::StopSignal& stop) { return Run(*options, stop); });
    };
  });
}

}  // namespace tailrace::cli
