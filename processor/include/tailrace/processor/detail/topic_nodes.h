// Sources and sinks: where bytes become typed records and back.
#pragma once

#include <concepts>
#include <exception>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "tailrace/processor/detail/any_serde.h"
#include "tailrace/processor/detail/node.h"
#include "tailrace/processor/options.h"
#include "tailrace/processor/serde.h"

namespace tailrace::processor::detail {

// What a source answers when bytes, a timestamp or a user's extractor fail (source.cc).
absl::Status UndecodableError(const std::string& source, const char* part, size_t size);
absl::Status ExtractorThrewError(const std::string& source, const char* what);
// The record's time as a built-in extractor gives it, when it is not simply a valid one.
absl::StatusOr<int64_t> ExtractTimestamp(TimestampExtractor extractor, const std::string& source, int64_t record_ms,
                                         int64_t partition_time_ms, const TaskContext& context);

// Decodes into members that are reused, so that a record costs no allocation once strings have grown.
template <class K, class V, class KS, class VS, class TE = TimestampExtractor>
class SourceNode final : public Source {
  static constexpr bool kBuiltIn = std::is_same_v<TE, TimestampExtractor>;

 public:
  SourceNode(KS key_serde, VS value_serde, TE extractor = {})
      : key_serde_(std::move(key_serde)), value_serde_(std::move(value_serde)), extractor_(std::move(extractor)) {}

  TypeTag output_type() const override { return TypeTagOf<K, V>(); }
  void AddChild(Node* child) override { output_.Add(child); }
  absl::Status Init(TaskContext& context) override {
    context_ = &context;
    output_.Init(context);
    return absl::OkStatus();
  }

  absl::Status Decode(const kafka::RecordView& record, int64_t partition_time_ms) override {
    has_key_ = !record.key.is_null();
    has_value_ = !record.value.is_null();
    timestamp_ms_ = record.timestamp_ms;
    if (has_key_ && !key_serde_.Deserialize(record.key.view(), key_)) [[unlikely]]
      return UndecodableError(this->name(), "key", record.key.view().size());
    if (has_value_ && !value_serde_.Deserialize(record.value.view(), value_)) [[unlikely]]
      return UndecodableError(this->name(), "value", record.value.view().size());
    if constexpr (kBuiltIn) {
      if (timestamp_ms_ >= 0 && extractor_ != TimestampExtractor::kWallclockTimestamp) [[likely]]
        return absl::OkStatus();
      TAILRACE_ASSIGN_OR_RETURN(timestamp_ms_,
                                ExtractTimestamp(extractor_, this->name(), timestamp_ms_, partition_time_ms, *context_));
    } else {
      try {
        timestamp_ms_ = extractor_(Decoded(), partition_time_ms);
      } catch (const std::exception& error) {
        return ExtractorThrewError(this->name(), error.what());
      }
    }
    return absl::OkStatus();
  }
  bool reports_invalid_timestamps() const override {
    if constexpr (kBuiltIn) return extractor_ == TimestampExtractor::kFailOnInvalidTimestamp;
    else return false;
  }
  int64_t timestamp_ms() const override { return timestamp_ms_; }
  void Emit() override { output_.Forward(Decoded()); }

 private:
  Record<K, V> Decoded() const {
    return {has_key_ ? &key_ : nullptr, has_value_ ? &value_ : nullptr, timestamp_ms_, nullptr};
  }

  KS key_serde_;
  VS value_serde_;
  TE extractor_;
  TaskContext* context_ = nullptr;
  K key_{};
  V value_{};
  bool has_key_ = false;
  bool has_value_ = false;
  int64_t timestamp_ms_ = 0;
  Output<K, V> output_;
};

// Implemented in record_sender.cc: sends one encoded record. `partition_key_size` is the prefix of the key that chooses the
// partition; the whole key when it equals its size.
class RecordSender {
 public:
  absl::Status Init(TaskContext& context, const std::string& topic);
  void Send(kafka::NullableBytes key, kafka::NullableBytes value, size_t partition_key_size, int64_t timestamp_ms,
            const kafka::Headers* headers);
  // To each of these partitions; none: the record is dropped and counted.
  void SendTo(const std::vector<int32_t>& partitions, kafka::NullableBytes key, kafka::NullableBytes value, int64_t timestamp_ms,
              const kafka::Headers* headers);
  // In a catch block around a serde: false when the exception must go on.
  bool HandleThrown() { return context_->HandleThrown(topic_name_, true); }
  // Of the topic; 0 after an error, which the task has then.
  int32_t PartitionCount();

 private:
  void SendRecord(std::optional<base::Partition> partition, kafka::NullableBytes key, kafka::NullableBytes value,
                  int64_t timestamp_ms, const kafka::Headers* headers);

  std::string topic_name_;
  TaskContext* context_ = nullptr;
  kafka::TopicHandle topic_ = -1;
  int32_t partition_count_ = 0;  // asked for when first needed
};

// What a user's partitioner may answer. False: the default partitioner decides.
inline bool TakePartitions(int32_t one, std::vector<int32_t>& out) {
  out.assign(1, one);
  return true;
}
inline bool TakePartitions(std::vector<int32_t> many, std::vector<int32_t>& out) {
  out = std::move(many);
  return true;
}
template <class T>
bool TakePartitions(std::optional<T> choice, std::vector<int32_t>& out) {
  return choice.has_value() && TakePartitions(*std::move(choice), out);
}

// Encodes and sends, to one topic; `P` as in Produced.
template <class K, class V, class KS, class VS, class P = DefaultPartitioner>
class RecordEncoder {
 public:
  RecordEncoder(KS key_serde, VS value_serde, P partitioner)
      : key_serde_(std::move(key_serde)), value_serde_(std::move(value_serde)), partitioner_(std::move(partitioner)) {}

  void Send(const Record<K, V>& record, const std::string& topic, RecordSender& sender) {
    kafka::NullableBytes key;
    kafka::NullableBytes value;
    try {
      if (record.key != nullptr) key = key_serde_.Serialize(*record.key, key_scratch_);
      if (record.value != nullptr) value = value_serde_.Serialize(*record.value, value_scratch_);
    } catch (...) {
      if (!sender.HandleThrown()) throw;
      return;
    }
    if constexpr (!std::is_same_v<P, DefaultPartitioner>) {
      const int32_t count = sender.PartitionCount();
      if (count == 0) return;
      if (TakePartitions(partitioner_(std::string_view(topic), record.key, record.value, count), partitions_))
        return sender.SendTo(partitions_, key, value, record.timestamp_ms, record.headers);
    }
    const size_t suffix = WindowBytes(key_serde_);
    const size_t key_size = key.view().size();
    sender.Send(key, value, key_size >= suffix ? key_size - suffix : key_size, record.timestamp_ms, record.headers);
  }

 private:
  KS key_serde_;
  VS value_serde_;
  P partitioner_;
  std::string key_scratch_;
  std::string value_scratch_;
  std::vector<int32_t> partitions_;
};

template <class K, class V, class KS, class VS, class P = DefaultPartitioner>
class SinkNode final : public Receiver<K, V> {
 public:
  SinkNode(std::string topic, KS key_serde, VS value_serde, P partitioner = {})
      : topic_(std::move(topic)), encoder_(std::move(key_serde), std::move(value_serde), std::move(partitioner)) {}

  void AddChild(Node*) override { TAILRACE_CHECK(false, "a sink has no children"); }
  absl::Status Init(TaskContext& context) override { return sender_.Init(context, topic_); }
  void Process(const Record<K, V>& record) override { encoder_.Send(record, topic_, sender_); }

 private:
  const std::string topic_;
  RecordEncoder<K, V, KS, VS, P> encoder_;
  RecordSender sender_;
};

// Writes each record to the topic that `F` names for it: std::string(const K*, const V*, const RecordContext&).
template <class K, class V, class F, class KS, class VS, class P>
class DynamicSinkNode final : public Receiver<K, V> {
 public:
  DynamicSinkNode(F topic_of, KS key_serde, VS value_serde, P partitioner)
      : topic_of_(std::move(topic_of)), encoder_(std::move(key_serde), std::move(value_serde), std::move(partitioner)) {}

  void AddChild(Node*) override { TAILRACE_CHECK(false, "a sink has no children"); }
  absl::Status Init(TaskContext& context) override {
    context_ = &context;
    return absl::OkStatus();
  }
  void Process(const Record<K, V>& record) override {
    RecordContext from = context_->record();
    from.timestamp_ms = record.timestamp_ms;
    const auto [entry, is_new] = senders_.try_emplace(topic_of_(record.key, record.value, from));
    if (is_new) {
      absl::Status status = entry->second.Init(*context_, entry->first);
      if (status.ok() && entry->second.PartitionCount() == 0) return void(senders_.erase(entry));
      if (!status.ok()) {
        senders_.erase(entry);
        return context_->Fail(std::move(status));
      }
    }
    encoder_.Send(record, entry->first, entry->second);
  }

 private:
  F topic_of_;
  RecordEncoder<K, V, KS, VS, P> encoder_;
  TaskContext* context_ = nullptr;
  std::map<std::string, RecordSender, std::less<>> senders_;  // by topic; bounded by the topics that exist
};

}  // namespace tailrace::processor::detail
