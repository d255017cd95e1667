#include "tailrace/processor/detail/join_buffer.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tailrace/base/bytes.h"
#include "tailrace/base/check.h"
#include "tailrace/base/limits.h"

namespace tailrace::processor::detail {
namespace {

// PrefixedWindowKeySchemas.TimeFirstWindowKeySchema.
constexpr char kTimeFirst = 0;

struct BufferKey {
  int64_t timestamp_ms = 0;
  std::string_view key;
  int32_t sequence = 0;
};

bool Parse(std::string_view bytes, BufferKey& out) {
  constexpr size_t kSequenceBytes = 4;
  if (bytes.empty() || bytes.front() != kTimeFirst) return false;
  bytes.remove_prefix(1);
  if (!base::ConsumeBigEndian(bytes, out.timestamp_ms) || bytes.size() < kSequenceBytes) return false;
  out.key = bytes.substr(0, bytes.size() - kSequenceBytes);
  out.sequence = base::LoadBigEndian<int32_t>(bytes.data() + out.key.size());
  return true;
}

absl::Status Damaged(std::string_view store) {
  return base::Error(base::Reaction::kTaskCorrupted, absl::StatusCode::kDataLoss,
                     absl::StrCat("store ", std::string(store), ": an entry is no record that waits for a table; wipe this task's "
                                  "directory and restore"));
}

}  // namespace

JoinBuffer::JoinBuffer(std::string store, int64_t grace_ms) : store_name_(std::move(store)), grace_ms_(grace_ms) {}
JoinBuffer::~JoinBuffer() = default;

absl::Status JoinBuffer::Init(TaskContext& context) {
  context_ = &context;
  store_ = &context.key_value_store(store_name_);
  keys_.clear();
  rest_.reset();
  limit_ms_ = &context.time_limit_ms();
  newest_ms_ = context.RestoredOperatorTime(store_name_);
  context.KeepOperatorTime(store_name_, &newest_ms_);
  bool damaged = false;
  TAILRACE_RETURN_IF_ERROR(store_->Range(std::nullopt, std::nullopt, [&](const state::Row& row) {
    BufferKey key;
    damaged = !Parse(row.key, key);
    if (damaged) return false;
    if (keys_.size() < base::limits::kJoinBufferKeysMax) keys_.emplace_hint(keys_.end(), row.key);
    else if (!rest_.has_value()) rest_.emplace(row.key);
    Observe(key.timestamp_ms);
    sequence_ = std::max(sequence_, key.sequence);
    return true;
  }));
  return damaged ? Damaged(store_name_) : absl::OkStatus();
}

void JoinBuffer::Observe(int64_t time_ms) { newest_ms_ = std::max(newest_ms_, std::min(time_ms, *limit_ms_)); }

void JoinBuffer::Remember(const std::string& key) {
  if (rest_.has_value() && key >= *rest_) return;
  keys_.insert(key);
  if (keys_.size() <= base::limits::kJoinBufferKeysMax) return;
  const auto newest = std::prev(keys_.end());
  rest_ = *newest;
  keys_.erase(newest);
}

bool JoinBuffer::HasOldest() {
  if (!keys_.empty() || !rest_.has_value()) return !keys_.empty();
  const std::string from = *std::exchange(rest_, std::nullopt);
  const absl::Status status = store_->Range(from, std::nullopt, [&](const state::Row& row) {
    if (keys_.size() == base::limits::kJoinBufferKeysMax) {
      rest_.emplace(row.key);
      return false;
    }
    keys_.emplace_hint(keys_.end(), row.key);
    return true;
  });
  if (!status.ok()) context_->Fail(status);
  return status.ok() && !keys_.empty();
}

bool JoinBuffer::Put(std::string_view key, std::string_view value, int64_t timestamp_ms, const kafka::Headers& headers) {
  if (newest_ms_ - grace_ms_ > timestamp_ms) return false;
  Observe(timestamp_ms);
  sequence_ = (sequence_ + 1) & 0x7fffffff;
  key_.assign(1, kTimeFirst);
  base::AppendBigEndian(key_, timestamp_ms);
  key_.append(key);
  base::AppendBigEndian(key_, sequence_);

  const RecordContext record = context_->record();
  state::BufferedContext& from = change_.context;
  from.timestamp_ms = timestamp_ms;
  from.offset = record.offset.value();
  from.topic.assign(record.topic);
  from.partition = record.partition.value();
  from.headers = headers;
  change_.prior_value.reset();
  change_.old_value.reset();
  change_.new_value.emplace(value);
  value_.clear();
  state::AppendBufferedChange(value_, change_, /*time_ms=*/0);
  if (absl::Status status = store_->Put(key_, std::string_view(value_), context_->wall_time_ms()); !status.ok()) {
    context_->Fail(std::move(status));
    return true;
  }
  Remember(key_);
  return true;
}

void JoinBuffer::Evict(Emit emit) {
  BufferKey key;
  while (HasOldest()) {
    TAILRACE_CHECK(Parse(*keys_.begin(), key), "a key of a join buffer is not what Put has made");
    if (key.timestamp_ms > newest_ms_ - grace_ms_) return;
    const auto row = store_->Get(*keys_.begin());
    if (!row.ok()) return context_->Fail(row.status());
    int64_t buffer_ms = 0;
    if (!row->has_value() || !state::ParseBufferedChange((*row)->value, change_, buffer_ms) || !change_.new_value.has_value())
      return context_->Fail(Damaged(store_name_));
    const state::BufferedContext& from = change_.context;
    const RecordContext record{.topic = from.topic, .partition = base::Partition(from.partition),
                               .offset = base::Offset(from.offset), .timestamp_ms = from.timestamp_ms};
    context_->ProcessKept(record, from.headers, [&] { emit(key.key, *change_.new_value, from.timestamp_ms, from.headers); });
    if (absl::Status status = store_->Delete(*keys_.begin(), context_->wall_time_ms()); !status.ok())
      return context_->Fail(std::move(status));
    keys_.erase(keys_.begin());
  }
}

}  // namespace tailrace::processor::detail
