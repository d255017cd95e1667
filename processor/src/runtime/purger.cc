#include "runtime/purger.h"

#include "absl/time/time.h"
#include "tailrace/base/log.h"

namespace tailrace::processor {
namespace {
constexpr int kTimeoutMs = 5'000;
}  // namespace

Purger::Purger(RuntimeContext& context) : context_(context) {}
Purger::~Purger() { Stop(); }

void Purger::Start() {
  if (context_.topology->repartition_topics().empty()) return;
  thread_ = std::thread([this] {
    for (;;) {
      {
        absl::MutexLock lock(&mu_);
        if (mu_.AwaitWithTimeout(absl::Condition(&stop_), absl::Milliseconds(context_.options.purge_interval_ms))) return;
      }
      if (absl::Status status = PurgeOnce(); !status.ok())
        base::LogWarning("purger", "processed records could not be deleted; tried again later", {{"error", status}});
    }
  });
}

void Purger::RequestStop() {
  absl::MutexLock lock(&mu_);
  stop_ = true;
}

void Purger::Stop() {
  RequestStop();
  if (thread_.joinable()) thread_.join();
}

absl::Status Purger::PurgeOnce() {
  std::vector<kafka::AssignedPartition> before;
  for (const auto& task : context_.tasks.All()) {
    if (task->phase() != TaskPhase::kRunning) continue;
    for (const InputProgress& input : task->Info().inputs)
      if (input.next_offset.value() > 0 && context_.topology->repartition_topics().contains(input.partition.topic))
        before.push_back({input.partition, input.next_offset});
  }
  return before.empty() ? absl::OkStatus() : context_.cluster->admin().DeleteRecords(before, kTimeoutMs);
}

}  // namespace tailrace::processor
