#include "compile/event_codec.h"

#include <bit>

#include "tailrace/base/bytes.h"
#include "tailrace/base/limits.h"

namespace tailrace::pipeline::compile {
namespace {

constexpr char kVersion = 1;

void AppendText(std::string& out, std::string_view text) {
  base::AppendBigEndian(out, static_cast<uint32_t>(text.size()));
  out.append(text);
}

bool ConsumeText(std::string_view& in, std::string_view& text) {
  uint32_t size = 0;
  return base::ConsumeBigEndian(in, size) && base::ConsumeBytes(in, size, text);
}

}  // namespace

void EncodeEvent(Event event, std::string& out) {
  out.assign(1, kVersion);
  for (const FieldValue& value : event) {
    out += static_cast<char>(value.type());
    switch (value.type()) {
      case FieldType::kNull: break;
      case FieldType::kText: AppendText(out, value.text()); break;
      case FieldType::kInt: base::AppendBigEndian(out, value.integer()); break;
      case FieldType::kDouble: base::AppendBigEndian(out, std::bit_cast<uint64_t>(value.number())); break;
      case FieldType::kBool: out += value.boolean() ? '\1' : '\0'; break;
      case FieldType::kTextList:
        base::AppendBigEndian(out, static_cast<uint32_t>(value.list().size()));
        for (const std::string_view item : value.list()) AppendText(out, item);
        break;
    }
  }
}

bool EventDecoder::Decode(std::string_view bytes, Event& event) {
  if (bytes.empty() || bytes[0] != kVersion) return false;
  bytes.remove_prefix(1);
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (!DecodeSlot(bytes, slots_[i], lists_[i])) return false;
  }
  event = slots_;
  return bytes.empty();
}

bool EventDecoder::DecodeSlot(std::string_view& in, FieldValue& value, std::vector<std::string_view>& list) {
  uint8_t type = 0;
  if (!base::ConsumeBigEndian(in, type)) return false;
  value = FieldValue();
  switch (static_cast<FieldType>(type)) {
    case FieldType::kNull: return true;
    case FieldType::kText: {
      std::string_view text;
      if (!ConsumeText(in, text)) return false;
      value = FieldValue::Text(text);
      return true;
    }
    case FieldType::kInt: {
      int64_t integer = 0;
      if (!base::ConsumeBigEndian(in, integer)) return false;
      value = FieldValue::Int(integer);
      return true;
    }
    case FieldType::kDouble: {
      uint64_t bits = 0;
      if (!base::ConsumeBigEndian(in, bits)) return false;
      value = FieldValue::Double(std::bit_cast<double>(bits));
      return true;
    }
    case FieldType::kBool: {
      uint8_t boolean = 0;
      if (!base::ConsumeBigEndian(in, boolean)) return false;
      value = FieldValue::Bool(boolean != 0);
      return true;
    }
    case FieldType::kTextList: {
      uint32_t count = 0;
      if (!base::ConsumeBigEndian(in, count) || count > base::limits::kEventListItemsMax) return false;
      list.clear();
      for (uint32_t i = 0; i < count; ++i) {
        std::string_view item;
        if (!ConsumeText(in, item)) return false;
        list.push_back(item);
      }
      value = FieldValue::TextList(list);
      return true;
    }
  }
  return false;
}

}  // namespace tailrace::pipeline::compile
