// The way out of a windowed aggregation for records that its windows do not take any more.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "tailrace/processor/detail/forwarded_headers.h"
#include "tailrace/processor/detail/node.h"

namespace tailrace::processor::detail {

// Why a record was late: the window that had closed, the operator's stream time and its grace.
struct LateWindow {
  int64_t start_ms = 0;
  int64_t end_ms = 0;
  int64_t stream_time_ms = 0;
  int64_t grace_ms = 0;
};

// `headers` and those that say why the record was late (docs/formats.md).
kafka::Headers LateHeaders(const kafka::Headers& headers, const LateWindow& window);

// Stands below an aggregation beside its results and passes late records on.
template <class K, class V>
class LateRecordsNode final : public Operator<K, V, K, V> {
 public:
  void Process(const Record<K, V>& record) override { this->Forward(record); }
};

// Belongs to one operator of one task. Without a node below, late records are only counted, which the operator does.
template <class K, class V>
class LateOutput {
 public:
  // Whether the child is one for late records, which is kept here.
  bool Take(Node* child) {
    auto* const node = dynamic_cast<LateRecordsNode<K, V>*>(child);
    if (node != nullptr) node_ = node;
    return node != nullptr;
  }
  void Emit(const Record<K, V>& record, const LateWindow& window, TaskContext& context) {
    if (node_ == nullptr) return;
    const kafka::Headers headers = LateHeaders(record.headers != nullptr ? *record.headers : context.record_headers(), window);
    const ForwardedHeaders forwarded(context, &headers);
    try {
      node_->Process({record.key, record.value, record.timestamp_ms, &headers});
    } catch (...) {
      if (!context.HandleThrown(node_->name(), false)) throw;
    }
  }

 private:
  LateRecordsNode<K, V>* node_ = nullptr;
};

}  // namespace tailrace::processor::detail
