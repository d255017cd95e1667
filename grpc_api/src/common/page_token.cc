#include "common/page_token.h"

#include <algorithm>
#include <optional>

#include "common/error_info.h"
#include "tailrace/base/bytes.h"
#include "tailrace/base/limits.h"

namespace tailrace::grpc_api {
namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kTokenTextMax = 2 * base::limits::kKeyBytesMax;

absl::Status BadToken(std::string_view why) {
  return QueryError(absl::StatusCode::kInvalidArgument, reason::kBadPageToken,
                    "page_token " + std::string(why) + "; start again without one");
}

}  // namespace

uint64_t Fnv1a(std::string_view bytes, uint64_t seed) {
  uint64_t hash = seed;
  for (const char c : bytes) {
    hash ^= static_cast<uint8_t>(c);
    hash *= 0x100000001b3ULL;
  }
  return hash;
}

uint64_t HashRequest(std::string_view method, std::string_view store, int64_t from_ms, int64_t to_ms,
                     std::string_view filter) {
  std::string bytes;
  for (const std::string_view part : {method, store, filter}) {
    base::AppendVarint(bytes, static_cast<int64_t>(part.size()));
    bytes += part;
  }
  base::AppendBigEndian(bytes, from_ms);
  base::AppendBigEndian(bytes, to_ms);
  return Fnv1a(bytes);
}

std::string PageToken::Encode() const {
  std::string bytes;
  bytes.push_back(static_cast<char>(kVersion));
  base::AppendBigEndian(bytes, request_hash);
  base::AppendBigEndian(bytes, from_ms);
  base::AppendBigEndian(bytes, to_ms);
  base::AppendBigEndian(bytes, window_start_ms);
  base::AppendVarint(bytes, static_cast<int64_t>(key.size()));
  bytes += key;
  base::AppendBigEndian(bytes, Fnv1a(bytes));
  return Base64UrlEncode(bytes);
}

absl::StatusOr<PageToken> PageToken::Decode(std::string_view text) {
  std::string bytes;
  if (text.size() > kTokenTextMax || !Base64UrlDecode(text, bytes)) return BadToken("is not one of ours");
  if (bytes.size() < sizeof(uint64_t)) return BadToken("is cut short");
  const std::string_view signed_part = std::string_view(bytes).substr(0, bytes.size() - sizeof(uint64_t));
  if (base::LoadBigEndian<uint64_t>(bytes.data() + signed_part.size()) != Fnv1a(signed_part)) {
    return BadToken("is damaged");
  }
  std::string_view in = signed_part;
  PageToken token;
  uint8_t version = 0;
  int64_t key_size = 0;
  std::string_view key;
  if (!base::ConsumeBigEndian(in, version) || version != kVersion) return BadToken("is of another version");
  if (!base::ConsumeBigEndian(in, token.request_hash) || !base::ConsumeBigEndian(in, token.from_ms) ||
      !base::ConsumeBigEndian(in, token.to_ms) || !base::ConsumeBigEndian(in, token.window_start_ms) ||
      !base::ConsumeVarint(in, key_size) || key_size < 0 ||
      !base::ConsumeBytes(in, static_cast<size_t>(key_size), key) || !in.empty()) {
    return BadToken("is damaged");
  }
  token.key = key;
  return token;
}

absl::StatusOr<PageToken> PageToken::DecodeFor(std::string_view text, uint64_t request_hash) {
  TAILRACE_ASSIGN_OR_RETURN(PageToken token, Decode(text));
  if (token.request_hash != request_hash) return BadToken("belongs to another request (store, range or filter differ)");
  return token;
}

std::string Base64UrlEncode(std::string_view bytes) {
  std::string text = base::Base64Encode(bytes);
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  while (!text.empty() && text.back() == '=') text.pop_back();
  return text;
}

bool Base64UrlDecode(std::string_view text, std::string& out) {
  if (text.find_first_of("+/=") != std::string_view::npos) return false;
  std::string standard(text);
  std::replace(standard.begin(), standard.end(), '-', '+');
  std::replace(standard.begin(), standard.end(), '_', '/');
  while (standard.size() % 4 != 0) standard.push_back('=');
  std::optional<std::string> decoded = base::Base64Decode(standard);
  if (!decoded) return false;
  out = *std::move(decoded);
  return true;
}

}  // namespace tailrace::grpc_api
