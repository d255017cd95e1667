#include "gateway/url.h"

#include <cstdint>

#include "common/utf8.h"

namespace tailrace::grpc_api {
namespace {

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// U+00C0 to U+017F without accents, lower case; '?' where a letter has no plain form.
constexpr char kFolded[] =
    "aaaaaaaceeeeiiiidnooooo?ouuuuyts"  // U+00C0
    "aaaaaaaceeeeiiiidnooooo?ouuuuyty"  // U+00E0
    "aaaaaaccccccccddddeeeeeeeeeegggg"  // U+0100
    "gggghhhhiiiiiiiiiiiijjkkklllllll"  // U+0120
    "lllnnnnnnnnnoooooooorrrrrrssssss"  // U+0140
    "ssttttttuuuuuuuuuuuuwwyyyzzzzzzs";  // U+0160
static_assert(sizeof(kFolded) == 0x180 - 0xc0 + 1);

}  // namespace

std::optional<std::string> PercentDecode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size() || HexValue(text[i + 1]) < 0 || HexValue(text[i + 2]) < 0) return std::nullopt;
      c = static_cast<char>(HexValue(text[i + 1]) * 16 + HexValue(text[i + 2]));
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    if (c == '\0') return std::nullopt;
    out.push_back(c);
  }
  if (!IsValidUtf8(out)) return std::nullopt;
  return out;
}

std::vector<QueryPart> ParseQuery(std::string_view query) {
  std::vector<QueryPart> parts;
  while (!query.empty()) {
    const size_t end = query.find('&');
    const std::string_view part = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
    if (part.empty()) continue;
    const size_t equals = part.find('=');
    parts.push_back({.name = PercentDecode(part.substr(0, equals), true),
                     .value = PercentDecode(equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1), true)});
  }
  return parts;
}

std::vector<std::string_view> SplitPath(std::string_view path) {
  std::vector<std::string_view> segments;
  if (!path.empty() && path.front() == '/') path.remove_prefix(1);
  while (true) {
    const size_t end = path.find('/');
    segments.push_back(path.substr(0, end));
    if (end == std::string_view::npos) return segments;
    path.remove_prefix(end + 1);
  }
}

std::string SortKey(std::string_view utf8) {
  std::string key;
  std::string_view rest = utf8;
  while (!rest.empty()) {
    const std::string_view before = rest;
    char32_t code_point = 0;
    if (!ConsumeCodePoint(rest, code_point)) {
      key += rest;
      break;
    }
    if (code_point >= 'A' && code_point <= 'Z') {
      key.push_back(static_cast<char>(code_point - 'A' + 'a'));
    } else if (code_point >= 0xc0 && code_point < 0x180 && kFolded[code_point - 0xc0] != '?') {
      key.push_back(kFolded[code_point - 0xc0]);
    } else {
      key += before.substr(0, before.size() - rest.size());
    }
  }
  key.push_back('\0');
  key += utf8;
  return key;
}

}  // namespace tailrace::grpc_api
