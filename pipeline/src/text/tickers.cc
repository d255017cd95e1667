#include "text/tickers.h"

#include <algorithm>

#include "tailrace/base/limits.h"
#include "text/unicode.h"

namespace tailrace::pipeline::text {
namespace {

constexpr size_t kLettersMax = 6;
constexpr size_t kSuffixLettersMax = 2;

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

size_t LettersAt(std::string_view text, size_t at) {
  size_t end = at;
  while (end < text.size() && IsLetter(text[end])) ++end;
  return end - at;
}

// Whether a word goes on at this place.
bool IsInWord(std::string_view text, size_t at) {
  if (at >= text.size()) return false;
  if (text[at] == '_') return true;
  const CharKind kind = ReadChar(text.substr(at)).kind;
  return kind == CharKind::kLetter || kind == CharKind::kDigit || kind == CharKind::kMark;
}

// The size of the ticker that begins at `at`, behind the dollar sign; 0 when there is none.
size_t TickerAt(std::string_view text, size_t at) {
  const size_t letters = LettersAt(text, at);
  if (letters == 0 || letters > kLettersMax) return 0;
  const size_t end = at + letters;
  if (end < text.size() && (text[end] == '.' || text[end] == '_')) {
    const size_t suffix = LettersAt(text, end + 1);
    if (suffix > 0 && suffix <= kSuffixLettersMax && !IsInWord(text, end + 1 + suffix)) return letters + 1 + suffix;
  }
  return IsInWord(text, end) ? 0 : letters;
}

}  // namespace

const std::vector<std::string_view>& TickerReader::Read(std::string_view text) {
  tickers_.clear();
  upper_.clear();
  upper_.reserve(text.size());  // Views into it stay valid.
  bool inside = false;
  for (size_t at = 0; at < text.size();) {
    if (text[at] != '$') {
      const Char c = ReadChar(text.substr(at));
      inside = c.kind == CharKind::kLetter || c.kind == CharKind::kDigit || c.kind == CharKind::kMark || c.code == '_';
      at += c.bytes;
      continue;
    }
    const size_t size = inside ? 0 : TickerAt(text, at + 1);
    inside = true;  // A dollar sign before another, or before letters that are no ticker, begins none.
    ++at;
    if (size == 0) continue;
    const size_t begin = upper_.size();
    for (const char c : text.substr(at, size)) upper_ += static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    const std::string_view ticker = std::string_view(upper_).substr(begin);
    if (std::find(tickers_.begin(), tickers_.end(), ticker) == tickers_.end()) tickers_.push_back(ticker);
    if (tickers_.size() == base::limits::kTickersPerEventMax) return tickers_;
    at += size;
  }
  return tickers_;
}

}  // namespace tailrace::pipeline::text
