#include "spec/step_reader.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "spec/condition_reader.h"
#include "spec/derived_reader.h"
#include "spec/map_reader.h"
#include "tailrace/base/limits.h"

namespace tailrace::pipeline::spec {
namespace {

using AggregateKind = AggregateFieldSpec::Kind;
constexpr std::array<std::string_view, 10> kAggregateNames = {"count", "count_if", "sum", "min", "max", "avg", "first", "last", "distinct", "windows"};

std::vector<Step> ReadFilter(const Yaml& node, Problems& problems) { return {FilterStep{ReadCondition(node, problems)}}; }

std::vector<Step> ReadKeyStep(const Yaml& node, Problems& problems) {
  std::optional<KeyStep> step = ReadKey(node, problems);
  return step ? std::vector<Step>{std::move(*step)} : std::vector<Step>{};
}

std::vector<Step> ReadWindow(const Yaml& node, Problems& problems) {
  const MapReader map(node, "window", {"tumbling", "hopping", "grace", "retention", "emit"}, problems);
  if (!map.is_map()) return {};
  WindowStep step{.at = node.at};
  const Yaml* tumbling = map.Get("tumbling");
  const Yaml* hopping = map.Get("hopping");
  if ((tumbling != nullptr) == (hopping != nullptr)) {
    problems.Add(node.at, "window needs either 'tumbling: SIZE' or 'hopping: {size: SIZE, advance: STEP}'");
    return {};
  }
  std::optional<int64_t> size, advance;
  Location size_at = node.at;
  if (tumbling != nullptr) {
    size_at = tumbling->at;
    size = advance = ReadDurationMs(*tumbling, "tumbling", problems);
  } else {
    size_at = hopping->at;
    const MapReader inner(*hopping, "hopping", {"size", "advance"}, problems);
    if (inner.Require("size") != nullptr) size = inner.DurationMs("size");
    if (inner.Require("advance") != nullptr) advance = inner.DurationMs("advance");
  }
  const std::optional<int64_t> grace = map.Has("grace") ? map.DurationMs("grace") : std::optional<int64_t>(0);
  if (!size || !advance || !grace) return {};
  if (*size == 0 || *advance == 0) {
    problems.Add(size_at, "a window's size and advance must be above 0ms");
    return {};
  }
  if (*advance > *size) {
    problems.Add(size_at, "a window's advance must not be above its size: events between windows would be lost");
    return {};
  }
  constexpr int64_t kLongestMs = int64_t{100} * 365 * 86'400'000;
  if (*size > kLongestMs || *grace > kLongestMs) {
    problems.Add(size_at, "a window's size and grace must not be above 100 years");
    return {};
  }
  constexpr int64_t kRetentionDefaultMs = 86'400'000;
  step.size_ms = *size;
  step.advance_ms = *advance;
  step.grace_ms = *grace;
  step.retention_ms = std::max(kRetentionDefaultMs, *size + *grace);
  if (const Yaml* retention = map.Get("retention")) {
    step.retention_ms = ReadDurationMs(*retention, "retention", problems).value_or(step.retention_ms);
    if (step.retention_ms < *size + *grace) {
      problems.Add(retention->at, "retention must be at least the window's size plus its grace");
    }
  }
  if (const auto emit = map.Text("emit")) {
    constexpr std::array<std::string_view, 2> kEmits = {"updates", "close"};
    if (*emit == "close") {
      step.emit = WindowStep::Emit::kClose;
    } else if (*emit != "updates") {
      problems.AddUnknown(map.Get("emit")->at, "value of emit", *emit, kEmits);
    }
  }
  return {std::move(step)};
}

// `distinct: author_id` or `distinct: {field: author_id, exact: 5000}`.
void ReadDistinct(const Yaml& node, AggregateFieldSpec& out, Problems& problems) {
  out.exact_max = base::limits::kDistinctExactDefault;
  if (node.kind != Yaml::Kind::kMap) {
    out.field = ReadField(node, "distinct", problems).value_or(FieldName{});
    return;
  }
  const MapReader map(node, "distinct", {"field", "exact"}, problems);
  if (const Yaml* field = map.Require("field")) out.field = ReadField(*field, "field", problems).value_or(FieldName{});
  if (const Yaml* exact = map.Get("exact")) {
    out.exact_max = ReadInt(*exact, "exact", 0, base::limits::kDistinctExactMax, problems).value_or(out.exact_max);
  }
}

// `last: close` or `last: {field: close, by: received, merge: avg}`.
void ReadOrdered(const Yaml& node, std::string_view kind, AggregateFieldSpec& out, Problems& problems) {
  if (node.kind != Yaml::Kind::kMap) {
    out.field = ReadField(node, kind, problems).value_or(FieldName{});
    return;
  }
  const MapReader map(node, kind, {"field", "by", "merge"}, problems);
  if (const Yaml* field = map.Require("field")) out.field = ReadField(*field, "field", problems).value_or(FieldName{});
  if (const Yaml* by = map.Get("by")) out.by = ReadField(*by, "by", problems).value_or(FieldName{});
  const auto merge = map.Text("merge");
  if (!merge) return;
  constexpr std::array<std::string_view, 3> kRules = {"avg", "min", "max"};
  const auto found = std::find(kRules.begin(), kRules.end(), *merge);
  if (found == kRules.end()) return problems.AddUnknown(map.Get("merge")->at, "rule of merge", *merge, kRules);
  out.merge = static_cast<AggregateFieldSpec::Merge>(found - kRules.begin() + 1);  // kOwn is not written.
}

std::optional<AggregateFieldSpec> ReadAggregateField(const Yaml& name, const Yaml& node, Problems& problems) {
  AggregateFieldSpec out{.name = name.text, .at = name.at};
  if (node.kind == Yaml::Kind::kScalar) {
    if (node.text == "count") return out;
    if (node.text == "windows") {
      out.kind = AggregateKind::kWindows;
      return out;
    }
    for (const std::string_view known : kAggregateNames) {
      if (node.text != known) continue;
      problems.Add(node.at, "'" + node.text + "' needs a field: write {" + node.text + ": FIELD}");
      return std::nullopt;
    }
    problems.AddUnknown(node.at, "aggregate", node.text, kAggregateNames);
    return std::nullopt;
  }
  if (node.kind != Yaml::Kind::kMap || node.members.size() != 1) {
    problems.Add(node.kind == Yaml::Kind::kNull ? name.at : node.at,
                 "the aggregate of " + name.text + " must be 'count' or {KIND: FIELD}, not " + Describe(node));
    return std::nullopt;
  }
  const auto& [key, argument] = node.members[0];
  size_t kind = 0;
  while (kind < kAggregateNames.size() && kAggregateNames[kind] != key.text) ++kind;
  if (kind == kAggregateNames.size()) {
    problems.AddUnknown(key.at, "aggregate", key.text, kAggregateNames);
    return std::nullopt;
  }
  out.kind = static_cast<AggregateKind>(kind);
  switch (out.kind) {
    case AggregateKind::kCount: {  // count: FIELD counts the events that have it
      out.kind = AggregateKind::kCountIf;
      out.condition = {.kind = Condition::Kind::kExists, .at = argument.at};
      if (auto field = ReadField(argument, "count", problems)) out.condition.field = std::move(*field);
      break;
    }
    case AggregateKind::kCountIf: out.condition = ReadCondition(argument, problems); break;
    case AggregateKind::kDistinct: ReadDistinct(argument, out, problems); break;
    case AggregateKind::kFirst:
    case AggregateKind::kLast: ReadOrdered(argument, key.text, out, problems); break;
    case AggregateKind::kWindows:
      problems.Add(argument.at, "windows counts windows and takes no field: write 'windows' alone");
      return std::nullopt;
    default: out.field = ReadField(argument, key.text, problems).value_or(FieldName{});
  }
  return out;
}

std::vector<Step> ReadAggregate(const Yaml& node, Problems& problems) {
  const MapReader map(node, "aggregate", {"store", "fields"}, problems);
  AggregateStep step{.at = node.at};
  step.store = map.RequireText("store").value_or("");
  const Yaml* fields = map.Require("fields");
  if (fields == nullptr) return {};
  if (fields->kind != Yaml::Kind::kMap || fields->members.empty()) {
    problems.Add(fields->at, "fields must be a map from names to aggregates, not " + Describe(*fields));
    return {};
  }
  if (fields->members.size() > base::limits::kAggregateFieldsMax) {
    problems.Add(fields->at, "at most " + std::to_string(base::limits::kAggregateFieldsMax) + " fields in one aggregate");
    return {};
  }
  for (const auto& [name, value] : fields->members) {
    if (auto field = ReadAggregateField(name, value, problems)) step.fields.push_back(std::move(*field));
  }
  // A distinct count answers "<name>_exact" too.
  std::set<std::string> names;
  for (const AggregateFieldSpec& field : step.fields) names.insert(field.name);
  for (const AggregateFieldSpec& field : step.fields) {
    if (field.kind == AggregateKind::kDistinct && names.contains(field.name + "_exact")) {
      problems.Add(field.at, "'" + field.name + "' also answers '" + field.name + "_exact', which is the name of another field");
    }
  }
  return {std::move(step)};
}

struct StepKind {
  std::string_view name;
  std::vector<Step> (*read)(const Yaml&, Problems&);
};
// A new kind of step is one more line here.
constexpr auto kSteps = std::to_array<StepKind>({
    {"filter", ReadFilter},
    {"set", ReadSet},
    {"words", ReadWords},
    {"tickers", ReadTickers},
    {"group", ReadGroup},
    {"sentiment", ReadSentiment},
    {"key", ReadKeyStep},
    {"deduplicate", ReadDeduplicate},
    {"window", ReadWindow},
    {"aggregate", ReadAggregate},
    {"join", ReadJoin},
});

}  // namespace

std::optional<KeyStep> ReadKey(const Yaml& node, Problems& problems) {
  KeyStep step{.fields = {}, .separator = "|", .at = node.at};
  const size_t before = problems.count();
  const auto add = [&](const Yaml& field) {
    if (auto name = ReadField(field, "key", problems)) step.fields.push_back(std::move(*name));
  };
  if (node.kind == Yaml::Kind::kList) {
    for (const Yaml& item : node.items) add(item);
  } else if (node.kind == Yaml::Kind::kMap) {
    const MapReader map(node, "key", {"fields", "separator"}, problems);
    if (const Yaml* fields = map.Require("fields")) {
      if (fields->kind != Yaml::Kind::kList) add(*fields);
      for (const Yaml& item : fields->items) add(item);
    }
    step.separator = map.Text("separator").value_or(step.separator);
  } else {
    add(node);
  }
  if (step.fields.empty()) {
    if (problems.count() == before) problems.Add(node.at, "key needs a field or a list of fields");
    return std::nullopt;
  }
  return step;
}

std::vector<Step> ReadStep(const Yaml& node, Problems& problems) {
  std::vector<std::string_view> names;
  for (const StepKind& step : kSteps) names.push_back(step.name);
  if (node.kind != Yaml::Kind::kMap || node.members.size() != 1) {
    problems.Add(node.at, "a step is a map with one key out of " + Join(names) + ", not " +
                              (node.kind == Yaml::Kind::kMap ? std::to_string(node.members.size()) + " keys" : Describe(node)));
    return {};
  }
  const auto& [key, value] = node.members[0];
  for (const StepKind& step : kSteps) {
    if (step.name == key.text) return step.read(value, problems);
  }
  problems.AddUnknown(key.at, "step", key.text, names);
  return {};
}

}  // namespace tailrace::pipeline::spec
