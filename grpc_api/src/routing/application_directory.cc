#include "routing/application_directory.h"

#include <algorithm>
#include <utility>

#include "absl/time/time.h"
#include "routing/call.h"
#include "tailrace/base/log.h"
#include "tailrace/processor/application_id.h"

namespace tailrace::grpc_api {
namespace {

constexpr int64_t kAnswerMs = 1'000;
// Between rounds: soon while a seed has not answered yet, since its applications are unknown then.
constexpr int64_t kSoonMs = 200;
constexpr int64_t kIntervalMs = 2'000;
// Workers asked in one round, seeds first.
constexpr size_t kAskedMax = 32;
// An application that no worker names is forgotten after so many rounds.
constexpr int kRoundsMissingMax = 3;

void AddNew(std::vector<std::string>& list, const std::string& item) {
  if (!item.empty() && std::find(list.begin(), list.end(), item) == list.end()) list.push_back(item);
}

}  // namespace

std::vector<CutOver> Catalog::ChooseAnswering(const std::map<std::string, std::string>& before) {
  std::map<std::string, std::map<int, const KnownApplication*>> by_name;
  for (const auto& [id, application] : applications) {
    const processor::ApplicationId parts = processor::SplitApplicationId(id);
    by_name[parts.name][parts.number] = &application;
  }
  answering.clear();
  std::vector<CutOver> changes;
  for (const auto& [name, numbers] : by_name) {
    const auto best = std::find_if(numbers.rbegin(), numbers.rend(), [](const auto& one) { return one.second->fit(); });
    const auto last = before.find(name);
    const int last_number = last == before.end() ? -1 : processor::SplitApplicationId(last->second).number;
    const auto present = numbers.find(last_number);
    int chosen = numbers.begin()->first;
    if (present != numbers.end()) chosen = last_number;
    if (best != numbers.rend()) {
      const bool gone = present == numbers.end() || present->second->rounds_unfit >= kRoundsMissingMax;
      if (gone || best->first > chosen) chosen = best->first;
    }
    answering[name] = numbers.at(chosen)->id;
    if (last != before.end() && chosen != last_number) changes.push_back({last->second, answering[name]});
  }
  return changes;
}

bool Catalog::IsReplaced(const std::string& id) const {
  const auto answers = answering.find(processor::SplitApplicationId(id).name);
  return answers != answering.end() && answers->second != id;
}

const KnownApplication* Catalog::Holder(std::string_view store) const {
  const KnownApplication* other = nullptr;
  for (const auto& [id, application] : applications) {
    if (std::find(application.stores.begin(), application.stores.end(), store) == application.stores.end()) continue;
    if (!answering.empty() && !IsReplaced(id)) return &application;
    if (other == nullptr || (application.fit() && !other->fit())) other = &application;
  }
  return other;
}

ApplicationDirectory::ApplicationDirectory(const QueryClientOptions& options, WorkerChannels& channels)
    : options_(options), channels_(channels), current_(std::make_shared<const Catalog>(Catalog{.applications = {}, .answering = {}, .silent = options.workers, .last_error = {}})) {
  thread_ = std::thread([this] { Loop(); });
}

ApplicationDirectory::~ApplicationDirectory() {
  {
    absl::MutexLock lock(&mu_);
    stopped_ = true;
  }
  thread_.join();
}

std::shared_ptr<const Catalog> ApplicationDirectory::Current() const {
  absl::MutexLock lock(&mu_);
  return current_;
}

std::shared_ptr<const Catalog> ApplicationDirectory::Fresh(int64_t timeout_ms) {
  absl::MutexLock lock(&mu_);
  const uint64_t wanted = rounds_begun_ + 1;
  asked_ = true;
  const auto there = [this, wanted]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return rounds_ended_ >= wanted; };
  mu_.AwaitWithTimeout(absl::Condition(&there), absl::Milliseconds(std::max<int64_t>(timeout_ms, 0)));
  return current_;
}

void ApplicationDirectory::Loop() {
  absl::MutexLock lock(&mu_);
  while (!stopped_) {
    ++rounds_begun_;
    asked_ = false;
    const std::shared_ptr<const Catalog> before = current_;
    mu_.Unlock();
    auto after = std::make_shared<const Catalog>(AskAll(*before));
    mu_.Lock();
    const int64_t pause_ms = after->silent.empty() ? kIntervalMs : kSoonMs;
    current_ = std::move(after);
    rounds_ended_ = rounds_begun_;
    const auto due = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return asked_ || stopped_; };
    mu_.AwaitWithTimeout(absl::Condition(&due), absl::Milliseconds(pause_ms));
  }
}

Catalog ApplicationDirectory::AskAll(const Catalog& before) {
  std::vector<std::string> endpoints;
  for (const std::string& seed : options_.workers) AddNew(endpoints, seed);
  for (const auto& [id, application] : before.applications)
    for (const processor::WorkerRoute& route : application.client->Routing().table.workers) AddNew(endpoints, route.endpoint);
  if (endpoints.size() > kAskedMax) endpoints.resize(kAskedMax);

  std::vector<WorkerCall<v1::ListApplicationsRequest, v1::ListApplicationsResponse>> calls(endpoints.size());
  for (size_t i = 0; i < calls.size(); ++i) calls[i].worker = channels_.Of(endpoints[i]);
  CallAll(calls, kAnswerMs);

  Catalog after{.applications = before.applications, .answering = {}, .silent = {}, .last_error = {}};
  std::map<std::string, std::vector<std::string>> runners;  // by application
  bool all_answered = true;
  for (auto& [id, application] : after.applications) {
    application.ready = false;
    application.caught_up = processor::SplitApplicationId(id).number == 0;
  }
  for (size_t i = 0; i < calls.size(); ++i) {
    if (!calls[i].status.ok()) {
      all_answered = false;
      after.last_error = calls[i].status;
      if (std::find(before.silent.begin(), before.silent.end(), endpoints[i]) != before.silent.end())
        after.silent.push_back(endpoints[i]);
      continue;
    }
    for (const v1::Application& named : calls[i].response.applications()) {
      KnownApplication& application = after.applications[named.id()];
      application.id = named.id();
      application.ready = application.ready || named.ready();
      application.caught_up = processor::SplitApplicationId(named.id()).number == 0 || application.caught_up || named.caught_up();
      // A worker that begins knows no stores yet; what another one said still holds.
      if (named.stores_size() > 0) {
        application.stores.clear();
        for (const v1::Store& store : named.stores()) application.stores.push_back(store.name());
      }
      runners[named.id()].push_back(endpoints[i]);
    }
  }
  for (auto it = after.applications.begin(); it != after.applications.end();) {
    KnownApplication& application = it->second;
    application.rounds_unfit = application.fit() ? 0 : application.rounds_unfit + 1;
    const auto run_by = runners.find(it->first);
    if (run_by != runners.end()) {
      application.rounds_missing = 0;
      if (application.client == nullptr) {
        base::LogInfo("routing", "application found", {{"application", it->first}, {"worker", run_by->second.front()}});
        application.client = ApplicationClient::Create(
            {.application_id = it->first, .seeds = run_by->second, .metrics = options_.metrics, .clock = options_.clock},
            channels_);
      }
    } else if ((all_answered || before.IsReplaced(it->first)) && ++application.rounds_missing >= kRoundsMissingMax) {
      base::LogInfo("routing", "application gone", {{"application", it->first}});
      it = after.applications.erase(it);
      continue;
    }
    ++it;
  }
  for (const CutOver& change : after.ChooseAnswering(before.answering))
    base::LogInfo("routing", "cut over: queries are answered by another application now", {{"from", change.from}, {"to", change.to}});
  return after;
}

}  // namespace tailrace::grpc_api
