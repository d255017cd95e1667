#include "case.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "tailrace/base/check.h"

namespace tailrace::differential {
namespace {

// "-" is null; a text begins with an apostrophe. The generator makes no texts with blanks.
std::string Quoted(const std::optional<std::string>& text) { return text.has_value() ? "'" + *text : "-"; }

std::optional<std::string> Unquoted(const std::string& word) {
  if (word.empty() || word[0] != '\'') return std::nullopt;
  return word.substr(1);
}

// "key=value"
std::pair<std::string, std::string> Assignment(const std::string& word) {
  const size_t equals = word.find('=');
  return {word.substr(0, equals), equals == std::string::npos ? "" : word.substr(equals + 1)};
}

absl::Status BadLine(std::string_view line) {
  return absl::InvalidArgumentError(absl::StrCat("not a line of a case: ", std::string(line)));
}

absl::Status ParseOp(const std::vector<std::string>& words, Case& c) {
  Op op;
  op.kind = words[2];
  if (!absl::SimpleAtoi(words[1], &op.id)) return BadLine(absl::StrJoin(words, " "));
  if (words[3] != "-")
    for (const std::string& input : std::vector<std::string>(absl::StrSplit(words[3], ',')))
      if (!absl::SimpleAtoi(input, &op.inputs.emplace_back())) return BadLine(absl::StrJoin(words, " "));
  for (size_t i = 4; i < words.size(); ++i) op.arguments.insert(Assignment(words[i]));
  c.ops.push_back(std::move(op));
  return absl::OkStatus();
}

absl::Status ParseRecord(const std::vector<std::string>& words, Case& c) {
  Event event{.topic = words[1], .key = Unquoted(words[2]), .value = Unquoted(words[3])};
  if (!absl::SimpleAtoi(words[4], &event.timestamp_ms)) return BadLine(absl::StrJoin(words, " "));
  for (size_t i = 5; i < words.size(); ++i) {
    auto [name, value] = Assignment(words[i]);
    event.headers.emplace_back(std::move(name), Unquoted(value));
  }
  c.events.push_back(std::move(event));
  return absl::OkStatus();
}

}  // namespace

const std::string& Op::Text(const std::string& name) const {
  const auto found = arguments.find(name);
  TAILRACE_CHECK(found != arguments.end(), absl::StrCat("op ", id, " ", kind, " has no ", name));
  return found->second;
}

std::string Op::TextOr(const std::string& name, std::string_view otherwise) const {
  const auto found = arguments.find(name);
  return found == arguments.end() ? std::string(otherwise) : found->second;
}

int64_t Op::Number(const std::string& name) const {
  int64_t number = 0;
  TAILRACE_CHECK(absl::SimpleAtoi(Text(name), &number), absl::StrCat("op ", id, " ", kind, ": ", name, " is no number"));
  return number;
}

std::string ToText(const Case& c) {
  std::string text = absl::StrCat("case ", c.seed, "\n");
  for (const auto& [key, value] : c.settings) absl::StrAppend(&text, "set ", key, " ", value, "\n");
  for (const Op& op : c.ops) {
    absl::StrAppend(&text, "op ", op.id, " ", op.kind, " ", op.inputs.empty() ? "-" : absl::StrJoin(op.inputs, ","));
    for (const auto& [key, value] : op.arguments) absl::StrAppend(&text, " ", key, "=", value);
    text += "\n";
  }
  for (const Event& event : c.events) {
    if (event.topic.empty()) {
      absl::StrAppend(&text, "wait ", event.wait_ms, "\n");
      continue;
    }
    absl::StrAppend(&text, "record ", event.topic, " ", Quoted(event.key), " ", Quoted(event.value), " ", event.timestamp_ms);
    for (const auto& [name, value] : event.headers) absl::StrAppend(&text, " ", name, "=", Quoted(value));
    text += "\n";
  }
  return text + "end\n";
}

absl::StatusOr<Case> ParseCase(std::string_view text) {
  Case c;
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(std::string(text), '\n'))) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    absl::Status status;
    if (words[0] == "end") return c;
    if (words[0] == "case" && words.size() == 2) {
      if (!absl::SimpleAtoi(words[1], &c.seed)) return BadLine(line);
    } else if (words[0] == "set" && words.size() == 3) {
      c.settings[words[1]] = words[2];
    } else if (words[0] == "op" && words.size() >= 4) {
      status = ParseOp(words, c);
    } else if (words[0] == "record" && words.size() >= 5) {
      status = ParseRecord(words, c);
    } else if (words[0] == "wait" && words.size() == 2) {
      if (!absl::SimpleAtoi(words[1], &c.events.emplace_back().wait_ms)) return BadLine(line);
    } else if (!line.empty()) {
      return BadLine(line);
    }
    if (!status.ok()) return status;
  }
  return c;
}

}  // namespace tailrace::differential
