#include "committed_metadata.h"

#include "tailrace/base/bytes.h"

namespace tailrace::processor {
namespace {

constexpr char kVersionTimeOnly = 1;
constexpr char kVersion = 2;

}  // namespace

std::string EncodeCommittedMetadata(const CommittedMetadata& metadata) {
  std::string bytes(1, kVersion);
  base::AppendBigEndian(bytes, metadata.partition_time_ms);
  if (!metadata.operator_times_ms.empty()) {
    base::AppendBigEndian(bytes, static_cast<int32_t>(metadata.operator_times_ms.size()));
    for (const auto& [name, time_ms] : metadata.operator_times_ms) {
      base::AppendBigEndian(bytes, static_cast<int32_t>(name.size()));
      bytes += name;
      base::AppendBigEndian(bytes, time_ms);
    }
  }
  return base::Base64Encode(bytes);
}

CommittedMetadata DecodeCommittedMetadata(std::string_view text) {
  const auto bytes = base::Base64Decode(text);
  if (!bytes.has_value() || bytes->empty()) return {};
  std::string_view in = *bytes;
  const char version = in.front();
  in.remove_prefix(1);
  CommittedMetadata metadata;
  if (version != kVersion && version != kVersionTimeOnly) return {};
  if (!base::ConsumeBigEndian(in, metadata.partition_time_ms)) return {};
  int32_t count = 0;
  if (version == kVersionTimeOnly || !base::ConsumeBigEndian(in, count)) return metadata;
  for (int32_t i = 0; i < count; ++i) {
    int32_t size = 0;
    std::string_view name;
    int64_t time_ms = 0;
    if (!base::ConsumeBigEndian(in, size) || size < 0 || !base::ConsumeBytes(in, static_cast<size_t>(size), name) ||
        !base::ConsumeBigEndian(in, time_ms))
      return {};
    metadata.operator_times_ms.emplace(name, time_ms);
  }
  return metadata;
}

}  // namespace tailrace::processor
