#include "tailrace/processor/suppressed.h"

#include <algorithm>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "tailrace/base/check.h"

namespace tailrace::processor {
namespace {

template <class Config>
Config As(const BufferConfig& config) {
  Config result;
  result.max_records = config.max_records;
  result.max_bytes = config.max_bytes;
  // As in Kafka Streams, a buffer whose changelog was turned off has one again (EagerBufferConfigImpl.shutDownWhenFull).
  if (config.logging) result.changelog_config = config.changelog_config;
  return result;
}

}  // namespace

EagerBufferConfig BufferConfig::MaxRecords(int64_t limit) { return EagerBufferConfig().WithMaxRecords(limit); }
EagerBufferConfig BufferConfig::MaxBytes(int64_t limit) { return EagerBufferConfig().WithMaxBytes(limit); }
StrictBufferConfig BufferConfig::Unbounded() { return StrictBufferConfig(); }
StrictBufferConfig BufferConfig::WithNoBound() const {
  constexpr int64_t kNoBound = std::numeric_limits<int64_t>::max();
  return As<StrictBufferConfig>(*this).WithMaxRecords(kNoBound).WithMaxBytes(kNoBound);
}
StrictBufferConfig BufferConfig::ShutDownWhenFull() const { return As<StrictBufferConfig>(*this); }
EagerBufferConfig BufferConfig::EmitEarlyWhenFull() const { return As<EagerBufferConfig>(*this); }

namespace detail {

void SetWindowWait(const TableHandle& table, const std::string& name, SuppressOptions& options) {
  const std::optional<int64_t> grace_ms = table.graph->WindowGrace(table.id);
  if (grace_ms.has_value()) {
    options.wait_ms = *grace_ms;
    return;
  }
  table.graph->Fail(base::UsageError(absl::StrCat(
      "operator ", name, ": a window's close time is only defined below a windowed aggregation, and there is none above ",
      table.node, "; use UntilTimeLimit, or aggregate in windows first")));
}

std::string NameSuppression(StreamGraph& graph, const Suppressed& suppressed, state::StoreSpec& buffer,
                            SuppressOptions& options) {
  // A given name uses no number up here, unlike elsewhere (KTableImpl.suppress).
  std::string name = suppressed.name().empty() ? graph.NewProcessorName("KTABLE-SUPPRESS-") : suppressed.name();
  buffer.name = suppressed.name().empty() ? graph.NewStoreName("KTABLE-SUPPRESS-") : suppressed.name() + "-store";
  buffer.kind = state::StoreKind::kTimeOrderedBuffer;
  buffer.logging = suppressed.buffer().logging;
  buffer.changelog_config = suppressed.buffer().changelog_config;
  buffer.caching = false;
  options.store = buffer.name;
  options.wait_ms = suppressed.wait_ms();
  options.until_window_closes = suppressed.until_window_closes();
  options.max_records = suppressed.buffer().max_records;
  options.max_bytes = suppressed.buffer().max_bytes;
  options.emits_when_full = suppressed.buffer().emits_when_full;
  return name;
}

absl::Status SuppressBuffer::Init(TaskContext& context, const std::string& operator_name) {
  context_ = &context;
  operator_name_ = operator_name;
  buffer_ = &context.time_ordered_buffer(options_.store);
  limit_ms_ = &context.time_limit_ms();
  observed_ms_ = context.RestoredOperatorTime(operator_name);
  context.KeepOperatorTime(operator_name, &observed_ms_);
  return buffer_->Load();
}

void SuppressBuffer::Observe(int64_t time_ms) { observed_ms_ = std::max(observed_ms_, std::min(time_ms, *limit_ms_)); }

void SuppressBuffer::EmitDue(Emit emit) {
  const int64_t due_ms = observed_ms_ - options_.wait_ms;
  for (auto oldest = buffer_->Oldest(); oldest.has_value() && oldest->time_ms <= due_ms; oldest = buffer_->Oldest()) EmitOldest(emit);
}

void SuppressBuffer::AdvanceTime(int64_t time_ms, Emit emit) {
  Observe(time_ms);
  EmitDue(emit);
}

bool SuppressBuffer::IsFull() const {
  return buffer_->record_count() > options_.max_records || buffer_->byte_count() > options_.max_bytes;
}

void SuppressBuffer::EmitOldest(Emit emit) {
  const std::optional<state::TimeOrderedBuffer::Entry> oldest = buffer_->Oldest();
  TAILRACE_CHECK(oldest.has_value(), "an empty buffer emits nothing");
  const state::BufferedContext& from = oldest->change->context;
  const RecordContext record{from.topic, base::Partition(from.partition), base::Offset(from.offset), from.timestamp_ms};
  // A lookup from below still finds the change in the buffer. It leaves also when user code below throws.
  const absl::Cleanup leave = [this, before = context_->ExchangeRecord({&from.headers, &record})] {
    context_->ExchangeRecord(before);
    if (absl::Status status = buffer_->RemoveOldest(); !status.ok()) context_->Fail(std::move(status));
  };
  if (oldest->change->new_value.has_value() || !options_.until_window_closes) emit(oldest->key, *oldest->change);
}

void SuppressBuffer::Process(int64_t buffer_time_ms, std::string_view key, kafka::NullableBytes new_value,
                             kafka::NullableBytes old_value, int64_t timestamp_ms, const kafka::Headers* headers, Emit emit) {
  Observe(timestamp_ms);
  const RecordContext& from = context_->record();
  absl::Status status = buffer_->Put(
      buffer_time_ms, key, new_value, old_value,
      {timestamp_ms, from.offset.value(), std::string(from.topic), from.partition.value(),
       headers != nullptr ? *headers : context_->record_headers()});
  if (!status.ok()) return context_->Fail(std::move(status));

  EmitDue(emit);
  if (!IsFull()) return;
  if (!options_.emits_when_full)
    return context_->Fail(base::Error(
        base::Reaction::kFatal, absl::StatusCode::kResourceExhausted,
        absl::StrCat("operator ", operator_name_, ": its buffer is full, with ", buffer_->record_count(), " of ",
                     options_.max_records, " records and ", buffer_->byte_count(), " of ", options_.max_bytes,
                     " bytes; raise its bounds, or let it emit early when full")));
  while (IsFull() && buffer_->record_count() > 0) EmitOldest(emit);
}

}  // namespace detail
}  // namespace tailrace::processor
