#include "gateway/text_case.h"

#include <utf8proc.h>

#include <array>
#include <cstdlib>

namespace tailrace::grpc_api {
namespace {

std::string Trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

std::string Composed(const std::string& text) {
  utf8proc_uint8_t* out = nullptr;
  const utf8proc_ssize_t size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                             static_cast<utf8proc_ssize_t>(text.size()), &out,
                                             static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  if (size < 0) return text;
  std::string composed(reinterpret_cast<const char*>(out), static_cast<size_t>(size));
  std::free(out);
  return composed;
}

template <class Map>
std::string Mapped(std::string_view utf8, Map map) {
  const std::string text = Trimmed(utf8);
  std::string out;
  out.reserve(text.size());
  const auto* at = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  auto left = static_cast<utf8proc_ssize_t>(text.size());
  while (left > 0) {
    utf8proc_int32_t code = 0;
    const utf8proc_ssize_t used = utf8proc_iterate(at, left, &code);
    if (used <= 0) return text;
    std::array<utf8proc_uint8_t, 4> bytes;
    const utf8proc_ssize_t made = utf8proc_encode_char(map(code), bytes.data());
    out.append(reinterpret_cast<const char*>(bytes.data()), static_cast<size_t>(made));
    at += used;
    left -= used;
  }
  return Composed(out);
}

}  // namespace

std::string LowerCase(std::string_view utf8) { return Mapped(utf8, utf8proc_tolower); }
std::string UpperCase(std::string_view utf8) { return Mapped(utf8, utf8proc_toupper); }

}  // namespace tailrace::grpc_api
