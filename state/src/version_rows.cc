#include "version_rows.h"

#include <algorithm>

#include "disk_keys.h"
#include "tailrace/base/check.h"

namespace tailrace::state {
namespace {

constexpr char kSegmentRow = 0;
constexpr char kLatestRow = 1;

}  // namespace

int64_t VersionSegmentInterval(int64_t history_retention_ms) {
  constexpr int64_t kMinute = 60'000;
  if (history_retention_ms <= kMinute) return std::max<int64_t>(history_retention_ms / 3, 2'000);
  if (history_retention_ms <= 5 * kMinute) return std::max<int64_t>(history_retention_ms / 5, 20'000);
  if (history_retention_ms <= 60 * kMinute) return std::max<int64_t>(history_retention_ms / 12, kMinute);
  return std::max<int64_t>(history_retention_ms / 24, 5 * kMinute);
}

void SetSegmentRowKey(std::string& out, int64_t segment, std::string_view key) {
  out.assign(1, kSegmentRow);
  base::AppendBigEndian(out, segment);
  out.append(key);
}

void SetLatestRowKey(std::string& out, std::string_view key) {
  out.assign(1, kLatestRow);
  out.append(key);
}

std::string SegmentsBefore(int64_t segment) {
  std::string key;
  SetSegmentRowKey(key, segment, {});
  return key;
}

std::optional<std::string_view> ParseLatestRowKey(std::string_view row_key) {
  if (row_key.empty() || row_key.front() != kLatestRow) return std::nullopt;
  return row_key.substr(1);
}

VersionRow::Place VersionRow::Keep(kafka::NullableBytes value, int64_t from_ms) {
  if (value.is_null()) return {from_ms, 0, -1};
  const size_t offset = bytes_.size();
  bytes_.append(value.view());
  return {from_ms, offset, static_cast<int32_t>(value.view().size())};
}

bool VersionRow::Parse(int64_t end_ms, std::string_view bytes) {
  end_ms_ = end_ms;
  bytes_.assign(bytes);
  versions_.clear();
  int64_t begin_ms = 0;
  if (!base::ConsumeBigEndian(bytes, begin_ms)) return false;
  size_t value_end = bytes_.size();
  do {
    Place place{};
    if (!base::ConsumeBigEndian(bytes, place.from_ms) || !base::ConsumeBigEndian(bytes, place.size)) return false;
    if (place.size >= 0) {
      if (static_cast<size_t>(place.size) > bytes.size()) return false;
      value_end -= static_cast<size_t>(place.size);
      place.offset = value_end;
      bytes.remove_suffix(static_cast<size_t>(place.size));
    }
    versions_.push_back(place);
  } while (versions_.back().from_ms > begin_ms);
  return bytes.empty() && versions_.back().from_ms == begin_ms;
}

void VersionRow::Reset(kafka::NullableBytes value, int64_t from_ms, int64_t to_ms) {
  bytes_.clear();
  versions_.assign(1, Keep(value, from_ms));
  end_ms_ = to_ms;
}

size_t VersionRow::Find(int64_t time_ms) const {
  TAILRACE_CHECK(begin_ms() <= time_ms && time_ms < end_ms_, "a version is looked for in a row that has none of its time");
  const auto found = std::find_if(versions_.begin(), versions_.end(), [&](const Place& place) { return place.from_ms <= time_ms; });
  return static_cast<size_t>(found - versions_.begin());
}

void VersionRow::InsertAsLatest(kafka::NullableBytes value, int64_t from_ms, int64_t to_ms) {
  if (is_trace()) versions_.clear();
  if (from_ms < end_ms_) {  // a write that did not complete has left a part of these versions twice
    std::erase_if(versions_, [&](const Place& place) { return place.from_ms >= from_ms; });
    end_ms_ = from_ms;
  }
  if (from_ms > end_ms_) versions_.insert(versions_.begin(), Place{end_ms_, 0, -1});
  versions_.insert(versions_.begin(), Keep(value, from_ms));
  end_ms_ = to_ms;
}

void VersionRow::InsertAsEarliest(kafka::NullableBytes value, int64_t from_ms) {
  TAILRACE_CHECK(from_ms < begin_ms(), "the earliest version begins after another one");
  if (is_trace()) versions_.clear();
  versions_.push_back(Keep(value, from_ms));
}

void VersionRow::Insert(size_t at, kafka::NullableBytes value, int64_t from_ms) {
  versions_.insert(versions_.begin() + static_cast<std::ptrdiff_t>(at), Keep(value, from_ms));
}

void VersionRow::Replace(size_t at, kafka::NullableBytes value, int64_t from_ms) { versions_[at] = Keep(value, from_ms); }

std::string_view VersionRow::Encode() {
  encoded_.clear();
  base::AppendBigEndian(encoded_, begin_ms());
  for (const Place& place : versions_) {
    base::AppendBigEndian(encoded_, place.from_ms);
    base::AppendBigEndian(encoded_, place.size);
  }
  for (auto place = versions_.rbegin(); place != versions_.rend(); ++place) encoded_.append(place->View(bytes_).view());
  return encoded_;
}

absl::StatusOr<std::optional<Version>> VersionLookup::Latest(std::string_view key, VersionRowReader read) {
  SetLatestRowKey(row_key_, key);
  Version version;
  TAILRACE_ASSIGN_OR_RETURN(const bool found, read(row_key_, version.valid_from_ms, bytes_));
  if (!found) return std::optional<Version>();
  version.value = bytes_;
  return std::optional<Version>(version);
}

absl::StatusOr<std::optional<Version>> VersionLookup::AsOf(const Store& store, const std::vector<int64_t>& segments,
                                                           std::string_view key, int64_t as_of_ms, VersionRowReader read) {
  TAILRACE_ASSIGN_OR_RETURN(const std::optional<Version> latest, Latest(key, read));
  if (latest.has_value() && latest->valid_from_ms <= as_of_ms) return latest;
  if (as_of_ms < store.stream_time_ms - store.history_retention_ms) return std::optional<Version>();
  const int64_t oldest = as_of_ms / store.segment_interval_ms;
  for (auto segment = segments.rbegin(); segment != segments.rend() && *segment >= oldest; ++segment) {
    SetSegmentRowKey(row_key_, *segment, key);
    int64_t end_ms = 0;
    TAILRACE_ASSIGN_OR_RETURN(const bool found, read(row_key_, end_ms, bytes_));
    if (!found) continue;
    if (!row_.Parse(end_ms, bytes_)) return DamagedEntry(store.name);
    if (end_ms <= as_of_ms) break;  // then nothing was valid at that time
    if (row_.begin_ms() > as_of_ms) continue;
    const size_t i = row_.Find(as_of_ms);
    if (row_.value(i).is_null()) break;
    return std::optional<Version>(Version{row_.value(i).view(), row_.from_ms(i), row_.to_ms(i)});
  }
  return std::optional<Version>();
}

absl::Status VersionLookup::Versions(const Store& store, const std::vector<int64_t>& segments, std::string_view key,
                                     int64_t from_ms, int64_t to_ms, VersionRowReader read, VersionVisitor visitor) {
  const int64_t history_begin_ms = store.stream_time_ms - store.history_retention_ms;
  TAILRACE_ASSIGN_OR_RETURN(const std::optional<Version> latest, Latest(key, read));
  if (latest.has_value() && latest->valid_from_ms <= to_ms && !visitor(*latest)) return absl::OkStatus();
  from_ms = std::max(from_ms, history_begin_ms);
  if (from_ms > to_ms) return absl::OkStatus();
  for (auto segment = segments.rbegin(); segment != segments.rend(); ++segment) {
    SetSegmentRowKey(row_key_, *segment, key);
    int64_t end_ms = 0;
    TAILRACE_ASSIGN_OR_RETURN(const bool found, read(row_key_, end_ms, bytes_));
    if (!found) continue;
    if (!row_.Parse(end_ms, bytes_)) return DamagedEntry(store.name);
    if (end_ms <= from_ms) break;
    for (size_t i = 0; i < row_.size() && row_.to_ms(i) > from_ms; ++i) {
      if (row_.from_ms(i) > to_ms || row_.value(i).is_null()) continue;
      if (!visitor({row_.value(i).view(), row_.from_ms(i), row_.to_ms(i)})) return absl::OkStatus();
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<int64_t>> ListSegments(BackendCursor& cursor, std::string_view store) {
  std::vector<int64_t> segments;
  cursor.Seek({});
  while (cursor.Valid() && !cursor.key().empty() && cursor.key().front() == kSegmentRow) {
    std::string_view key = cursor.key().substr(1);
    int64_t segment = 0;
    if (!base::ConsumeBigEndian(key, segment)) return DamagedEntry(store);
    segments.push_back(segment);
    cursor.Seek(SegmentsBefore(segment + 1));
  }
  TAILRACE_RETURN_IF_ERROR(cursor.status());
  return segments;
}

}  // namespace tailrace::state
