#include "compile/event_nodes.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tailrace/base/murmur2.h"
#include "tailrace/base/json_text.h"

namespace tailrace::pipeline::compile {
namespace {

absl::Status SkipRecord(std::string_view message) {
  return base::Error(base::Reaction::kSkipRecord, absl::StatusCode::kInvalidArgument, message);
}

}  // namespace

absl::Status EventSource::Decode(const kafka::RecordView& record, int64_t partition_time_ms) {
  has_event_ = false;
  // A task that chooses between partitions by time has looked at the record before.
  reports_ = std::exchange(decoded_offset_, record.offset) != record.offset;
  if (record.value.is_null()) [[unlikely]] {
    result_ = {.reason = SkipReason::kNullValue};
    return Skip(result_, {}, partition_time_ms);
  }
  raw_ = record.value.view();
  reader_->Start(raw_);
  // A frame's first event gives its time. A frame without any event is skipped for the reason of its first piece; in one
  // that has some, broken pieces are only reported.
  if (!reader_->Next(result_)) return Skip({.reason = SkipReason::kControlFrame}, raw_, partition_time_ms);
  if (result_.reason != SkipReason::kNone) [[unlikely]] {
    const ParseResult first{.reason = result_.reason, .field = result_.field};
    absl::Status skipped = Skip(first, raw_, partition_time_ms);
    bool more = reader_->Next(result_);
    for (; more && result_.reason != SkipReason::kNone; more = reader_->Next(result_)) Report(result_, raw_);
    if (!more) return skipped;
  }
  has_event_ = true;
  has_key_ = !record.key.is_null();
  key_ = record.key.view();
  timestamp_ms_ = EventTimeMs();
  return absl::OkStatus();
}

int64_t EventSource::EventTimeMs() {
  if (timestamp_slot_) return result_.event[*timestamp_slot_].integer();
  return processing_ms_ = std::max({processing_ms_, context_->wall_time_ms(), int64_t{0}});
}

void EventSource::Report(const ParseResult& result, std::string_view bytes) {
  if (on_skip_ && reports_) on_skip_({.reason = result.reason, .field = result.field, .bytes = bytes});
}

absl::Status EventSource::Skip(const ParseResult& result, std::string_view bytes, int64_t partition_time_ms) {
  Report(result, bytes);
  if (IsExpected(result.reason)) {
    timestamp_ms_ = std::max<int64_t>(partition_time_ms, 0);  // It must not move any time.
    return absl::OkStatus();
  }
  const std::string_view field = result.field;
  return SkipRecord(absl::StrCat("source ", name(), ": ", std::string(SkipReasonName(result.reason)), field.empty() ? "" : " at field ",
                                 std::string(field)));
}

void EventSource::Forward(const ParseResult& result, int64_t timestamp_ms) {
  if (event_count_ != nullptr) ++*event_count_;
  const EventRow row{.event = result.event, .raw = raw_};
  output_.Forward({has_key_ ? &key_ : nullptr, &row, timestamp_ms, nullptr});
}

void EventSource::Emit() {
  if (!has_event_) return;
  reports_ = true;
  Forward(result_, timestamp_ms_);
  while (reader_->Next(result_)) {
    if (result_.reason == SkipReason::kNone) {
      Forward(result_, EventTimeMs());
    } else {
      Report(result_, raw_);
    }
  }
}

absl::Status KeyNode::Init(processor::detail::TaskContext& context) {
  TAILRACE_RETURN_IF_ERROR(EventOperator::Init(context));
  if (partitioned_topic_.empty()) return absl::OkStatus();
  TAILRACE_ASSIGN_OR_RETURN(const kafka::TopicHandle topic, context.ResolveTopic(partitioned_topic_));
  TAILRACE_ASSIGN_OR_RETURN(partition_count_, context.PartitionCount(topic));
  return absl::OkStatus();
}

bool KeyNode::BuildKey(Event event) {
  if (slots_.size() == 1 && event[slots_[0]].type() == FieldType::kText) {
    key_ = event[slots_[0]].text();
    return true;
  }
  buffer_.clear();
  for (size_t i = 0; i < slots_.size(); ++i) {
    const FieldValue& value = event[slots_[i]];
    if (i > 0) buffer_ += separator_;
    switch (value.type()) {
      case FieldType::kText: buffer_ += value.text(); break;
      case FieldType::kInt: base::AppendJsonInt(buffer_, value.integer()); break;
      case FieldType::kBool: buffer_ += value.boolean() ? "true" : "false"; break;
      case FieldType::kNull:
      case FieldType::kDouble:
      case FieldType::kTextList: return false;
    }
  }
  key_ = buffer_;
  return true;
}

void KeyNode::Process(const EventRecord& record) {
  if (!BuildKey(record.value->event)) return context().Drop(processor::detail::DropReason::kNullKey);
  if (partition_count_ > 1) {
    const base::Partition belongs = base::PartitionForKey(key_, partition_count_);
    if (belongs != context().record().partition) [[unlikely]] {
      return context().Fail(SkipRecord(absl::StrCat(
          "operator ", name(), ": a record with the key of partition ", belongs.value(), " is in partition ",
          context().record().partition.value(), " of ", partitioned_topic_,
          ": the topic is not partitioned by the key that the pipeline's source names; remove `key` from the source to have "
          "it repartitioned")));
    }
  }
  Forward({&key_, record.value, record.timestamp_ms, record.headers});
}

void RepartitionSink::Process(const EventRecord& record) {
  const Event event = record.value->event;
  TAILRACE_CHECK(event.size() == used_.size() && !record.value->correction, "the topology was built for whole events of this size");
  slots_.assign(event.begin(), event.end());
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (!used_[i]) slots_[i] = FieldValue();
  }
  EncodeEvent(slots_, buffer_);
  sender_.Send(*record.key, std::string_view(buffer_), record.key->size(), record.timestamp_ms, record.headers);
}

absl::Status RepartitionSource::Decode(const kafka::RecordView& record, int64_t) {
  if (record.key.is_null() || record.value.is_null() || !decoder_.Decode(record.value.view(), row_.event)) {
    return SkipRecord("source " + name() + ": a record that this pipeline did not write, or that an older form of it wrote");
  }
  key_ = record.key.view();
  timestamp_ms_ = record.timestamp_ms;
  return absl::OkStatus();
}

void EventSink::Process(const EventRecord& record) {
  const kafka::NullableBytes key = record.key == nullptr ? kafka::NullableBytes() : kafka::NullableBytes(*record.key);
  sender_.Send(key, record.value->raw, key.view().size(), record.timestamp_ms, record.headers);
}

}  // namespace tailrace::pipeline::compile
