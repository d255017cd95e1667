#include "sources/request_log.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "tailrace/base/check.h"
#include "tailrace/base/ingest_limits.h"
#include "tailrace/base/log.h"
#include "tailrace/pipeline/timestamps.h"

namespace tailrace::ingest {
namespace {

using nlohmann::json;

constexpr int kAskMs = 3'000;

std::string TextOf(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// Milliseconds or any of the texts that a timestamp may be; 0 when it is neither.
int64_t TimeOf(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) return 0;
  if (found->is_number_integer()) return found->get<int64_t>();
  return found->is_string() ? pipeline::ParseTimestampMs(found->get_ref<const std::string&>()).value_or(0) : 0;
}

std::optional<DataRequest> Parse(std::string_view text) {
  const json object = json::parse(text, nullptr, false);
  if (!object.is_object()) return std::nullopt;
  DataRequest request{.kind = TextOf(object, "kind"),
                      .name = TextOf(object, "name"),
                      .state = TextOf(object, "state"),
                      .requested_at_ms = TimeOf(object, "requested_at"),
                      .updated_at_ms = TimeOf(object, "updated_at"),
                      .json = std::string(text)};
  if ((request.kind != "user" && request.kind != "ticker") || request.name.empty() || request.state.empty()) return std::nullopt;
  return request;
}

}  // namespace

absl::Status RequestLog::Connect(int timeout_ms) {
  TAILRACE_ASSIGN_OR_RETURN(const auto description, cluster_.admin().DescribeTopic(topic_, timeout_ms));
  if (!description)
    return base::Error(base::Reaction::kRetry, absl::StatusCode::kUnavailable, absl::StrCat("topic ", topic_, " is not at ", cluster_.Description()));
  std::vector<kafka::AssignedPartition> partitions;
  ends_.clear();
  for (int32_t partition = 0; partition < description->partition_count; ++partition) {
    const base::TopicPartition source{topic_, base::Partition{partition}};
    TAILRACE_ASSIGN_OR_RETURN(const kafka::OffsetRange range, cluster_.admin().Offsets(source, timeout_ms));
    partitions.push_back({source, range.begin});
    ends_.push_back(range.end.value());
  }
  TAILRACE_ASSIGN_OR_RETURN(auto consumer, cluster_.NewConsumer({.client_id = "tailrace-ingest-requests"}));
  TAILRACE_RETURN_IF_ERROR(consumer->Assign(std::move(partitions)));
  consumer_ = std::move(consumer);
  return absl::OkStatus();
}

absl::Status RequestLog::Poll(int timeout_ms) {
  if (consumer_ == nullptr) TAILRACE_RETURN_IF_ERROR(Connect(kAskMs));
  TAILRACE_RETURN_IF_ERROR(consumer_->Poll(batch_, timeout_ms));
  for (const kafka::RecordView& record : batch_.records()) Apply(record);
  if (!caught_up_) {
    caught_up_ = true;
    for (size_t i = 0; i < ends_.size(); ++i) caught_up_ = caught_up_ && consumer_->Position(static_cast<int32_t>(i)).value() >= ends_[i];
  }
  return absl::OkStatus();
}

void RequestLog::Apply(const kafka::RecordView& record) {
  if (record.key.is_null()) {
    ++malformed_;
    return;
  }
  const std::string key(record.key.view());
  ++changes_;
  if (record.value.is_null()) {
    requests_.erase(key);
    return;
  }
  std::optional<DataRequest> request = Parse(record.value.view());
  if (!request) {
    if (malformed_++ == 0) base::LogWarning("ingest", "a record is no request", {{"topic", topic_}, {"key", key}});
    return;
  }
  if (requests_.size() >= base::limits::kKnownRequestsMax && !requests_.contains(key)) {
    base::LogWarning("ingest", "there are too many requests", {{"most", base::limits::kKnownRequestsMax}});
    return;
  }
  // What this program wrote comes back later, and may be older than what it knows.
  DataRequest& known = requests_[key];
  if (std::max(request->requested_at_ms, request->updated_at_ms) >= known.updated_at_ms) known = *std::move(request);
}

absl::Status RequestLog::SetState(const std::string& key, std::string_view state, std::string_view reason) {
  const auto found = requests_.find(key);
  TAILRACE_CHECK(found != requests_.end(), "the request was read before");
  json object = json::parse(found->second.json, nullptr, false);
  TAILRACE_CHECK(object.is_object(), "it was an object when it was read");
  // Later than the state before it, whatever the clock does: readers tell old from new by this.
  const int64_t now_ms = std::max(clock_.WallMs(), found->second.updated_at_ms + 1);
  object["state"] = std::string(state);
  object["updated_at"] = now_ms;
  if (reason.empty()) object.erase("reason");
  else object["reason"] = std::string(reason);
  found->second.state = std::string(state);
  found->second.updated_at_ms = now_ms;
  found->second.json = object.dump();
  ++changes_;
  return sink_.Write(std::string_view(key), found->second.json, now_ms);
}

}  // namespace tailrace::ingest
