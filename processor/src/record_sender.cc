#include "absl/strings/str_cat.h"
#include "tailrace/base/murmur2.h"
#include "tailrace/processor/detail/topic_nodes.h"

namespace tailrace::processor::detail {

absl::Status RecordSender::Init(TaskContext& context, const std::string& topic) {
  topic_name_ = topic;
  context_ = &context;
  partition_count_ = 0;
  TAILRACE_ASSIGN_OR_RETURN(topic_, context.ResolveTopic(topic));
  return absl::OkStatus();
}

int32_t RecordSender::PartitionCount() {
  if (partition_count_ > 0) return partition_count_;
  const absl::StatusOr<int32_t> count = context_->PartitionCount(topic_);
  if (!count.ok()) {
    context_->Fail(count.status());
    return 0;
  }
  return partition_count_ = *count;
}

void RecordSender::Send(kafka::NullableBytes key, kafka::NullableBytes value, size_t partition_key_size,
                        int64_t timestamp_ms, const kafka::Headers* headers) {
  std::optional<base::Partition> partition;
  if (!key.is_null() && partition_key_size != key.view().size()) {
    if (PartitionCount() == 0) return;
    partition = base::PartitionForKey(key.view().substr(0, partition_key_size), partition_count_);
  }
  SendRecord(partition, key, value, timestamp_ms, headers);
}

void RecordSender::SendTo(const std::vector<int32_t>& partitions, kafka::NullableBytes key, kafka::NullableBytes value,
                          int64_t timestamp_ms, const kafka::Headers* headers) {
  if (partitions.empty()) return context_->Drop(DropReason::kNoPartition);
  for (const int32_t partition : partitions) {
    if (partition < 0 || partition >= PartitionCount())
      return context_->Fail(base::Error(
          base::Reaction::kFatal, absl::StatusCode::kOutOfRange,
          absl::StrCat("topic ", topic_name_, ": the partitioner chose partition ", partition, " of ", partition_count_)));
    SendRecord(base::Partition(partition), key, value, timestamp_ms, headers);
  }
}

void RecordSender::SendRecord(std::optional<base::Partition> partition, kafka::NullableBytes key, kafka::NullableBytes value,
                              int64_t timestamp_ms, const kafka::Headers* headers) {
  if (headers == nullptr) {
    const kafka::Headers& inherited = context_->record_headers();
    if (!inherited.empty()) headers = &inherited;
  }
  context_->Send({.topic = topic_,
                  .partition = partition,
                  .key = key,
                  .value = value,
                  .timestamp_ms = timestamp_ms,
                  .headers = headers});
}

}  // namespace tailrace::processor::detail
