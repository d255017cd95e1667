// The Processor API: your own operator, with stores, punctuation and full control over what is forwarded.
//
//   class Dedup : public Processor<std::string, Post, std::string, Post> {
//     void Init(ProcessorContext<std::string, Post>& context) override {
//       context_ = &context;
//       seen_ = &context.key_value_store("seen");
//     }
//     void Process(const Record<std::string, Post>& record) override { ... context_->Forward(record); }
//   };
//
// Stores of bytes come from the context; typed_store.h puts serdes in front of them. Stores::... (stores.h) describes them.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tailrace/processor/detail/forwarded_headers.h"
#include "tailrace/processor/detail/node.h"

namespace tailrace::processor {

using PunctuationType = detail::PunctuationType;
using PunctuationHandle = detail::PunctuationHandle;
using DropReason = detail::DropReason;

// What every processor may use (org.apache.kafka.streams.processor.api.ProcessingContext). Belongs to one task and its
// thread; outlives the processor.
class ProcessingContext {
 public:
  explicit ProcessingContext(detail::TaskContext& task) : task_(task) {}

  const base::TaskId& task_id() const { return task_.task_id(); }
  const std::string& application_id() const { return task_.application_id(); }
  // Where the record that is being processed came from; the topic is empty in a punctuation.
  const RecordContext& record() const { return task_.record(); }
  // The headers of the record as it was read, or as a processor above has forwarded it.
  const kafka::Headers& headers() const { return task_.record_headers(); }
  // The headers that `record` carries now: what an operator above has put on it, otherwise those that were read. To change
  // them, forward a record whose `headers` point to a changed copy.
  template <class K, class V>
  const kafka::Headers& headers(const Record<K, V>& record) const {
    return record.headers != nullptr ? *record.headers : task_.record_headers();
  }
  // currentStreamTimeMs: the largest timestamp that the task has taken; -1 before the first record.
  int64_t stream_time_ms() const { return task_.stream_time_ms(); }
  // currentSystemTimeMs
  int64_t wall_time_ms() const { return task_.wall_time_ms(); }

  // REQUIRES: the store is connected to this processor.
  state::KeyValueStore& key_value_store(std::string_view name) const { return task_.key_value_store(name); }
  state::WindowStore& window_store(std::string_view name) const { return task_.window_store(name); }
  state::VersionedStore& versioned_store(std::string_view name) const { return task_.versioned_store(name); }

  // Global stores, to be read; see ReadView. Null before they are there, which is never so once processing has begun.
  std::shared_ptr<const state::ReadView> global_stores() const { return task_.global_stores().view(); }
  state::SessionStore& session_store(std::string_view name) const { return task_.session_store(name); }

  // `callback(now_ms)` fires every interval of stream time or wall-clock time, until the handle is cancelled or the task closes.
  std::unique_ptr<PunctuationHandle> Schedule(std::chrono::milliseconds interval, PunctuationType type,
                                              std::function<void(int64_t)> callback) const {
    return task_.Schedule(interval.count(), type, std::move(callback));
  }
  // Asks for a commit soon; several requests before it are one.
  void RequestCommit() const { task_.RequestCommit(); }
  void Drop(DropReason reason) const { task_.Drop(reason); }
  // An error that the processor cannot handle; with kSkipRecord the processing handler decides about this record.
  void Fail(absl::Status status) const { task_.Fail(std::move(status)); }

 protected:
  detail::TaskContext& task() const { return task_; }

 private:
  detail::TaskContext& task_;
};

// A child of a processor, for forwarding to it alone. Made by Child at Init.
template <class K, class V>
class ChildNode {
 public:
  ChildNode() = default;

 private:
  template <class, class>
  friend class ProcessorContext;
  explicit ChildNode(detail::Receiver<K, V>* node) : node_(node) {}
  detail::Receiver<K, V>* node_ = nullptr;
};

namespace detail {
// The place of `name` among a processor's children. Fails the task, naming them, when there is none: -1 then.
int FindChild(TaskContext& task, std::string_view processor, std::span<const std::string> children, std::string_view name);
}  // namespace detail

template <class KO, class VO>
class ProcessorContext : public ProcessingContext {
 public:
  ProcessorContext(detail::TaskContext& task, const detail::Output<KO, VO>& output, std::string_view processor)
      : ProcessingContext(task), output_(output), processor_(processor) {}

  // Forwards to all children. Key, value and headers are borrowed during the call.
  void Forward(const Record<KO, VO>& record) const {
    const detail::ForwardedHeaders headers(task(), record.headers);
    output_.Forward(record);
  }
  // To one child only. REQUIRES: `child` was found.
  void Forward(const Record<KO, VO>& record, ChildNode<KO, VO> child) const {
    const detail::ForwardedHeaders headers(task(), record.headers);
    output_.ForwardTo(*child.node_, record);
  }
  // The child of that name; call it at Init. A name that no child has stops the start, with the names that there are.
  ChildNode<KO, VO> Child(std::string_view name) const {
    std::vector<std::string> names;
    for (const auto* child : output_.children()) names.push_back(child->name());
    const int place = detail::FindChild(task(), processor_, names, name);
    return ChildNode<KO, VO>(place < 0 ? nullptr : &output_.child(static_cast<size_t>(place)));
  }

 private:
  const detail::Output<KO, VO>& output_;
  const std::string_view processor_;
};

// One instance per task, used by one thread. Exceptions thrown by Process are handled by the processing handler.
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
class FixedKeyProcessorNode;
}

// A record whose key cannot be replaced (org.apache.kafka.streams.processor.api.FixedKeyRecord).
template <class K, class V>
class FixedKeyRecord {
 public:
  const K* key() const { return record_.key; }
  const V* value() const { return record_.value; }
  int64_t timestamp_ms() const { return record_.timestamp_ms; }
  const kafka::Headers* headers() const { return record_.headers; }

  // The value is borrowed until the record has been forwarded.
  template <class VO>
  FixedKeyRecord<K, VO> WithValue(const VO* value) const {
    return FixedKeyRecord<K, VO>({record_.key, value, record_.timestamp_ms, record_.headers});
  }
  FixedKeyRecord WithTimestamp(int64_t timestamp_ms) const {
    return FixedKeyRecord({record_.key, record_.value, timestamp_ms, record_.headers});
  }
  FixedKeyRecord WithHeaders(const kafka::Headers* headers) const {
    return FixedKeyRecord({record_.key, record_.value, record_.timestamp_ms, headers});
  }

 private:
  template <class, class>
  friend class FixedKeyRecord;
  template <class>
  friend class detail::FixedKeyProcessorNode;
  template <class, class>
  friend class FixedKeyProcessorContext;
  explicit FixedKeyRecord(const Record<K, V>& record) : record_(record) {}
  Record<K, V> record_;
};

template <class K, class VO>
class FixedKeyProcessorContext : public ProcessingContext {
 public:
  FixedKeyProcessorContext(detail::TaskContext& task, const detail::Output<K, VO>& output)
      : ProcessingContext(task), output_(output) {}
  using ProcessingContext::headers;
  template <class V>
  const kafka::Headers& headers(const FixedKeyRecord<K, V>& record) const {
    return record.headers() != nullptr ? *record.headers() : this->task().record_headers();
  }
  void Forward(const FixedKeyRecord<K, VO>& record) const { output_.Forward(record.record_); }

 private:
  const detail::Output<K, VO>& output_;
};

// For KStream::ProcessValues: as Processor, but the key stays, so that nothing is repartitioned behind it.
template <class K, class VI, class VO = VI>
class FixedKeyProcessor {
 public:
  using FixedKey = K;
  using InputValue = VI;
  using OutputValue = VO;
  virtual ~FixedKeyProcessor() = default;
  virtual void Init(FixedKeyProcessorContext<K, VO>& context) = 0;
  virtual void Process(const FixedKeyRecord<K, VI>& record) = 0;
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
    context_.emplace(context, this->output(), this->name());
    processor_->Init(*context_);
    return absl::OkStatus();
  }
  void Process(const Record<typename P::InputKey, typename P::InputValue>& record) override { processor_->Process(record); }
  void Close() override { processor_->Close(); }

 private:
  std::unique_ptr<P> processor_;
  std::optional<ProcessorContext<typename P::OutputKey, typename P::OutputValue>> context_;
};

template <class P>
class FixedKeyProcessorNode final
    : public Operator<typename P::FixedKey, typename P::InputValue, typename P::FixedKey, typename P::OutputValue> {
  using K = typename P::FixedKey;
  using Base = Operator<K, typename P::InputValue, K, typename P::OutputValue>;

 public:
  explicit FixedKeyProcessorNode(std::unique_ptr<P> processor) : processor_(std::move(processor)) {}
  absl::Status Init(TaskContext& context) override {
    TAILRACE_RETURN_IF_ERROR(Base::Init(context));
    context_.emplace(context, this->output());
    processor_->Init(*context_);
    return absl::OkStatus();
  }
  void Process(const Record<K, typename P::InputValue>& record) override {
    processor_->Process(FixedKeyRecord<K, typename P::InputValue>(record));
  }
  void Close() override { processor_->Close(); }

 private:
  std::unique_ptr<P> processor_;
  std::optional<FixedKeyProcessorContext<K, typename P::OutputValue>> context_;
};

}  // namespace detail
}  // namespace tailrace::processor
