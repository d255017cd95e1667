// The opaque token that continues a paged read: where the last page ended, bound to the request it belongs to.
//
// Bytes before base64url (docs/formats.md): version 1, int64 request hash, int64 from, int64 to, int64 window start of the
// last row, varint key length, key, and an int64 check over all of that. A token says nothing that its holder has not
// read already, so the check guards against accidents, not against forgery: a forged token reads another page of the same
// store.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tailrace/base/status.h"

namespace tailrace::grpc_api {

struct PageToken {
  uint64_t request_hash = 0;
  int64_t from_ms = 0;
  int64_t to_ms = 0;
  int64_t window_start_ms = 0;
  std::string key;

  std::string Encode() const;
  // INVALID_ARGUMENT with reason BAD_PAGE_TOKEN when the text is not a token.
  static absl::StatusOr<PageToken> Decode(std::string_view text);
  // Also when it belongs to another request.
  static absl::StatusOr<PageToken> DecodeFor(std::string_view text, uint64_t request_hash);
};

// Everything that must stay the same from page to page. Partitions and page size may change.
uint64_t HashRequest(std::string_view method, std::string_view store, int64_t from_ms, int64_t to_ms,
                     std::string_view filter);

// FNV-1a over the bytes, continued from `seed`: small, and the same on every platform and in every release.
uint64_t Fnv1a(std::string_view bytes, uint64_t seed = 0xcbf29ce484222325ULL);

// RFC 4648 base64url without padding: tokens stand in URLs.
std::string Base64UrlEncode(std::string_view bytes);
// False for anything that is not such text.
bool Base64UrlDecode(std::string_view text, std::string& out);

}  // namespace tailrace::grpc_api
