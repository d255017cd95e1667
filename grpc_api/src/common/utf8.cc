#include "common/utf8.h"

#include <cstdint>

namespace tailrace::grpc_api {

bool ConsumeCodePoint(std::string_view& text, char32_t& code_point) {
  const auto lead = static_cast<uint8_t>(text.front());
  size_t size = 1;
  char32_t value = lead;
  char32_t smallest = 0;
  if (lead >= 0x80) {
    if ((lead & 0xe0) == 0xc0) {
      size = 2, value = lead & 0x1f, smallest = 0x80;
    } else if ((lead & 0xf0) == 0xe0) {
      size = 3, value = lead & 0x0f, smallest = 0x800;
    } else if ((lead & 0xf8) == 0xf0) {
      size = 4, value = lead & 0x07, smallest = 0x10000;
    } else {
      return false;
    }
  }
  if (text.size() < size) return false;
  for (size_t i = 1; i < size; ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    if ((byte & 0xc0) != 0x80) return false;
    value = (value << 6) | (byte & 0x3f);
  }
  if (value < smallest || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return false;
  text.remove_prefix(size);
  code_point = value;
  return true;
}

bool IsValidUtf8(std::string_view text) {
  char32_t ignored = 0;
  while (!text.empty()) {
    if (!ConsumeCodePoint(text, ignored)) return false;
  }
  return true;
}

}  // namespace tailrace::grpc_api
