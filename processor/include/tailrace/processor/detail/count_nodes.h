// The aggregation of count windows.
//
// A row holds the latest window of its key: int64 records of the key so far ‖ byte (1, or 0 when the aggregate is null) ‖ aggregate.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "tailrace/base/bytes.h"
#include "tailrace/processor/count_windows.h"
#include "tailrace/processor/detail/aggregate_nodes.h"
#include "tailrace/processor/detail/value_getter.h"
#include "tailrace/state/value_schema.h"

namespace tailrace::processor::detail {

// The latest window of a key as its row says it.
struct CountWindowRow {
  int64_t records = 0;  // of the key, since its first
  std::optional<std::string_view> aggregate;

  static CountWindowRow Parse(std::string_view bytes) {
    CountWindowRow row;
    int8_t present = 0;
    TAILRACE_CHECK(base::ConsumeBigEndian(bytes, row.records) && base::ConsumeBigEndian(bytes, present),
                   "the row of a count window has another form");
    if (present == 1) row.aggregate = bytes;
    return row;
  }
  static void Append(std::string& out, int64_t records, kafka::NullableBytes aggregate) {
    base::AppendBigEndian(out, records);
    base::AppendBigEndian(out, static_cast<int8_t>(aggregate.is_null() ? 0 : 1));
    out.append(aggregate.view());
  }
  // Where the window begins that the last record belongs to.
  int64_t StartOf(int64_t size) const { return (records - 1) / size * size; }
};

// Shows the aggregates in rows as `aggregates` does; null when that is.
std::shared_ptr<const state::ValueSchema> CountWindowSchema(std::shared_ptr<const state::ValueSchema> aggregates);

// Aggregates per key and count window. Nothing is cached: every window that becomes full is shown.
template <class K, class V, class VR, class Step, class KS, class VS>
class CountWindowNode final : public Operator<K, V, Windowed<K>, Change<VR>> {
 public:
  CountWindowNode(Step step, CountWindows windows, bool only_full, std::string store, KS key_serde, VS value_serde)
      : step_(std::move(step)), windows_(windows), only_full_(only_full), store_name_(std::move(store)),
        key_serde_(std::move(key_serde)), value_serde_(std::move(value_serde)) {}

  absl::Status Init(TaskContext& context) override {
    store_ = &context.key_value_store(store_name_);
    return Operator<K, V, Windowed<K>, Change<VR>>::Init(context);
  }

  void Process(const Record<K, V>& record) override {
    if (record.key == nullptr) return this->context().Drop(DropReason::kNullKey);
    if (record.value == nullptr) return this->context().Drop(DropReason::kNullValue);
    const auto entry = store_->Upsert(key_serde_.Serialize(*record.key, key_scratch_));
    if (!entry.ok()) return this->context().Fail(entry.status());
    state::CacheEntry& slot = **entry;
    CountWindowRow row;
    if (!slot.value().is_null()) row = CountWindowRow::Parse(slot.value().view());
    const VR* previous = nullptr;
    int64_t timestamp_ms = record.timestamp_ms;
    if (row.records % windows_.records() != 0) {
      timestamp_ms = std::max(timestamp_ms, slot.timestamp_ms());
      if (row.aggregate.has_value()) {
        TAILRACE_CHECK(value_serde_.Deserialize(*row.aggregate, previous_), "a serde cannot read what it wrote");
        previous = &previous_;
      }
    }
    const auto result = step_(record.key, record.value, previous);
    const VR* const next = PointerTo(result);
    ++row.records;
    row_scratch_.clear();
    CountWindowRow::Append(row_scratch_, row.records,
                           next == nullptr ? kafka::NullableBytes() : value_serde_.Serialize(*next, value_scratch_));
    store_->Update(slot, std::string_view(row_scratch_), timestamp_ms);
    if (this->output().empty() || (only_full_ && row.records % windows_.records() != 0)) return;
    changed_.key = *record.key;
    changed_.start_ms = row.StartOf(windows_.records());
    changed_.end_ms = changed_.start_ms + windows_.records();
    const bool old_values = store_->spec().keep_old_values && !only_full_;
    if (old_values && previous == nullptr) previous = step_.Initial();
    const Change<VR> change{next, old_values ? previous : nullptr};
    this->Forward({&changed_, &change, timestamp_ms, record.headers});
  }

 private:
  Step step_;
  const CountWindows windows_;
  const bool only_full_;
  const std::string store_name_;
  KS key_serde_;
  VS value_serde_;
  state::KeyValueStore* store_ = nullptr;
  VR previous_{};
  Windowed<K> changed_{};
  std::string key_scratch_;
  std::string value_scratch_;
  std::string row_scratch_;
};

// The latest window of a key; earlier ones are gone.
template <class K, class V>
class CountWindowGetter final : public WindowedGetter<K, V> {
 public:
  using WindowedGetter<K, V>::WindowedGetter;
  void Init(TaskContext& context) override {
    WindowedGetter<K, V>::Init(context);
    store_ = &context.key_value_store(this->store_name());
  }
  ValueAndTimestamp<V> Get(const Windowed<K>& windowed) override {
    const auto found = store_->Get(this->KeyBytes(windowed));
    const int64_t size = windowed.end_ms - windowed.start_ms;
    if (!this->Found(found) || size <= 0) return {};
    const CountWindowRow row = CountWindowRow::Parse((*found)->value);
    if (row.StartOf(size) != windowed.start_ms || !row.aggregate.has_value()) return {};
    return {this->Decoded(*row.aggregate), (*found)->timestamp_ms};
  }

 private:
  state::KeyValueStore* store_ = nullptr;
};

struct CountWindowRows {
  template <class K, class V>
  using Getter = CountWindowGetter<K, V>;
  template <class KS>
  static auto KeySerde(const KS& serde, const state::StoreSpec& spec) {
    return TimeWindowedSerde<KS>{serde, spec.window_size_ms};
  }
};

}  // namespace tailrace::processor::detail
