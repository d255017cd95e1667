// The query parameters of one request, checked together: every reader notes what is wrong and goes on, and the answer
// names all of it at once.
//
//   Parameters parameters(request.query, clock);
//   const WindowRange range = parameters.Range(window_size_ms);
//   const int n = parameters.Int("n", 10, 1, 1000);
//   if (!parameters.Finish()) return ProblemResponse(ValidationProblem(parameters.errors()), request.path);
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "gateway/problem.h"
#include "tailrace/base/clock.h"
#include "tailrace/grpc_api/query_client.h"

namespace tailrace::grpc_api {

class Parameters {
 public:
  Parameters(std::string_view query, const base::Clock& clock);

  // Empty text when absent.
  std::string Text(const std::string& name);
  bool Has(const std::string& name);
  int Int(const std::string& name, int fallback, int smallest, int largest);
  bool Bool(const std::string& name, bool fallback);
  std::string OneOf(const std::string& name, std::string fallback, std::initializer_list<std::string_view> allowed);
  // `from` and `to` without their defaults.
  std::optional<int64_t> Time(const std::string& name);
  // The last hour by default; a missing `from` is so long before `to`.
  WindowRange Range(int64_t default_ms = 3'600'000);
  // "5m", "1h", "7d"; nullopt when absent or wrong.
  std::optional<int64_t> DurationMs(const std::string& name);
  absl::TimeZone Zone();
  // max_staleness_ms and require_active of the generic reads.
  CallOptions ReadOptions(int64_t timeout_ms);

  void AddError(std::string parameter, std::string message);
  // True when nothing is wrong; also notes parameters that nobody has asked for.
  bool Finish();
  const std::vector<ParameterError>& errors() const { return errors_; }

 private:
  const std::string* Find(const std::string& name);

  const base::Clock& clock_;
  std::map<std::string, std::string> values_;
  std::set<std::string> known_;
  std::vector<ParameterError> errors_;
};

// `from` moved back to the start of the window that contains it.
WindowRange AlignedToWindows(WindowRange range, int64_t window_size_ms);

}  // namespace tailrace::grpc_api
