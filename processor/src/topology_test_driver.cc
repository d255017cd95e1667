#include "tailrace/processor/topology_test_driver.h"

#include "absl/strings/str_cat.h"
#include "global_task.h"
#include "task.h"
#include "tailrace/base/check.h"

namespace tailrace::processor {
namespace {

// Rounds of processing that one piped record may cause before the driver calls it an endless loop.
constexpr int kRoundsMax = 100'000;

// Keeps what is sent, in order, and hands over what goes to a source of the topology.
class CapturingProducer final : public kafka::Producer {
 public:
  struct Captured {
    std::string topic;
    DriverRecord record;
  };

  absl::StatusOr<kafka::TopicHandle> Topic(std::string_view name) override {
    for (size_t i = 0; i < topics_.size(); ++i)
      if (topics_[i] == name) return static_cast<kafka::TopicHandle>(i);
    topics_.emplace_back(name);
    delivered_.emplace_back(base::kOffsetUnknown);
    return static_cast<kafka::TopicHandle>(topics_.size() - 1);
  }
  absl::StatusOr<int32_t> PartitionCount(kafka::TopicHandle) override { return 1; }
  absl::Status Send(const kafka::OutgoingRecord& record) override {
    const auto topic = static_cast<size_t>(record.topic);
    DriverRecord captured{.key = Owned(record.key), .value = Owned(record.value), .timestamp_ms = record.timestamp_ms,
                          .headers = record.headers == nullptr ? kafka::Headers{} : *record.headers};
    delivered_[topic] = base::Offset(delivered_[topic].value() < 0 ? 0 : delivered_[topic].value() + 1);
    sent_.push_back({topics_[topic], std::move(captured)});
    return absl::OkStatus();
  }
  absl::Status Flush(int) override { return absl::OkStatus(); }
  base::Offset LastDelivered(kafka::TopicHandle topic, base::Partition) const override {
    return delivered_[static_cast<size_t>(topic)];
  }
  absl::Status InitTransactions(int) override { return absl::OkStatus(); }
  absl::Status BeginTransaction() override { return absl::OkStatus(); }
  absl::Status SendOffsets(std::span<const kafka::OffsetToCommit>, const kafka::GroupMetadata&) override {
    return absl::OkStatus();
  }
  absl::Status CommitTransaction() override { return absl::OkStatus(); }
  absl::Status AbortTransaction() override { return absl::OkStatus(); }

  std::vector<Captured> TakeSent() { return std::exchange(sent_, {}); }

 private:
  static std::optional<std::string> Owned(kafka::NullableBytes bytes) {
    if (bytes.is_null()) return std::nullopt;
    return std::string(bytes.view());
  }

  std::vector<std::string> topics_;
  std::vector<base::Offset> delivered_;
  std::vector<Captured> sent_;
};

}  // namespace

struct TopologyTestDriver::Impl {
  struct Input {
    int32_t slot = 0;
    base::Offset next_offset{0};
  };

  explicit Impl(Topology t, TestDriverOptions o) : topology(std::move(t)), options(std::move(o)), clock(options.wall_time_ms) {}

  Topology topology;
  TestDriverOptions options;
  base::ManualClock clock;
  CapturingProducer producer;
  detail::GlobalStores global_stores;
  std::unique_ptr<GlobalTask> global;  // null: the topology has no global stores
  std::unique_ptr<Task> task;          // null: it has nothing else
  std::vector<state::StoreSpec> stores;
  std::map<std::string, Input, std::less<>> global_inputs;
  std::map<std::string, Input, std::less<>> inputs;
  std::map<std::string, std::vector<DriverRecord>, std::less<>> produced;
  std::map<std::string, std::string> committed_metadata;
  std::string fed_back;  // the topic of the last output that was an input too

  absl::Status StartGlobalTask() {
    const detail::Subtopology& subtopology = topology.global();
    if (subtopology.nodes.empty()) return absl::OkStatus();
    GlobalTask::Options global_options{.application_id = options.application_id, .subtopology = &subtopology, .inputs = {},
                                       .directory = {}, .memory = nullptr, .caching = options.caching, .clock = &clock,
                                       .handlers = options.handlers};
    for (const std::string& topic : subtopology.source_topics) {
      global_inputs[topic] = {static_cast<int32_t>(global_options.inputs.size()), base::Offset(0)};
      global_options.inputs.push_back({topic, base::Partition(0)});
    }
    TAILRACE_ASSIGN_OR_RETURN(global, GlobalTask::Open(std::move(global_options), global_stores));
    global->Publish();
    stores = global->specs();
    return absl::OkStatus();
  }

  absl::Status PipeGlobal(Input& input, const DriverRecord& record) {
    global->Enqueue(input.slot, ViewOf(input, record), record.headers);
    TAILRACE_RETURN_IF_ERROR(global->Process());
    TAILRACE_RETURN_IF_ERROR(global->Commit());
    global->Publish();
    return absl::OkStatus();
  }

  absl::Status StartTask() {
    const detail::Subtopology& subtopology = topology.whole();
    if (subtopology.nodes.empty()) return absl::OkStatus();
    const base::TaskId id{subtopology.id, base::Partition(0)};
    state::TaskStateOptions state_options{.directory = {}, .task = id, .application_id = options.application_id,
                                          .stores = subtopology.stores, .memory = nullptr,
                                          .cache_bytes_max = options.commit_bytes, .clock = &clock};
    if (!options.caching)
      for (state::StoreSpec& store : state_options.stores) store.caching = false;
    TAILRACE_ASSIGN_OR_RETURN(auto task_state, state::TaskState::Open(std::move(state_options)));
    TaskOptions task_options{.id = id, .application_id = options.application_id, .subtopology = &subtopology,
                             .inputs = {}, .state = std::move(task_state), .clock = &clock,
                             .handlers = options.handlers, .dead_letter_topic = options.dead_letter_topic,
                             .max_future_skew_ms = options.max_future_skew_ms,
                             .global_stores = global == nullptr ? nullptr : &global_stores, .max_task_idle_ms = -1,
                             .emit_interval_ms = options.emit_interval_ms, .idle_timeout_ms = options.idle_timeout_ms};
    std::vector<kafka::CommittedOffset> committed;
    for (const std::string& topic : subtopology.source_topics) {
      inputs[topic] = {static_cast<int32_t>(task_options.inputs.size()), base::Offset(0)};
      task_options.inputs.push_back({topic, base::Partition(0)});
      committed.push_back({{topic, base::Partition(0)}, base::Offset(0), {}});
    }
    TAILRACE_ASSIGN_OR_RETURN(task, Task::Create(std::move(task_options)));
    stores.insert(stores.begin(), task->state().specs().begin(), task->state().specs().end());
    return task->Start(producer, committed);
  }

  static kafka::RecordView ViewOf(Input& input, const DriverRecord& record) {
    kafka::RecordView view{.offset = input.next_offset, .timestamp_ms = record.timestamp_ms};
    input.next_offset = input.next_offset.Next();
    if (record.key.has_value()) view.key = std::string_view(*record.key);
    if (record.value.has_value()) view.value = std::string_view(*record.value);
    return view;
  }
  void Enqueue(Input& input, const DriverRecord& record) { task->Enqueue(input.slot, ViewOf(input, record), record.headers); }

  // Moves what the producer captured to the outputs and, where a source reads the topic, to the input queue.
  absl::Status Collect() {
    for (CapturingProducer::Captured& captured : producer.TakeSent()) {
      if (const auto input = inputs.find(captured.topic); input != inputs.end()) {
        Enqueue(input->second, captured.record);
        fed_back = captured.topic;
      }
      if (const auto input = global_inputs.find(captured.topic); input != global_inputs.end())
        TAILRACE_RETURN_IF_ERROR(PipeGlobal(input->second, captured.record));
      produced[captured.topic].push_back(std::move(captured.record));
    }
    return absl::OkStatus();
  }

  absl::Status Commit() {
    if (task == nullptr || !task->dirty()) return absl::OkStatus();
    TAILRACE_RETURN_IF_ERROR(task->PrepareCommit());
    for (const kafka::OffsetToCommit& offset : task->OffsetsToCommit())
      committed_metadata[offset.partition.topic] = offset.metadata;
    return task->FinishCommit();
  }

  absl::Status ProcessQueued() {
    if (task == nullptr) return absl::OkStatus();
    for (int round = 0;; ++round) {
      if (round == kRoundsMax)
        return base::UsageError(absl::StrCat("one record has caused ", kRoundsMax,
                                             " others: the topology writes topic ", fed_back,
                                             " from what it reads there, without end"));
      TAILRACE_RETURN_IF_ERROR(Collect());
      TAILRACE_ASSIGN_OR_RETURN(const int processed, task->ProcessBuffered(1));
      if (processed == 0) return absl::OkStatus();
      TAILRACE_RETURN_IF_ERROR(task->Punctuate().status());
      if (!options.commit_every_record && !task->commit_requested() && !task->state().WantsCommit()) continue;
      TAILRACE_RETURN_IF_ERROR(Commit());
    }
  }
};

TopologyTestDriver::TopologyTestDriver(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TopologyTestDriver::~TopologyTestDriver() = default;

absl::StatusOr<std::unique_ptr<TopologyTestDriver>> TopologyTestDriver::Create(Topology topology,
                                                                               TestDriverOptions options) {
  TAILRACE_RETURN_IF_ERROR(topology.Compile(options.application_id));
  if (options.explicit_names) TAILRACE_RETURN_IF_ERROR(topology.CheckNames());
  auto impl = std::make_unique<Impl>(std::move(topology), std::move(options));
  TAILRACE_RETURN_IF_ERROR(impl->StartGlobalTask());
  TAILRACE_RETURN_IF_ERROR(impl->StartTask());
  return std::unique_ptr<TopologyTestDriver>(new TopologyTestDriver(std::move(impl)));
}

absl::Status TopologyTestDriver::Pipe(std::string_view topic, kafka::NullableBytes key, kafka::NullableBytes value,
                                      int64_t timestamp_ms, const kafka::Headers& headers) {
  const auto input = impl_->inputs.find(topic);
  const auto global = impl_->global_inputs.find(topic);
  if (input == impl_->inputs.end() && global == impl_->global_inputs.end())
    return base::UsageError(absl::StrCat("topic ", std::string(topic), " is no source of this topology"));
  DriverRecord record{.key = {}, .value = {}, .timestamp_ms = timestamp_ms, .headers = headers};
  if (!key.is_null()) record.key = key.view();
  if (!value.is_null()) record.value = value.view();
  if (global != impl_->global_inputs.end()) return impl_->PipeGlobal(global->second, record);
  impl_->Enqueue(input->second, record);
  return impl_->ProcessQueued();
}

absl::Status TopologyTestDriver::Commit() {
  // What a flush sends to an internal topic is processed at once, and may dirty stores again.
  do {
    TAILRACE_RETURN_IF_ERROR(impl_->Commit());
    TAILRACE_RETURN_IF_ERROR(impl_->ProcessQueued());
  } while (impl_->task != nullptr && impl_->task->dirty());
  return absl::OkStatus();
}

absl::Status TopologyTestDriver::AdvanceWallClock(int64_t ms) {
  // As of now everything that was piped is processed, and only what the clock causes is to come.
  if (impl_->task != nullptr) impl_->task->WatchIdleness(true);
  impl_->clock.AdvanceMs(ms);
  if (impl_->task == nullptr) return absl::OkStatus();
  TAILRACE_RETURN_IF_ERROR(impl_->task->Punctuate().status());
  TAILRACE_RETURN_IF_ERROR(impl_->Commit());
  TAILRACE_RETURN_IF_ERROR(impl_->ProcessQueued());
  if (!impl_->task->watches_idleness()) return absl::OkStatus();
  impl_->task->WatchIdleness(true);
  TAILRACE_RETURN_IF_ERROR(impl_->Commit());
  TAILRACE_RETURN_IF_ERROR(impl_->task->Punctuate().status());
  TAILRACE_RETURN_IF_ERROR(impl_->Commit());
  return impl_->ProcessQueued();
}

std::vector<DriverRecord> TopologyTestDriver::TakeProduced(std::string_view topic) {
  const auto found = impl_->produced.find(topic);
  return found == impl_->produced.end() ? std::vector<DriverRecord>{} : std::exchange(found->second, {});
}

std::vector<std::string> TopologyTestDriver::ProducedTopics() const {
  std::vector<std::string> names;
  for (const auto& [name, records] : impl_->produced) names.push_back(name);
  return names;
}

std::shared_ptr<const state::ReadView> TopologyTestDriver::Store(std::string_view store) const {
  if (impl_->global != nullptr)
    for (const state::StoreSpec& spec : impl_->global->specs())
      if (spec.name == store) return impl_->global_stores.view();
  for (const state::StoreSpec& spec : Stores())
    if (spec.name == store) return impl_->task->state().CurrentView();
  TAILRACE_CHECK(false, absl::StrCat("the topology has no store ", std::string(store)));
}

const std::vector<state::StoreSpec>& TopologyTestDriver::Stores() const { return impl_->stores; }

std::map<std::string, std::string> TopologyTestDriver::CommittedMetadata() const { return impl_->committed_metadata; }

std::map<std::string, int64_t> TopologyTestDriver::Dropped() const {
  std::map<std::string, int64_t> dropped;
  for (int reason = 0; impl_->task != nullptr && reason < detail::kDropReasonCount; ++reason)
    if (const int64_t count = impl_->task->counters().dropped[static_cast<size_t>(reason)]; count > 0)
      dropped[std::string(detail::DropReasonName(static_cast<detail::DropReason>(reason)))] = count;
  return dropped;
}

}  // namespace tailrace::processor
