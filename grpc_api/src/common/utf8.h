// UTF-8, as texts that come from outside are checked.
#pragma once

#include <string_view>

namespace tailrace::grpc_api {

// Takes one code point off the front; false when the bytes are not UTF-8 (overlong forms and surrogates included).
// REQUIRES: text is not empty.
bool ConsumeCodePoint(std::string_view& text, char32_t& code_point);

bool IsValidUtf8(std::string_view text);

}  // namespace tailrace::grpc_api
