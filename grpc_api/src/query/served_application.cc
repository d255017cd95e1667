#include "query/served_application.h"

#include <algorithm>
#include <utility>

#include "common/error_info.h"

namespace tailrace::grpc_api {

ServedApplication::ServedApplication(processor::Queryable& q, bool decides, std::function<bool()> caught, const UpdateFeeds::Options& options)
    : queryable(q), decides_readiness(decides), caught_up(std::move(caught)), handlers(q), feeds(options, q) {}

ServedApplication::~ServedApplication() = default;

void ServedApplications::Add(Application application) {
  absl::MutexLock lock(&mu_);
  applications_.push_back(std::move(application));
}

ServedApplications::Application ServedApplications::Take(const processor::Queryable& queryable) {
  absl::MutexLock lock(&mu_);
  const auto found = std::find_if(applications_.begin(), applications_.end(),
                                  [&](const Application& application) { return &application->queryable == &queryable; });
  if (found == applications_.end()) return nullptr;
  Application taken = std::move(*found);
  applications_.erase(found);
  return taken;
}

std::vector<ServedApplications::Application> ServedApplications::All() const {
  absl::MutexLock lock(&mu_);
  return applications_;
}

bool ServedApplications::ready() const {
  bool any = false;
  for (const Application& application : All()) {
    if (!application->decides_readiness) continue;
    if (!application->queryable.ready()) return false;
    any = true;
  }
  return any;
}

absl::StatusOr<ServedApplications::Application> ServedApplications::Find(const std::string& application_id,
                                                                         const std::string& store) const {
  const std::vector<Application> all = All();
  if (!application_id.empty()) {
    for (const Application& application : all)
      if (application->queryable.application_id() == application_id) return application;
    return QueryError(absl::StatusCode::kUnavailable, reason::kUnknownApplication,
                      "this worker does not run application '" + application_id + "'");
  }
  if (all.empty()) {
    return QueryError(absl::StatusCode::kUnavailable, reason::kUnknownApplication, "this worker runs no application yet");
  }
  // Where only one application is served its own answer names the stores that there are.
  if (store.empty() || all.size() == 1) return all.front();
  std::string names;
  for (const Application& application : all) {
    for (const processor::StoreInfo& info : application->queryable.Stores()) {
      if (info.name == store) return application;
      names += (names.empty() ? "" : ", ") + info.name;
    }
  }
  return QueryError(absl::StatusCode::kNotFound, reason::kUnknownStore,
                    "there is no store '" + store + "'; the stores are: " + (names.empty() ? "none" : names), {{"store", store}});
}

}  // namespace tailrace::grpc_api
