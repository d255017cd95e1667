#include "tailrace/processor/serdes.h"

#include "absl/strings/str_format.h"

namespace tailrace::processor {
namespace {

constexpr size_t kUuidTextSize = 36;
constexpr char kConstantSize = 0;
constexpr char kVariableSize = 1;
constexpr int32_t kNullItem = -1;

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string Uuid::ToString() const {
  return absl::StrFormat("%08x-%04x-%04x-%04x-%012x", high >> 32, (high >> 16) & 0xffff, high & 0xffff, low >> 48,
                         low & 0xffffffffffff);
}

std::optional<Uuid> Uuid::Parse(std::string_view text) {
  if (text.size() != kUuidTextSize) return std::nullopt;
  Uuid uuid;
  int digits = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    const int digit = HexDigit(text[i]);
    if (digit < 0) return std::nullopt;
    uint64_t& half = digits < 16 ? uuid.high : uuid.low;
    half = half << 4 | static_cast<uint64_t>(digit);
    ++digits;
  }
  return uuid;
}

namespace detail {

ListWriter::ListWriter(std::string& out, size_t item_size, size_t count) : out_(out), item_size_(item_size), count_(count) {
  out_.assign(1, item_size_ == 0 ? kVariableSize : kConstantSize);
  if (item_size_ == 0) base::AppendBigEndian(out_, static_cast<int32_t>(count_));
}

void ListWriter::Add(std::optional<std::string_view> item) {
  if (item_size_ == 0) {
    base::AppendBigEndian(out_, item.has_value() ? static_cast<int32_t>(item->size()) : kNullItem);
  } else if (!item.has_value()) {
    nulls_.push_back(added_);
  }
  if (item.has_value()) out_ += *item;
  ++added_;
}

void ListWriter::Finish() {
  if (item_size_ == 0) return;
  std::string head;
  base::AppendBigEndian(head, static_cast<int32_t>(nulls_.size()));
  for (const int32_t index : nulls_) base::AppendBigEndian(head, index);
  base::AppendBigEndian(head, static_cast<int32_t>(count_));
  out_.insert(1, head);
}

std::optional<std::vector<std::optional<std::string_view>>> ReadList(std::string_view bytes, size_t item_size) {
  if (bytes.empty() || bytes[0] != (item_size == 0 ? kVariableSize : kConstantSize)) return std::nullopt;
  bytes.remove_prefix(1);
  std::vector<int32_t> nulls;
  int32_t null_count = 0;
  if (item_size != 0) {
    if (!base::ConsumeBigEndian(bytes, null_count) || null_count < 0) return std::nullopt;
    for (int32_t i = 0; i < null_count; ++i) {
      int32_t index = 0;
      if (!base::ConsumeBigEndian(bytes, index)) return std::nullopt;
      nulls.push_back(index);
    }
  }
  int32_t count = 0;
  if (!base::ConsumeBigEndian(bytes, count) || count < 0) return std::nullopt;
  std::vector<std::optional<std::string_view>> items;
  size_t next_null = 0;
  for (int32_t i = 0; i < count; ++i) {
    int32_t size = static_cast<int32_t>(item_size);
    if (next_null < nulls.size() && nulls[next_null] == i) {
      ++next_null;
      size = kNullItem;
    } else if (item_size == 0 && !base::ConsumeBigEndian(bytes, size)) {
      return std::nullopt;
    }
    std::string_view item;
    if (size == kNullItem) {
      items.emplace_back(std::nullopt);
    } else if (size < 0 || !base::ConsumeBytes(bytes, static_cast<size_t>(size), item)) {
      return std::nullopt;
    } else {
      items.emplace_back(item);
    }
  }
  if (!bytes.empty()) return std::nullopt;
  return items;
}

}  // namespace detail
}  // namespace tailrace::processor
