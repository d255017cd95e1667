// What the verbs share: how they are added to the command line and how they end.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "tailrace/base/config.h"
#include "tailrace/base/status.h"

namespace tailrace::cli {

// Exit codes of the executable.
inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;

// Prints the error, if any, and gives the exit code: 2 for wrong usage or configuration, 1 for everything else.
int ExitCode(const absl::Status& status);

// A verb fills this when the command line names it; main runs it after parsing.
struct Action {
  std::function<absl::Status()> run;
};

// One function per verb; each in the file of its name.
void AddRun(CLI::App& app, Action& action);
void AddWorker(CLI::App& app, Action& action);
void AddGateway(CLI::App& app, Action& action);
void AddDev(CLI::App& app, Action& action);
void AddDescribe(CLI::App& app, Action& action);
void AddQuery(CLI::App& app, Action& action);
void AddProduce(CLI::App& app, Action& action);
void AddGenerate(CLI::App& app, Action& action);
void AddIngest(CLI::App& app, Action& action);
void AddExport(CLI::App& app, Action& action);
void AddTopics(CLI::App& app, Action& action);
void AddReplay(CLI::App& app, Action& action);
void AddReset(CLI::App& app, Action& action);

// The options of every verb that reads a configuration.
struct ConfigOptions {
  std::string file;
  std::vector<std::string> set;
};
void AddConfigOptions(CLI::App& verb, ConfigOptions& options);
// File, environment and --set; also sets up the process's log. `defaults` are weaker than the file; `parameters` are
// further keys that --set may name.
absl::StatusOr<base::Config> LoadConfig(const ConfigOptions& options, std::vector<base::ConfigSetting> defaults = {},
                                        std::vector<std::string> parameters = {});

// The configuration of a verb that writes records: LoadConfig with `bootstrap`, unless it is empty, over everything. The verb's
// name makes the client's; a record may wait `message_timeout_ms` for the log. An error when no log is named, which
// says which options do (`how`).
absl::StatusOr<base::Config> LoadWriterConfig(ConfigOptions options, const std::string& bootstrap, const std::string& verb,
                                              int message_timeout_ms, const std::string& how = "--bootstrap host:port");

}  // namespace tailrace::cli
