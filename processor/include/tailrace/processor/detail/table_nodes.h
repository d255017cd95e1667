// Operators on tables.
//
// Each operator has a store or has none. With one, old values come from it; without, they are computed from the change
// that comes in, when the table above sends old values.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "tailrace/processor/detail/functions.h"
#include "tailrace/processor/detail/node.h"
#include "tailrace/processor/detail/table_rows.h"
#include "tailrace/processor/detail/value_getter.h"

namespace tailrace::processor::detail {

// What a table operator is at run time; decided when the topology is built.
template <class K, class V>
struct TableNodeOptions {
  std::optional<std::string> store;
  AnySerde<K> key_serde;    // used with a store only
  AnySerde<V> value_serde;
  bool sends_old_values = false;
  bool versioned = false;  // the table above is versioned
};

// What table operators share: a store or none, and whether old values are sent.
template <class KI, class VI, class K, class V>
class TableOperator : public Operator<KI, VI, K, Change<V>> {
 public:
  explicit TableOperator(TableNodeOptions<K, V> options)
      : sends_old_values_(options.sends_old_values), versioned_(options.versioned) {
    if (options.store.has_value())
      rows_.emplace(*std::move(options.store), std::move(options.key_serde), std::move(options.value_serde));
  }
  absl::Status Init(TaskContext& context) override {
    if (rows_.has_value()) TAILRACE_RETURN_IF_ERROR(rows_->Init(context, this->output()));
    return Operator<KI, VI, K, Change<V>>::Init(context);
  }
  void Close() override {
    if (rows_.has_value()) rows_->Close();
  }

 protected:
  std::optional<TableRows<K, V>> rows_;
  const bool sends_old_values_;
  const bool versioned_;
};

// Reads a topic or a stream as a table (KTableSource): every record is an upsert, a null value a delete.
template <class K, class V>
class TableSourceNode final : public TableOperator<K, V, K, V> {
 public:
  using TableOperator<K, V, K, V>::TableOperator;
  void Process(const Record<K, V>& record) override {
    if (record.key == nullptr) return this->context().Drop(DropReason::kNullKey);
    Change<V> change{record.value, nullptr};
    if (!this->rows_.has_value()) return this->Forward({record.key, &change, record.timestamp_ms, record.headers});
    state::CacheEntry* const entry = this->rows_->Find(*record.key);
    if (entry == nullptr) return;
    if (this->sends_old_values_) change.old_value = this->rows_->Decode(*entry);
    this->rows_->Update(*entry, *record.key, change, record.timestamp_ms, record.timestamp_ms, record.headers);
  }
};

template <class K, class V>
class TableToStreamNode final : public Operator<K, Change<V>, K, V> {
 public:
  void Process(const Record<K, Change<V>>& record) override {
    this->Forward({record.key, record.value->new_value, record.timestamp_ms, record.headers});
  }
};

// A change whose value does not pass becomes a delete (KTableFilter). When old values are sent, a key that neither passed
// nor passes is not forwarded.
template <class K, class V, class F>
class TableFilterNode final : public TableOperator<K, Change<V>, K, V> {
 public:
  TableFilterNode(TableNodeOptions<K, V> options, F predicate, bool keep)
      : TableOperator<K, Change<V>, K, V>(std::move(options)), predicate_(std::move(predicate)), keep_(keep) {}
  void Process(const Record<K, Change<V>>& record) override {
    Change<V> change{Passing(record.key, record.value->new_value), nullptr, record.value->is_latest};
    state::CacheEntry* entry = nullptr;
    if (this->rows_.has_value() && (entry = this->rows_->Find(*record.key)) == nullptr) return;
    if (this->sends_old_values_) {
      change.old_value = entry != nullptr ? this->rows_->Decode(*entry) : Passing(record.key, record.value->old_value);
      if (!this->versioned_ && change.new_value == nullptr && change.old_value == nullptr) return;
    }
    if (entry == nullptr) return this->Forward({record.key, &change, record.timestamp_ms, record.headers});
    this->rows_->Update(*entry, *record.key, change, record.timestamp_ms, record.timestamp_ms, record.headers);
  }

 private:
  const V* Passing(const K* key, const V* value) {
    if (value == nullptr) return nullptr;
    return static_cast<bool>(CallKeyValue<K, V>(predicate_, key, value)) == keep_ ? value : nullptr;
  }
  F predicate_;
  const bool keep_;
};

// `F` is Result(const K&, const V*), called for present values only unless `kSeesNull` (KTableMapValues,
// KTableTransformValues); a result may be std::optional.
template <class K, class V, class VR, class F, bool kSeesNull = false>
class TableMapValuesNode final : public TableOperator<K, Change<V>, K, VR> {
 public:
  TableMapValuesNode(TableNodeOptions<K, VR> options, F mapper)
      : TableOperator<K, Change<V>, K, VR>(std::move(options)), mapper_(std::move(mapper)) {}
  absl::Status Init(TaskContext& context) override {
    if constexpr (requires { mapper_.Init(context); }) mapper_.Init(context);
    return TableOperator<K, Change<V>, K, VR>::Init(context);
  }
  void Close() override {
    if constexpr (requires { mapper_.Close(); }) mapper_.Close();
    TableOperator<K, Change<V>, K, VR>::Close();
  }
  void Process(const Record<K, Change<V>>& record) override {
    Change<VR> change{Map(record.key, record.value->new_value, new_), nullptr, record.value->is_latest};
    if (!this->rows_.has_value()) {
      if (this->sends_old_values_) change.old_value = Map(record.key, record.value->old_value, old_);
      return this->Forward({record.key, &change, record.timestamp_ms, record.headers});
    }
    state::CacheEntry* const entry = this->rows_->Find(*record.key);
    if (entry == nullptr) return;
    if (this->sends_old_values_) change.old_value = this->rows_->Decode(*entry);
    this->rows_->Update(*entry, *record.key, change, record.timestamp_ms, record.timestamp_ms, record.headers);
  }

 private:
  using Result = std::optional<std::remove_cvref_t<std::invoke_result_t<F&, const K&, const V*>>>;
  const VR* Map(const K* key, const V* value, Result& out) {
    if (!kSeesNull && value == nullptr) return nullptr;
    out.emplace(mapper_(*key, value));
    return PointerTo(*out);
  }
  F mapper_;
  Result new_;
  Result old_;
};

}  // namespace tailrace::processor::detail
