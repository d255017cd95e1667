#include "input_buffer.h"

#include <utility>

namespace tailrace::processor {

BufferedRecord::BufferedRecord(const kafka::RecordView& record, kafka::Headers headers)
    : offset_(record.offset), timestamp_ms_(record.timestamp_ms), headers_(std::move(headers)) {
  bytes_.reserve(record.key.view().size() + record.value.view().size());
  if (!record.key.is_null()) {
    key_size_ = static_cast<int32_t>(record.key.view().size());
    bytes_ += record.key.view();
  }
  if (!record.value.is_null()) {
    value_size_ = static_cast<int32_t>(record.value.view().size());
    bytes_ += record.value.view();
  }
}

kafka::RecordView BufferedRecord::View() const {
  kafka::RecordView view{.offset = offset_, .timestamp_ms = timestamp_ms_};
  const size_t key_size = key_size_ < 0 ? 0 : static_cast<size_t>(key_size_);
  if (key_size_ >= 0) view.key = {bytes_.data(), key_size};
  if (value_size_ >= 0) view.value = {bytes_.data() + key_size, static_cast<size_t>(value_size_)};
  return view;
}

InputBuffer::InputBuffer(size_t slots, int64_t max_task_idle_ms, const base::Clock* clock, TimeOf time_of)
    : max_task_idle_ms_(max_task_idle_ms), clock_(clock), time_of_(std::move(time_of)), queues_(slots) {}

void InputBuffer::Add(size_t slot, const kafka::RecordView& record, kafka::Headers headers) {
  Queue& queue = queues_[slot];
  queue.records.emplace_back(record, std::move(headers));
  if (queue.records.size() == 1) Settle(slot);
}

bool InputBuffer::Ready() {
  bool any = false;
  bool all = true;
  bool may_get_more = false;
  for (const Queue& queue : queues_) {
    any |= !queue.records.empty();
    if (!queue.records.empty()) continue;
    all = false;
    may_get_more |= queue.has_more;
  }
  if (!any) return false;
  if (all || max_task_idle_ms_ < 0) {
    idle_since_ms_ = -1;
    return true;
  }
  if (may_get_more) return false;
  if (max_task_idle_ms_ == 0) return true;
  const int64_t now_ms = clock_->SteadyMs();
  if (idle_since_ms_ < 0) idle_since_ms_ = now_ms;
  return now_ms - idle_since_ms_ >= max_task_idle_ms_;
}

InputBuffer::Taken InputBuffer::Take() {
  const size_t slot = filled_.Pop();
  Queue& queue = queues_[slot];
  Taken taken{slot, std::move(queue.records.front())};
  queue.records.pop_front();
  return taken;
}

void InputBuffer::Settle(size_t slot) {
  Queue& queue = queues_[slot];
  if (queue.records.empty()) return;
  queue.head_ms = time_of_(slot, queue.records.front().View());
  filled_.Push(slot);
}

void InputBuffer::clear() {
  for (Queue& queue : queues_) queue = {};
  filled_.clear();
  idle_since_ms_ = -1;
}

}  // namespace tailrace::processor
