// The configuration of a process: dotted keys (Kafka's own names, and ours beside them) with typed values.
//
// Sources, later ones win: defaults given by the program, a YAML or .properties file, environment variables
// (TAILRACE_APPLICATION_ID is application.id), --set key=value. Everything is checked once, in Load: an unknown key, a
// value of the wrong type or out of range is an error that names the place it came from. After that the getters cannot
// fail.
//
// Thread-safe: immutable after Load. Copyable.
// Errors: Load answers kInvalidArgument with one line per problem; a file that cannot be read is kNotFound.
//
//   base::ConfigSources sources{.file = "worker.yaml", .environment = base::ProcessEnvironment(), .set =
//   {"state.dir=/data"}}; TAILRACE_ASSIGN_OR_RETURN(base::Config config, base::Config::Load(sources));
//   config.Ms("commit.interval.ms");               // 1000, or 100 under exactly_once_v2
//   config.ClientSettings("producer");             // {"bootstrap.servers": ..., "linger.ms": ...}
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tailrace/base/status.h"

namespace tailrace::base {

// One value before it is checked. `origin` is what an error shows: "worker.yaml:12", "environment TAILRACE_STATE_DIR",
// "--set state.dir".
struct ConfigSetting {
  std::string key;
  std::string value;
  std::string origin;
};

struct ConfigSources {
  // Weaker than a file: for example the application.id that a pipeline names.
  std::vector<ConfigSetting> defaults;
  // A .yaml, .yml, .json or .properties file; empty for none.
  std::string file;
  // Names and values; only those that begin with TAILRACE_ are read.
  std::vector<std::pair<std::string, std::string>> environment;
  // "key=value" each.
  std::vector<std::string> set;
  // Further keys that are allowed, as text: the parameters that pipelines declare.
  std::vector<std::string> parameters;
};

// The variables of this process.
std::vector<std::pair<std::string, std::string>> ProcessEnvironment();

class Config {
 public:
  // A configuration of defaults only.
  Config();

  static absl::StatusOr<Config> Load(const ConfigSources& sources);

  // Values of known keys (config_keys.h), their defaults when not set.
  // REQUIRES: `key` is known and of that type; anything else is a mistake of the program, not of its user.
  std::string String(std::string_view key) const;
  bool Bool(std::string_view key) const;
  int64_t Int(std::string_view key) const;
  int64_t Ms(std::string_view key) const;
  int64_t Bytes(std::string_view key) const;

  // True when a source set the key; false for its default.
  bool IsSet(std::string_view key) const;
  // Where the value came from; "default" when nothing set it.
  std::string Origin(std::string_view key) const;

  // All settings below `prefix` (with its dot), without it: WithPrefix("topic.").
  std::map<std::string, std::string> WithPrefix(std::string_view prefix) const;

  // What to hand to a Kafka client of this role: bootstrap.servers, client.*, security.*, sasl.* and ssl.* keys, then
  // those of "<role>." without the prefix. Roles: "admin", "producer", "consumer", "main.consumer", "restore.consumer"
  // (the last two start from "consumer").
  std::map<std::string, std::string> ClientSettings(std::string_view role) const;

  // The pipeline parameters that were set.
  std::map<std::string, std::string> Parameters() const;

  // One "key = value  (origin)" line for every key that is set, sorted; passwords and keys are hidden.
  std::string Describe() const;

  // A copy with this known or pass-through key set. REQUIRES: key and value are valid. For tests and embedding programs
  // that hold checked values.
  Config With(std::string_view key, std::string_view value) const;

 private:
  struct Entry {
    std::string value;
    std::string origin;
    bool parameter = false;
  };

  const Entry* Find(std::string_view key) const;
  std::string TextOf(std::string_view key) const;

  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace tailrace::base
