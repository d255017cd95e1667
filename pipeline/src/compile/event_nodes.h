// The operators of a pipeline before its aggregate: source, filter, key, and the way through a repartition topic.
//
// Key and value are views; the value is an event with the bytes it was read from.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compile/event_codec.h"
#include "compile/predicate.h"
#include "tailrace/pipeline/compile.h"
#include "tailrace/pipeline/format.h"
#include "tailrace/processor/detail/topic_nodes.h"

namespace tailrace::pipeline::compile {

using Key = std::string_view;
struct EventRow {
  Event event;
  std::string_view raw;  // empty behind a repartition topic
  // A redelivery: the event counts already; its fields are null but for those that have grown, which hold the growth.
  bool correction = false;
};
using EventRecord = processor::Record<Key, EventRow>;
using EventOperator = processor::detail::Operator<Key, EventRow, Key, EventRow>;

// Reads a topic with a format; the event's time becomes the record's timestamp. Without a slot for it the time is that of
// processing, which never goes back.
class EventSource final : public processor::detail::Source {
 public:
  EventSource(std::unique_ptr<EventReader> reader, std::optional<size_t> timestamp_slot,
              std::function<void(const SkippedInput&)> on_skip, int64_t* event_count = nullptr)
      : reader_(std::move(reader)), timestamp_slot_(timestamp_slot), on_skip_(std::move(on_skip)), event_count_(event_count) {}

  processor::detail::TypeTag output_type() const override { return processor::detail::TypeTagOf<Key, EventRow>(); }
  void AddChild(processor::detail::Node* child) override { output_.Add(child); }
  absl::Status Init(processor::detail::TaskContext& context) override {
    context_ = &context;
    return absl::OkStatus();
  }
  absl::Status Decode(const kafka::RecordView& record, int64_t partition_time_ms) override;
  int64_t timestamp_ms() const override { return timestamp_ms_; }
  void Emit() override;

 private:
  void Forward(const ParseResult& result, int64_t timestamp_ms);
  // Of the event that was read last.
  int64_t EventTimeMs();
  void Report(const ParseResult& result, std::string_view bytes);
  // Reports it; the status is OK for what is expected in a healthy stream.
  absl::Status Skip(const ParseResult& result, std::string_view bytes, int64_t partition_time_ms);

  std::unique_ptr<EventReader> reader_;
  const std::optional<size_t> timestamp_slot_;
  processor::detail::TaskContext* context_ = nullptr;
  int64_t processing_ms_ = 0;
  const std::function<void(const SkippedInput&)> on_skip_;
  int64_t* const event_count_;  // null in a worker
  processor::detail::Output<Key, EventRow> output_;
  ParseResult result_;
  base::Offset decoded_offset_{-1};
  bool reports_ = true;
  Key key_;
  bool has_key_ = false;
  bool has_event_ = false;
  std::string_view raw_;
  int64_t timestamp_ms_ = 0;
};

class FilterNode final : public EventOperator {
 public:
  explicit FilterNode(Predicate predicate) : predicate_(std::move(predicate)) {}
  void Process(const EventRecord& record) override {
    if (predicate_.Matches(record.value->event)) Forward(record);
  }

 private:
  const Predicate predicate_;
};

// Replaces the key by the texts of some slots. An event without one of them is dropped.
class KeyNode final : public EventOperator {
 public:
  // With `partitioned_topic` the records must already be where this key belongs; others fail with kSkipRecord.
  KeyNode(std::vector<size_t> slots, std::string separator, std::string partitioned_topic)
      : slots_(std::move(slots)), separator_(std::move(separator)), partitioned_topic_(std::move(partitioned_topic)) {}
  absl::Status Init(processor::detail::TaskContext& context) override;
  void Process(const EventRecord& record) override;

 private:
  bool BuildKey(Event event);

  const std::vector<size_t> slots_;
  const std::string separator_;
  const std::string partitioned_topic_;
  int32_t partition_count_ = 0;  // 0: do not check
  std::string buffer_;
  Key key_;
};

// Writes events to a repartition topic, by key.
class RepartitionSink final : public processor::detail::Receiver<Key, EventRow> {
 public:
  // Slots that are not in `used` travel as nulls.
  RepartitionSink(std::string topic, std::vector<bool> used) : topic_(std::move(topic)), used_(std::move(used)) {}
  void AddChild(processor::detail::Node*) override { TAILRACE_CHECK(false, "a sink has no children"); }
  absl::Status Init(processor::detail::TaskContext& context) override { return sender_.Init(context, topic_); }
  void Process(const EventRecord& record) override;

 private:
  const std::string topic_;
  const std::vector<bool> used_;
  processor::detail::RecordSender sender_;
  std::vector<FieldValue> slots_;
  std::string buffer_;
};

// Reads them back.
class RepartitionSource final : public processor::detail::Source {
 public:
  explicit RepartitionSource(size_t slots) : decoder_(slots) {}
  processor::detail::TypeTag output_type() const override { return processor::detail::TypeTagOf<Key, EventRow>(); }
  void AddChild(processor::detail::Node* child) override { output_.Add(child); }
  absl::Status Init(processor::detail::TaskContext&) override { return absl::OkStatus(); }
  absl::Status Decode(const kafka::RecordView& record, int64_t partition_time_ms) override;
  int64_t timestamp_ms() const override { return timestamp_ms_; }
  void Emit() override { output_.Forward({&key_, &row_, timestamp_ms_, nullptr}); }

 private:
  EventDecoder decoder_;
  processor::detail::Output<Key, EventRow> output_;
  Key key_;
  EventRow row_;
  int64_t timestamp_ms_ = 0;
};

// Writes the bytes that an event was read from, for pipelines without an aggregate.
class EventSink final : public processor::detail::Receiver<Key, EventRow> {
 public:
  explicit EventSink(std::string topic) : topic_(std::move(topic)) {}
  void AddChild(processor::detail::Node*) override { TAILRACE_CHECK(false, "a sink has no children"); }
  absl::Status Init(processor::detail::TaskContext& context) override { return sender_.Init(context, topic_); }
  void Process(const EventRecord& record) override;

 private:
  const std::string topic_;
  processor::detail::RecordSender sender_;
};

}  // namespace tailrace::pipeline::compile
