#include "formats/path_format.h"

#include <algorithm>

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
    for (size_t slot = 0; slot < names.size(); ++slot) {
      const auto field = std::find_if(fields.begin(), fields.end(), [&](const PathField& f) { return f.info.name == names[slot]; });
      TAILRACE_CHECK(field != fields.end(), "unknown field " + names[slot]);
      Insert(root_, field->path, *field, slot);
    }
  }

 private:
  SkipReason Fill(simdjson::dom::object object, std::string_view& field) override { return Walk(root_, object, field); }

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
      const Conversion conversion = node.field->conversion;
      if (conversion == Conversion::kTextList) scratch().list().clear();  // A repeated field replaces the first.
      return Set(node.slot, value, conversion, node.field->list_member, field);
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
};

}  // namespace

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
