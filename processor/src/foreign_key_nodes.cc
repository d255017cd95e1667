#include "tailrace/processor/detail/foreign_key_nodes.h"

#include "tailrace/base/check.h"

namespace tailrace::processor::detail {

absl::Status UndecodableForeignKey(const std::string& operator_name, const char* what) {
  return base::Error(base::Reaction::kSkipRecord, absl::StatusCode::kInvalidArgument,
                     "operator " + operator_name + ": a " + what +
                         " of the foreign-key join's topic cannot be decoded; was it written by another program or version?");
}

void ForeignKeySender::Send(kafka::NullableBytes key, std::string_view value, std::optional<int32_t> partition,
                            int64_t timestamp_ms, const kafka::Headers* headers) {
  if (!partition.has_value() && partitioner_ != nullptr) {
    const int32_t count = sender_.PartitionCount();
    if (count == 0) return;
    partition = partitioner_(topic_, key, count);
  }
  if (!partition.has_value()) return sender_.Send(key, value, key.view().size(), timestamp_ms, headers);
  partitions_.assign(1, *partition);
  sender_.SendTo(partitions_, key, value, timestamp_ms, headers);
}

void SubscriptionSinkNode::AddChild(Node*) { TAILRACE_CHECK(false, "a sink has no children"); }

void SubscriptionSinkNode::Process(const Record<Bytes, Bytes>& record) {
  sender_.Send(record.key == nullptr ? kafka::NullableBytes() : kafka::NullableBytes(*record.key), *record.value,
               std::nullopt, record.timestamp_ms, record.headers);
}

void ForeignResponseSinkNode::AddChild(Node*) { TAILRACE_CHECK(false, "a sink has no children"); }

void ForeignResponseSinkNode::Process(const Record<Bytes, ForeignResponse>& record) {
  value_.clear();
  AppendForeignResponse(value_, *record.value);
  sender_.Send(*record.key, value_, chooses_ ? std::nullopt : record.value->primary_partition, record.timestamp_ms,
               record.headers);
}

absl::Status SubscriptionReceiveNode::Init(TaskContext& context) {
  store_ = &context.key_value_store(store_name_);
  return Operator::Init(context);
}

void SubscriptionReceiveNode::Process(const Record<Bytes, Bytes>& record) {
  std::optional<Subscription> subscription;
  if (record.value != nullptr) subscription = ParseSubscription(*record.value);
  if (!subscription.has_value()) return context().Fail(UndecodableForeignKey(name(), "subscription"));
  using I = SubscriptionInstruction;
  if (record.key == nullptr) {
    if (subscription->instruction != I::kPropagateNullIfNoForeignValue) return context().Drop(DropReason::kNullKey);
  } else {
    combined_.clear();
    AppendCombinedKey(combined_, *record.key, subscription->primary_key);
    const bool deletes =
        subscription->instruction == I::kDeleteKeyNoPropagate || subscription->instruction == I::kDeleteKeyAndPropagate;
    const absl::Status status = store_->Put(
        combined_, deletes ? kafka::NullableBytes() : kafka::NullableBytes(*record.value), record.timestamp_ms);
    if (!status.ok()) return context().Fail(status);
  }
  Forward({record.key, &*subscription, record.timestamp_ms, record.headers});
}

void SubscriptionScan::Init(TaskContext& context) {
  context_ = &context;
  store_ = &context.key_value_store(store_name_);
}

void SubscriptionScan::ForEach(std::string_view foreign_key, absl::FunctionRef<void(const Subscription&)> visit) {
  prefix_.clear();
  AppendCombinedKey(prefix_, foreign_key, {});
  // The first key behind all that begin with the prefix: its first byte, of a size, is never 0xff.
  end_ = prefix_;
  while (end_.back() == '\xff') end_.pop_back();
  end_.back() = static_cast<char>(end_.back() + 1);
  const absl::Status status = store_->Range(prefix_, end_, [&](const state::Row& row) {
    if (!row.key.starts_with(prefix_)) return false;
    std::optional<Subscription> subscription = ParseSubscription(row.value);
    TAILRACE_CHECK(subscription.has_value(), "a subscription store holds what is no subscription");
    visit(*subscription);
    return true;
  });
  if (!status.ok()) context_->Fail(status);
}

}  // namespace tailrace::processor::detail
