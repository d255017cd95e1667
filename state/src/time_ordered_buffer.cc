#include "time_ordered_buffer.h"

#include <algorithm>

#include "tailrace/base/bytes.h"
#include "tailrace/base/check.h"

namespace tailrace::state {
namespace {

constexpr int32_t kNull = -1;
constexpr int32_t kSameAsPrior = -2;
constexpr int64_t kFixedBytes = 8 + 8 + 8 + 4;  // time, timestamp, offset, partition

// Characters of a java.lang.String: those outside the basic plane count twice.
int64_t JavaLength(std::string_view utf8) {
  int64_t length = 0;
  for (const char c : utf8) {
    const auto byte = static_cast<uint8_t>(c);
    if ((byte & 0xc0) != 0x80) length += byte >= 0xf0 ? 2 : 1;
  }
  return length;
}

int64_t SizeOf(const std::optional<std::string>& bytes) { return bytes.has_value() ? static_cast<int64_t>(bytes->size()) : 0; }

// InMemoryTimeOrderedKeyValueChangeBuffer.computeRecordSize. An old value that equals the prior one is stored once.
int64_t RecordSize(std::string_view key, const BufferedChange& change) {
  int64_t size = kFixedBytes + static_cast<int64_t>(key.size()) + JavaLength(change.context.topic) +
                 SizeOf(change.prior_value) + SizeOf(change.new_value);
  if (change.old_value != change.prior_value) size += SizeOf(change.old_value);
  for (const kafka::Header& header : change.context.headers) size += JavaLength(header.name) + SizeOf(header.value);
  return size;
}

// java.util.Arrays.hashCode(byte[]), spread as java.util.HashMap does.
uint32_t JavaHash(std::string_view bytes) {
  uint32_t hash = 1;
  for (const char c : bytes) hash = 31 * hash + static_cast<uint32_t>(static_cast<int32_t>(static_cast<int8_t>(c)));
  return hash ^ hash >> 16;
}

std::optional<std::string> Owned(kafka::NullableBytes bytes) {
  if (bytes.is_null()) return std::nullopt;
  return std::string(bytes.view());
}

void AppendSized(std::string& out, std::string_view bytes) {
  base::AppendBigEndian(out, static_cast<int32_t>(bytes.size()));
  out.append(bytes);
}
void AppendSized(std::string& out, const std::optional<std::string>& bytes) {
  if (bytes.has_value()) AppendSized(out, std::string_view(*bytes));
  else base::AppendBigEndian(out, kNull);
}

bool ConsumeBody(std::string_view& in, int32_t size, std::optional<std::string>& out) {
  std::string_view body;
  if (size == kNull) {
    out.reset();
    return true;
  }
  if (size < 0 || !base::ConsumeBytes(in, static_cast<size_t>(size), body)) return false;
  out = std::string(body);
  return true;
}
bool ConsumeSized(std::string_view& in, std::optional<std::string>& out) {
  int32_t size = 0;
  return base::ConsumeBigEndian(in, size) && ConsumeBody(in, size, out);
}

bool ConsumeContext(std::string_view& in, BufferedContext& context) {
  std::optional<std::string> topic;
  int32_t header_count = 0;
  if (!base::ConsumeBigEndian(in, context.timestamp_ms) || !base::ConsumeBigEndian(in, context.offset) ||
      !ConsumeSized(in, topic) || !topic.has_value() || !base::ConsumeBigEndian(in, context.partition) ||
      !base::ConsumeBigEndian(in, header_count))
    return false;
  context.topic = *std::move(topic);
  context.headers.clear();
  for (int32_t i = 0; i < header_count; ++i) {
    std::optional<std::string> name;
    kafka::Header header;
    if (!ConsumeSized(in, name) || !name.has_value() || !ConsumeSized(in, header.value)) return false;
    header.name = *std::move(name);
    context.headers.push_back(std::move(header));
  }
  return true;
}

}  // namespace

void AppendBufferedChange(std::string& out, const BufferedChange& change, int64_t time_ms) {
  const BufferedContext& context = change.context;
  base::AppendBigEndian(out, context.timestamp_ms);
  base::AppendBigEndian(out, context.offset);
  AppendSized(out, std::string_view(context.topic));
  base::AppendBigEndian(out, context.partition);
  base::AppendBigEndian(out, static_cast<int32_t>(context.headers.size()));
  for (const kafka::Header& header : context.headers) {
    AppendSized(out, std::string_view(header.name));
    AppendSized(out, header.value);
  }
  AppendSized(out, change.prior_value);
  if (change.old_value.has_value() && change.old_value == change.prior_value) base::AppendBigEndian(out, kSameAsPrior);
  else AppendSized(out, change.old_value);
  AppendSized(out, change.new_value);
  base::AppendBigEndian(out, time_ms);
}

bool ParseBufferedChange(std::string_view bytes, BufferedChange& change, int64_t& time_ms) {
  int32_t old_size = 0;
  if (!ConsumeContext(bytes, change.context) || !ConsumeSized(bytes, change.prior_value) ||
      !base::ConsumeBigEndian(bytes, old_size))
    return false;
  if (old_size == kSameAsPrior) change.old_value = change.prior_value;
  else if (!ConsumeBody(bytes, old_size, change.old_value)) return false;
  return ConsumeSized(bytes, change.new_value) && base::ConsumeBigEndian(bytes, time_ms) && bytes.empty();
}

TimeOrderedBufferImpl::TimeOrderedBufferImpl(const StoreSpec& spec, int32_t index, TaskContext* task, Backend* backend)
    : spec_(spec),
      rows_(
          [&] {
            StoreSpec rows = spec;
            rows.logging = false;
            rows.caching = true;
            return rows;
          }(),
          index, task, backend) {}

void TimeOrderedBufferImpl::Clear() {
  sorted_.clear();
  index_.clear();
  dirty_.clear();
  is_dirty_.clear();
  bytes_ = 0;
}

void TimeOrderedBufferImpl::Discard(const StoreMark& mark) {
  rows_.Discard(mark);
  Clear();
}

absl::Status TimeOrderedBufferImpl::Load() {
  Clear();
  bool damaged = false;
  TAILRACE_RETURN_IF_ERROR(rows_.Range(std::nullopt, std::nullopt, [&](const Row& row) {
    BufferedChange change;
    int64_t time_ms = 0;
    damaged = !ParseBufferedChange(row.value, change, time_ms);
    if (!damaged) Insert(time_ms, std::string(row.key), std::move(change));
    return !damaged;
  }));
  if (damaged)
    return base::Error(base::Reaction::kFatal, absl::StatusCode::kDataLoss,
                       "store " + spec_.name + ": its changelog " + spec_.changelog_topic +
                           " holds a record that is no buffered change of version 3 (Kafka Streams 2.4 and later); let the old "
                           "application emit what it holds back, then reset the topic");
  return absl::OkStatus();
}

void TimeOrderedBufferImpl::Insert(int64_t time_ms, std::string key, BufferedChange change) {
  bytes_ += RecordSize(key, change);
  const auto [entry, is_new] = sorted_.emplace(Position(time_ms, key), std::move(change));
  TAILRACE_CHECK(is_new, "a key is in a buffer once");
  index_.emplace(std::move(key), entry);
}

absl::Status TimeOrderedBufferImpl::MarkDirty(std::string_view key) {
  TAILRACE_RETURN_IF_ERROR(rows_.Upsert(key).status());
  if (const auto [entry, is_new] = is_dirty_.try_emplace(std::string(key), true); is_new) {
    dirty_.emplace_back(key);
    if (dirty_.size() > java_buckets_ / 4 * 3) java_buckets_ *= 2;
  }
  return absl::OkStatus();
}

absl::Status TimeOrderedBufferImpl::Put(int64_t time_ms, std::string_view key, kafka::NullableBytes new_value,
                                        kafka::NullableBytes old_value, BufferedContext context) {
  TAILRACE_RETURN_IF_ERROR(MarkDirty(key));
  BufferedChange change{std::nullopt, Owned(old_value), Owned(new_value), std::move(context)};
  std::string owned(key);
  const auto found = index_.find(owned);
  if (found == index_.end()) {
    change.prior_value = change.old_value;
    Insert(time_ms, std::move(owned), std::move(change));
    return absl::OkStatus();
  }
  BufferedChange& buffered = found->second->second;
  bytes_ -= RecordSize(key, buffered);
  change.prior_value = std::move(buffered.prior_value);
  buffered = std::move(change);
  bytes_ += RecordSize(key, buffered);
  return absl::OkStatus();
}

std::optional<TimeOrderedBuffer::Entry> TimeOrderedBufferImpl::Oldest() const {
  if (sorted_.empty()) return std::nullopt;
  const auto& [position, change] = *sorted_.begin();
  return Entry{position.first, position.second, &change};
}

absl::Status TimeOrderedBufferImpl::RemoveOldest() {
  TAILRACE_CHECK(!sorted_.empty(), "nothing to remove from an empty buffer");
  const auto oldest = sorted_.begin();
  TAILRACE_RETURN_IF_ERROR(MarkDirty(oldest->first.second));
  bytes_ -= RecordSize(oldest->first.second, oldest->second);
  index_.erase(oldest->first.second);
  sorted_.erase(oldest);
  return absl::OkStatus();
}

const BufferedChange* TimeOrderedBufferImpl::Find(std::string_view key) const {
  const auto found = index_.find(std::string(key));
  return found == index_.end() ? nullptr : &found->second->second;
}

void TimeOrderedBufferImpl::OrderDirty() {
  const uint32_t mask = java_buckets_ - 1;
  std::stable_sort(dirty_.begin(), dirty_.end(), [mask](const std::string& a, const std::string& b) {
    return (JavaHash(a) & mask) < (JavaHash(b) & mask);
  });
}

void TimeOrderedBufferImpl::Flush() {
  OrderDirty();
  ChangelogWriter* const changelog = rows_.core().task().changelog;
  for (const std::string& key : dirty_) {
    const auto entry = rows_.Upsert(key);
    TAILRACE_CHECK(entry.ok(), "a dirty row is cached");
    kafka::NullableBytes value;
    int64_t timestamp_ms = 0;
    if (const auto found = index_.find(key); found != index_.end()) {
      scratch_.clear();
      const auto& [position, change] = *found->second;
      AppendBufferedChange(scratch_, change, position.first);
      value = scratch_;
      timestamp_ms = change.context.timestamp_ms;
    }
    // Kafka Streams gives these records no timestamp: the producer takes the time of sending.
    if (spec_.logging && changelog != nullptr) changelog->Append(rows_.core().index(), key, value, -1);
    rows_.Update(**entry, value, timestamp_ms);
  }
  dirty_.clear();
  is_dirty_.clear();
  rows_.Flush();
}

}  // namespace tailrace::state
