#include "spec/condition_reader.h"

#include <array>
#include <string_view>

#include "spec/map_reader.h"

namespace tailrace::pipeline::spec {
namespace {

struct Comparison {
  std::string_view key;
  Condition::Kind kind;
  bool takes_list;
};
constexpr std::array<Comparison, 7> kComparisons = {{
    {"equals", Condition::Kind::kIn, false},
    {"in", Condition::Kind::kIn, true},
    {"prefix", Condition::Kind::kPrefix, true},
    {"gt", Condition::Kind::kGreater, false},
    {"gte", Condition::Kind::kGreaterOrEqual, false},
    {"lt", Condition::Kind::kLess, false},
    {"lte", Condition::Kind::kLessOrEqual, false},
}};

std::vector<Literal> ReadValues(const Yaml& node, const Comparison& comparison, Problems& problems) {
  std::vector<Literal> values;
  if (node.kind == Yaml::Kind::kInvalid) return values;
  if (node.kind == Yaml::Kind::kScalar) {
    values.push_back({node.text, node.at});
    return values;
  }
  if (!comparison.takes_list || node.kind != Yaml::Kind::kList) {
    problems.Add(node.at, std::string(comparison.key) + (comparison.takes_list ? " takes a value or a list of values, not "
                                                                                : " takes one value, not ") + Describe(node));
    return values;
  }
  for (const Yaml& item : node.items) {
    if (item.kind == Yaml::Kind::kInvalid) continue;
    if (item.kind == Yaml::Kind::kScalar) {
      values.push_back({item.text, item.at});
    } else {
      problems.Add(item.at, "a value of '" + std::string(comparison.key) + "' must be a text or a number, not " + Describe(item));
    }
  }
  return values;
}

Condition Negate(Condition inner) {
  Condition outer{.kind = Condition::Kind::kNot, .at = inner.at};
  outer.children.push_back(std::move(inner));
  return outer;
}

// One comparison of `field`; several in one map must all hold.
Condition ReadComparisons(const MapReader& map, Problems& problems) {
  Condition out{.kind = Condition::Kind::kAll, .at = map.at()};
  const Yaml* named = map.Require("field");
  const std::optional<FieldName> field = named ? ReadField(*named, "field", problems) : std::nullopt;
  for (const Comparison& comparison : kComparisons) {
    const Yaml* node = map.Get(comparison.key);
    if (node == nullptr) continue;
    out.children.push_back({.kind = comparison.kind, .field = field.value_or(FieldName{}),
                            .values = ReadValues(*node, comparison, problems), .at = node->at});
  }
  if (const Yaml* exists = map.Get("exists")) {
    Condition condition{.kind = Condition::Kind::kExists, .field = field.value_or(FieldName{}), .at = exists->at};
    if (exists->text == "false") {
      out.children.push_back(Negate(std::move(condition)));
    } else {
      if (exists->text != "true") problems.Add(exists->at, "exists must be true or false, not " + Describe(*exists));
      out.children.push_back(std::move(condition));
    }
  }
  if (out.children.empty()) {
    problems.Add(map.at(), "the condition compares nothing: add equals, in, prefix, exists, gt, gte, lt or lte");
    return out;
  }
  if (out.children.size() == 1) {
    Condition only = std::move(out.children[0]);
    return only;
  }
  return out;
}

Condition ReadList(const Yaml& node, Condition::Kind kind, Problems& problems) {
  Condition out{.kind = kind, .at = node.at};
  if (node.kind != Yaml::Kind::kList || node.items.empty()) {
    problems.Add(node.at, "all and any take a list of conditions, not " + Describe(node));
    return out;
  }
  for (const Yaml& item : node.items) out.children.push_back(ReadCondition(item, problems));
  return out;
}

}  // namespace

Condition ReadCondition(const Yaml& node, Problems& problems) {
  if (node.kind == Yaml::Kind::kList) return ReadList(node, Condition::Kind::kAll, problems);
  const MapReader map(node, "a condition",
                      {"field", "equals", "in", "prefix", "exists", "gt", "gte", "lt", "lte", "all", "any", "not"}, problems);
  if (!map.is_map()) return {};
  int groups = 0;
  Condition out;
  if (const Yaml* all = map.Get("all"); all != nullptr && ++groups > 0) out = ReadList(*all, Condition::Kind::kAll, problems);
  if (const Yaml* any = map.Get("any"); any != nullptr && ++groups > 0) out = ReadList(*any, Condition::Kind::kAny, problems);
  if (const Yaml* inner = map.Get("not"); inner != nullptr && ++groups > 0) out = Negate(ReadCondition(*inner, problems));
  if (groups == 0) return ReadComparisons(map, problems);
  if (node.members.size() > 1) {
    problems.Add(node.at, "all, any and not stand alone in their map; nest them instead");
  }
  return out;
}

}  // namespace tailrace::pipeline::spec
