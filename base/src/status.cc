#include "tailrace/base/status.h"

#include "absl/strings/cord.h"
#include "tailrace/base/check.h"

namespace tailrace::base {
namespace {

constexpr char kReactionUrl[] = "tailrace/reaction";

constexpr std::string_view kNames[] = {"none",          "retry",          "abort transaction", "recreate producer",
                                       "task migrated", "task corrupted", "skip record",       "fatal"};

absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

std::string_view ReactionName(Reaction reaction) { return kNames[static_cast<int>(reaction)]; }

absl::Status WithReaction(absl::Status status, Reaction reaction) {
  TAILRACE_CHECK(!status.ok(), "a reaction belongs to an error");
  TAILRACE_CHECK(reaction != Reaction::kNone, "an error needs a reaction");
  status.SetPayload(kReactionUrl, absl::Cord(std::string(1, static_cast<char>(reaction))));
  return status;
}

Reaction ReactionOf(const absl::Status& status) {
  if (status.ok()) return Reaction::kNone;
  const auto payload = status.GetPayload(kReactionUrl);
  if (!payload.has_value() || payload->size() != 1) return Reaction::kFatal;
  return static_cast<Reaction>((*payload)[0]);
}

absl::Status Error(Reaction reaction, absl::StatusCode code, std::string_view message) {
  return WithReaction(absl::Status(code, ToAbsl(message)), reaction);
}

absl::Status UsageError(std::string_view message) {
  return Error(Reaction::kFatal, absl::StatusCode::kInvalidArgument, message);
}

absl::Status Annotate(const absl::Status& status, std::string_view context) {
  if (status.ok()) return status;
  std::string message(context);
  message.append(": ").append(status.message().data(), status.message().size());
  absl::Status annotated(status.code(), message);
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) { annotated.SetPayload(url, payload); });
  return annotated;
}

}  // namespace tailrace::base
