#include "formats/path_format.h"

#include <algorithm>
#include <utility>

#include "formats/single_event_reader.h"
#include "tailrace/base/check.h"

namespace tailrace::pipeline::formats {
namespace {

// The wanted paths as a tree, so that one walk over the object finds all fields.
struct PathNode {
  std::string_view key;
  const PathField* field = nullptr;  // set where a wanted field ends
  size_t slot = 0;
  std::vector<PathNode> children;
};

void Insert(PathNode& node, std::string_view path, const PathField& field, size_t slot) {
  const size_t dot = path.find('.');
  const std::string_view key = path.substr(0, dot);
  auto child = std::find_if(node.children.begin(), node.children.end(), [&](const PathNode& c) { return c.key == key; });
  if (child == node.children.end()) {
    node.children.push_back({.key = key});
    child = node.children.end() - 1;
  }
  if (dot != std::string_view::npos) {
    Insert(*child, path.substr(dot + 1), field, slot);
    return;
  }
  child->field = &field;
  child->slot = slot;
}

class PathReader final : public SingleEventReader {
 public:
  PathReader(const std::vector<std::string>& names, const ReaderOptions& options, std::span<const PathField> fields,
             std::span<const FieldInfo> infos)
      : SingleEventReader(names, options, infos) {
    seen_in_.resize(names.size());
    for (size_t slot = 0; slot < names.size(); ++slot) {
      const auto field = std::find_if(fields.begin(), fields.end(), [&](const PathField& f) { return f.info.name == names[slot]; });
      TAILRACE_CHECK(field != fields.end(), "unknown field " + names[slot]);
      Insert(root_, field->path, *field, slot);
    }
  }

 private:
  SkipReason Fill(simdjson::dom::object object, std::string_view& field) override {
    ++record_;
    return Walk(root_, object, field);
  }

  SkipReason Walk(const PathNode& node, simdjson::dom::object object, std::string_view& field) {
    for (const simdjson::dom::key_value_pair member : object) {
      for (const PathNode& child : node.children) {
        if (member.key != child.key) continue;
        if (const SkipReason reason = Take(child, member.value, field); reason != SkipReason::kNone) return reason;
        break;
      }
    }
    return SkipReason::kNone;
  }

  SkipReason Take(const PathNode& node, simdjson::dom::element value, std::string_view& field) {
    if (node.field != nullptr) {
      if (std::exchange(seen_in_[node.slot], record_) == record_) [[unlikely]] {
        field = node.field->info.name;
        return SkipReason::kDuplicateKey;
      }
      const SkipReason reason = Set(node.slot, value, node.field->conversion, node.field->list_member, field);
      if (reason != SkipReason::kNone || node.field->bound == Bound::kNone) return reason;
      field = node.field->info.name;
      return CheckBound(slots()[node.slot], node.field->bound);
    }
    if (value.is_null()) return SkipReason::kNone;
    simdjson::dom::object inner;
    if (value.get_object().get(inner) != simdjson::SUCCESS) {
      field = node.key;
      return SkipReason::kWrongType;
    }
    return Walk(node, inner, field);
  }

  PathNode root_;
  uint64_t record_ = 0;            // counts the records
  std::vector<uint64_t> seen_in_;  // per slot: the last record that had the field
};

}  // namespace

PathField TextField(std::string_view name, Conversion conversion) { return {.info = {.name = name}, .path = name, .conversion = conversion}; }

PathField IntField(std::string_view name, Bound bound) {
  return {.info = {.name = name, .type = FieldType::kInt}, .path = name, .conversion = Conversion::kInt, .bound = bound};
}

PathField DoubleField(std::string_view name, Bound bound) {
  return {.info = {.name = name, .type = FieldType::kDouble}, .path = name, .conversion = Conversion::kDouble, .bound = bound};
}

PathField TextListField(std::string_view name) {
  return {.info = {.name = name, .type = FieldType::kTextList}, .path = name, .conversion = Conversion::kTextList};
}

PathField TimestampField(std::string_view name, Conversion conversion) {
  return {.info = {.name = name, .type = FieldType::kInt, .is_timestamp = true}, .path = name, .conversion = conversion};
}

PathField Required(PathField field) {
  field.info.required = true;
  return field;
}

SkipReason CheckBound(const FieldValue& value, Bound bound) {
  if (value.is_null() || bound == Bound::kNone) return SkipReason::kNone;
  const double number = value.AsDouble();
  const bool within = bound == Bound::kPositive ? number > 0 : number >= 0;
  return within ? SkipReason::kNone : SkipReason::kNumberOutOfRange;
}

PathFormat::PathFormat(std::string_view name, std::string_view description, std::string_view default_timestamp,
                       std::span<const PathField> fields)
    : name_(name), description_(description), default_timestamp_(default_timestamp), fields_(fields) {
  for (const PathField& field : fields) infos_.push_back(field.info);
}

std::unique_ptr<EventReader> PathFormat::NewReader(const std::vector<std::string>& fields,
                                                   const ReaderOptions& options) const {
  return std::make_unique<PathReader>(fields, options, fields_, infos_);
}

}  // namespace tailrace::pipeline::formats
