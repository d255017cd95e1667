#include "compile/deduplicate_node.h"

#include <algorithm>

#include "aggregates/raw.h"
#include "absl/strings/str_cat.h"
#include "tailrace/base/bytes.h"
#include "tailrace/base/json_text.h"

namespace tailrace::pipeline::compile {
namespace {

using aggregates::Load;
using aggregates::Store;
using processor::detail::DropReason;

// u8 version, then per counter u8 FieldType and 8 bytes of value.
constexpr char kVersion = 1;
constexpr size_t kCounterBytes = 9;

void StoreCounter(char* at, const FieldValue& value) {
  at[0] = static_cast<char>(value.type());
  if (value.type() == FieldType::kInt) Store(at + 1, value.integer());
  if (value.type() == FieldType::kDouble) Store(at + 1, value.number());
}

// What `value` is above the counter at `at`; null when it is not.
FieldValue GrowthOf(const char* at, const FieldValue& value) {
  if (value.is_null()) return {};
  if (static_cast<FieldType>(at[0]) == FieldType::kNull) return value;
  if (value.type() == FieldType::kDouble) {
    const auto before = Load<double>(at + 1);
    return value.number() > before ? FieldValue::Double(value.number() - before) : FieldValue();
  }
  const auto before = Load<int64_t>(at + 1);
  int64_t growth = 0;
  if (value.integer() <= before) return {};
  if (__builtin_sub_overflow(value.integer(), before, &growth)) growth = INT64_MAX;
  return FieldValue::Int(growth);
}

}  // namespace

int64_t DeduplicateNode::WindowMs(int64_t retention_ms) {
  constexpr int64_t kWindowsPerRetention = 64;
  return std::max<int64_t>(retention_ms / kWindowsPerRetention, 1);
}

absl::Status DeduplicateNode::Init(processor::detail::TaskContext& context) {
  TAILRACE_RETURN_IF_ERROR(EventOperator::Init(context));
  store_ = &context.window_store(options_.store);
  observed_ms_ = context.RestoredOperatorTime(name());
  context.KeepOperatorTime(name(), &observed_ms_);
  return absl::OkStatus();
}

bool DeduplicateNode::BuildKey(const EventRecord& record) {
  const FieldValue& id = record.value->event[options_.id];
  if (id.is_null()) return false;
  key_.clear();
  if (options_.per_key && record.key != nullptr) {
    base::AppendBigEndian(key_, static_cast<uint32_t>(record.key->size()));
    key_ += *record.key;
  }
  if (id.type() == FieldType::kText) {
    key_ += id.text();
  } else {
    base::AppendJsonInt(key_, id.integer());
  }
  return true;
}

void DeduplicateNode::Remember(Event event) {
  buffer_.assign(1 + options_.max.size() * kCounterBytes, '\0');
  buffer_[0] = kVersion;
  for (size_t i = 0; i < options_.max.size(); ++i) StoreCounter(buffer_.data() + 1 + i * kCounterBytes, event[options_.max[i]]);
}

bool DeduplicateNode::Raise(Event event) {
  slots_.assign(event.size(), FieldValue());
  bool any = false;
  for (size_t i = 0; i < options_.max.size(); ++i) {
    char* const counter = buffer_.data() + 1 + i * kCounterBytes;
    const FieldValue& value = event[options_.max[i]];
    const FieldValue growth = GrowthOf(counter, value);
    if (growth.is_null()) continue;
    StoreCounter(counter, value);
    slots_[options_.max[i]] = growth;
    any = true;
  }
  return any;
}

void DeduplicateNode::Process(const EventRecord& record) {
  if (!BuildKey(record)) return Forward(record);
  observed_ms_ = std::max(observed_ms_, record.timestamp_ms);
  const int64_t start_ms = record.timestamp_ms / options_.window_ms * options_.window_ms;
  const int64_t newest_ms = observed_ms_ / options_.window_ms * options_.window_ms;
  if (start_ms <= newest_ms - options_.retention_ms) return context().Drop(DropReason::kLate);
  const auto found = store_->Upsert(key_, start_ms);
  if (!found.ok()) return context().Fail(found.status());
  state::CacheEntry& entry = **found;
  const Event event = record.value->event;
  if (entry.value().is_null()) {
    Remember(event);
    store_->Update(entry, std::string_view(buffer_), record.timestamp_ms);
    return Forward(record);
  }
  if (options_.max.empty()) return;
  buffer_.assign(entry.value().view());
  if (buffer_.size() != 1 + options_.max.size() * kCounterBytes || buffer_[0] != kVersion) [[unlikely]] {
    return context().Fail(base::Error(base::Reaction::kFatal, absl::StatusCode::kFailedPrecondition,
                                      absl::StrCat("store ", options_.store,
                                                   ": an entry was written by another form of this step (its max fields were changed); give "
                                                   "the store a new name, or run `tailrace reset` to rebuild it from the input")));
  }
  if (!Raise(event)) return;
  const int64_t first_ms = entry.timestamp_ms();
  store_->Update(entry, std::string_view(buffer_), first_ms);
  // Under the time of the first delivery, so that it reaches the same window.
  slots_[options_.timestamp] = FieldValue::Int(first_ms);
  const EventRow row{.event = slots_, .raw = {}, .correction = true};
  Forward({record.key, &row, first_ms, record.headers});
}

}  // namespace tailrace::pipeline::compile
