// A change of a table as the value of a repartition topic's record (ChangedSerializer; docs/formats.md).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "tailrace/kafka/record.h"
#include "tailrace/processor/detail/any_serde.h"
#include "tailrace/processor/detail/node.h"

namespace tailrace::processor::detail {

// Appends `old ‖ 0`, `new ‖ 1` or `varint new size ‖ new ‖ old ‖ 2`. REQUIRES: one of them is not null.
void AppendChange(std::string& out, kafka::NullableBytes new_value, kafka::NullableBytes old_value);

struct ChangeBytes {
  kafka::NullableBytes new_value;
  kafka::NullableBytes old_value;
  bool is_latest = true;
};
// Also reads 3, 4 and 5: the same with a byte before the last one that says whether the change is the latest. nullopt for
// anything else.
std::optional<ChangeBytes> ParseChange(std::string_view bytes);

// The serde of a repartition sink.
template <class V>
class ChangeSerde {
 public:
  explicit ChangeSerde(AnySerde<V> value_serde) : value_serde_(std::move(value_serde)) {}
  std::string_view Serialize(const Change<V>& change, std::string& scratch) const {
    std::string new_scratch;
    std::string old_scratch;
    kafka::NullableBytes new_value;
    kafka::NullableBytes old_value;
    if (change.new_value != nullptr) new_value = value_serde_.Serialize(*change.new_value, new_scratch);
    if (change.old_value != nullptr) old_value = value_serde_.Serialize(*change.old_value, old_scratch);
    scratch.clear();
    AppendChange(scratch, new_value, old_value);
    return scratch;
  }

 private:
  AnySerde<V> value_serde_;
};

// Reads what the sink wrote. Keeps the values that a Change points to.
template <class K, class V>
class ChangeSourceNode final : public Source {
 public:
  ChangeSourceNode(AnySerde<K> key_serde, AnySerde<V> value_serde)
      : key_serde_(std::move(key_serde)), value_serde_(std::move(value_serde)) {}

  TypeTag output_type() const override { return TypeTagOf<K, Change<V>>(); }
  void AddChild(Node* child) override { output_.Add(child); }
  absl::Status Init(TaskContext& context) override {
    output_.Init(context);
    return absl::OkStatus();
  }

  absl::Status Decode(const kafka::RecordView& record, int64_t) override {
    timestamp_ms_ = record.timestamp_ms;
    const std::optional<ChangeBytes> bytes = ParseChange(record.value.view());
    if (record.key.is_null() || !bytes.has_value() || !key_serde_.Deserialize(record.key.view(), key_) ||
        !DecodeInto(bytes->new_value, new_, change_.new_value) || !DecodeInto(bytes->old_value, old_, change_.old_value))
      return base::Error(base::Reaction::kSkipRecord, absl::StatusCode::kInvalidArgument,
                         "source " + this->name() + ": a record is no change of a grouped table; do its serdes fit?");
    change_.is_latest = bytes->is_latest;
    return absl::OkStatus();
  }
  int64_t timestamp_ms() const override { return timestamp_ms_; }
  void Emit() override { output_.Forward({&key_, &change_, timestamp_ms_, nullptr}); }

 private:
  bool DecodeInto(kafka::NullableBytes bytes, V& value, const V*& pointer) {
    pointer = bytes.is_null() ? nullptr : &value;
    return bytes.is_null() || value_serde_.Deserialize(bytes.view(), value);
  }

  AnySerde<K> key_serde_;
  AnySerde<V> value_serde_;
  K key_{};
  V new_{};
  V old_{};
  Change<V> change_;
  int64_t timestamp_ms_ = 0;
  Output<K, Change<V>> output_;
};

}  // namespace tailrace::processor::detail
