#include "global_task.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"

namespace tailrace::processor {

// The operators of global tables forward to nobody, and their stores log nothing.
class GlobalTask::NoProducer final : public kafka::Producer {
 public:
  absl::StatusOr<kafka::TopicHandle> Topic(std::string_view name) override { return Refuse(name); }
  absl::StatusOr<int32_t> PartitionCount(kafka::TopicHandle) override { return Refuse("a topic"); }
  absl::Status Send(const kafka::OutgoingRecord&) override { return Refuse("a topic"); }
  absl::Status Flush(int) override { return absl::OkStatus(); }
  base::Offset LastDelivered(kafka::TopicHandle, base::Partition) const override { return base::kOffsetUnknown; }
  absl::Status InitTransactions(int) override { return absl::OkStatus(); }
  absl::Status BeginTransaction() override { return absl::OkStatus(); }
  absl::Status SendOffsets(std::span<const kafka::OffsetToCommit>, const kafka::GroupMetadata&) override { return absl::OkStatus(); }
  absl::Status CommitTransaction() override { return absl::OkStatus(); }
  absl::Status AbortTransaction() override { return absl::OkStatus(); }

 private:
  static absl::Status Refuse(std::string_view topic) {
    return base::UsageError(absl::StrCat("the processor of a global store writes to ", std::string(topic),
                                         ": it may only fill its store; write from a processor of a stream"));
  }
};

GlobalTask::GlobalTask(detail::GlobalStores& stores) : stores_(stores), producer_(std::make_unique<NoProducer>()) {}
GlobalTask::~GlobalTask() = default;

absl::StatusOr<std::unique_ptr<GlobalTask>> GlobalTask::Open(Options options, detail::GlobalStores& stores) {
  constexpr base::TaskId kId{-1, base::Partition(0)};
  state::TaskStateOptions state_options{.directory = options.directory,
                                        .task = kId,
                                        .application_id = options.application_id,
                                        .stores = options.subtopology->stores,
                                        .memory = options.memory,
                                        .cache_bytes_max = options.cache_bytes_max,
                                        .clock = options.clock};
  if (!options.caching)
    for (state::StoreSpec& store : state_options.stores) store.caching = false;
  TAILRACE_ASSIGN_OR_RETURN(auto state, state::TaskState::Open(std::move(state_options)));

  std::unique_ptr<GlobalTask> global(new GlobalTask(stores));
  std::vector<kafka::CommittedOffset> committed;
  for (const base::TopicPartition& input : options.inputs) {
    base::Offset start = base::kOffsetBeginning;
    // The store of this topic is filled anew when it was in memory.
    const bool lost = std::any_of(options.subtopology->stores.begin(), options.subtopology->stores.end(), [&](const state::StoreSpec& spec) {
      return spec.in_memory && spec.changelog_topic == input.topic;
    });
    const auto found = state->committed().position.find(input);
    if (!lost && found != state->committed().position.end()) start = found->second.Next();
    committed.push_back({input, start.value() < 0 ? base::kOffsetUnknown : start, {}});
    global->start_offsets_.push_back(start);
  }
  TAILRACE_ASSIGN_OR_RETURN(global->task_, Task::Create({.id = kId,
                                                         .application_id = options.application_id,
                                                         .subtopology = options.subtopology,
                                                         .inputs = options.inputs,
                                                         .state = std::move(state),
                                                         .clock = options.clock,
                                                         .handlers = options.handlers,
                                                         .max_task_idle_ms = -1}));
  TAILRACE_RETURN_IF_ERROR(global->task_->Start(*global->producer_, committed));
  return global;
}

void GlobalTask::Enqueue(int32_t slot, const kafka::RecordView& record, kafka::Headers headers) {
  task_->Enqueue(slot, record, std::move(headers));
}

absl::Status GlobalTask::Process() { return task_->ProcessBuffered(std::numeric_limits<int>::max()).status(); }

absl::Status GlobalTask::Commit() {
  if (!task_->dirty()) return absl::OkStatus();
  TAILRACE_RETURN_IF_ERROR(task_->PrepareCommit());
  return task_->FinishCommit();
}

}  // namespace tailrace::processor
