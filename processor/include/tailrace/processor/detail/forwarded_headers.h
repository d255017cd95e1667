// What stores keep with their changes when the headers that are forwarded are not those of the record being processed.
#pragma once

#include "tailrace/processor/detail/task_context.h"

namespace tailrace::processor::detail {

// While a record with headers of its own is forwarded, stores keep these with their changes (ProcessorContextImpl.forward).
class ForwardedHeaders {
 public:
  ForwardedHeaders(TaskContext& task, const kafka::Headers* headers) : task_(headers == nullptr ? nullptr : &task) {
    if (task_ == nullptr) return;
    before_ = task.ExchangeRecord({});
    task.ExchangeRecord({headers->empty() ? nullptr : headers, before_.context});
  }
  ~ForwardedHeaders() {
    if (task_ != nullptr) task_->ExchangeRecord(before_);
  }
  ForwardedHeaders(const ForwardedHeaders&) = delete;
  ForwardedHeaders& operator=(const ForwardedHeaders&) = delete;

 private:
  TaskContext* const task_;
  state::RecordHeaders before_;
};

}  // namespace tailrace::processor::detail
