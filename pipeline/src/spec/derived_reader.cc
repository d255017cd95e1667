#include "spec/derived_reader.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "spec/map_reader.h"
#include "tailrace/base/limits.h"
#include "text/stop_words.h"

namespace tailrace::pipeline::spec {
namespace {

// A field, or a list of fields.
std::vector<FieldName> ReadFields(const Yaml& node, std::string_view what, Problems& problems) {
  std::vector<FieldName> fields;
  const auto add = [&](const Yaml& item) {
    if (auto field = ReadField(item, what, problems)) fields.push_back(std::move(*field));
  };
  if (node.kind != Yaml::Kind::kList) add(node);
  for (const Yaml& item : node.items) add(item);
  return fields;
}

// `field` and `as`, which these steps have in common.
void ReadFromAndTarget(const MapReader& map, std::string_view what, DerivedField& step, Problems& problems) {
  if (const Yaml* field = map.Require("field")) step.from = {ReadField(*field, "field", problems).value_or(FieldName{})};
  if (const Yaml* as = map.Get("as")) {
    step.target = ReadField(*as, "as", problems).value_or(FieldName{});
  } else {
    step.target = {std::string(what), map.at()};
  }
}

// The texts of a list; an empty list and nothing are the same.
std::vector<Literal> ReadTexts(const Yaml& node, std::string_view what, Problems& problems) {
  std::vector<Literal> texts;
  if (node.kind != Yaml::Kind::kList && node.kind != Yaml::Kind::kInvalid) {
    problems.Add(node.at, std::string(what) + " must be a list of texts, not " + Describe(node));
  }
  for (const Yaml& item : node.items) {
    if (auto text = ReadText(item, "an item of " + std::string(what), problems)) texts.push_back({std::move(*text), item.at});
  }
  return texts;
}

std::optional<SetStep::Convert> ReadConvert(const MapReader& map, Problems& problems) {
  constexpr std::array<std::string_view, 3> kConversions = {"lower", "upper", "date"};
  const auto text = map.Text("convert");
  if (!text) return SetStep::Convert::kNone;
  for (size_t i = 0; i < kConversions.size(); ++i) {
    if (*text == kConversions[i]) return static_cast<SetStep::Convert>(i + 1);
  }
  problems.AddUnknown(map.Get("convert")->at, "conversion", *text, kConversions);
  return std::nullopt;
}

Step ReadOneSet(const Yaml& name, const Yaml& value, Problems& problems) {
  SetStep step{.target = {name.text, name.at}, .from = {name.text, name.at}};
  if (value.kind == Yaml::Kind::kScalar) {  // set: {city: place.name}
    step.from = {value.text, value.at};
    return step;
  }
  const MapReader map(value, "set " + name.text, {"field", "or", "default", "convert", "change"}, problems);
  if (const Yaml* change = map.Get("change")) {
    ChangeStep out;
    out.from = ReadFields(*change, "change", problems);
    out.target = step.target;
    if (value.members.size() > 1) problems.Add(value.at, "change stands alone in its map");
    if (out.from.size() != 2) problems.Add(change->at, "change takes two fields: change: [FROM, TO]");
    return out;
  }
  if (const Yaml* field = map.Get("field")) step.from = ReadField(*field, "field", problems).value_or(step.from);
  if (const Yaml* other = map.Get("or")) step.otherwise = ReadField(*other, "or", problems);
  if (const Yaml* fallback = map.Get("default")) {
    if (const auto text = ReadText(*fallback, "default", problems)) step.fallback = Literal{*text, fallback->at};
  }
  step.convert = ReadConvert(map, problems).value_or(SetStep::Convert::kNone);
  return step;
}

}  // namespace

std::vector<Step> ReadSet(const Yaml& node, Problems& problems) {
  std::vector<Step> steps;
  if (node.kind != Yaml::Kind::kMap || node.members.empty()) {
    problems.Add(node.at, "set must be a map from field names to {field, default}, not " + Describe(node));
    return steps;
  }
  for (const auto& [name, value] : node.members) steps.push_back(ReadOneSet(name, value, problems));
  return steps;
}

std::vector<Step> ReadWords(const Yaml& node, Problems& problems) {
  constexpr int64_t kLongerThanDefault = 3;
  const MapReader map(node, "words", {"field", "as", "longer_than", "languages", "stop_words"}, problems);
  if (!map.is_map()) return {};
  WordsStep step;
  ReadFromAndTarget(map, "word", step, problems);
  step.longer_than = kLongerThanDefault;
  if (const Yaml* longer = map.Get("longer_than")) {
    step.longer_than =
        ReadInt(*longer, "longer_than", 0, static_cast<int64_t>(base::limits::kWordBytesMax), problems).value_or(kLongerThanDefault);
  }
  const auto known = text::StopWordLanguages();
  if (const Yaml* languages = map.Get("languages")) {
    for (Literal& language : ReadTexts(*languages, "languages", problems)) {
      if (std::find(known.begin(), known.end(), language.text) == known.end()) {
        problems.AddUnknown(language.at, "language of stop-words", language.text, known);
      } else {
        step.languages.push_back(std::move(language.text));
      }
    }
  } else {
    step.languages.assign(known.begin(), known.end());
  }
  if (const Yaml* more = map.Get("stop_words")) {
    for (Literal& word : ReadTexts(*more, "stop_words", problems)) step.stop_words.push_back(std::move(word.text));
  }
  return {std::move(step)};
}

std::vector<Step> ReadTickers(const Yaml& node, Problems& problems) {
  const MapReader map(node, "tickers", {"field", "as"}, problems);
  if (!map.is_map()) return {};
  TickersStep step;
  ReadFromAndTarget(map, "ticker", step, problems);
  return {std::move(step)};
}

std::vector<Step> ReadGroup(const Yaml& node, Problems& problems) {
  const MapReader map(node, "group", {"fields", "as", "members"}, problems);
  if (!map.is_map()) return {};
  GroupStep step;
  if (const Yaml* fields = map.Require("fields")) step.from = ReadFields(*fields, "fields", problems);
  step.target = {"group", node.at};
  if (const Yaml* as = map.Get("as")) step.target = ReadField(*as, "as", problems).value_or(step.target);
  if (const Yaml* members = map.Require("members")) {
    for (const Literal& item : ReadTexts(*members, "members", problems)) {
      const size_t colon = item.text.find(':');
      if (colon == std::string::npos || colon == 0 || colon + 1 == item.text.size()) {
        problems.Add(item.at, "'" + item.text + "' is no GROUP:MEMBER such as press:reporter_7");
        continue;
      }
      step.members.emplace_back(item.text.substr(0, colon), item.text.substr(colon + 1));
    }
  }
  return {std::move(step)};
}

std::vector<Step> ReadSentiment(const Yaml& node, Problems& problems) {
  const MapReader map(node, "sentiment", {"field", "as"}, problems);
  if (!map.is_map()) return {};
  SentimentStep step;
  ReadFromAndTarget(map, "sentiment", step, problems);
  return {std::move(step)};
}

std::vector<Step> ReadDeduplicate(const Yaml& node, Problems& problems) {
  const MapReader map(node, "deduplicate", {"id", "max", "retention", "store"}, problems);
  if (!map.is_map()) return {};
  DeduplicateStep step{.at = node.at};
  if (const Yaml* id = map.Require("id")) step.id = ReadField(*id, "id", problems).value_or(FieldName{});
  if (const Yaml* max = map.Get("max")) step.max = ReadFields(*max, "max", problems);
  if (step.max.size() > base::limits::kAggregateFieldsMax) {
    problems.Add(map.Get("max")->at, "at most " + std::to_string(base::limits::kAggregateFieldsMax) + " fields in max");
  }
  step.store = map.RequireText("store").value_or("");
  constexpr int64_t kLongestMs = int64_t{100} * 365 * 86'400'000;
  if (const Yaml* retention = map.Require("retention")) {
    step.retention_ms = ReadDurationMs(*retention, "retention", problems).value_or(1);
    if (step.retention_ms < 1 || step.retention_ms > kLongestMs) {
      problems.Add(retention->at, "retention must be above 0ms and at most 100 years");
    }
  }
  return {std::move(step)};
}

std::vector<Step> ReadJoin(const Yaml& node, Problems& problems) {
  const MapReader map(node, "join", {"store", "table", "on"}, problems);
  if (!map.is_map()) return {};
  JoinStep step{.at = node.at};
  step.store = map.RequireText("store").value_or("");
  step.table = map.RequireText("table").value_or("");
  if (const Yaml* on = map.Require("on")) step.on = ReadFields(*on, "on", problems);
  return {std::move(step)};
}

}  // namespace tailrace::pipeline::spec
