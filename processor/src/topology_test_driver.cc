#include "tailrace/processor/topology_test_driver.h"

#include <deque>

#include "absl/strings/str_cat.h"
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
    Task* task = nullptr;
    int32_t slot = 0;
    base::Offset next_offset{0};
  };
  struct Pending {
    std::string topic;
    DriverRecord record;
  };

  explicit Impl(Topology t, TestDriverOptions o) : topology(std::move(t)), options(std::move(o)), clock(options.wall_time_ms) {}

  Topology topology;
  TestDriverOptions options;
  base::ManualClock clock;
  CapturingProducer producer;
  std::vector<std::unique_ptr<Task>> tasks;
  std::map<std::string, Input, std::less<>> inputs;
  std::map<std::string, std::vector<DriverRecord>, std::less<>> produced;
  std::deque<Pending> pending;

  absl::Status StartTask(const detail::Subtopology& subtopology) {
    const base::TaskId id{subtopology.id, base::Partition(0)};
    state::TaskStateOptions state_options{.directory = {}, .task = id, .application_id = options.application_id,
                                          .stores = subtopology.stores, .memory = nullptr,
                                          .cache_bytes_max = options.commit_bytes, .clock = &clock};
    if (!options.caching)
      for (state::StoreSpec& store : state_options.stores) store.caching = false;
    TAILRACE_ASSIGN_OR_RETURN(auto task_state, state::TaskState::Open(std::move(state_options)));
    TaskOptions task_options{.id = id, .application_id = options.application_id, .subtopology = &subtopology,
                             .inputs = {}, .state = std::move(task_state), .clock = &clock,
                             .max_future_skew_ms = options.max_future_skew_ms, .max_task_idle_ms = -1};
    std::vector<kafka::CommittedOffset> committed;
    for (const std::string& topic : subtopology.source_topics) {
      task_options.inputs.push_back({topic, base::Partition(0)});
      committed.push_back({{topic, base::Partition(0)}, base::kOffsetUnknown, {}});
    }
    TAILRACE_ASSIGN_OR_RETURN(auto task, Task::Create(std::move(task_options)));
    TAILRACE_RETURN_IF_ERROR(task->Start(producer, committed));
    for (size_t slot = 0; slot < subtopology.source_topics.size(); ++slot)
      inputs[subtopology.source_topics[slot]] = {task.get(), static_cast<int32_t>(slot), base::Offset(0)};
    tasks.push_back(std::move(task));
    return absl::OkStatus();
  }

  // Moves what the producer captured to the outputs and, where a source reads the topic, to the input queue.
  void Collect() {
    for (CapturingProducer::Captured& captured : producer.TakeSent()) {
      if (inputs.contains(captured.topic)) pending.push_back({captured.topic, captured.record});
      produced[captured.topic].push_back(std::move(captured.record));
    }
  }

  absl::Status CommitTask(Task& task) {
    TAILRACE_RETURN_IF_ERROR(task.PrepareCommit());
    return task.FinishCommit();
  }

  absl::Status CommitAll() {
    for (const auto& task : tasks) {
      TAILRACE_RETURN_IF_ERROR(CommitTask(*task));
      Collect();
    }
    return absl::OkStatus();
  }

  absl::Status ProcessPending() {
    for (int round = 0; !pending.empty(); ++round) {
      TAILRACE_CHECK(round < kRoundsMax, "a topology feeds itself without end");
      const Pending next = std::move(pending.front());
      pending.pop_front();
      Input& input = inputs.find(next.topic)->second;
      kafka::RecordView view{.offset = input.next_offset, .timestamp_ms = next.record.timestamp_ms};
      input.next_offset = input.next_offset.Next();
      if (next.record.key.has_value()) view.key = std::string_view(*next.record.key);
      if (next.record.value.has_value()) view.value = std::string_view(*next.record.value);
      input.task->Enqueue(input.slot, view, next.record.headers);
      TAILRACE_RETURN_IF_ERROR(input.task->ProcessBuffered(1).status());
      TAILRACE_RETURN_IF_ERROR(input.task->Punctuate().status());
      Collect();
      if (!options.commit_every_record && !input.task->commit_requested() && !input.task->state().WantsCommit()) continue;
      TAILRACE_RETURN_IF_ERROR(CommitTask(*input.task));
      Collect();
    }
    return absl::OkStatus();
  }
};

TopologyTestDriver::TopologyTestDriver(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TopologyTestDriver::~TopologyTestDriver() = default;

absl::StatusOr<std::unique_ptr<TopologyTestDriver>> TopologyTestDriver::Create(Topology topology,
                                                                               TestDriverOptions options) {
  TAILRACE_RETURN_IF_ERROR(topology.Compile(options.application_id));
  auto impl = std::make_unique<Impl>(std::move(topology), std::move(options));
  for (const detail::Subtopology& subtopology : impl->topology.subtopologies())
    TAILRACE_RETURN_IF_ERROR(impl->StartTask(subtopology));
  return std::unique_ptr<TopologyTestDriver>(new TopologyTestDriver(std::move(impl)));
}

absl::Status TopologyTestDriver::Pipe(std::string_view topic, kafka::NullableBytes key, kafka::NullableBytes value,
                                      int64_t timestamp_ms, const kafka::Headers& headers) {
  if (!impl_->inputs.contains(topic))
    return base::UsageError(absl::StrCat("topic ", std::string(topic), " is no source of this topology"));
  Impl::Pending record{std::string(topic), {.key = {}, .value = {}, .timestamp_ms = timestamp_ms, .headers = headers}};
  if (!key.is_null()) record.record.key = key.view();
  if (!value.is_null()) record.record.value = value.view();
  impl_->pending.push_back(std::move(record));
  return impl_->ProcessPending();
}

absl::Status TopologyTestDriver::Commit() {
  TAILRACE_RETURN_IF_ERROR(impl_->CommitAll());
  TAILRACE_RETURN_IF_ERROR(impl_->ProcessPending());
  return impl_->options.commit_every_record ? absl::OkStatus() : impl_->CommitAll();
}

absl::Status TopologyTestDriver::AdvanceWallClock(int64_t ms) {
  impl_->clock.AdvanceMs(ms);
  for (const auto& task : impl_->tasks) {
    TAILRACE_RETURN_IF_ERROR(task->Punctuate().status());
    TAILRACE_RETURN_IF_ERROR(impl_->CommitTask(*task));
    impl_->Collect();
  }
  return impl_->ProcessPending();
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
  for (const auto& task : impl_->tasks)
    for (const state::StoreSpec& spec : task->state().specs())
      if (spec.name == store) return task->state().CurrentView();
  TAILRACE_CHECK(false, absl::StrCat("the topology has no store ", std::string(store)));
}

std::map<std::string, int64_t> TopologyTestDriver::Dropped() const {
  std::map<std::string, int64_t> dropped;
  for (const auto& task : impl_->tasks)
    for (int reason = 0; reason < detail::kDropReasonCount; ++reason)
      if (const int64_t count = task->counters().dropped[static_cast<size_t>(reason)]; count > 0)
        dropped[std::string(detail::DropReasonName(static_cast<detail::DropReason>(reason)))] += count;
  return dropped;
}

}  // namespace tailrace::processor
