// A function of a table's rows with state of its own, for KTable::TransformValues.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "tailrace/processor/detail/task_context.h"

namespace tailrace::processor {

// What a transformer may use: everything but forwarding. Belongs to one task and its thread; outlives the transformer.
class TransformerContext {
 public:
  explicit TransformerContext(detail::TaskContext& task) : task_(task) {}

  const base::TaskId& task_id() const { return task_.task_id(); }
  const RecordContext& record() const { return task_.record(); }
  const kafka::Headers& headers() const { return task_.record_headers(); }
  int64_t stream_time_ms() const { return task_.stream_time_ms(); }
  int64_t wall_time_ms() const { return task_.wall_time_ms(); }
  // REQUIRES: the store is named at TransformValues.
  state::KeyValueStore& key_value_store(std::string_view name) const { return task_.key_value_store(name); }
  state::WindowStore& window_store(std::string_view name) const { return task_.window_store(name); }
  std::unique_ptr<detail::PunctuationHandle> Schedule(std::chrono::milliseconds interval, detail::PunctuationType type,
                                                      std::function<void(int64_t)> callback) const {
    return task_.Schedule(interval.count(), type, std::move(callback));
  }
  void Fail(absl::Status status) const { task_.Fail(std::move(status)); }

 private:
  detail::TaskContext& task_;
};

// Several instances per task, used by one thread (org.apache.kafka.streams.kstream.ValueTransformerWithKey). Transform is
// also called with a null value, for a deleted row; nullopt is a delete. It must not change the key and must give the same
// result for the same row while its stores hold the same.
template <class K, class V, class VR>
class ValueTransformerWithKey {
 public:
  using Result = VR;
  virtual ~ValueTransformerWithKey() = default;
  virtual void Init(const TransformerContext&) {}
  virtual std::optional<VR> Transform(const K& key, const V* value) = 0;
  virtual void Close() {}
};

namespace detail {

template <class K, class V, class VR>
class TransformerCall {
 public:
  explicit TransformerCall(std::unique_ptr<ValueTransformerWithKey<K, V, VR>> transformer)
      : transformer_(std::move(transformer)) {}
  void Init(TaskContext& context) {
    context_ = std::make_unique<TransformerContext>(context);
    transformer_->Init(*context_);
  }
  void Close() { transformer_->Close(); }
  std::optional<VR> operator()(const K& key, const V* value) { return transformer_->Transform(key, value); }

 private:
  std::unique_ptr<TransformerContext> context_;  // a stable address, until the transformer is gone
  std::unique_ptr<ValueTransformerWithKey<K, V, VR>> transformer_;
};

}  // namespace detail
}  // namespace tailrace::processor
