#include "tailrace/grpc_api/request_kind.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/error_info.h"
#include "common/text_case.h"
#include "common/utf8.h"
#include "tailrace/base/product_limits.h"

namespace tailrace::grpc_api {
namespace {

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
  const bool is_text = name.size() <= base::limits::kTypedNameBytesMax && IsValidUtf8(name);
  if (kind == RequestKind::kUser) {
    std::string text = is_text ? UserName(name) : "";
    if (text.empty() || text.size() > base::limits::kUserNameBytesMax || !std::all_of(text.begin(), text.end(), IsUserByte))
      return BadName(absl::StrCat("the name of a user must be 1 to ", base::limits::kUserNameBytesMax,
                                  " bytes of UTF-8 without control characters and '|'"));
    return text;
  }
  if (kind == RequestKind::kTicker) {
    std::string text = is_text ? TickerName(name) : "";
    if (text.empty() || text.size() > base::limits::kTickerNameBytesMax || !std::all_of(text.begin(), text.end(), IsTickerByte))
      return BadName(absl::StrCat("a ticker must be 1 to ", base::limits::kTickerNameBytesMax, " letters, digits, '.', '-', ':' or '_'"));
    return text;
  }
  return BadName("the kind of a request must be user or ticker");
}

std::string RequestKey(RequestKind kind, std::string_view name) {
  return std::string(RequestKindName(kind)) + "|" + std::string(name);
}

}  // namespace tailrace::grpc_api
