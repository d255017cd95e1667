#include "spec/parameters.h"

#include <algorithm>
#include <charconv>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "tailrace/base/nearest.h"
#include "tailrace/base/units.h"

namespace tailrace::pipeline::spec {
namespace {

bool IsNameChar(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_'; }

bool IsName(std::string_view text) {
  return !text.empty() && !absl::ascii_isdigit(static_cast<unsigned char>(text[0])) && std::all_of(text.begin(), text.end(), IsNameChar);
}

bool IsNumber(std::string_view text) {
  double number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  return result.ec == std::errc() && result.ptr == text.data() + text.size();
}

bool Fits(ParameterType type, const std::string& text) {
  switch (type) {
    case ParameterType::kText:
    case ParameterType::kList: return true;
    case ParameterType::kInteger: return base::ParseInt(text).has_value();
    case ParameterType::kNumber: return IsNumber(text);
    case ParameterType::kDuration: return base::ParseDurationMs(text).has_value();
    case ParameterType::kBoolean: return text == "true" || text == "false";
  }
  return false;
}

std::string_view TypeName(ParameterType type) {
  switch (type) {
    case ParameterType::kText: return "a text";
    case ParameterType::kInteger: return "an integer";
    case ParameterType::kNumber: return "a number";
    case ParameterType::kDuration: return "a duration such as 5m, 90s or 500ms";
    case ParameterType::kBoolean: return "true or false";
    case ParameterType::kList: return "a list";
  }
  return "";
}

ParameterType TypeOf(const Yaml& value) {
  if (value.kind == Yaml::Kind::kList) return ParameterType::kList;
  for (const ParameterType type : {ParameterType::kBoolean, ParameterType::kInteger, ParameterType::kNumber, ParameterType::kDuration}) {
    if (Fits(type, value.text)) return type;
  }
  return ParameterType::kText;
}

Yaml Scalar(std::string text, Location at, std::string origin) {
  Yaml node;
  node.kind = Yaml::Kind::kScalar;
  node.text = std::move(text);
  node.at = at;
  node.origin = std::move(origin);
  return node;
}

void Override(Parameter& parameter, const std::string& text, Problems& problems) {
  const std::string origin = " (--set " + parameter.name + ")";
  if (!Fits(parameter.type, text)) {
    problems.Add({}, "--set " + parameter.name + "=" + text + ": the parameter is " + std::string(TypeName(parameter.type)) +
                         ", as its default " + TextOf(parameter) + " says");
    return;
  }
  parameter.overridden = true;
  const Location at = parameter.value.at;
  if (parameter.type != ParameterType::kList) {
    parameter.value = Scalar(text, at, origin);
    return;
  }
  parameter.value.items.clear();
  parameter.value.origin = origin;
  for (const absl::string_view item : absl::StrSplit(text, ',', absl::SkipWhitespace())) {
    const absl::string_view stripped = absl::StripAsciiWhitespace(item);
    parameter.value.items.push_back(Scalar(std::string(stripped.data(), stripped.size()), at, origin));
  }
}

std::vector<std::string_view> NamesOf(const std::vector<Parameter>& parameters) {
  std::vector<std::string_view> names;
  for (const Parameter& parameter : parameters) names.push_back(parameter.name);
  return names;
}

const Parameter* FindParameter(std::string_view name, Location at, const std::vector<Parameter>& parameters, Problems& problems) {
  for (const Parameter& parameter : parameters) {
    if (parameter.name == name) return &parameter;
  }
  if (parameters.empty()) {
    problems.Add(at, "unknown parameter '$" + std::string(name) + "': the file declares no parameters");
  } else {
    problems.AddUnknown(at, "parameter", name, NamesOf(parameters));
  }
  return nullptr;
}

// The parameter that `text` names when it is "$name" and nothing else.
std::optional<std::string_view> WholeReference(std::string_view text) {
  if (text.size() < 2 || text[0] != '$' || !IsName(text.substr(1))) return std::nullopt;
  return text.substr(1);
}

void SubstituteInside(Yaml& node, const std::vector<Parameter>& parameters, Problems& problems) {
  std::string out;
  const std::string& text = node.text;
  for (size_t i = 0; i < text.size();) {
    if (text[i] != '$' || i + 1 == text.size()) {
      out += text[i++];
      continue;
    }
    if (text[i + 1] == '$') {
      out += '$';
      i += 2;
      continue;
    }
    const size_t end = text[i + 1] == '{' ? text.find('}', i) : std::string::npos;
    if (end == std::string::npos || !IsName(std::string_view(text).substr(i + 2, end - i - 2))) {
      problems.Add(node.at, "'" + text + "': write ${name} for a parameter inside a text, $$ for a dollar sign");
      return;
    }
    const Parameter* parameter = FindParameter(std::string_view(text).substr(i + 2, end - i - 2), node.at, parameters, problems);
    if (parameter == nullptr) return;
    out += TextOf(*parameter);
    i = end + 1;
  }
  node.text = std::move(out);
}

// Origins show a parameter; a parameter that was not overridden shows where its default stands.
Yaml ValueAt(const Parameter& parameter, Location at) {
  Yaml value = parameter.value;
  if (value.origin.empty()) value.origin = " (parameter " + parameter.name + ")";
  value.at = at;
  for (Yaml& item : value.items) {
    item.origin = value.origin;
    item.at = at;
  }
  return value;
}

}  // namespace

std::string TextOf(const Parameter& parameter) {
  if (parameter.type != ParameterType::kList) return parameter.value.text;
  std::string out;
  for (const Yaml& item : parameter.value.items) out += (out.empty() ? "" : ",") + item.text;
  return out;
}

std::vector<Parameter> ReadParameters(const Yaml& document, const ParameterValues& values, Problems& problems) {
  std::vector<Parameter> parameters;
  for (const auto& [key, declared] : document.members) {
    if (key.text != "parameters" || declared.kind == Yaml::Kind::kNull) continue;
    if (declared.kind != Yaml::Kind::kMap) {
      problems.Add(declared.at, "parameters must be a map from names to defaults, not " + Describe(declared));
      continue;
    }
    for (const auto& [name, value] : declared.members) {
      const bool scalars = std::all_of(value.items.begin(), value.items.end(), [](const Yaml& item) { return item.kind == Yaml::Kind::kScalar; });
      if (!IsName(name.text)) {
        problems.Add(name.at, "'" + name.text + "' cannot name a parameter: use letters, digits and _");
      } else if (value.kind == Yaml::Kind::kMap || value.kind == Yaml::Kind::kNull || !scalars) {
        problems.Add(value.at, "the default of parameter " + name.text + " must be a value or a list of values, not " + Describe(value));
      } else {
        parameters.push_back({.name = name.text, .type = TypeOf(value), .value = value});
      }
    }
  }
  for (const auto& [name, text] : values) {
    const auto found = std::find_if(parameters.begin(), parameters.end(), [&](const Parameter& p) { return p.name == name; });
    if (found != parameters.end()) {
      Override(*found, text, problems);
    } else if (parameters.empty()) {
      problems.Add({}, "--set " + name + ": the file declares no parameters");
    } else {
      problems.AddUnknown({}, "parameter in --set", name, NamesOf(parameters));
    }
  }
  return parameters;
}

void Substitute(Yaml& node, const std::vector<Parameter>& parameters, Problems& problems) {
  if (node.kind == Yaml::Kind::kScalar) {
    if (node.text.find('$') == std::string::npos) return;
    if (const auto name = WholeReference(node.text)) {
      const Parameter* parameter = FindParameter(*name, node.at, parameters, problems);
      if (parameter != nullptr) {
        node = ValueAt(*parameter, node.at);
      } else {
        node.kind = Yaml::Kind::kInvalid;
      }
    } else {
      SubstituteInside(node, parameters, problems);
    }
    return;
  }
  std::vector<Yaml> items;
  for (Yaml& item : node.items) {
    Substitute(item, parameters, problems);
    if (item.kind == Yaml::Kind::kList && !item.origin.empty()) {
      items.insert(items.end(), item.items.begin(), item.items.end());
    } else {
      items.push_back(std::move(item));
    }
  }
  node.items = std::move(items);
  for (auto& [key, value] : node.members) {
    if (key.text != "parameters") Substitute(value, parameters, problems);
  }
}

}  // namespace tailrace::pipeline::spec
