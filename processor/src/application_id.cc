#include "tailrace/processor/application_id.h"

#include <algorithm>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace tailrace::processor {
namespace {

constexpr size_t kNameSizeMax = 200;
constexpr size_t kDigitsMax = 6;
constexpr std::string_view kInfix = "-replay-";

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

// 0 when it is not the number of a replay.
int NumberOf(std::string_view text) {
  const bool digits = std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (text.empty() || text.size() > kDigitsMax || !digits || text.front() == '0') return 0;
  int number = 0;
  return absl::SimpleAtoi(View(text), &number) ? number : 0;
}

bool EndsLikeReplay(std::string_view name) {
  const size_t at = name.rfind(kInfix);
  return at != std::string_view::npos && NumberOf(name.substr(at + kInfix.size())) > 0;
}

}  // namespace

std::string ApplicationId::ToString() const { return number == 0 ? name : absl::StrCat(name, "@", number); }

ApplicationId SplitApplicationId(std::string_view id) {
  const size_t at = id.rfind('@');
  const int number = at == std::string_view::npos ? 0 : NumberOf(id.substr(at + 1));
  return number == 0 ? ApplicationId{.name = std::string(id)} : ApplicationId{.name = std::string(id.substr(0, at)), .number = number};
}

absl::StatusOr<ApplicationId> ParseApplicationId(std::string_view id) {
  ApplicationId parsed = SplitApplicationId(id);
  if (!IsLegalName(parsed.name))
    return base::UsageError(absl::StrCat("'application.id' is '", View(id), "': it must be 1 to 200 letters, digits, '.', '_' or '-', "
                                         "since topics are named after it; only that of a replay ends in '@' and its number, as in ",
                                         "city-metrics@1"));
  if (EndsLikeReplay(parsed.name))
    return base::UsageError(absl::StrCat("'application.id' is '", View(id), "': a name that ends in '-replay-' and a number is that of a "
                                         "replay's topics; choose another one"));
  return parsed;
}

std::string InternalTopicPrefix(std::string_view application_id) {
  const ApplicationId id = SplitApplicationId(application_id);
  return id.number == 0 ? id.name : ReplayTopic(id.name, id.number);
}

std::string CoordinationTopicOf(std::string_view application_id) { return InternalTopicPrefix(application_id) + "-coordination"; }

bool IsLegalName(std::string_view name) {
  return !name.empty() && name.size() <= kNameSizeMax && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
}

int ReplayOfTopic(std::string_view name, std::string_view topic) {
  if (!topic.starts_with(name) || !topic.substr(name.size()).starts_with(kInfix)) return 0;
  const std::string_view rest = topic.substr(name.size() + kInfix.size());
  return NumberOf(rest.substr(0, rest.find('-')));
}

std::string ReplayTopic(std::string_view topic, int number) { return absl::StrCat(View(topic), View(kInfix), number); }

}  // namespace tailrace::processor
