#include "embedded/chunk.h"

#include <algorithm>
#include <utility>

#include "tailrace/base/bytes.h"
#include "tailrace/base/check.h"
#include "tailrace/base/limits.h"

namespace tailrace::kafka::embedded {
namespace {

constexpr char kVersion = 1;
constexpr size_t kCountAt = 1;
constexpr size_t kSpanAt = 5;
constexpr size_t kMaxTimestampAt = 9;
constexpr size_t kHeaderBytes = 17;

constexpr size_t kDeltaBytes = 4;
constexpr size_t kTimestampAt = 4;
constexpr size_t kKeySizeAt = 12;
constexpr size_t kValueSizeAt = 16;
constexpr size_t kHeadersSizeAt = 20;
constexpr size_t kRecordHeaderBytes = 24;

int32_t SizeOf(NullableBytes bytes) { return bytes.is_null() ? -1 : static_cast<int32_t>(bytes.view().size()); }
size_t BytesOf(int32_t size) { return size < 0 ? 0 : static_cast<size_t>(size); }

std::string EncodeHeaders(const Headers* headers) {
  std::string out;
  if (headers == nullptr || headers->empty()) return out;
  base::AppendVarint(out, static_cast<int64_t>(headers->size()));
  for (const Header& header : *headers) {
    base::AppendVarint(out, static_cast<int64_t>(header.name.size()));
    out += header.name;
    base::AppendVarint(out, header.value ? static_cast<int64_t>(header.value->size()) : -1);
    if (header.value) out += *header.value;
  }
  return out;
}

}  // namespace

bool ParseChunkInfo(std::string_view bytes, ChunkInfo& info) {
  if (bytes.size() < kHeaderBytes || bytes[0] != kVersion) return false;
  info.count = base::LoadBigEndian<uint32_t>(bytes.data() + kCountAt);
  info.span = base::LoadBigEndian<uint32_t>(bytes.data() + kSpanAt);
  info.max_timestamp_ms = base::LoadBigEndian<int64_t>(bytes.data() + kMaxTimestampAt);
  return info.count > 0 && info.span >= info.count;
}

size_t EncodedRecordBytes(NullableBytes key, NullableBytes value, const Headers* headers) {
  size_t bytes = kRecordHeaderBytes + key.view().size() + value.view().size();
  if (headers != nullptr) {
    for (const Header& header : *headers) bytes += header.name.size() + (header.value ? header.value->size() : 0) + 2;
  }
  return bytes;
}

void ChunkBuilder::Begin() {
  if (bytes_.capacity() < kHeaderBytes) bytes_.reserve(1024);
  bytes_.resize(kHeaderBytes);
  bytes_[0] = kVersion;
}

void ChunkBuilder::Add(int64_t timestamp_ms, NullableBytes key, NullableBytes value, const Headers* headers) {
  if (info_.count == 0) Begin();
  const std::string encoded_headers = EncodeHeaders(headers);
  char fixed[kRecordHeaderBytes];
  base::StoreBigEndian<uint32_t>(fixed, info_.span);
  base::StoreBigEndian<int64_t>(fixed + kTimestampAt, timestamp_ms);
  base::StoreBigEndian<int32_t>(fixed + kKeySizeAt, SizeOf(key));
  base::StoreBigEndian<int32_t>(fixed + kValueSizeAt, SizeOf(value));
  base::StoreBigEndian<uint32_t>(fixed + kHeadersSizeAt, static_cast<uint32_t>(encoded_headers.size()));
  bytes_.append(fixed, sizeof fixed);
  bytes_ += key.view();
  bytes_ += value.view();
  bytes_ += encoded_headers;
  info_.max_timestamp_ms = info_.count == 0 ? timestamp_ms : std::max(info_.max_timestamp_ms, timestamp_ms);
  ++info_.count;
  ++info_.span;
}

void ChunkBuilder::AddRaw(uint32_t delta, std::string_view raw, int64_t timestamp_ms) {
  if (info_.count == 0) Begin();
  TAILRACE_CHECK(delta >= info_.span, "records of a chunk are in offset order");
  base::AppendBigEndian<uint32_t>(bytes_, delta);
  bytes_ += raw;
  info_.max_timestamp_ms = info_.count == 0 ? timestamp_ms : std::max(info_.max_timestamp_ms, timestamp_ms);
  ++info_.count;
  info_.span = delta + 1;
}

ChunkBytes ChunkBuilder::Seal() {
  TAILRACE_CHECK(info_.count > 0, "an empty chunk is never stored");
  base::StoreBigEndian<uint32_t>(bytes_.data() + kCountAt, info_.count);
  base::StoreBigEndian<uint32_t>(bytes_.data() + kSpanAt, info_.span);
  base::StoreBigEndian<int64_t>(bytes_.data() + kMaxTimestampAt, info_.max_timestamp_ms);
  info_ = ChunkInfo{};
  // A builder that fills whole chunks asks for the room of the next one at once; one that is sealed early does not.
  const size_t next = bytes_.size() >= base::limits::kLogChunkBytes / 2 ? base::limits::kLogChunkBytes + 1024 : 0;
  auto sealed = std::make_shared<const std::string>(std::exchange(bytes_, std::string()));
  if (next > 0) bytes_.reserve(next);
  return sealed;
}

ChunkReader::ChunkReader(std::string_view bytes, int64_t base) : base_(base) {
  ChunkInfo info;
  if (!ParseChunkInfo(bytes, info)) {
    damaged_ = true;
    return;
  }
  rest_ = bytes.substr(kHeaderBytes);
  left_ = info.count;
}

bool ChunkReader::Next(RecordView& record) {
  if (left_ == 0 || damaged_) return false;
  if (rest_.size() < kRecordHeaderBytes) {
    damaged_ = true;
    return false;
  }
  const char* at = rest_.data();
  const auto key_size = base::LoadBigEndian<int32_t>(at + kKeySizeAt);
  const auto value_size = base::LoadBigEndian<int32_t>(at + kValueSizeAt);
  const size_t headers_size = base::LoadBigEndian<uint32_t>(at + kHeadersSizeAt);
  const size_t total = kRecordHeaderBytes + BytesOf(key_size) + BytesOf(value_size) + headers_size;
  if (key_size < -1 || value_size < -1 || rest_.size() < total) {
    damaged_ = true;
    return false;
  }
  record.offset = base::Offset{base_ + base::LoadBigEndian<uint32_t>(at)};
  record.timestamp_ms = base::LoadBigEndian<int64_t>(at + kTimestampAt);
  const char* key = at + kRecordHeaderBytes;
  const char* value = key + BytesOf(key_size);
  record.key = key_size < 0 ? NullableBytes() : NullableBytes(key, BytesOf(key_size));
  record.value = value_size < 0 ? NullableBytes() : NullableBytes(value, BytesOf(value_size));
  record.native = at;
  raw_ = rest_.substr(kDeltaBytes, total - kDeltaBytes);
  rest_.remove_prefix(total);
  --left_;
  return true;
}

Headers DecodeHeaders(const void* native) {
  Headers headers;
  const char* at = static_cast<const char*>(native);
  const size_t size = base::LoadBigEndian<uint32_t>(at + kHeadersSizeAt);
  if (size == 0) return headers;
  const size_t skip = kRecordHeaderBytes + BytesOf(base::LoadBigEndian<int32_t>(at + kKeySizeAt)) +
                      BytesOf(base::LoadBigEndian<int32_t>(at + kValueSizeAt));
  std::string_view in(at + skip, size);
  int64_t count = 0;
  if (!base::ConsumeVarint(in, count)) return headers;
  for (int64_t i = 0; i < count; ++i) {
    Header header;
    int64_t name_size = 0;
    int64_t value_size = 0;
    std::string_view bytes;
    if (!base::ConsumeVarint(in, name_size) || name_size < 0) return headers;
    if (!base::ConsumeBytes(in, static_cast<size_t>(name_size), bytes)) return headers;
    header.name = bytes;
    if (!base::ConsumeVarint(in, value_size)) return headers;
    if (value_size >= 0) {
      if (!base::ConsumeBytes(in, static_cast<size_t>(value_size), bytes)) return headers;
      header.value = std::string(bytes);
    }
    headers.push_back(std::move(header));
  }
  return headers;
}

}  // namespace tailrace::kafka::embedded
