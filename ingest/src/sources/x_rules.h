// The rules of an X filtered stream: which posts it sends.
#pragma once

#include <string>
#include <vector>

#include "http/http_client.h"
#include "tailrace/base/status.h"

namespace tailrace::ingest {

struct XRule {
  std::string value;
  std::string tag;
  friend auto operator<=>(const XRule&, const XRule&) = default;
};

// One a line: the rule as X writes it, or {"value":"...","tag":"..."}; blank lines and those that begin with # are left out.
// Errors: usage, naming file and line.
absl::StatusOr<std::vector<XRule>> LoadXRules(const std::string& file);

// Makes the rules of the account those in `rules`: deletes others, adds what is missing. Errors: those of HttpClient;
// kFailedPrecondition with the answer of X when it refuses a rule; StatusOfAnswer for other answers.
absl::Status SetXRules(HttpClient& client, const std::string& url, const std::vector<XRule>& rules);

// An error for an answer that is not 2xx: kRetry for 429 and 5xx, kFatal with what to change for others.
absl::Status StatusOfAnswer(const std::string& url, const HttpAnswer& answer);

}  // namespace tailrace::ingest
