#include "tailrace/grpc_api/request_kind.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "common/error_info.h"
#include "common/text_case.h"
#include "common/utf8.h"

namespace tailrace::grpc_api {
namespace {

// Names of users are free text in some networks; the longest known are 50 characters of up to four bytes.
constexpr size_t kUserBytesMax = 200;
// "EXCHANGE:SYMBOL" at the longest.
constexpr size_t kTickerBytesMax = 32;
// With white space around it, and before its letters are composed.
constexpr size_t kNameBytesRead = 4 * kUserBytesMax;

bool IsUserByte(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f && c != '|'; }
bool IsTickerByte(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-' || c == ':' || c == '_'; }

absl::Status BadName(std::string_view what) {
  return QueryError(absl::StatusCode::kInvalidArgument, reason::kBadRequest, what);
}

}  // namespace

std::string_view RequestKindName(RequestKind kind) {
  switch (kind) {
    case RequestKind::kUser: return "user";
    case RequestKind::kTicker: return "ticker";
    case RequestKind::kUnknown: break;
  }
  return "unknown";
}

absl::StatusOr<std::string> RequestName(RequestKind kind, std::string_view name) {
  // Case is folded in valid UTF-8 only, and not of more than can be a name.
  const bool is_text = name.size() <= kNameBytesRead && IsValidUtf8(name);
  if (kind == RequestKind::kUser) {
    std::string text = is_text ? UserName(name) : "";
    if (text.empty() || text.size() > kUserBytesMax || !std::all_of(text.begin(), text.end(), IsUserByte))
      return BadName("the name of a user must be 1 to 200 bytes of UTF-8 without control characters and '|'");
    return text;
  }
  if (kind == RequestKind::kTicker) {
    std::string text = is_text ? TickerName(name) : "";
    if (text.empty() || text.size() > kTickerBytesMax || !std::all_of(text.begin(), text.end(), IsTickerByte))
      return BadName("a ticker must be 1 to 32 letters, digits, '.', '-', ':' or '_'");
    return text;
  }
  return BadName("the kind of a request must be user or ticker");
}

std::string RequestKey(RequestKind kind, std::string_view name) {
  return std::string(RequestKindName(kind)) + "|" + std::string(name);
}

}  // namespace tailrace::grpc_api
