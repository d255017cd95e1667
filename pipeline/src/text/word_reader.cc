#include "text/word_reader.h"

#include <algorithm>
#include <array>

#include "tailrace/base/limits.h"

namespace tailrace::pipeline::text {
namespace {

constexpr int32_t kFullWidthAt = 0xff20;

bool StartsWithIgnoringCase(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), text.begin(), [](char p, char c) {
           return p == (c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
         });
}

bool IsNameChar(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

}  // namespace

bool WordReader::SkipAddress() {
  if (inside_) return false;
  constexpr std::array<std::string_view, 3> kBeginnings = {"http://", "https://", "www."};
  if (std::none_of(kBeginnings.begin(), kBeginnings.end(), [this](std::string_view b) { return StartsWithIgnoringCase(rest_, b); })) return false;
  while (!rest_.empty()) {
    const Char c = ReadChar(rest_);
    if (c.kind == CharKind::kSpace) break;
    rest_.remove_prefix(c.bytes);
  }
  return true;
}

bool WordReader::SkipMention() {
  const Char at = ReadChar(rest_);
  if (at.code != '@' && at.code != kFullWidthAt) return false;
  rest_.remove_prefix(at.bytes);
  inside_ = false;
  while (!rest_.empty() && IsNameChar(rest_[0])) {
    rest_.remove_prefix(1);
    inside_ = true;
  }
  return true;
}

bool WordReader::ReadWord() {
  word_.clear();
  bool fits = true;
  bool has_marks = false;
  while (!rest_.empty()) {
    const Char c = ReadChar(rest_);
    if (c.kind != CharKind::kLetter && c.kind != CharKind::kMark) break;
    has_marks = has_marks || c.kind == CharKind::kMark;
    fits = fits && word_.size() + c.bytes <= base::limits::kWordBytesMax;
    if (fits) AppendLower(word_, c.code);
    rest_.remove_prefix(c.bytes);
  }
  inside_ = true;
  if (fits && has_marks) composer_.Compose(word_);
  return fits;
}

bool WordReader::Next(std::string_view& word) {
  while (!rest_.empty()) {
    if (SkipAddress() || SkipMention()) continue;
    const Char c = ReadChar(rest_);
    if (c.kind == CharKind::kLetter) {
      if (!ReadWord()) continue;
      word = word_;
      return true;
    }
    inside_ = c.kind == CharKind::kDigit || c.kind == CharKind::kMark || c.code == '_';
    rest_.remove_prefix(c.bytes);
  }
  return false;
}

}  // namespace tailrace::pipeline::text
