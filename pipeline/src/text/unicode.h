// What the text steps ask of Unicode, so that one file knows the library.
//
// utf8proc has categories, simple case mapping and NFC in 0.4 MB. ICU would bring word breaking by dictionary for scripts
// without spaces, whose words the steps leave out as too short anyway, and 36 MB of data into the image.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tailrace::pipeline::text {

enum class CharKind : uint8_t { kLetter, kMark, kDigit, kSpace, kOther };

struct Char {
  int32_t code = 0;
  uint8_t bytes = 1;  // in the text
  CharKind kind = CharKind::kOther;
};

// The character at the beginning of `text`, which is not empty. A byte that is no UTF-8 is a kOther of one byte.
Char ReadChar(std::string_view text);

// The character in lower case, by Unicode's simple mapping.
void AppendLower(std::string& out, int32_t code);

// All of a text. Bytes that are no UTF-8 are taken as they are.
void AppendLower(std::string& out, std::string_view text);
void AppendUpper(std::string& out, std::string_view text);

// Characters (code points) of valid UTF-8.
int64_t CountChars(std::string_view text);

// Composes letters and the marks behind them where Unicode has one character for both (NFC). Not thread-safe: it has a buffer.
class Composer {
 public:
  // Replaces `text`; leaves it as it is when it is no UTF-8.
  void Compose(std::string& text);

 private:
  std::vector<int32_t> codes_;
};

}  // namespace tailrace::pipeline::text
