// Words for made-up sentences.
#pragma once

#include <span>
#include <string_view>

namespace tailrace::ingest {

// Valid UTF-8. Unknown languages get a list of sounds.
std::span<const std::string_view> WordsOf(std::string_view lang);
// Hashtags without '#'.
std::span<const std::string_view> Topics();
// Halves of author names, in ASCII.
std::span<const std::string_view> NameBeginnings();
std::span<const std::string_view> NameEndings();

}  // namespace tailrace::ingest
