#include "runtime/local_tasks.h"

#include "tailrace/base/check.h"

namespace tailrace::processor {

void LocalTask::Publish(state::TaskState* state) {
  absl::MutexLock lock(&mu_);
  TAILRACE_CHECK(state_ == nullptr, "task " + id_.ToString() + " has one state");
  state_ = state;
}

void LocalTask::Withdraw() {
  absl::MutexLock lock(&mu_);
  state_ = nullptr;
}

std::shared_ptr<const state::ReadView> LocalTask::View() const {
  absl::MutexLock lock(&mu_);
  return state_ == nullptr ? nullptr : state_->CurrentView();
}

void LocalTask::SetInputs(std::vector<InputProgress> inputs) {
  absl::MutexLock lock(&mu_);
  inputs_ = std::move(inputs);
}

void LocalTask::SetEnds(const std::vector<base::Offset>& ends) {
  absl::MutexLock lock(&mu_);
  for (size_t i = 0; i < inputs_.size() && i < ends.size(); ++i)
    if (ends[i].value() >= 0) inputs_[i].end_offset = ends[i];
}

TaskInfo LocalTask::Info() const {
  TaskInfo info{.id = id_,
                .role = role_,
                .phase = phase(),
                .stream_time_ms = stream_time_ms.load(),
                .inputs = {},
                .restore_done = restore_done.load(),
                .restore_total = restore_total.load()};
  absl::MutexLock lock(&mu_);
  info.inputs = inputs_;
  return info;
}

std::shared_ptr<LocalTask> LocalTasks::Add(base::TaskId id, TaskRole role, int thread, int64_t cost) {
  auto task = std::make_shared<LocalTask>(id, role, thread, cost);
  absl::MutexLock lock(&mu_);
  TAILRACE_CHECK(tasks_.emplace(id, task).second, "task " + id.ToString() + " is open once");
  return task;
}

void LocalTasks::Remove(const base::TaskId& id) {
  absl::MutexLock lock(&mu_);
  tasks_.erase(id);
}

std::shared_ptr<LocalTask> LocalTasks::Find(const base::TaskId& id) const {
  absl::MutexLock lock(&mu_);
  const auto found = tasks_.find(id);
  return found == tasks_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<LocalTask>> LocalTasks::All() const {
  absl::MutexLock lock(&mu_);
  std::vector<std::shared_ptr<LocalTask>> all;
  all.reserve(tasks_.size());
  for (const auto& [id, task] : tasks_) all.push_back(task);
  return all;
}

bool LocalTasks::empty() const {
  absl::MutexLock lock(&mu_);
  return tasks_.empty();
}

}  // namespace tailrace::processor
