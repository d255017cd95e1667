// tailrace: one executable, one file per verb.
#include <csignal>
#include <iostream>

#include "tailrace/base/log.h"
#include "verb.h"

namespace tailrace::cli {

int ExitCode(const absl::Status& status) {
  if (status.ok()) return kExitDone;
  std::cerr << "tailrace: " << status.message() << "\n";
  return absl::IsInvalidArgument(status) ? kExitUsage : kExitFailed;
}

void AddConfigOptions(CLI::App& verb, ConfigOptions& options) {
  verb.add_option("--config", options.file, "YAML or .properties file with configuration keys")->check(CLI::ExistingFile);
  verb.add_option("--set", options.set, "key=value; stronger than file and environment")->allow_extra_args(false);
}

absl::StatusOr<base::Config> LoadConfig(const ConfigOptions& options, std::vector<base::ConfigSetting> defaults,
                                        std::vector<std::string> parameters) {
  TAILRACE_ASSIGN_OR_RETURN(base::Config config, base::Config::Load({.defaults = std::move(defaults),
                                                                     .file = options.file,
                                                                     .environment = base::ProcessEnvironment(),
                                                                     .set = options.set,
                                                                     .parameters = std::move(parameters)}));
  base::ConfigureLog({.level = base::ParseLogLevel(config.String("log.level")).value_or(base::LogLevel::kInfo),
                      .format = config.String("log.format") == "json" ? base::LogFormat::kJson : base::LogFormat::kText,
                      .sink = {}});
  return config;
}

absl::StatusOr<base::Config> LoadWriterConfig(ConfigOptions options, const std::string& bootstrap, const std::string& verb,
                                              int message_timeout_ms, const std::string& how) {
  if (!bootstrap.empty()) options.set.push_back("bootstrap.servers=" + bootstrap);
  TAILRACE_ASSIGN_OR_RETURN(
      base::Config config,
      LoadConfig(options, {{.key = "client.id", .value = "tailrace-" + verb, .origin = verb},
                           {.key = "producer.message.timeout.ms", .value = std::to_string(message_timeout_ms), .origin = verb}}));
  if (!config.IsSet("bootstrap.servers") && !config.IsSet("log.embedded.dir"))
    return base::UsageError("say where the records go: " + how);
  return config;
}

}  // namespace tailrace::cli

int main(int argc, char** argv) {
  using namespace tailrace::cli;
  std::signal(SIGPIPE, SIG_IGN);  // a reader that goes away is an error of that write, not of the process
  CLI::App app{"Stream processing over Kafka: workers, gateway and tools.\n"
               "Configuration keys are listed in docs/configuration.md.", "tailrace"};
  app.require_subcommand(1);
  app.failure_message(CLI::FailureMessage::help);
  Action action;
  for (const auto add : {AddRun, AddWorker, AddGateway, AddDev, AddDescribe, AddQuery, AddProduce, AddGenerate, AddIngest, AddExport, AddTopics,
                         AddReplay, AddReset})
    add(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitDone : kExitUsage;
  }
  return ExitCode(action.run());
}
