#include "formats/single_event_reader.h"

#include <algorithm>

namespace tailrace::pipeline::formats {

SingleEventReader::SingleEventReader(const std::vector<std::string>& fields, const ReaderOptions& options,
                                     std::span<const FieldInfo> infos)
    : names_(fields), timestamp_max_ms_(options.timestamp_max_ms), slots_(fields.size()) {
  for (size_t i = 0; i < names_.size(); ++i) {
    const bool asked = std::find(options.required.begin(), options.required.end(), names_[i]) != options.required.end();
    const bool always = std::any_of(infos.begin(), infos.end(),
                                    [&](const FieldInfo& info) { return info.name == names_[i] && info.required; });
    if (asked || always) required_.push_back(i);
  }
}

void SingleEventReader::Start(std::string_view bytes) {
  bytes_ = bytes;
  done_ = false;
}

bool SingleEventReader::Next(ParseResult& result) {
  if (done_) return false;
  done_ = true;
  result.field = {};
  result.reason = Read(result.field);
  result.event = slots_;
  return true;
}

SkipReason SingleEventReader::Read(std::string_view& field) {
  std::fill(slots_.begin(), slots_.end(), FieldValue());
  scratch_.Clear();
  simdjson::dom::element root;
  if (const SkipReason reason = document_.Parse(bytes_, root); reason != SkipReason::kNone) return reason;
  simdjson::dom::object object;
  if (const SkipReason reason = Unwrap(root, object); reason != SkipReason::kNone) return reason;
  if (const SkipReason notice = ClassifyNotice(object); notice != SkipReason::kNone) return notice;
  if (const SkipReason reason = Fill(object, field); reason != SkipReason::kNone) return reason;
  for (const size_t slot : required_) {
    if (!slots_[slot].is_null()) continue;
    field = names_[slot];
    return SkipReason::kMissingField;
  }
  return SkipReason::kNone;
}

SkipReason SingleEventReader::Unwrap(simdjson::dom::element root, simdjson::dom::object& object) {
  return root.get_object().get(object) == simdjson::SUCCESS ? SkipReason::kNone : SkipReason::kNotAnObject;
}

SkipReason SingleEventReader::Set(size_t slot, simdjson::dom::element element, Conversion conversion,
                                  std::string_view list_member, std::string_view& field) {
  const SkipReason reason = Convert(element, conversion, list_member, timestamp_max_ms_, scratch_, slots_[slot]);
  if (reason != SkipReason::kNone) field = names_[slot];
  return reason;
}

}  // namespace tailrace::pipeline::formats
