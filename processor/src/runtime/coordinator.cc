#include "runtime/coordinator.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tailrace/base/check.h"
#include "tailrace/base/log.h"

namespace tailrace::processor {
namespace {

constexpr int kPollMs = 50;           // in peace
constexpr int kPollMsInMotion = 5;    // while tasks move
constexpr int kErrorPauseMs = 50;
constexpr int kCallTimeoutMs = 5'000;
constexpr int kFenceTimeoutMs = 10'000;
constexpr int kFenceSliceMs = 500;
constexpr int64_t kMemberIntervalMs = 5'000;
constexpr int64_t kFenceGraceMs = 3'000;
constexpr int64_t kLeadRetryMs = 100;
constexpr size_t kCacheBytesMin = 1u << 20;

}  // namespace

Coordinator::Coordinator(RuntimeContext& context, std::vector<std::unique_ptr<StreamThread>>& threads, Restorer& restorer,
                         std::unique_ptr<CoordinationLog> log, Callbacks callbacks)
    : context_(context),
      threads_(threads),
      restorer_(restorer),
      log_(std::move(log)),
      callbacks_(std::move(callbacks)),
      tasks_(context.plan.Tasks(*context.topology)),
      membership_(context.membership.Get()) {
  if (const MemberRecord* const record = log_->picture().member(context.options.instance_id)) found_member_id_ = record->member_id;
  for (const AssignableTask& task : tasks_) weights_[task.id] = task.weight;
}

Coordinator::~Coordinator() { Stop(); }

void Coordinator::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Coordinator::RequestStop() {
  absl::MutexLock lock(&mu_);
  stop_ = true;
}

void Coordinator::Stop() {
  RequestStop();
  if (thread_.joinable()) thread_.join();
}

void Coordinator::Run() {
  while (!stop_) {
    absl::Status status = Tick();
    if (status.ok()) continue;
    if (context_.options.shared_log && absl::IsNotFound(status)) status = RecreateTopic(status);
    if (base::ReactionOf(status) == base::Reaction::kFatal) {
      context_.on_fatal(base::Annotate(status, "coordinator"));
      return;
    }
    // The group and the topic answer again some time; until then tasks go on under the last epoch.
    if (const auto held = error_log_.Pass())
      base::LogWarning("coordinator", "tries again", {{"error", status}, {"more", *held}});
    must_lead_ = leader_;
    Pause(kErrorPauseMs);
  }
}

// Somebody deleted the coordination topic. Members write their records again and keep what they hold.
absl::Status Coordinator::RecreateTopic(const absl::Status& why) {
  TAILRACE_ASSIGN_OR_RETURN(const auto found, context_.cluster->admin().DescribeTopic(context_.options.coordination_topic(), kCallTimeoutMs));
  if (found.has_value()) return base::WithReaction(why, base::Reaction::kRetry);
  base::LogError("coordinator", "the coordination topic is gone and is created again", {{"topic", context_.options.coordination_topic()}});
  for (const kafka::NewTopic& topic : context_.plan.internal)
    if (topic.name == context_.options.coordination_topic())
      TAILRACE_RETURN_IF_ERROR(context_.cluster->admin().CreateTopics({topic}, kCallTimeoutMs));
  TAILRACE_ASSIGN_OR_RETURN(log_, OpenCoordinationTopic(*context_.cluster, context_.options));
  publish_again_ms_ = 0;
  published_ = {};
  return base::WithReaction(why, base::Reaction::kRetry);
}

void Coordinator::Pause(int timeout_ms) {
  absl::MutexLock lock(&mu_);
  const auto stopped = [this] { return stop_.load(); };
  mu_.AwaitWithTimeout(absl::Condition(&stopped), absl::Milliseconds(timeout_ms));
}

absl::Status Coordinator::Tick() {
  const bool in_motion = wake_.exchange(false) || !settled_;
  // A thread that user code holds up must not keep its tasks for ever: without polls the group lets this process go.
  const bool stuck = ThreadStuck();
  if (fenced_at_ms_ >= 0) {
    TAILRACE_RETURN_IF_ERROR(AfterFence());
    Pause(kPollMs);
  } else if (!stuck) {
    TAILRACE_ASSIGN_OR_RETURN(const auto event, membership_->Poll(in_motion ? kPollMsInMotion : kPollMs));
    if (event.has_value()) TAILRACE_RETURN_IF_ERROR(HandleEvent(*event));
  } else {
    Pause(kPollMs);
  }
  TAILRACE_ASSIGN_OR_RETURN(const bool changed, log_->Poll());
  if (changed) must_lead_ = leader_;
  if (leader_ && must_lead_ && context_.clock->SteadyMs() >= lead_again_ms_) {
    // The next attempt waits a little, whatever this one says, so that a struggling broker is not asked all the time.
    lead_again_ms_ = context_.clock->SteadyMs() + kLeadRetryMs;
    TAILRACE_RETURN_IF_ERROR(Lead());
    must_lead_ = false;
    lead_again_ms_ = 0;
  }
  if (joined_) TAILRACE_RETURN_IF_ERROR(Follow());
  TAILRACE_RETURN_IF_ERROR(PublishMember(Closing::kNo));
  ReportProgress();
  return absl::OkStatus();
}

// First of all nobody may commit any more; then the tasks go.
void Coordinator::GiveUpTasks() {
  context_.seat.Lost();
  for (const auto& thread : threads_) thread->Abandon();
  revoking_.clear();
}

// A static member can fence itself: when the group's answer to its join is lost, it asks again under an identity that the
// group has already replaced. Another process with this name, on the other hand, writes its member record, under a member id
// that was never ours. So this process looks for that record for a while, then joins anew.
absl::Status Coordinator::AfterFence() {
  const MemberRecord* const record = log_->picture().member(context_.options.instance_id);
  if (record != nullptr && !own_member_ids_.contains(record->member_id) && record->member_id != found_member_id_)
    return fenced_reason_;
  if (context_.clock->SteadyMs() - fenced_at_ms_ < kFenceGraceMs) return absl::OkStatus();
  base::LogWarning("coordinator", "no other process with this instance id shows itself; joining again",
                   {{"instance", context_.options.instance_id}});
  TAILRACE_ASSIGN_OR_RETURN(membership_, context_.cluster->NewMembership(context_.options.membership()));
  context_.membership.Set(membership_);
  fenced_at_ms_ = -1;
  return absl::OkStatus();
}

absl::Status Coordinator::HandleEvent(const kafka::MembershipEvent& event) {
  const int64_t now_ms = context_.clock->SteadyMs();
  switch (event.kind) {
    case kafka::MembershipEventKind::kRejoining:
      context_.seat.Rejoining();
      if (rejoining_since_ms_ < 0) rejoining_since_ms_ = now_ms;
      return absl::OkStatus();
    case kafka::MembershipEventKind::kLost: {
      GiveUpTasks();
      joined_ = false;
      leader_ = elected_ = must_lead_ = false;
      log_->StopLeading();
      base::LogWarning("coordinator", "membership lost", {{"member", member_id_}, {"reason", event.reason}});
      if (base::ReactionOf(event.reason) != base::Reaction::kFatal) return absl::OkStatus();
      if (!context_.options.shared_log || !absl::IsAborted(event.reason)) return event.reason;
      fenced_at_ms_ = now_ms;
      fenced_reason_ = event.reason;
      return absl::OkStatus();
    }
    case kafka::MembershipEventKind::kJoined: {
      // Also what threads have done since the loss is thrown away: a producer made then may have been fenced before this
      // moment by the owner in between.
      if (!member_id_.empty() && event.member_id != member_id_) GiveUpTasks();
      member_id_ = event.member_id;
      own_member_ids_.insert(member_id_);
      generation_ = event.generation;
      joined_ = true;
      context_.seat.Joined(membership_->CurrentGroupMetadata());
      context_.metrics->rebalances->Increment();
      if (rejoining_since_ms_ >= 0)
        context_.metrics->rebalance_duration->Observe(static_cast<double>(now_ms - rejoining_since_ms_) / 1e3);
      rejoining_since_ms_ = -1;
      if (!event.leader) log_->StopLeading();
      leader_ = event.leader;
      elected_ = elected_ && leader_;
      must_lead_ = leader_;
      publish_again_ms_ = 0;
      base::LogInfo("coordinator", "joined the group", {{"instance", context_.options.instance_id}, {"member", member_id_},
                                                        {"generation", generation_}, {"leader", leader_}});
      callbacks_.joined();
      return absl::OkStatus();
    }
  }
  return absl::OkStatus();
}

absl::Status Coordinator::Lead() {
  if (!elected_) {
    TAILRACE_RETURN_IF_ERROR(log_->BecomeLeader());
    elected_ = true;
  }
  LeaderInput input{.picture = &log_->picture(), .live = {}, .generation = generation_,
                    .fingerprint = context_.topology->fingerprint(), .tasks = tasks_,
                    .standby_replicas = context_.options.standby_replicas};
  TAILRACE_ASSIGN_OR_RETURN(input.live, membership_->LiveMembers(kCallTimeoutMs));
  TAILRACE_RETURN_IF_ERROR(log_->ReadToEnd(kCallTimeoutMs));
  const bool alive = std::any_of(input.live.begin(), input.live.end(), [&](const auto& m) { return m.member_id == member_id_; });
  if (!alive)
    return base::Error(base::Reaction::kRetry, absl::StatusCode::kUnavailable, "the group does not list its leader yet");

  std::vector<std::string> odd;
  const auto next = DecideAssignment(input, &odd);
  for (const std::string& instance : odd)
    if (odd_members_.insert(instance).second)
      base::LogError("coordinator", "a member runs another topology and gets no tasks; deploy the same program everywhere",
                     {{"instance", instance}, {"its_topology", log_->picture().member(instance)->topology},
                      {"this_process", context_.topology->Describe().text}});
  if (!next.has_value()) return absl::OkStatus();
  if (absl::Status status = log_->WriteAssignment(*next); !status.ok()) {
    elected_ = false;
    return status;
  }
  base::LogInfo("coordinator", "assignment written", {{"epoch", next->epoch}, {"generation", next->generation}, {"members", next->members.size()}});
  return log_->Poll().status();
}

const AssignedMember* Coordinator::Assigned() const {
  const auto& assignment = log_->picture().assignment;
  if (!joined_ || !assignment.has_value()) return nullptr;
  const auto found = assignment->members.find(context_.options.instance_id);
  if (found == assignment->members.end() || found->second.member_id != member_id_) return nullptr;
  return &found->second;
}

absl::Status Coordinator::Follow() {
  const auto& assignment = log_->picture().assignment;
  if (!assignment.has_value()) return absl::OkStatus();
  if (assignment->epoch != routing_.epoch) {
    routing_ = BuildRouting();
    callbacks_.routing(routing_);
  }
  // Nothing is opened under an assignment that does not name this member id: a restarted process waits for its own epoch.
  const AssignedMember* const mine = Assigned();
  std::set<base::TaskId> wanted;
  if (mine != nullptr) wanted = mine->active;

  std::vector<AssignableTask> to_place;
  for (const base::TaskId& id : wanted)
    if (const auto weight = weights_.find(id); weight != weights_.end()) to_place.push_back({id, weight->second});
  const std::map<base::TaskId, int> placement = SpreadOverThreads(to_place, thread_of_, static_cast<int>(threads_.size()));

  bool open_elsewhere = false;
  for (const auto& task : context_.tasks.All()) {
    const auto place = placement.find(task->id());
    if (place != placement.end() && place->second == task->thread()) continue;
    if (place == placement.end()) open_elsewhere = true;
    if (revoking_.insert(task->id()).second) threads_[static_cast<size_t>(task->thread())]->Revoke(task->id());
  }
  std::erase_if(revoking_, [&](const base::TaskId& id) { return context_.tasks.Find(id) == nullptr; });
  thread_of_ = placement;
  if (!open_elsewhere) acted_epoch_ = assignment->epoch;

  if (mine != nullptr) FollowStandbys();

  std::set<base::TaskId> missing;
  for (const auto& [id, thread] : placement)
    if (context_.tasks.Find(id) == nullptr) missing.insert(id);
  return missing.empty() ? absl::OkStatus() : OpenTasks(missing);
}

// Copies hurt nobody: while the group has not settled they are kept as they are. One whose task was given to this process stays
// until the task is opened, which takes it over.
void Coordinator::FollowStandbys() {
  const AssignedMember& mine = *Assigned();
  for (const auto& standby : context_.standbys.All())
    if (!mine.standby.contains(standby->id()) && !mine.active.contains(standby->id())) restorer_.EndStandby(standby->id());
  for (const base::TaskId& id : mine.standby) {
    const auto weight = weights_.find(id);
    if (weight == weights_.end() || context_.standbys.Find(id) != nullptr || context_.tasks.Find(id) != nullptr) continue;
    restorer_.KeepStandby(context_.standbys.Add(id, TaskRole::kStandby, -1, weight->second), CacheShare());
  }
}

size_t Coordinator::CacheShare() const {
  return std::max(kCacheBytesMin, static_cast<size_t>(context_.options.cache_bytes_max) / std::max<size_t>(Assigned()->active.size(), 1));
}

absl::Status Coordinator::OpenTasks(const std::set<base::TaskId>& wanted) {
  if (!ThreadsReady()) return absl::OkStatus();
  // Our producers are initialised, so whoever takes these tasks from us later fences them; now make sure that nobody has.
  const int64_t epoch = log_->picture().assignment->epoch;
  TAILRACE_RETURN_IF_ERROR(log_->ReadToEnd(kCallTimeoutMs));
  if (log_->picture().assignment->epoch != epoch) return absl::OkStatus();  // the next tick follows the newer one

  const uint64_t session = context_.seat.session();
  for (const base::TaskId& id : wanted) {
    const OpenDecision decision = DecideOpen(log_->picture(), id);
    if (!decision.may_open) {
      if (std::exchange(waiting_said_, decision.waiting_for) != decision.waiting_for)
        base::LogInfo("coordinator", "waits for a release", {{"task", id.ToString()}, {"from", decision.waiting_for}});
      continue;
    }
    for (const Holder& holder : decision.fence) TAILRACE_RETURN_IF_ERROR(Fence(holder));
    const int thread = thread_of_.at(id);
    context_.tasks.Add(id, TaskRole::kActive, thread, weights_.at(id));
    threads_[static_cast<size_t>(thread)]->Grant({.id = id,
                                                  .session = session,
                                                  .epoch = context_.options.shared_log ? static_cast<int32_t>(epoch) : -1,
                                                  .cache_bytes_max = CacheShare()});
  }
  return absl::OkStatus();
}

// Rule 5: an open transaction of the dead is aborted at once, and what it still sends is refused.
absl::Status Coordinator::Fence(const Holder& holder) {
  if (!context_.options.exactly_once || fenced_.contains(holder.member_id)) return absl::OkStatus();
  const MemberRecord* const record = log_->picture().member(holder.instance);
  for (int thread = 0; thread < holder.threads; ++thread) {
    // A process announces itself only after its own producers are initialised, and that has fenced the ones before.
    if (record != nullptr && record->member_id != holder.member_id && thread < record->threads) continue;
    if (holder.instance == context_.options.instance_id && thread < context_.options.thread_count) continue;
    const std::string id = context_.options.transactional_id(holder.instance, thread);
    TAILRACE_ASSIGN_OR_RETURN(const auto producer,
                              context_.cluster->NewProducer({.client_id = context_.options.client_id + "-fence-producer",
                                                             .transactional_id = id,
                                                             .transaction_timeout_ms = context_.options.transaction_timeout_ms}));
    const int64_t deadline_ms = context_.clock->SteadyMs() + kFenceTimeoutMs;
    absl::Status status;
    do {
      status = producer->InitTransactions(kFenceSliceMs);  // goes on where the last attempt stopped
    } while (base::ReactionOf(status) == base::Reaction::kRetry && !stop_ && context_.clock->SteadyMs() < deadline_ms);
    TAILRACE_RETURN_IF_ERROR(status);
    base::LogInfo("coordinator", "fenced a dead owner", {{"instance", holder.instance}, {"transactional_id", id}});
  }
  fenced_.insert(holder.member_id);
  return absl::OkStatus();
}

MemberRecord Coordinator::BuildMember(Closing closing) const {
  MemberRecord record{.instance = context_.options.instance_id,
                      .member_id = member_id_,
                      .generation = generation_,
                      .endpoint = context_.options.endpoint,
                      .rack = context_.options.rack,
                      .threads = context_.options.thread_count,
                      .fingerprint = context_.topology->fingerprint(),
                      .topology = {},
                      .epoch = acted_epoch_,
                      .held = {},
                      .leaving = false,
                      .dormant = {}};
  const auto& assignment = log_->picture().assignment;
  if (assignment.has_value() && assignment->fingerprint != record.fingerprint) record.topology = context_.topology->Describe().text;
  record.leaving = closing == Closing::kLeaving;
  if (closing != Closing::kNo) return record;
  for (const LocalTasks* const tasks : {&context_.standbys, &context_.tasks})  // of a task that is being taken over, the active one
    for (const auto& task : tasks->All()) record.held[task->id()] = {task->role(), task->phase(), task->stored_position.load()};
  return record;
}

absl::Status Coordinator::PublishMember(Closing closing) {
  if (!joined_ || (!ThreadsReady() && published_.member_id != member_id_)) return absl::OkStatus();
  const int64_t now_ms = context_.clock->SteadyMs();
  MemberRecord record = BuildMember(closing);
  // Positions move all the time: they alone wait for the interval.
  MemberRecord comparable = published_;
  for (auto& [id, task] : comparable.held)
    if (const auto now = record.held.find(id); now != record.held.end()) task.position = now->second.position;
  if (record == comparable && now_ms < publish_again_ms_) return absl::OkStatus();
  TAILRACE_RETURN_IF_ERROR(log_->WriteMember(record));
  published_ = std::move(record);
  publish_again_ms_ = now_ms + kMemberIntervalMs;
  return absl::OkStatus();
}

void Coordinator::SayGoodbye(bool leave_group) {
  TAILRACE_CHECK(!thread_.joinable(), "the coordinator's thread has ended");
  if (!joined_) return;
  absl::Status status = PublishMember(leave_group ? Closing::kLeaving : Closing::kComingBack);
  // A leader that leaves gives its tasks away itself: the next one is elected only when its session is over.
  if (status.ok() && leave_group && leader_) status = Lead();
  if (!status.ok())
    base::LogWarning("coordinator", "the release could not be written; others wait for the session timeout", {{"error", status}});
  if (!leave_group) return;
  if (status = membership_->Leave(); !status.ok())
    base::LogWarning("coordinator", "leaving the group failed", {{"error", status}});
}

RoutingTable Coordinator::BuildRouting() const {
  const AssignmentRecord& assignment = *log_->picture().assignment;
  RoutingTable table{.epoch = assignment.epoch, .workers = {}};
  for (const auto& [instance, member] : assignment.members)
    table.workers.push_back({.instance = instance,
                             .endpoint = member.endpoint,
                             .active = {member.active.begin(), member.active.end()},
                             .standby = {member.standby.begin(), member.standby.end()}});
  return table;
}

bool Coordinator::ThreadsReady() const {
  return std::all_of(threads_.begin(), threads_.end(), [](const auto& thread) { return thread->producer_ready(); });
}

bool Coordinator::ThreadStuck() {
  const int64_t limit_ms = context_.clock->SteadyMs() - context_.options.max_poll_interval_ms;
  for (const auto& task : context_.tasks.All()) {
    if (task->phase() != TaskPhase::kRunning || threads_[static_cast<size_t>(task->thread())]->last_round_ms() >= limit_ms) continue;
    if (const auto held = error_log_.Pass())
      base::LogError("coordinator", "a stream thread makes no progress for longer than max.poll.interval.ms; this process leaves the group",
                     {{"task", task->id().ToString()}});
    return true;
  }
  return false;
}

void Coordinator::ReportProgress() {
  const AssignedMember* const mine = Assigned();
  bool running = mine != nullptr && revoking_.empty();
  if (mine != nullptr) {
    for (const base::TaskId& id : mine->active) {
      const auto task = context_.tasks.Find(id);
      running = running && task != nullptr && task->phase() == TaskPhase::kRunning;
    }
  }
  settled_ = running;
  callbacks_.progress(running);
}

}  // namespace tailrace::processor
