#include "sources/x_rules.h"

#include <algorithm>
#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "http/url_text.h"
#include "nlohmann/json.hpp"
#include "tailrace/base/ingest_limits.h"

namespace tailrace::ingest {
namespace {

using base::Reaction;
using nlohmann::json;

constexpr size_t kShownBytesMax = 300;

std::string TextOf(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

absl::StatusOr<json> Ask(HttpClient& client, const HttpRequest& request) {
  TAILRACE_ASSIGN_OR_RETURN(const HttpAnswer answer, client.Fetch(request));
  if (answer.status < 200 || answer.status > 299) return StatusOfAnswer(request.url, answer);
  json parsed = json::parse(answer.body, nullptr, false);
  if (!parsed.is_object())
    return base::Error(Reaction::kRetry, absl::StatusCode::kDataLoss, absl::StrCat(UrlForMessages(request.url), " did not answer with a JSON object"));
  return parsed;
}

}  // namespace

absl::Status StatusOfAnswer(const std::string& url, const HttpAnswer& answer) {
  const std::string what = absl::StrCat(UrlForMessages(url), " answered ", answer.status, ": ",
                                        std::string(absl::StripAsciiWhitespace(answer.body.substr(0, kShownBytesMax))));
  constexpr int kTooMany = 429;
  constexpr int kServerErrors = 500;
  if (answer.status == kTooMany || answer.status >= kServerErrors) return base::Error(Reaction::kRetry, absl::StatusCode::kUnavailable, what);
  switch (answer.status) {
    case 401:
      return base::Error(Reaction::kFatal, absl::StatusCode::kUnauthenticated, what + "; the token is missing, wrong or was withdrawn");
    case 403:
      return base::Error(Reaction::kFatal, absl::StatusCode::kPermissionDenied, what + "; the token may not do this: look at its access level");
    case 404:
      return base::Error(Reaction::kFatal, absl::StatusCode::kNotFound, what);
    default:
      return base::Error(Reaction::kFatal, absl::StatusCode::kFailedPrecondition, what);
  }
}

absl::StatusOr<std::vector<XRule>> LoadXRules(const std::string& file) {
  std::ifstream in(file);
  if (!in) return base::UsageError(absl::StrCat("x.rules.file: cannot read ", file));
  std::vector<XRule> rules;
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    const std::string text(absl::StripAsciiWhitespace(line));
    if (text.empty() || text[0] == '#') continue;
    XRule rule{.value = text, .tag = {}};
    if (text[0] == '{') {
      const json object = json::parse(text, nullptr, false);
      if (!object.is_object() || TextOf(object, "value").empty())
        return base::UsageError(absl::StrCat(file, ":", number, ": is not like {\"value\":\"place_country:CA\",\"tag\":\"canada\"}"));
      rule = {.value = TextOf(object, "value"), .tag = TextOf(object, "tag")};
    }
    rules.push_back(std::move(rule));
    if (rules.size() > base::limits::kSourceListMax) return base::UsageError(absl::StrCat(file, ": more than ", base::limits::kSourceListMax, " rules"));
  }
  if (rules.empty()) return base::UsageError(absl::StrCat(file, " has no rule; without rules the stream sends nothing"));
  return rules;
}

absl::Status SetXRules(HttpClient& client, const std::string& url, const std::vector<XRule>& rules) {
  TAILRACE_ASSIGN_OR_RETURN(const json present, Ask(client, {.url = url}));
  std::vector<XRule> missing = rules;
  json stale = json::array();
  if (const auto data = present.find("data"); data != present.end() && data->is_array()) {
    for (const json& rule : *data) {
      if (!rule.is_object()) continue;
      const auto wanted = std::find(missing.begin(), missing.end(), XRule{.value = TextOf(rule, "value"), .tag = TextOf(rule, "tag")});
      if (wanted != missing.end()) missing.erase(wanted);
      else stale.push_back(TextOf(rule, "id"));
    }
  }
  if (!stale.empty()) TAILRACE_RETURN_IF_ERROR(Ask(client, {.url = url, .json = json{{"delete", {{"ids", stale}}}}.dump()}).status());
  if (missing.empty()) return absl::OkStatus();
  json add = json::array();
  for (const XRule& rule : missing) {
    json one = {{"value", rule.value}};
    if (!rule.tag.empty()) one["tag"] = rule.tag;
    add.push_back(std::move(one));
  }
  TAILRACE_ASSIGN_OR_RETURN(const json answer, Ask(client, {.url = url, .json = json{{"add", std::move(add)}}.dump()}));
  if (const auto errors = answer.find("errors"); errors != answer.end() && !errors->empty())
    return base::Error(Reaction::kFatal, absl::StatusCode::kFailedPrecondition,
                       absl::StrCat("X refuses a rule; correct x.rules.file: ", errors->dump().substr(0, kShownBytesMax)));
  return absl::OkStatus();
}

}  // namespace tailrace::ingest
