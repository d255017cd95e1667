// tailrace topics: lists, creates and deletes topics of the configured log.
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "tailrace/kafka/cluster.h"
#include "verb.h"

namespace tailrace::cli {
namespace {

constexpr int kTimeoutMs = 30'000;

struct TopicsOptions {
  ConfigOptions config;
  std::string name;
  int32_t partitions = 1;
  int16_t replication = -1;
  std::vector<std::string> settings;
};

absl::Status List(kafka::Admin& admin, const TopicsOptions&) {
  TAILRACE_ASSIGN_OR_RETURN(const auto topics, admin.ListTopics(kTimeoutMs));
  for (const kafka::TopicDescription& topic : topics) std::cout << topic.name << "\t" << topic.partition_count << "\n";
  return absl::OkStatus();
}

absl::Status Create(kafka::Admin& admin, const TopicsOptions& options) {
  kafka::NewTopic topic{.name = options.name, .partition_count = options.partitions,
                        .replication_factor = options.replication, .config = {}};
  for (const std::string& setting : options.settings) {
    const size_t equals = setting.find('=');
    if (equals == std::string::npos) return base::UsageError(absl::StrCat("topic setting ", setting, " is not name=value"));
    topic.config[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  TAILRACE_RETURN_IF_ERROR(admin.CreateTopics({topic}, kTimeoutMs));
  std::cout << options.name << "\t" << options.partitions << "\n";
  return absl::OkStatus();
}

absl::Status Delete(kafka::Admin& admin, const TopicsOptions& options) {
  return admin.DeleteTopics({options.name}, kTimeoutMs);
}

using Call = absl::Status (*)(kafka::Admin&, const TopicsOptions&);

}  // namespace

void AddTopics(CLI::App& app, Action& action) {
  auto options = std::make_shared<TopicsOptions>();  // shared with the action, which runs after this function
  CLI::App* const verb = app.add_subcommand("topics", "Lists, creates and deletes topics");
  AddConfigOptions(*verb, options->config);
  verb->require_subcommand(1);
  verb->fallthrough();
  const auto add = [&](const char* name, const char* help, Call call) {
    CLI::App* const what = verb->add_subcommand(name, help);
    what->fallthrough();
    what->callback([options, call, &action] {
      action.run = [options, call]() -> absl::Status {
        TAILRACE_ASSIGN_OR_RETURN(const base::Config config, LoadConfig(options->config));
        TAILRACE_ASSIGN_OR_RETURN(const auto cluster, kafka::Open(config));
        return call(cluster->admin(), *options);
      };
    });
    return what;
  };
  add("list", "Names and partition counts", List);
  CLI::App* const create = add("create", "Creates a topic; one that exists is left as it is", Create);
  create->add_option("name", options->name)->required();
  create->add_option("--partitions", options->partitions)->check(CLI::PositiveNumber)->capture_default_str();
  create->add_option("--replication-factor", options->replication, "-1: the broker's default")->capture_default_str();
  create->add_option("--topic-config", options->settings, "name=value, such as retention.ms=-1")->allow_extra_args(false);
  add("delete", "Deletes a topic and its records", Delete)->add_option("name", options->name)->required();
}

}  // namespace tailrace::cli
