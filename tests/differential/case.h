// A case: a topology as a list of operators, and what happens to it. Its text form is what both sides read.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace tailrace::differential {

// "op ID KIND INPUTS key=value ...": one call of the DSL. Inputs are ids of earlier operators.
struct Op {
  int id = 0;
  std::string kind;
  std::vector<int> inputs;
  std::map<std::string, std::string> arguments;

  bool Has(const std::string& name) const { return arguments.contains(name); }
  // Aborts when absent, for the operator's twin has asked for what its grammar does not draw.
  const std::string& Text(const std::string& name) const;
  std::string TextOr(const std::string& name, std::string_view otherwise) const;
  int64_t Number(const std::string& name) const;
  bool Flag(const std::string& name) const { return TextOr(name, "0") == "1"; }
};

// "record TOPIC KEY VALUE TIMESTAMP header=value ...", or "wait MS": the wall clock advances.
struct Event {
  std::string topic;  // empty: wait
  std::optional<std::string> key;
  std::optional<std::string> value;
  int64_t timestamp_ms = 0;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;
  int64_t wait_ms = 0;
};

struct Case {
  uint64_t seed = 0;
  std::map<std::string, std::string> settings;  // configuration keys of Kafka Streams
  std::vector<Op> ops;
  std::vector<Event> events;
};

// Lines, the last of which is "end".
std::string ToText(const Case& c);
absl::StatusOr<Case> ParseCase(std::string_view text);

}  // namespace tailrace::differential
