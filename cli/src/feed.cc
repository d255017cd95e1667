#include "feed.h"

#include <map>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tailrace/base/log.h"

namespace tailrace::cli {
namespace {

// "posts=FILE" where a pipeline reads topic posts; a file's name may hold an '=' of its own.
std::pair<std::string, std::string> Split(const std::string& text, const std::map<std::string, std::string>& topics) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos || !topics.contains(text.substr(0, equals))) return {"", text};
  return {text.substr(0, equals), text.substr(equals + 1)};
}

}  // namespace

absl::StatusOr<std::vector<ingest::ProduceOptions>> PlanFeeds(const std::vector<const pipeline::PipelineSpec*>& pipelines,
                                                              const std::vector<std::string>& inputs,
                                                              const std::vector<std::string>& formats) {
  std::map<std::string, std::string> topics;  // to their formats
  for (const pipeline::PipelineSpec* const one : pipelines)
    for (const pipeline::SourceSpec& source : one->AllSources()) topics.emplace(source.topic, source.format);
  const auto names = [&] {
    return absl::StrJoin(topics, ", ", [](std::string* text, const auto& topic) { text->append(topic.first); });
  };
  const auto topic_of = [&](const char* option, const std::string& text) -> absl::StatusOr<std::pair<std::string, std::string>> {
    auto [topic, rest] = Split(text, topics);
    if (topic.empty() && topics.size() != 1)
      return base::UsageError(absl::StrCat(option, " ", text, " names none of the topics that the pipelines read; write ", option,
                                           " TOPIC=... with one of: ", names()));
    return std::pair(topic.empty() ? topics.begin()->first : topic, rest);
  };
  for (const std::string& text : formats) {
    TAILRACE_ASSIGN_OR_RETURN(const auto format, topic_of("--format", text));
    topics[format.first] = format.second;
  }
  std::map<std::string, ingest::ProduceOptions> plans;
  for (const std::string& text : inputs) {
    TAILRACE_ASSIGN_OR_RETURN(const auto input, topic_of("--input", text));
    ingest::ProduceOptions& plan = plans[input.first];
    plan.topic = input.first;
    plan.format = topics[input.first];
    plan.inputs.push_back(input.second);
  }
  std::vector<ingest::ProduceOptions> result;
  for (auto& [topic, plan] : plans) result.push_back(std::move(plan));
  return result;
}

// One input in a thread of its own.
class Feeds::Feed {
 public:
  Feed(kafka::Cluster& cluster, ingest::ProduceOptions options)
      : thread_([this, &cluster, options = std::move(options)] { Run(cluster, options); }) {}
  ~Feed() {
    RequestStop();
    thread_.join();
  }

  void RequestStop() { stop_.Request(); }
  absl::Status status() const { return ended_.requested() ? status_ : absl::OkStatus(); }

 private:
  void Run(kafka::Cluster& cluster, const ingest::ProduceOptions& options) {
    const auto summary = ingest::ProduceFiles(cluster, options, stop_);
    status_ = base::Annotate(summary.status(), "input of topic " + options.topic);
    if (summary.ok())
      base::LogInfo("cli", "input ended", {{"topic", options.topic},
                                           {"lines", summary->lines},
                                           {"records", summary->records},
                                           {"skipped", summary->counts.Describe()}});
    ended_.Request();
  }

  ingest::StopSignal stop_;
  ingest::StopSignal ended_;
  absl::Status status_;  // written before `ended_`, read after it
  std::thread thread_;
};

Feeds::Feeds(kafka::Cluster& cluster, std::vector<ingest::ProduceOptions> plans) {
  for (ingest::ProduceOptions& plan : plans) feeds_.push_back(std::make_unique<Feed>(cluster, std::move(plan)));
}

Feeds::~Feeds() { Stop(); }

void Feeds::Stop() {
  for (const auto& feed : feeds_) feed->RequestStop();
  feeds_.clear();
}

absl::Status Feeds::status() const {
  for (const auto& feed : feeds_) TAILRACE_RETURN_IF_ERROR(feed->status());
  return absl::OkStatus();
}

}  // namespace tailrace::cli
