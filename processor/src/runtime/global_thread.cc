#include "runtime/global_thread.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tailrace/base/log.h"

namespace tailrace::processor {
namespace {

constexpr int kPollTimeoutMs = 100;
constexpr int kOffsetTimeoutMs = 5'000;
constexpr int kRetryPauseMs = 200;
constexpr int kAwaitRoundMs = 100;

}  // namespace

void GlobalThread::Start() {
  thread_ = std::thread([this] { Run(); });
}

bool GlobalThread::AwaitReady(const std::function<bool()>& give_up) {
  absl::MutexLock lock(&mu_);
  const auto settled = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return ready_ || failed_ || stop_; };
  while (!mu_.AwaitWithTimeout(absl::Condition(&settled), absl::Milliseconds(kAwaitRoundMs)))
    if (give_up()) return false;
  return ready_ && !failed_;
}

void GlobalThread::Stop() {
  {
    absl::MutexLock lock(&mu_);
    stop_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

bool GlobalThread::Stopping() const {
  absl::MutexLock lock(&mu_);
  return stop_;
}

void GlobalThread::Run() {
  absl::Status status;
  bool wipe = false;
  while (!Stopping()) {
    if (task_ == nullptr) status = Open(std::exchange(wipe, false));
    if (status.ok()) status = Round();
    if (status.ok()) continue;
    switch (base::ReactionOf(status)) {
      case base::Reaction::kRetry: {
        base::LogWarning("global-stores", "tries again", {{"error", status}});
        absl::MutexLock lock(&mu_);
        mu_.AwaitWithTimeout(absl::Condition(&stop_), absl::Milliseconds(kRetryPauseMs));
        break;
      }
      case base::Reaction::kTaskCorrupted:
        // The local files cannot be trusted, or the log has lost what lies between them and its begin.
        base::LogError("global-stores", "local state is rebuilt from the topics", {{"error", status}});
        context_.metrics->StoreWiped("global");
        task_.reset();
        caught_up_ = false;
        wipe = true;
        break;
      default: {
        context_.on_fatal(base::Annotate(status, "global stores"));
        absl::MutexLock lock(&mu_);
        failed_ = true;
        mu_.Await(absl::Condition(&stop_));
      }
    }
    status = absl::OkStatus();
  }
  task_.reset();
  consumer_.reset();
}

absl::Status GlobalThread::Open(bool wipe) {
  const detail::Subtopology& global = context_.topology->global();
  const std::string directory = context_.options.state_directory.empty() ? "" : context_.options.state_directory + "/global";
  if (wipe && !directory.empty()) TAILRACE_RETURN_IF_ERROR(state::TaskState::Wipe(directory));
  if (consumer_ == nullptr) {
    TAILRACE_ASSIGN_OR_RETURN(consumer_, context_.cluster->NewConsumer({.client_id = context_.options.client_id + "-global-consumer",
                                                                        .read_committed = context_.options.exactly_once}));
  }
  inputs_.clear();
  ends_.clear();
  for (const std::string& topic : global.source_topics)
    for (int32_t partition = 0; partition < context_.plan.partitions.at(topic); ++partition)
      inputs_.push_back({topic, base::Partition(partition)});
  TAILRACE_ASSIGN_OR_RETURN(task_, GlobalTask::Open({.application_id = context_.options.application_id,
                                                     .subtopology = &global,
                                                     .inputs = inputs_,
                                                     .directory = directory,
                                                     .memory = context_.memory,
                                                     .caching = context_.options.cache_bytes_max > 0,
                                                     .clock = context_.clock,
                                                     .handlers = context_.options.handlers},
                                                    context_.global_stores));
  std::vector<kafka::AssignedPartition> assigned;
  int64_t total = 0;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    TAILRACE_ASSIGN_OR_RETURN(const kafka::OffsetRange range, consumer_->QueryOffsets(inputs_[i], kOffsetTimeoutMs));
    base::Offset start = task_->start_offsets()[i];
    if (start.value() < 0) start = range.begin;
    if (start < range.begin || start > range.end)
      return base::Error(base::Reaction::kTaskCorrupted, absl::StatusCode::kOutOfRange,
                         absl::StrCat("topic ", inputs_[i].ToString(), ": the store continues at offset ", start.value(),
                                      ", but the log has ", range.begin.value(), " to ", range.end.value()));
    ends_.push_back(range.end);
    total += range.end.value() - start.value();
    assigned.push_back({inputs_[i], start});
  }
  base::LogInfo("global-stores", "reads", {{"topics", absl::StrCat(global.source_topics.size())}, {"records_at_most", total}});
  return consumer_->Assign(std::move(assigned));
}

bool GlobalThread::CaughtUp() const {
  for (size_t i = 0; i < ends_.size(); ++i) {
    const base::Offset position = consumer_->Position(static_cast<int32_t>(i));
    if (position.value() < 0 || position < ends_[i]) return false;
  }
  return true;
}

absl::Status GlobalThread::Round() {
  TAILRACE_RETURN_IF_ERROR(consumer_->Poll(batch_, kPollTimeoutMs));
  for (const kafka::RecordView& record : batch_.records()) task_->Enqueue(record.source, record, batch_.HeadersOf(record));
  const bool changed = !batch_.empty();
  batch_.Clear();
  TAILRACE_RETURN_IF_ERROR(task_->Process());
  TAILRACE_RETURN_IF_ERROR(task_->Commit());
  if (caught_up_) {
    if (changed) task_->Publish();
    return absl::OkStatus();
  }
  // Half a table is not shown, also not when it is read again: what was published before stays.
  if (!CaughtUp()) return absl::OkStatus();
  caught_up_ = true;
  task_->Publish();
  base::LogInfo("global-stores", "are complete", {});
  absl::MutexLock lock(&mu_);
  ready_ = true;
  return absl::OkStatus();
}

}  // namespace tailrace::processor
