// What readers of formats with one event per piece of input share: start, parse, classify, required fields.
#pragma once

#include <string>
#include <vector>

#include "formats/json_document.h"
#include "tailrace/pipeline/format.h"

namespace tailrace::pipeline::formats {

class SingleEventReader : public EventReader {
 public:
  void Start(std::string_view bytes) final;
  bool Next(ParseResult& result) final;
  void SetTimestampMax(int64_t timestamp_max_ms) final { timestamp_max_ms_ = timestamp_max_ms; }

 protected:
  SingleEventReader(const std::vector<std::string>& fields, const ReaderOptions& options, std::span<const FieldInfo> infos);

  // Fills the slots from the object. Slots are null and the scratch is empty before. On failure `field` names the field.
  virtual SkipReason Fill(simdjson::dom::object object, std::string_view& field) = 0;
  // What the root must be before Fill; formats that wrap their objects in strings override it.
  virtual SkipReason Unwrap(simdjson::dom::element root, simdjson::dom::object& object);

  std::vector<FieldValue>& slots() { return slots_; }
  const std::vector<std::string>& field_names() const { return names_; }
  Scratch& scratch() { return scratch_; }
  int64_t timestamp_max_ms() const { return timestamp_max_ms_; }
  // Converts into slot `slot`.
  SkipReason Set(size_t slot, simdjson::dom::element element, Conversion conversion, std::string_view list_member,
                 std::string_view& field);

 private:
  SkipReason Read(std::string_view& field);

  const std::vector<std::string> names_;
  std::vector<size_t> required_;
  int64_t timestamp_max_ms_;
  JsonDocument document_;
  Scratch scratch_;
  std::vector<FieldValue> slots_;
  std::string_view bytes_;
  bool done_ = true;
};

}  // namespace tailrace::pipeline::formats
