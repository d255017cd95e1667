// Cuts a text into words, in lower case.
//
// A word is a run of letters with their marks. What stands between words does not matter: spaces, punctuation, symbols, digits.
// Left out whole are web addresses (from http://, https:// or www. to the next space) and mentions (@ with letters of ASCII, digits
// and underscores). Words are composed (NFC), so that both spellings of an accent are one word.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "text/unicode.h"

namespace tailrace::pipeline::text {

// Not thread-safe: it reuses its buffers.
//
//   reader.Start("Hé @you, look: https://example.org HÉ2!");
//   while (reader.Next(word)) ...   // hé, look, hé
class WordReader {
 public:
  // `text` is borrowed until its last word.
  void Start(std::string_view text) {
    rest_ = text;
    inside_ = false;
  }
  // False at the end. The word is valid until the next call. Words above kWordBytesMax are passed over.
  bool Next(std::string_view& word);

 private:
  // Takes the web address or mention that begins here; false when there is none.
  bool SkipAddress();
  bool SkipMention();
  // Reads the word that begins here; false when it is too long.
  bool ReadWord();

  std::string_view rest_;
  bool inside_ = false;  // the character before is a letter, a digit or an underscore
  std::string word_;
  Composer composer_;
};

}  // namespace tailrace::pipeline::text
