// What becomes of a record that cannot be decoded, processed or written: the handler is asked, and it is counted, sent to the
// dead-letter topic, or the end of the task.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tailrace/base/log.h"
#include "task.h"
#include "thrown.h"

namespace tailrace::processor {
namespace {

using detail::DropReason;

constexpr std::string_view kDropReasonNames[] = {"null_key",         "null_value",  "late",
                                                 "invalid_timestamp", "future_timestamp", "undecodable",
                                                 "processing_error", "too_large", "no_partition", "outdated"};
static_assert(std::size(kDropReasonNames) == static_cast<size_t>(detail::kDropReasonCount), "each reason has a name");

std::string_view View(absl::string_view text) { return {text.data(), text.size()}; }

}  // namespace

std::string_view detail::DropReasonName(DropReason reason) { return kDropReasonNames[static_cast<int>(reason)]; }

bool Task::HandleThrown(std::string_view operator_name, bool serializing) {
  if (!failure_.ok()) return false;  // the record is already ending
  const Thrown thrown = CurrentException();
  const absl::Status error =
      base::Error(base::Reaction::kSkipRecord, absl::StatusCode::kAborted,
                  serializing ? absl::StrCat("a serde threw while a record for this topic was written: ", thrown.message)
                              : absl::StrCat("user code threw: ", thrown.message));
  if (absl::Status status = HandleError(serializing ? options_.handlers.production : options_.handlers.processing, operator_name,
                                        error, DropReason::kProcessingError, thrown.type);
      !status.ok()) {
    failure_ = std::move(status);
    return false;
  }
  return true;
}

absl::Status Task::HandleError(const ErrorHandler& handler, std::string_view operator_name, const absl::Status& error,
                               DropReason reason, std::string_view kind) {
  ErrorContext context{.task_id = options_.id, .operator_name = operator_name, .topic = record_.topic, .partition = record_.partition,
                       .offset = record_.offset, .timestamp_ms = record_.timestamp_ms, .headers = &record_headers()};
  if (current_view_ != nullptr) {
    context.key = current_view_->key;
    context.value = current_view_->value;
  }
  std::string where = absl::StrCat("task ", id().ToString(), ", operator ", std::string(operator_name));
  if (current_view_ != nullptr)
    absl::StrAppend(&where, ", record ", record_.offset.value(), " of ", std::string(record_.topic), "-", record_.partition.value());
  const bool may_skip = base::ReactionOf(error) == base::Reaction::kSkipRecord;
  const ErrorResponse response = !may_skip ? ErrorResponse::kFail : handler ? handler(context, error) : ErrorResponse::kContinue;
  if (response == ErrorResponse::kFail)
    return base::WithReaction(base::Annotate(error, where), may_skip ? base::Reaction::kFatal : base::ReactionOf(error));
  if (counters_.dropped[static_cast<size_t>(reason)] == 0)  // the first of a kind; the others are counted
    base::LogWarning("task", "a record is skipped", {{"where", where}, {"error", error}});
  Drop(reason);
  if (response == ErrorResponse::kContinue && dead_letter_.has_value())
    return SendToDeadLetter(context, error, kind);
  return absl::OkStatus();
}

// The record's own key, value and headers, and headers that say what was wrong, named as Kafka Streams names them (KIP-1034).
// Between records, in a punctuation or while stores are flushed, there is no key, value and topic: they are null.
// A C++ exception has no stack trace any more; that header says which operator of which task it was.
absl::Status Task::SendToDeadLetter(const ErrorContext& context, const absl::Status& error, std::string_view kind) {
  kafka::Headers headers = record_headers();
  headers.push_back({"__streams.errors.exception", std::string(kind)});
  headers.push_back({"__streams.errors.message", std::string(View(error.message()))});
  headers.push_back({"__streams.errors.stacktrace",
                     absl::StrCat("at operator ", std::string(context.operator_name), " of task ", id().ToString())});
  headers.push_back({"__streams.errors.topic", current_view_ == nullptr ? std::optional<std::string>() : std::string(context.topic)});
  headers.push_back({"__streams.errors.partition", std::to_string(context.partition.value())});
  headers.push_back({"__streams.errors.offset", std::to_string(context.offset.value())});
  const absl::Status before = std::exchange(failure_, absl::OkStatus());
  Produce({.topic = *dead_letter_,
           .partition = std::nullopt,
           .key = context.key,
           .value = context.value,
           .timestamp_ms = std::max<int64_t>(context.timestamp_ms, 0),
           .headers = &headers});
  const absl::Status sent = std::exchange(failure_, before);
  return base::ReactionOf(sent) == base::Reaction::kSkipRecord ? base::WithReaction(sent, base::Reaction::kFatal) : sent;
}

}  // namespace tailrace::processor
