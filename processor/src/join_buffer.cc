#include "tailrace/processor/detail/join_buffer.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "buffer_value.h"
#include "tailrace/base/bytes.h"
#include "tailrace/base/check.h"

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

absl::Status JoinBuffer::Init(TaskContext& context) {
  context_ = &context;
  store_ = &context.key_value_store(store_name_);
  bool damaged = false;
  TAILRACE_RETURN_IF_ERROR(store_->Range(std::nullopt, std::nullopt, [&](const state::Row& row) {
    BufferKey key;
    damaged = !Parse(row.key, key);
    if (damaged) return false;
    keys_.emplace(row.key);
    newest_ms_ = std::max(newest_ms_, key.timestamp_ms);
    sequence_ = std::max(sequence_, key.sequence);
    return true;
  }));
  return damaged ? Damaged(store_name_) : absl::OkStatus();
}

bool JoinBuffer::Put(std::string_view key, std::string_view value, int64_t timestamp_ms, const kafka::Headers& headers) {
  if (newest_ms_ - grace_ms_ > timestamp_ms) return false;
  newest_ms_ = std::max(newest_ms_, timestamp_ms);
  sequence_ = (sequence_ + 1) & 0x7fffffff;
  key_.assign(1, kTimeFirst);
  base::AppendBigEndian(key_, timestamp_ms);
  key_.append(key);
  base::AppendBigEndian(key_, sequence_);

  RecordContext record = context_->record();
  record.timestamp_ms = timestamp_ms;
  value_.clear();
  AppendBufferValue(value_, record, headers, {}, {}, value);
  base::AppendBigEndian(value_, int64_t{0});  // stands for the time of a suppression
  if (absl::Status status = store_->Put(key_, std::string_view(value_), context_->wall_time_ms()); !status.ok()) {
    context_->Fail(std::move(status));
    return true;
  }
  keys_.insert(key_);
  return true;
}

void JoinBuffer::Evict(Emit emit) {
  BufferKey key;
  while (!keys_.empty()) {
    TAILRACE_CHECK(Parse(*keys_.begin(), key), "a key of a join buffer is not what Put has made");
    if (key.timestamp_ms > newest_ms_ - grace_ms_) return;
    const auto row = store_->Get(*keys_.begin());
    if (!row.ok()) return context_->Fail(row.status());
    // The store may move while the record is processed.
    value_ = row->has_value() ? (*row)->value : std::string_view();
    BufferValue kept;
    if (!ParseBufferValue(value_, kept)) return context_->Fail(Damaged(store_name_));
    context_->ProcessKept(kept.record, kept.headers,
                          [&] { emit(key.key, kept.new_value.view(), kept.record.timestamp_ms, kept.headers); });
    if (absl::Status status = store_->Delete(*keys_.begin(), context_->wall_time_ms()); !status.ok())
      return context_->Fail(std::move(status));
    keys_.erase(keys_.begin());
  }
}

}  // namespace tailrace::processor::detail
