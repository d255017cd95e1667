// Operators without state, one per DSL verb. Each takes the user's function as a template parameter, so it is inlined.
#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

#include "tailrace/processor/detail/functions.h"
#include "tailrace/processor/detail/node.h"

namespace tailrace::processor::detail {

template <class K, class V, class F>
class FilterNode final : public Operator<K, V, K, V> {
 public:
  FilterNode(F predicate, bool keep) : predicate_(std::move(predicate)), keep_(keep) {}
  void Process(const Record<K, V>& record) override {
    if (!CanCall<F, K, V>(record.value)) return;  // a predicate on values holds for no null
    if (static_cast<bool>(CallKeyValue<K, V>(predicate_, record.key, record.value)) == keep_) this->Forward(record);
  }

 private:
  F predicate_;
  const bool keep_;
};

template <class K, class V, class VR, class F>
class MapValuesNode final : public Operator<K, V, K, VR> {
 public:
  explicit MapValuesNode(F mapper) : mapper_(std::move(mapper)) {}
  void Process(const Record<K, V>& record) override {
    if (!CanCall<F, K, V>(record.value)) {  // null stays null
      this->Forward({record.key, nullptr, record.timestamp_ms, record.headers});
      return;
    }
    const auto& result = CallKeyValue<K, V>(mapper_, record.key, record.value);
    this->Forward({record.key, PointerTo(result), record.timestamp_ms, record.headers});
  }

 private:
  F mapper_;
};

template <class K, class V, class KR, class VR, class F>
class MapNode final : public Operator<K, V, KR, VR> {
 public:
  explicit MapNode(F mapper) : mapper_(std::move(mapper)) {}
  void Process(const Record<K, V>& record) override {
    if (!CanCall<F, K, V>(record.value)) return;
    const auto& result = CallKeyValue<K, V>(mapper_, record.key, record.value);
    this->Forward({PointerTo(result.first), PointerTo(result.second), record.timestamp_ms, record.headers});
  }

 private:
  F mapper_;
};

template <class K, class V, class KR, class F>
class SelectKeyNode final : public Operator<K, V, KR, V> {
 public:
  explicit SelectKeyNode(F selector) : selector_(std::move(selector)) {}
  void Process(const Record<K, V>& record) override {
    if (!CanCall<F, K, V>(record.value)) {
      this->Forward({nullptr, record.value, record.timestamp_ms, record.headers});
      return;
    }
    const auto& key = CallKeyValue<K, V>(selector_, record.key, record.value);
    this->Forward({PointerTo(key), record.value, record.timestamp_ms, record.headers});
  }

 private:
  F selector_;
};

template <class K, class V, class VR, class F>
class FlatMapValuesNode final : public Operator<K, V, K, VR> {
 public:
  explicit FlatMapValuesNode(F mapper) : mapper_(std::move(mapper)) {}
  void Process(const Record<K, V>& record) override {
    if (!CanCall<F, K, V>(record.value)) return;
    for (const auto& value : CallKeyValue<K, V>(mapper_, record.key, record.value))
      this->Forward({record.key, PointerTo(value), record.timestamp_ms, record.headers});
  }

 private:
  F mapper_;
};

template <class K, class V, class KR, class VR, class F>
class FlatMapNode final : public Operator<K, V, KR, VR> {
 public:
  explicit FlatMapNode(F mapper) : mapper_(std::move(mapper)) {}
  void Process(const Record<K, V>& record) override {
    if (!CanCall<F, K, V>(record.value)) return;
    for (const auto& pair : CallKeyValue<K, V>(mapper_, record.key, record.value))
      this->Forward({PointerTo(pair.first), PointerTo(pair.second), record.timestamp_ms, record.headers});
  }

 private:
  F mapper_;
};

template <class K, class V, class F>
class PeekNode final : public Operator<K, V, K, V> {
 public:
  explicit PeekNode(F action) : action_(std::move(action)) {}
  void Process(const Record<K, V>& record) override {
    if (CanCall<F, K, V>(record.value)) CallKeyValue<K, V>(action_, record.key, record.value);
    this->Forward(record);
  }

 private:
  F action_;
};

// Writes one line (print.cc).
void PrintLine(std::ostream& out, const std::string& label, const std::string& text);

template <class K, class V, class F>
class PrintNode final : public Receiver<K, V> {
 public:
  PrintNode(std::ostream* out, std::string label, F text_of) : out_(out), label_(std::move(label)), text_of_(std::move(text_of)) {}
  void AddChild(Node*) override { TAILRACE_CHECK(false, "Print has no children"); }
  absl::Status Init(TaskContext&) override { return absl::OkStatus(); }
  void Process(const Record<K, V>& record) override { PrintLine(*out_, label_, text_of_(record.key, record.value)); }

 private:
  std::ostream* const out_;
  const std::string label_;
  F text_of_;
};

template <class K, class V>
class PassThroughNode final : public Operator<K, V, K, V> {
 public:
  void Process(const Record<K, V>& record) override { this->Forward(record); }
};

// Stands before a repartition topic. Drops records without a key, unless a left or outer join behind the topic takes them.
template <class K, class V>
class NonNullKeyNode final : public Operator<K, V, K, V> {
 public:
  explicit NonNullKeyNode(bool drop_null_keys) : drop_null_keys_(drop_null_keys) {}
  void Process(const Record<K, V>& record) override {
    if (record.key != nullptr || !drop_null_keys_) this->Forward(record);
    else this->context().Drop(DropReason::kNullKey);
  }

 private:
  const bool drop_null_keys_;
};

// Forwards each record to the child of the first predicate that holds; without one to the default child, if any.
template <class K, class V>
class BranchNode final : public Operator<K, V, K, V> {
 public:
  using Predicate = std::function<bool(const K*, const V*)>;
  explicit BranchNode(std::vector<Predicate> predicates) : predicates_(std::move(predicates)) {}
  void Process(const Record<K, V>& record) override {
    const size_t children = this->output().children().size();
    for (size_t i = 0; i < predicates_.size() && i < children; ++i)
      if (!predicates_[i] || predicates_[i](record.key, record.value)) {
        this->output().ForwardTo(this->output().child(i), record);
        return;
      }
  }

 private:
  std::vector<Predicate> predicates_;  // an empty one holds for every record
};

}  // namespace tailrace::processor::detail
