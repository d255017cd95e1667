#include "spec/yaml_tree.h"

#include <set>

#include "tailrace/base/limits.h"
#include "yaml-cpp/yaml.h"

namespace tailrace::pipeline::spec {
namespace {

Location At(const YAML::Mark& mark) { return mark.is_null() ? Location{} : Location{mark.line + 1, mark.column + 1}; }

class Converter {
 public:
  explicit Converter(Problems& problems) : problems_(problems) {}

  // Aliases may make a small file a huge tree, so nodes and depth are bounded.
  Yaml Convert(const YAML::Node& node, Location parent, size_t depth) {
    Yaml out;
    out.at = At(node.Mark());
    if (out.at.line == 0) out.at = parent;
    if (++nodes_ > base::limits::kPipelineNodesMax || depth > base::limits::kPipelineDepthMax) {
      if (!too_large_) problems_.Add(out.at, "the document is too large or too deep for a pipeline");
      too_large_ = true;
      return out;
    }
    if (node.IsScalar()) {
      out.kind = Yaml::Kind::kScalar;
      out.text = node.Scalar();
    } else if (node.IsSequence()) {
      out.kind = Yaml::Kind::kList;
      for (const YAML::Node& item : node) out.items.push_back(Convert(item, out.at, depth + 1));
    } else if (node.IsMap()) {
      out.kind = Yaml::Kind::kMap;
      std::set<std::string> keys;
      for (const auto& member : node) {
        Yaml key = Convert(member.first, out.at, depth + 1);
        if (key.kind != Yaml::Kind::kScalar) {
          problems_.Add(key.at, "a key must be a text, not " + Describe(key));
          continue;
        }
        if (!keys.insert(key.text).second) problems_.Add(key.at, "'" + key.text + "' occurs twice");
        Yaml value = Convert(member.second, key.at, depth + 1);
        out.members.emplace_back(std::move(key), std::move(value));
      }
    }
    return out;
  }

 private:
  Problems& problems_;
  size_t nodes_ = 0;
  bool too_large_ = false;
};

}  // namespace

std::optional<Yaml> ParseYaml(std::string_view text, Problems& problems) {
  // The YAML library reports by exceptions; they end here.
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(text));
    if (documents.size() > 1) {
      problems.Add(At(documents[1].Mark()), "a pipeline file holds one document, not " + std::to_string(documents.size()));
      return std::nullopt;
    }
    return Converter(problems).Convert(documents.empty() ? YAML::Node() : documents[0], {1, 1}, 0);
  } catch (const YAML::Exception& error) {
    problems.Add(At(error.mark), "not valid YAML: " + error.msg);
    return std::nullopt;
  }
}

std::string Describe(const Yaml& node) {
  switch (node.kind) {
    case Yaml::Kind::kNull: return "nothing";
    case Yaml::Kind::kScalar: return "'" + node.text + "'" + node.origin;
    case Yaml::Kind::kList: return "a list" + node.origin;
    case Yaml::Kind::kMap: return "a map";
    case Yaml::Kind::kInvalid: return "something unreadable";
  }
  return "";
}

}  // namespace tailrace::pipeline::spec
