#include "tailrace/processor/streams.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "runtime/coordinator.h"
#include "runtime/failpoint.h"
#include "runtime/global_thread.h"
#include "runtime/purger.h"
#include "runtime/query_side.h"
#include "runtime/restorer.h"
#include "runtime/runtime_context.h"
#include "runtime/state_directory.h"
#include "runtime/state_machine.h"
#include "runtime/stream_thread.h"
#include "tailrace/base/check.h"
#include "tailrace/base/log.h"
#include "tailrace/state/process_memory.h"

namespace tailrace::processor {
namespace {

constexpr int kTopicPauseMs = 300;
constexpr int kJoinTimeoutMs = 120'000;

}  // namespace

struct Streams::Impl {
  Impl(Topology t, const base::Config& c, kafka::Cluster& k, base::MetricsRegistry& m, const base::Clock& clock)
      : topology(std::move(t)),
        config(c),
        cluster(k),
        metrics(m),
        query(context, state, routing, topology.Describe(), c.String("application.id")) {
    context.topology = &topology;
    context.cluster = &cluster;
    context.clock = &clock;
    context.metrics = &metrics;
    context.on_fatal = [this](absl::Status status) { OnFatal(std::move(status)); };
    context.wake_coordinator = [this] {
      if (Coordinator* const c2 = coordinator_ptr.load()) c2->Wake();
    };
  }

  absl::Status Start();
  absl::Status Prepare();
  // Reads global tables to their end: what is processed afterwards finds them complete.
  absl::Status StartGlobalStores();
  void OnFatal(absl::Status status);
  // Ends all threads in the order of RUNTIME.md; on the ender's thread.
  void Shutdown(bool leave_group);
  void Ender();
  void CollectMetrics(base::MetricsSink& sink) const;

  Topology topology;
  ErrorHandlers handlers;  // of the program; constant once started
  const base::Config config;
  kafka::Cluster& cluster;
  RuntimeMetrics metrics;
  RuntimeContext context;
  StateMachine state;
  RoutingWatchers routing;
  QuerySide query;

  std::unique_ptr<StateDirectory> directory;
  std::unique_ptr<SubscriptionHub> hub;
  std::unique_ptr<CoordinationLog> log;  // until the coordinator takes it
  std::unique_ptr<GlobalThread> global;  // null: the topology has no global stores
  std::unique_ptr<Restorer> restorer;
  std::vector<std::unique_ptr<StreamThread>> threads;
  std::unique_ptr<Coordinator> coordinator;
  std::atomic<Coordinator*> coordinator_ptr{nullptr};
  std::unique_ptr<Purger> purger;
  base::MetricsRegistry::CollectorHandle collector;
  std::thread ender;

  mutable absl::Mutex mu;
  absl::Status fatal ABSL_GUARDED_BY(mu);
  bool joined ABSL_GUARDED_BY(mu) = false;
  bool close_asked ABSL_GUARDED_BY(mu) = false;
  bool leave_group ABSL_GUARDED_BY(mu) = false;
  bool starting ABSL_GUARDED_BY(mu) = false;
  bool ended ABSL_GUARDED_BY(mu) = false;
};

absl::Status Streams::Impl::Prepare() {
  TAILRACE_RETURN_IF_ERROR(failpoint::LoadFromEnvironment());
  TAILRACE_ASSIGN_OR_RETURN(context.options, ParseRuntimeOptions(config));
  RuntimeOptions& options = context.options;
  options.shared_log = cluster.shared();
  for (const auto handler : {&ErrorHandlers::deserialization, &ErrorHandlers::processing, &ErrorHandlers::production})
    if (handlers.*handler) options.handlers.*handler = handlers.*handler;
  TAILRACE_RETURN_IF_ERROR(topology.Compile(options.application_id));
  if (topology.optimization().value_or(options.optimization) != options.optimization)
    return base::UsageError("topology.optimization is '" + config.String("topology.optimization") +
                            "', but the topology was built without it: hand the configuration to StreamsBuilder::Build, or leave the key out");
  if (options.explicit_names) TAILRACE_RETURN_IF_ERROR(topology.CheckNames());

  if (!options.state_directory.empty()) {
    TAILRACE_ASSIGN_OR_RETURN(directory, StateDirectory::Open(options.state_directory));
    if (options.instance_id.empty()) {
      TAILRACE_ASSIGN_OR_RETURN(options.instance_id, directory->InstanceId());
    }
    context.memory = state::ProcessMemory(static_cast<size_t>(options.state_memory_bytes));
  } else if (options.instance_id.empty()) {
    options.instance_id = NewInstanceId();
  }

  const auto keep_waiting = [this] {
    absl::MutexLock lock(&mu);
    mu.AwaitWithTimeout(absl::Condition(&close_asked), absl::Milliseconds(kTopicPauseMs));
    return !close_asked;
  };
  TAILRACE_ASSIGN_OR_RETURN(context.plan, PrepareTopics(topology, options, cluster.admin(), keep_waiting));

  std::vector<std::string> stores;
  for (const detail::Subtopology& subtopology : topology.subtopologies())
    for (const state::StoreSpec& spec : subtopology.stores) stores.push_back(spec.name);
  hub = std::make_unique<SubscriptionHub>(stores);
  context.subscriptions = hub.get();
  query.SetTopology(hub.get());

  TAILRACE_ASSIGN_OR_RETURN(auto membership, cluster.NewMembership(options.membership()));
  context.membership.Set(std::move(membership));
  log = NewLocalCoordinationLog();
  if (options.shared_log) {
    TAILRACE_ASSIGN_OR_RETURN(log, OpenCoordinationTopic(cluster, options));
  }
  return absl::OkStatus();
}

absl::Status Streams::Impl::StartGlobalStores() {
  if (topology.global().nodes.empty()) return absl::OkStatus();
  global = std::make_unique<GlobalThread>(context);
  global->Start();
  const auto over = [this] {
    absl::MutexLock lock(&mu);
    return close_asked || !fatal.ok();
  };
  if (global->AwaitReady(over)) return absl::OkStatus();
  global.reset();
  absl::MutexLock lock(&mu);
  if (!fatal.ok()) return std::exchange(fatal, absl::OkStatus());
  return absl::CancelledError("closed while global tables were read");
}

absl::Status Streams::Impl::Start() {
  {
    absl::MutexLock lock(&mu);
    if (starting || close_asked)
      return base::Error(base::Reaction::kFatal, absl::StatusCode::kFailedPrecondition, "a Streams is started once");
    starting = true;
  }
  absl::Status prepared = Prepare();
  if (prepared.ok()) prepared = StartGlobalStores();
  if (!prepared.ok()) {
    log.reset();
    context.membership.Set(nullptr);
    directory.reset();
    absl::MutexLock lock(&mu);
    starting = false;
    ended = close_asked;
    return prepared;
  }
  state.TryMove(StreamsState::kRebalancing);

  restorer = std::make_unique<Restorer>(context);
  for (int i = 0; i < context.options.thread_count; ++i)
    threads.push_back(std::make_unique<StreamThread>(context, *restorer, i));
  coordinator = std::make_unique<Coordinator>(
      context, threads, *restorer, std::move(log),
      Coordinator::Callbacks{.joined =
                                 [this] {
                                   absl::MutexLock lock(&mu);
                                   joined = true;
                                 },
                             .progress = [this](bool running) {
                               state.TryMove(running ? StreamsState::kRunning : StreamsState::kRebalancing);
                             },
                             .routing = [this](RoutingTable table) { routing.Set(std::move(table)); }});
  coordinator_ptr = coordinator.get();
  purger = std::make_unique<Purger>(context);
  collector = metrics.registry.AddCollector([this](base::MetricsSink& sink) { CollectMetrics(sink); });

  ender = std::thread([this] { Ender(); });
  restorer->Start();
  for (const auto& thread : threads) thread->Start();
  coordinator->Start();
  purger->Start();

  absl::MutexLock lock(&mu);
  const auto settled = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) { return joined || !fatal.ok() || close_asked; };
  const bool in_time = mu.AwaitWithTimeout(absl::Condition(&settled), absl::Milliseconds(kJoinTimeoutMs));
  if (!fatal.ok()) return fatal;
  if (!in_time)
    return base::Error(base::Reaction::kRetry, absl::StatusCode::kDeadlineExceeded,
                       absl::StrCat("group '", context.options.application_id, "' could not be joined in ", kJoinTimeoutMs / 1000,
                                    " s at ", cluster.Description(), "; the worker goes on trying until it is closed"));
  return absl::OkStatus();
}

void Streams::Impl::OnFatal(absl::Status status) {
  {
    absl::MutexLock lock(&mu);
    if (!fatal.ok() || close_asked) return;
    fatal = status;
  }
  base::LogError("streams", "stops", {{"application", context.options.application_id}, {"error", status}});
}

// Waits for the end, whoever asks for it, and carries it out: the thread that fails cannot join itself.
void Streams::Impl::Ender() {
  bool failed = false;
  bool leave = false;
  {
    absl::MutexLock lock(&mu);
    const auto over = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) { return close_asked || !fatal.ok(); };
    mu.Await(absl::Condition(&over));
    failed = !fatal.ok();
    leave = leave_group;
  }
  state.TryMove(failed ? StreamsState::kPendingError : StreamsState::kPendingShutdown);
  Shutdown(leave);
  state.TryMove(failed ? StreamsState::kError : StreamsState::kNotRunning);
  absl::MutexLock lock(&mu);
  ended = true;
}

void Streams::Impl::Shutdown(bool leave) {
  // Everybody is told at once: each may be in a call to a log that does not answer, and these waits must not add up.
  purger->RequestStop();
  coordinator->RequestStop();
  restorer->RequestStop();
  for (const auto& thread : threads) thread->Stop(/*commit=*/true);
  purger->Stop();
  coordinator->Stop();
  for (const auto& thread : threads) thread->Join();
  restorer->Stop();
  coordinator_ptr = nullptr;
  if (global != nullptr) global->Stop();
  threads.clear();  // with the states that came back after their threads had ended
  for (const auto& task : context.tasks.All()) context.tasks.Remove(task->id());
  coordinator->SayGoodbye(leave);
  collector.Reset();
  coordinator.reset();
  restorer.reset();
  context.membership.Set(nullptr);
  global.reset();
  context.memory.reset();
  directory.reset();
}

void Streams::Impl::CollectMetrics(base::MetricsSink& sink) const {
  const StreamsState now = state.Get();
  const std::string& application = context.options.application_id;
  for (int i = 0; i <= static_cast<int>(StreamsState::kError); ++i) {
    const auto one = static_cast<StreamsState>(i);
    sink.Gauge("tailrace_state", "1 for the present state.", {{"application", application}, {"state", std::string(StreamsStateName(one))}}, one == now ? 1 : 0);
  }
  const auto tasks = context.tasks.All();
  for (size_t i = 0; i < threads.size(); ++i) {
    const auto waits = [i](const auto& task) { return task->thread() == static_cast<int>(i) && task->phase() < TaskPhase::kRunning; };
    const bool assigning = now == StreamsState::kCreated || std::any_of(tasks.begin(), tasks.end(), waits);
    const std::string_view is = IsFinal(now) ? "DEAD" : assigning ? "PARTITIONS_ASSIGNED" : "RUNNING";
    for (const std::string_view one : {"PARTITIONS_ASSIGNED", "RUNNING", "DEAD"})
      sink.Gauge("tailrace_thread_state", "1 for the present state of a stream thread; PARTITIONS_ASSIGNED while a task of it is restored.",
                 {{"application", application}, {"thread", std::to_string(i)}, {"state", std::string(one)}}, one == is ? 1 : 0);
  }
  const auto standbys = context.standbys.All();
  sink.Gauge("tailrace_assigned_tasks", "Tasks open in this process.", {{"application", application}, {"role", "active"}}, static_cast<double>(tasks.size()));
  sink.Gauge("tailrace_assigned_tasks", "Tasks open in this process.", {{"application", application}, {"role", "standby"}}, static_cast<double>(standbys.size()));
  for (const auto& standby : standbys)
    sink.Gauge("tailrace_standby_lag_records", "Changelog records that a standby is behind, as last asked.",
               {{"application", application}, {"task", standby->id().ToString()}}, static_cast<double>(standby->lag.load()));
  for (const auto& task : tasks) {
    const TaskInfo info = task->Info();
    const std::string id = info.id.ToString();
    sink.Gauge("tailrace_restore_remaining_records", "Changelog records still to be read.", {{"application", application}, {"task", id}},
               static_cast<double>(std::max<int64_t>(info.restore_total - info.restore_done, 0)));
    sink.Gauge("tailrace_uncommitted_bytes", "Bytes of changes since the last commit.", {{"application", application}, {"task", id}},
               static_cast<double>(task->uncommitted_bytes.load()));
    if (info.stream_time_ms >= 0)
      sink.Gauge("tailrace_stream_time_seconds", "Largest event time seen.", {{"application", application}, {"task", id}}, static_cast<double>(info.stream_time_ms) / 1e3);
    for (const InputProgress& input : info.inputs)
      if (input.end_offset.value() >= 0 && input.next_offset.value() >= 0)
        sink.Gauge("tailrace_consumer_lag_records", "Records behind the end of the partition, as last heard.",
                   {{"application", application}, {"topic", input.partition.topic}, {"partition", std::to_string(input.partition.partition.value())}},
                   static_cast<double>(std::max<int64_t>(input.end_offset.value() - input.next_offset.value(), 0)));
  }
}

Streams::Streams(Topology topology, const base::Config& config, kafka::Cluster& cluster, base::MetricsRegistry& metrics,
                 const base::Clock& clock)
    : impl_(std::make_unique<Impl>(std::move(topology), config, cluster, metrics, clock)) {}

Streams::~Streams() {
  Close(0).IgnoreError();
  if (impl_->ender.joinable()) impl_->ender.join();
}

absl::Status Streams::Start() { return impl_->Start(); }

absl::Status Streams::Close(int timeout_ms, bool leave_group) {
  Impl& impl = *impl_;
  bool never_started = false;
  {
    absl::MutexLock lock(&impl.mu);
    impl.leave_group |= leave_group;
    impl.close_asked = true;
    never_started = !impl.starting;
    if (never_started) impl.ended = true;
  }
  if (never_started) {
    impl.state.TryMove(StreamsState::kPendingShutdown);
    impl.state.TryMove(StreamsState::kNotRunning);
  }
  absl::MutexLock lock(&impl.mu);
  if (impl.mu.AwaitWithTimeout(absl::Condition(&impl.ended), absl::Milliseconds(timeout_ms))) return absl::OkStatus();
  return base::Error(base::Reaction::kRetry, absl::StatusCode::kDeadlineExceeded,
                     absl::StrCat("the worker did not close within ", timeout_ms, " ms"));
}

StreamsState Streams::state() const { return impl_->state.Get(); }
bool Streams::WaitFor(StreamsState wanted, int timeout_ms) const { return impl_->state.WaitFor(wanted, timeout_ms); }

absl::Status Streams::status() const {
  absl::MutexLock lock(&impl_->mu);
  return impl_->fatal;
}

void Streams::SetStateListener(std::function<void(StreamsState, StreamsState)> listener) {
  impl_->state.SetListener(std::move(listener));
}

void Streams::SetErrorHandlers(ErrorHandlers handlers) { impl_->handlers = std::move(handlers); }

Queryable& Streams::queryable() { return impl_->query; }

}  // namespace tailrace::processor
