// Writing JSON text by appending to a string: for hot paths, where building a document first would cost too much.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tailrace::base {

// The text in quotes, with what JSON must escape escaped and all other UTF-8 as it is.
// REQUIRES: valid UTF-8 (use it only on text that came from a parser or from this program).
void AppendJsonString(std::string& out, std::string_view text);

void AppendJsonInt(std::string& out, int64_t value);

// The shortest text that reads back as the same double; integral values below 2^53 without a fraction ("12", not "12.0").
// NaN and infinities, which JSON does not know, become null.
void AppendJsonDouble(std::string& out, double value);

}  // namespace tailrace::base
