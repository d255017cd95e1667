// The canonical event of social media, "post", which formats x-v2 and x-v1 are converted to.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tailrace/pipeline/event.h"
#include "tailrace/pipeline/format.h"

namespace tailrace::pipeline {

// The slots of an event that was read with PostFieldNames().
enum class PostField : uint8_t {
  kId,
  kAuthorId,
  kAuthorName,
  kCreatedAt,
  kText,
  kLang,
  kPlaceId,
  kPlaceName,
  kPlaceFullName,
  kPlaceType,
  kPlaceCountryCode,
  kKind,
  kRefId,
  kRetweetCount,
  kFavoriteCount,
  kHashtags,
  kSource,
  kReceivedAt,
};
inline constexpr int kPostFieldCount = static_cast<int>(PostField::kReceivedAt) + 1;

// All fields of a post, in the order of PostField. The formats post, x-v2 and x-v1 share them.
std::span<const FieldInfo> PostFields();
std::vector<std::string> PostFieldNames();

// Appends the event as canonical JSON; null fields are left out, as is `place` when it has no full name.
// `received_at_ms` is written where the event has none; negative leaves it out.
// REQUIRES: the event was read with PostFieldNames().
void AppendPostJson(std::string& out, Event event, int64_t received_at_ms);

}  // namespace tailrace::pipeline
