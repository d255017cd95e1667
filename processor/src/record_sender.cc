#include "absl/strings/str_cat.h"
#include "tailrace/base/murmur2.h"
#include "tailrace/processor/detail/topic_nodes.h"

namespace tailrace::processor::detail {

absl::Status RecordSender::Init(TaskContext& context, const std::string& topic) {
  context_ = &context;
  partition_count_ = 0;
  TAILRACE_ASSIGN_OR_RETURN(topic_, context.ResolveTopic(topic));
  return absl::OkStatus();
}

void RecordSender::Send(kafka::NullableBytes key, kafka::NullableBytes value, size_t partition_key_size,
                        int64_t timestamp_ms, const kafka::Headers* headers) {
  std::optional<base::Partition> partition;
  if (!key.is_null() && partition_key_size != key.view().size()) {
    if (partition_count_ == 0) {
      const absl::StatusOr<int32_t> count = context_->PartitionCount(topic_);
      if (!count.ok()) return context_->Fail(count.status());
      partition_count_ = *count;
    }
    partition = base::PartitionForKey(key.view().substr(0, partition_key_size), partition_count_);
  }
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
