// Pipelines and their configurations, as workers and other verbs load them.
#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "tailrace/grpc_api/request_registry.h"
#include "tailrace/pipeline/load.h"
#include "tailrace/pipeline/replay.h"
#include "tailrace/processor/application_id.h"
#include "worker_process.h"

namespace tailrace::cli {
namespace {

// Everything that a replay writes goes to topics of its own, and the request registry belongs to the ordinary workers.
LoadedPipeline AsReplay(LoadedPipeline one, int number) {
  constexpr std::string_view kDeadLetters = "errors.dead.letter.queue.topic.name";
  one.spec = pipeline::ReplayOf(std::move(one.spec), number);
  if (const std::string topic = one.config.String(kDeadLetters); !topic.empty())
    one.config = one.config.With(kDeadLetters, processor::ReplayTopic(topic, number));
  one.config = one.config.With("requests.topic", "");
  return one;
}

absl::StatusOr<LoadedPipeline> LoadOne(const std::string& file, const ConfigOptions& options,
                                       std::vector<base::ConfigSetting> defaults, const std::vector<std::string>& parameters) {
  // The pipeline names the application, so it is read before the configuration is complete; its parameters come after.
  TAILRACE_ASSIGN_OR_RETURN(const pipeline::PipelineSpec unset, pipeline::LoadPipeline(file, {}));
  defaults.push_back({.key = "application.id", .value = unset.application_id, .origin = file});
  if (!unset.dead_letter_topic.empty())
    defaults.push_back({.key = "errors.dead.letter.queue.topic.name", .value = unset.dead_letter_topic, .origin = file});
  TAILRACE_ASSIGN_OR_RETURN(base::Config config, LoadConfig(options, std::move(defaults), parameters));
  pipeline::ParameterValues own;
  for (const auto& [name, value] : config.Parameters()) {
    const bool declared = std::any_of(unset.parameters.begin(), unset.parameters.end(),
                                      [&name = name](const pipeline::PipelineParameter& one) { return one.name == name; });
    if (declared) own.emplace_back(name, value);
  }
  TAILRACE_ASSIGN_OR_RETURN(pipeline::PipelineSpec spec, pipeline::LoadPipeline(file, own));
  const processor::ApplicationId id = processor::SplitApplicationId(config.String("application.id"));
  if (id.number > 0) return AsReplay({std::move(spec), std::move(config)}, id.number);
  return LoadedPipeline{std::move(spec), std::move(config)};
}

// What each may exist once only in a process: groups and state directories are named after applications, and queries find a
// store by its name.
absl::Status CheckTogether(const std::vector<LoadedPipeline>& pipelines) {
  std::map<std::string, std::string> applications, stores;
  const base::Config& config = pipelines.front().config;
  if (const std::string topic = config.String("requests.topic"); !topic.empty()) {
    const std::string registry = "requests.topic (" + config.Origin("requests.topic") + ")";
    applications[grpc_api::kRequestApplication] = registry;
    stores[grpc_api::kRequestStore] = registry;
  }
  for (const LoadedPipeline& one : pipelines) {
    const std::string id = one.config.String("application.id");
    if (const auto [at, fresh] = applications.emplace(id, one.spec.file); !fresh)
      return base::UsageError(absl::StrCat(at->second, " and ", one.spec.file, " both are application.id ", id,
                                           "; each application of a process needs a name of its own"));
    for (const std::string& store : one.spec.StoreNames())
      if (const auto [at, fresh] = stores.emplace(store, one.spec.file); !fresh)
        return base::UsageError(absl::StrCat(at->second, " and ", one.spec.file, " both have a store ", store,
                                             "; queries find stores by name, so rename one or run them in two processes"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<LoadedPipeline>> LoadPipelines(const std::vector<std::string>& files, const ConfigOptions& options,
                                                          std::vector<base::ConfigSetting> defaults) {
  std::vector<std::string> parameters;
  for (const std::string& file : files) {
    TAILRACE_ASSIGN_OR_RETURN(const std::vector<std::string> names, pipeline::PipelineParameterNames(file));
    parameters.insert(parameters.end(), names.begin(), names.end());
  }
  std::vector<LoadedPipeline> loaded;
  for (const std::string& file : files) {
    TAILRACE_ASSIGN_OR_RETURN(LoadedPipeline one, LoadOne(file, options, defaults, parameters));
    if (files.size() > 1) {
      const int64_t share = one.config.Bytes("statestore.cache.max.bytes") / static_cast<int64_t>(files.size());
      one.config = one.config.With("statestore.cache.max.bytes", absl::StrCat(share));
    }
    loaded.push_back(std::move(one));
  }
  TAILRACE_RETURN_IF_ERROR(CheckTogether(loaded));
  return loaded;
}

absl::StatusOr<LoadedPipeline> LoadPipelineAndConfig(const std::string& file, const ConfigOptions& options) {
  TAILRACE_ASSIGN_OR_RETURN(std::vector<LoadedPipeline> loaded, LoadPipelines({file}, options));
  return std::move(loaded.front());
}

}  // namespace tailrace::cli
