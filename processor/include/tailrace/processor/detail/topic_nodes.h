// Sources and sinks: where bytes become typed records and back.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tailrace/processor/detail/node.h"
#include "tailrace/processor/serde.h"

namespace tailrace::processor::detail {

// Decodes into members that are reused, so that a record costs no allocation once strings have grown.
template <class K, class V, class KS, class VS>
class SourceNode final : public Source {
 public:
  SourceNode(KS key_serde, VS value_serde) : key_serde_(std::move(key_serde)), value_serde_(std::move(value_serde)) {}

  TypeTag output_type() const override { return TypeTagOf<K, V>(); }
  void AddChild(Node* child) override { output_.Add(child); }
  absl::Status Init(TaskContext&) override { return absl::OkStatus(); }

  absl::Status Decode(const kafka::RecordView& record, int64_t) override {
    has_key_ = !record.key.is_null();
    has_value_ = !record.value.is_null();
    timestamp_ms_ = record.timestamp_ms;
    if (has_key_ && !key_serde_.Deserialize(record.key.view(), key_)) [[unlikely]]
      return Undecodable("key", record.key.view().size());
    if (has_value_ && !value_serde_.Deserialize(record.value.view(), value_)) [[unlikely]]
      return Undecodable("value", record.value.view().size());
    return absl::OkStatus();
  }
  int64_t timestamp_ms() const override { return timestamp_ms_; }
  void Emit() override {
    output_.Forward({has_key_ ? &key_ : nullptr, has_value_ ? &value_ : nullptr, timestamp_ms_, nullptr});
  }

 private:
  absl::Status Undecodable(const char* part, size_t size) const {
    return base::Error(base::Reaction::kSkipRecord, absl::StatusCode::kInvalidArgument,
                       absl::StrCat("source ", this->name(), ": the ", part, " of ", size,
                                    " bytes cannot be decoded by the source's serde"));
  }

  KS key_serde_;
  VS value_serde_;
  K key_{};
  V value_{};
  bool has_key_ = false;
  bool has_value_ = false;
  int64_t timestamp_ms_ = 0;
  Output<K, V> output_;
};

// The bytes by which a record is partitioned: a windowed key goes where its key goes (WindowedStreamPartitioner).
template <class K>
struct PartitionBytes {
  static constexpr size_t kSuffix = 0;
};
template <class K>
struct PartitionBytes<Windowed<K>> {
  static constexpr size_t kSuffix = sizeof(int64_t);
};

// Implemented in sink.cc: sends one encoded record. `partition_key_size` is the prefix of the key that chooses the
// partition; the whole key when it equals its size.
class RecordSender {
 public:
  absl::Status Init(TaskContext& context, const std::string& topic);
  void Send(kafka::NullableBytes key, kafka::NullableBytes value, size_t partition_key_size, int64_t timestamp_ms,
            const kafka::Headers* headers);

 private:
  TaskContext* context_ = nullptr;
  kafka::TopicHandle topic_ = -1;
  int32_t partition_count_ = 0;  // asked for when first needed
};

template <class K, class V, class KS, class VS>
class SinkNode final : public Receiver<K, V> {
 public:
  SinkNode(std::string topic, KS key_serde, VS value_serde)
      : topic_(std::move(topic)), key_serde_(std::move(key_serde)), value_serde_(std::move(value_serde)) {}

  void AddChild(Node*) override { TAILRACE_CHECK(false, "a sink has no children"); }
  absl::Status Init(TaskContext& context) override { return sender_.Init(context, topic_); }
  void Process(const Record<K, V>& record) override {
    kafka::NullableBytes key;
    kafka::NullableBytes value;
    if (record.key != nullptr) key = key_serde_.Serialize(*record.key, key_scratch_);
    if (record.value != nullptr) value = value_serde_.Serialize(*record.value, value_scratch_);
    const size_t key_size = key.view().size();
    const size_t suffix = PartitionBytes<K>::kSuffix;
    sender_.Send(key, value, key_size >= suffix ? key_size - suffix : key_size, record.timestamp_ms, record.headers);
  }

 private:
  const std::string topic_;
  KS key_serde_;
  VS value_serde_;
  std::string key_scratch_;
  std::string value_scratch_;
  RecordSender sender_;
};

}  // namespace tailrace::processor::detail
