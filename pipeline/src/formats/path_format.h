// Formats whose fields are found at fixed paths of one JSON object: post, trade, bar and the like need only a table.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/json_document.h"
#include "tailrace/pipeline/format.h"

namespace tailrace::pipeline::formats {

// Which numbers a field may hold.
enum class Bound : uint8_t { kNone, kPositive, kNotNegative };

// Where a field is found. `path` has its members separated by dots.
struct PathField {
  FieldInfo info;
  std::string_view path;
  Conversion conversion = Conversion::kText;
  std::string_view list_member;
  Bound bound = Bound::kNone;
};

// For the tables of formats whose fields are found under their own names.
PathField TextField(std::string_view name, Conversion conversion = Conversion::kText);
PathField IntField(std::string_view name, Bound bound = Bound::kNone);
PathField DoubleField(std::string_view name, Bound bound = Bound::kNone);
PathField TextListField(std::string_view name);
PathField TimestampField(std::string_view name, Conversion conversion = Conversion::kTimestamp);
// The same, and an event must have it.
PathField Required(PathField field);

// kNone when the number is within the bound; null is.
SkipReason CheckBound(const FieldValue& value, Bound bound);

class PathFormat : public Format {
 public:
  // `fields` outlives the format.
  PathFormat(std::string_view name, std::string_view description, std::string_view default_timestamp,
             std::span<const PathField> fields);
  std::string_view name() const override { return name_; }
  std::string_view description() const override { return description_; }
  std::span<const FieldInfo> fields() const override { return infos_; }
  std::string_view default_timestamp() const override { return default_timestamp_; }
  std::span<const PathField> paths() const { return fields_; }
  std::unique_ptr<EventReader> NewReader(const std::vector<std::string>& fields,
                                         const ReaderOptions& options) const override;

 private:
  std::string_view name_;
  std::string_view description_;
  std::string_view default_timestamp_;
  std::span<const PathField> fields_;
  std::vector<FieldInfo> infos_;
};

}  // namespace tailrace::pipeline::formats
