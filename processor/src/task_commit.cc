// A task's part in the commit protocol: steps 1 and 3 of task.h.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "committed_metadata.h"
#include "task.h"
#include "thrown.h"

namespace tailrace::processor {

absl::Status Task::PrepareCommit() {
  if (options_.watermarks) SetTimeLimit(time_.stream_time_ms);
  TAILRACE_RETURN_IF_ERROR(FlushStores());
  // What is held back until a time gets all that belongs before it first.
  if (AdvanceTimes()) {
    if (!failure_.ok()) return failure_;
    TAILRACE_RETURN_IF_ERROR(FlushStores());
  }
  SendHeartbeats();
  return failure_;
}

absl::Status Task::FlushStores() {
  const auto store_count = static_cast<int32_t>(options_.subtopology->stores.size());
  headers_built_ = true;  // what a flush forwards carries the headers that the store kept for it, or none
  headers_.clear();
  current_headers_ = nullptr;
  store_headers_ = {};
  current_view_ = nullptr;
  record_ = {.topic = {}, .partition = options_.id.partition, .offset = base::kOffsetUnknown, .timestamp_ms = time_.stream_time_ms};
  for (int32_t store = 0; store < store_count; ++store) {
    try {
      options_.state->store(store).Flush();
    } catch (...) {
      // Operators behind the store are asked about where they throw; what comes up to here ends the commit.
      if (failure_.ok())
        Fail(base::Error(base::Reaction::kFatal, absl::StatusCode::kAborted,
                         absl::StrCat("task ", id().ToString(), ": user code threw while store ",
                                      options_.subtopology->stores[static_cast<size_t>(store)].name,
                                      " was flushed: ", CurrentException().message)));
    }
    if (!failure_.ok()) return failure_;
  }
  return absl::OkStatus();
}

std::vector<kafka::OffsetToCommit> Task::OffsetsToCommit() const {
  CommittedMetadata metadata;
  for (const auto& [name, time_ms] : kept_times_) metadata.operator_times_ms.emplace(name, *time_ms);
  // Kafka Streams commits the times of emission with every input, also where nothing was taken yet. So is stream time when it
  // advances by itself.
  const bool emitted = EmitTimes() != committed_emit_times_ms_ || idle_time_ms_ >= 0;
  std::vector<kafka::OffsetToCommit> offsets;
  for (size_t slot = 0; slot < inputs_.size(); ++slot) {
    if (!inputs_[slot].moved && !(emitted && inputs_[slot].next_offset.value() >= 0)) continue;
    metadata.partition_time_ms = inputs_[slot].partition_time_ms;
    offsets.push_back({options_.inputs[slot], inputs_[slot].next_offset, EncodeCommittedMetadata(metadata)});
  }
  return offsets;
}

std::vector<int64_t> Task::EmitTimes() const {
  std::vector<int64_t> times_ms;
  for (const state::StoreSpec& store : options_.subtopology->stores) {
    if (!store.emits_on_close) continue;
    if (const auto kept = kept_times_.find(store.name); kept != kept_times_.end()) times_ms.push_back(*kept->second);
  }
  return times_ms;
}

void Task::SetPosition(int32_t slot, base::Offset position) {
  Input& input = inputs_[static_cast<size_t>(slot)];
  if (input.moved && buffered(slot) == 0 && position > input.next_offset) input.next_offset = position;
}

absl::Status Task::FinishCommit() {
  state::CommitPoint point{.changelog_offsets = {}, .position = {}, .stream_time_ms = time_.stream_time_ms,
                           .operator_times_ms = {}};
  for (size_t store = 0; store < changelog_topics_.size(); ++store) {
    const kafka::TopicHandle topic = changelog_topics_[store];
    const Input* const source = InputOf(options_.subtopology->stores[store]);
    if (source != nullptr)
      point.changelog_offsets.push_back(source->next_offset.value() > 0 ? base::Offset(source->next_offset.value() - 1)
                                                                        : base::kOffsetUnknown);
    else
      point.changelog_offsets.push_back(topic < 0 ? base::kOffsetUnknown : producer_->LastDelivered(topic, options_.id.partition));
  }
  for (size_t slot = 0; slot < inputs_.size(); ++slot)
    if (inputs_[slot].next_offset.value() > 0)
      point.position[options_.inputs[slot]] = base::Offset(inputs_[slot].next_offset.value() - 1);
  for (const auto& [name, time_ms] : kept_times_) point.operator_times_ms[name] = *time_ms;
  for (size_t slot = 0; slot < inputs_.size(); ++slot)
    inputs_[slot].upstream.Save(options_.inputs[slot].topic, point.operator_times_ms);
  TAILRACE_RETURN_IF_ERROR(options_.state->Commit(point));
  committed_emit_times_ms_ = EmitTimes();
  dirty_ = false;
  commit_requested_ = false;
  return options_.state->MaybeFlush();
}

}  // namespace tailrace::processor
