#include "runtime/failpoint.h"

#include <csignal>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "tailrace/base/units.h"

namespace tailrace::processor::failpoint {
namespace {

struct Action {
  bool crash = false;
  int64_t at = 1;
  int64_t hits = 0;
};

struct Registry {
  absl::Mutex mu;
  // Shared with a call in progress, so that SetHandler need not wait for it.
  std::shared_ptr<std::function<absl::Status(std::string_view)>> handler ABSL_GUARDED_BY(mu);
  std::map<std::string, Action, std::less<>> actions ABSL_GUARDED_BY(mu);
};

Registry& TheRegistry() {
  static Registry* const registry = new Registry;
  return *registry;
}

}  // namespace

namespace internal {

std::atomic<bool> enabled{false};

absl::Status HitSlow(std::string_view name) {
  Registry& registry = TheRegistry();
  std::shared_ptr<std::function<absl::Status(std::string_view)>> handler;
  {
    absl::MutexLock lock(&registry.mu);
    handler = registry.handler;
    if (const auto found = registry.actions.find(name); found != registry.actions.end()) {
      Action& action = found->second;
      if (++action.hits == action.at) {
        if (action.crash) std::raise(SIGKILL);
        return base::Error(base::Reaction::kFatal, absl::StatusCode::kInternal,
                           absl::StrCat("failpoint ", std::string(name), " was reached"));
      }
    }
  }
  return handler ? (*handler)(name) : absl::OkStatus();
}

}  // namespace internal

void SetHandler(std::function<absl::Status(std::string_view)> handler) {
  Registry& registry = TheRegistry();
  absl::MutexLock lock(&registry.mu);
  registry.handler =
      handler ? std::make_shared<std::function<absl::Status(std::string_view)>>(std::move(handler)) : nullptr;
  internal::enabled.store(registry.handler != nullptr || !registry.actions.empty());
}

absl::Status LoadFromEnvironment() {
  const char* const text = std::getenv("TAILRACE_FAILPOINTS");
  if (text == nullptr || *text == '\0') return absl::OkStatus();
  std::string_view rest = text;
  Registry& registry = TheRegistry();
  absl::MutexLock lock(&registry.mu);
  while (!rest.empty()) {
    const size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view item = rest.substr(0, comma);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    const size_t equals = item.find('=');
    const size_t at = item.find('@');
    const std::string_view action =
        equals == std::string_view::npos ? "" : item.substr(equals + 1, at == std::string_view::npos ? at : at - equals - 1);
    const auto count = at == std::string_view::npos ? std::optional<int64_t>(1) : base::ParseInt(item.substr(at + 1));
    if ((action != "crash" && action != "error") || !count.has_value() || *count < 1)
      return base::UsageError(absl::StrCat("TAILRACE_FAILPOINTS: '", std::string(item),
                                           "' is not name=crash[@n] or name=error[@n]"));
    registry.actions.try_emplace(std::string(item.substr(0, equals)), Action{action == "crash", *count, 0});
  }
  internal::enabled.store(true);
  return absl::OkStatus();
}

}  // namespace tailrace::processor::failpoint
