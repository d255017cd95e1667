// What an application.id may be, and what is named after it.
//
// "city-metrics" is an ordinary application; "city-metrics@2" is its replay number 2: the same pipeline under a group, topics
// and local state of its own, which `tailrace replay` has prepared. '@' is legal in the name of a group but not in that of a
// topic, so topics of the second one begin with "city-metrics-replay-2".
#pragma once

#include <string>
#include <string_view>

#include "tailrace/base/status.h"

namespace tailrace::processor {

struct ApplicationId {
  std::string name;  // without the number
  int number = 0;    // of the replay; 0: an ordinary application

  // As it was before it was parsed.
  std::string ToString() const;
};

// kInvalidArgument, with what is legal: a name has 1 to 200 letters, digits, '.', '_' or '-', and does not end like the topics
// of a replay ("-replay-2"); the number of a replay has 1 to 6 digits and does not begin with 0.
absl::StatusOr<ApplicationId> ParseApplicationId(std::string_view id);

// The name and number of any id; one that is not legal is all name. For those who have not to judge.
ApplicationId SplitApplicationId(std::string_view id);

// What internal topics begin with, before "-<name>-changelog", "-<name>-repartition" and "-coordination".
std::string InternalTopicPrefix(std::string_view application_id);

// The one-partition topic through which the workers of an application agree.
std::string CoordinationTopicOf(std::string_view application_id);

// Names that Kafka takes for topics, with room for what is added to them: 1 to 200 letters, digits, '.', '_' or '-'.
bool IsLegalName(std::string_view name);

// The number of the replay of application `name` that this internal topic belongs to; 0 when it belongs to none.
int ReplayOfTopic(std::string_view name, std::string_view topic);

// Where a replay writes what the ordinary application writes to `topic`, so that its readers do not meet old values again.
std::string ReplayTopic(std::string_view topic, int number);

}  // namespace tailrace::processor
