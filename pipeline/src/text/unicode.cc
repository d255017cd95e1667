#include "text/unicode.h"

#include <utf8proc.h>

namespace tailrace::pipeline::text {
namespace {

constexpr int32_t kAsciiMax = 0x7f;

CharKind KindOfAscii(char c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return CharKind::kLetter;
  if (c >= '0' && c <= '9') return CharKind::kDigit;
  if (c == ' ' || (c >= '\t' && c <= '\r')) return CharKind::kSpace;
  return CharKind::kOther;
}

CharKind KindOf(int32_t code) {
  switch (utf8proc_category(code)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO: return CharKind::kLetter;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME: return CharKind::kMark;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO: return CharKind::kDigit;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP: return CharKind::kSpace;
    default: return CharKind::kOther;
  }
}

void AppendCode(std::string& out, int32_t code) {
  utf8proc_uint8_t bytes[4];
  out.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(utf8proc_encode_char(code, bytes)));
}

template <class Map>
void AppendMapped(std::string& out, std::string_view text, Map map) {
  while (!text.empty()) {
    const Char c = ReadChar(text);
    if (c.code < 0) {
      out += text[0];
    } else {
      AppendCode(out, map(c.code));
    }
    text.remove_prefix(c.bytes);
  }
}

}  // namespace

Char ReadChar(std::string_view text) {
  const char first = text[0];
  if (static_cast<unsigned char>(first) <= kAsciiMax) return {.code = first, .bytes = 1, .kind = KindOfAscii(first)};
  utf8proc_int32_t code = -1;
  const auto size = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()), &code);
  if (size <= 0) return {.code = -1, .bytes = 1, .kind = CharKind::kOther};
  return {.code = code, .bytes = static_cast<uint8_t>(size), .kind = KindOf(code)};
}

void AppendLower(std::string& out, int32_t code) {
  if (code <= kAsciiMax) {
    out += static_cast<char>(code >= 'A' && code <= 'Z' ? code - 'A' + 'a' : code);
  } else {
    AppendCode(out, utf8proc_tolower(code));
  }
}

void AppendLower(std::string& out, std::string_view text) { AppendMapped(out, text, utf8proc_tolower); }
void AppendUpper(std::string& out, std::string_view text) { AppendMapped(out, text, utf8proc_toupper); }

int64_t CountChars(std::string_view text) {
  int64_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return count;
}

void Composer::Compose(std::string& text) {
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE);
  const auto decompose = [&] {
    return utf8proc_decompose(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()),
                              codes_.data(), static_cast<utf8proc_ssize_t>(codes_.size()), options);
  };
  auto needed = decompose();
  if (needed < 0) return;
  if (static_cast<size_t>(needed) >= codes_.size()) {  // Encoding in place asks for one more.
    codes_.resize(static_cast<size_t>(needed) + 1);
    needed = decompose();
  }
  const auto bytes = utf8proc_reencode(codes_.data(), needed, options);
  if (bytes >= 0) text.assign(reinterpret_cast<const char*>(codes_.data()), static_cast<size_t>(bytes));
}

}  // namespace tailrace::pipeline::text
