// Names in one case, as pipelines write them into keys.
#pragma once

#include <string>
#include <string_view>

namespace tailrace::pipeline {

// In lower case by Unicode's simple mapping, and composed (NFC). `utf8` is valid UTF-8. Thread-safe.
std::string LowerCase(std::string_view utf8);
// Likewise in upper case.
std::string UpperCase(std::string_view utf8);

}  // namespace tailrace::pipeline
