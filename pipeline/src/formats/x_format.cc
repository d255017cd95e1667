#include "formats/x_format.h"

#include <algorithm>

#include "tailrace/base/check.h"

namespace tailrace::pipeline::formats {

PostReader::PostReader(const std::vector<std::string>& names, const ReaderOptions& options)
    : SingleEventReader(names, options, PostFields()) {
  slot_of_.fill(-1);
  const std::span<const FieldInfo> all = PostFields();
  for (size_t slot = 0; slot < names.size(); ++slot) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const FieldInfo& info) { return info.name == names[slot]; });
    TAILRACE_CHECK(found != all.end(), "unknown field " + names[slot]);
    slot_of_[static_cast<size_t>(found - all.begin())] = static_cast<int>(slot);
  }
}

bool PostReader::WantsPlace() const {
  return Wants(PostField::kPlaceId) || Wants(PostField::kPlaceName) || Wants(PostField::kPlaceFullName) ||
         Wants(PostField::kPlaceType) || Wants(PostField::kPlaceCountryCode);
}

SkipReason PostReader::Take(PostField field, simdjson::dom::object object, std::string_view key, Conversion conversion,
                            std::string_view& failed, std::string_view list_member) {
  if (!Wants(field)) return SkipReason::kNone;
  bool repeated = false;
  const auto found = Find(object, key, &repeated);
  if (repeated) [[unlikely]] {
    failed = PostFields()[static_cast<size_t>(field)].name;
    return SkipReason::kDuplicateKey;
  }
  if (!found) return SkipReason::kNone;
  return Set(static_cast<size_t>(slot_of_[static_cast<size_t>(field)]), *found, conversion, list_member, failed);
}

void PostReader::Put(PostField field, std::string_view text) {
  if (Wants(field)) slots()[static_cast<size_t>(slot_of_[static_cast<size_t>(field)])] = FieldValue::Text(text);
}

bool PostReader::IsNull(PostField field) {
  return !Wants(field) || slots()[static_cast<size_t>(slot_of_[static_cast<size_t>(field)])].is_null();
}

SkipReason PostReader::TakePlace(simdjson::dom::object place, std::string_view& failed) {
  static constexpr std::pair<PostField, std::string_view> kMembers[] = {
      {PostField::kPlaceId, "id"},
      {PostField::kPlaceName, "name"},
      {PostField::kPlaceFullName, "full_name"},
      {PostField::kPlaceType, "place_type"},
      {PostField::kPlaceCountryCode, "country_code"},
  };
  for (const auto& [field, key] : kMembers) {
    if (const SkipReason reason = Take(field, place, key, Conversion::kText, failed); reason != SkipReason::kNone) return reason;
  }
  return SkipReason::kNone;
}

}  // namespace tailrace::pipeline::formats
