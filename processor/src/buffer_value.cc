#include "buffer_value.h"

#include "tailrace/base/bytes.h"

namespace tailrace::processor {
namespace {

constexpr int32_t kNull = -1;
constexpr int32_t kSameAsPrior = -2;

void AppendSized(std::string& out, std::string_view bytes) {
  base::AppendBigEndian(out, static_cast<int32_t>(bytes.size()));
  out.append(bytes);
}

void AppendSized(std::string& out, kafka::NullableBytes bytes) {
  if (bytes.is_null()) base::AppendBigEndian(out, kNull);
  else AppendSized(out, bytes.view());
}

bool ConsumeSized(std::string_view& in, int32_t& size, kafka::NullableBytes& bytes) {
  bytes = {};
  if (!base::ConsumeBigEndian(in, size)) return false;
  if (size < 0) return true;
  std::string_view view;
  if (!base::ConsumeBytes(in, static_cast<size_t>(size), view)) return false;
  bytes = view;
  return true;
}

bool ConsumePresent(std::string_view& in, std::string_view& bytes) {
  int32_t size = 0;
  kafka::NullableBytes read;
  if (!ConsumeSized(in, size, read) || size < 0) return false;
  bytes = read.view();
  return true;
}

}  // namespace

void AppendBufferValue(std::string& out, const RecordContext& record, const kafka::Headers& headers,
                       kafka::NullableBytes prior_value, kafka::NullableBytes old_value, kafka::NullableBytes new_value) {
  base::AppendBigEndian(out, record.timestamp_ms);
  base::AppendBigEndian(out, record.offset.value());
  AppendSized(out, record.topic);
  base::AppendBigEndian(out, record.partition.value());
  base::AppendBigEndian(out, static_cast<int32_t>(headers.size()));
  for (const kafka::Header& header : headers) {
    AppendSized(out, std::string_view(header.name));
    AppendSized(out, header.value.has_value() ? kafka::NullableBytes(*header.value) : kafka::NullableBytes());
  }
  AppendSized(out, prior_value);
  if (!old_value.is_null() && !prior_value.is_null() && old_value.view() == prior_value.view()) base::AppendBigEndian(out, kSameAsPrior);
  else AppendSized(out, old_value);
  AppendSized(out, new_value);
}

bool ParseBufferValue(std::string_view bytes, BufferValue& value) {
  int64_t offset = 0;
  int32_t partition = 0;
  int32_t count = 0;
  if (!base::ConsumeBigEndian(bytes, value.record.timestamp_ms) || !base::ConsumeBigEndian(bytes, offset) ||
      !ConsumePresent(bytes, value.record.topic) || !base::ConsumeBigEndian(bytes, partition) ||
      !base::ConsumeBigEndian(bytes, count) || count < 0)
    return false;
  value.record.offset = base::Offset(offset);
  value.record.partition = base::Partition(partition);
  value.headers.clear();
  for (; count > 0; --count) {
    std::string_view name;
    int32_t size = 0;
    kafka::NullableBytes header;
    if (!ConsumePresent(bytes, name) || !ConsumeSized(bytes, size, header)) return false;
    kafka::Header& added = value.headers.emplace_back(kafka::Header{std::string(name), std::nullopt});
    if (!header.is_null()) added.value = std::string(header.view());
  }
  int32_t size = 0;
  if (!ConsumeSized(bytes, size, value.prior_value) || !ConsumeSized(bytes, size, value.old_value)) return false;
  if (size == kSameAsPrior) value.old_value = value.prior_value;
  return ConsumeSized(bytes, size, value.new_value);
}

}  // namespace tailrace::processor
