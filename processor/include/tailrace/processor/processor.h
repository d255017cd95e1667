// The Processor API: your own operator, with stores, punctuation and full control over what is forwarded.
//
//   class Dedup : public Processor<std::string, Post, std::string, Post> {
//     void Init(ProcessorContext<std::string, Post>& context) override {
//       context_ = &context;
//       seen_ = &context.key_value_store("seen");
//     }
//     void Process(const Record<std::string, Post>& record) override { ... context_->Forward(record); }
//   };
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "tailrace/processor/detail/node.h"

namespace tailrace::processor {

using PunctuationType = detail::PunctuationType;
using DropReason = detail::DropReason;

// What a processor may use. Belongs to one task and its thread; outlives the processor.
template <class KO, class VO>
class ProcessorContext {
 public:
  ProcessorContext(detail::TaskContext& task, const detail::Output<KO, VO>& output) : task_(task), output_(output) {}

  // Forwards to all children. Key, value and headers are borrowed during the call.
  void Forward(const Record<KO, VO>& record) const { output_.Forward(record); }

  const base::TaskId& task_id() const { return task_.task_id(); }
  const RecordContext& record() const { return task_.record(); }
  const kafka::Headers& headers() const { return task_.record_headers(); }
  int64_t stream_time_ms() const { return task_.stream_time_ms(); }
  int64_t wall_time_ms() const { return task_.wall_time_ms(); }

  // REQUIRES: the store is connected to this processor.
  state::KeyValueStore& key_value_store(std::string_view name) const { return task_.key_value_store(name); }
  state::WindowStore& window_store(std::string_view name) const { return task_.window_store(name); }

  // `callback(now_ms)` fires every interval of stream time or wall-clock time, until the handle is cancelled or the task closes.
  std::unique_ptr<detail::PunctuationHandle> Schedule(std::chrono::milliseconds interval, PunctuationType type,
                                                      std::function<void(int64_t)> callback) const {
    return task_.Schedule(interval.count(), type, std::move(callback));
  }
  void RequestCommit() const { task_.RequestCommit(); }
  void Drop(DropReason reason) const { task_.Drop(reason); }
  // An error that the processor cannot handle; with kSkipRecord the error policy decides about this record.
  void Fail(absl::Status status) const { task_.Fail(std::move(status)); }

 private:
  detail::TaskContext& task_;
  const detail::Output<KO, VO>& output_;
};

// One instance per task, used by one thread. Exceptions thrown by Process are handled by the processing error policy.
template <class KI, class VI, class KO = KI, class VO = VI>
class Processor {
 public:
  using InputKey = KI;
  using InputValue = VI;
  using OutputKey = KO;
  using OutputValue = VO;
  virtual ~Processor() = default;
  virtual void Init(ProcessorContext<KO, VO>& context) = 0;
  virtual void Process(const Record<KI, VI>& record) = 0;
  virtual void Close() {}
};

namespace detail {

template <class P>
class ProcessorNode final
    : public Operator<typename P::InputKey, typename P::InputValue, typename P::OutputKey, typename P::OutputValue> {
  using Base = Operator<typename P::InputKey, typename P::InputValue, typename P::OutputKey, typename P::OutputValue>;

 public:
  explicit ProcessorNode(std::unique_ptr<P> processor) : processor_(std::move(processor)) {}
  absl::Status Init(TaskContext& context) override {
    TAILRACE_RETURN_IF_ERROR(Base::Init(context));
    context_.emplace(context, this->output());
    processor_->Init(*context_);
    return absl::OkStatus();
  }
  void Process(const Record<typename P::InputKey, typename P::InputValue>& record) override { processor_->Process(record); }
  void Close() override { processor_->Close(); }

 private:
  std::unique_ptr<P> processor_;
  std::optional<ProcessorContext<typename P::OutputKey, typename P::OutputValue>> context_;
};

}  // namespace detail
}  // namespace tailrace::processor
