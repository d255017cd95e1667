#include "tailrace/processor/detail/late_output.h"

namespace tailrace::processor::detail {

kafka::Headers LateHeaders(const kafka::Headers& headers, const LateWindow& window) {
  kafka::Headers result = headers;
  result.push_back({"__late.reason", "window closed"});
  result.push_back({"__late.window.start", std::to_string(window.start_ms)});
  result.push_back({"__late.window.end", std::to_string(window.end_ms)});
  result.push_back({"__late.stream.time", std::to_string(window.stream_time_ms)});
  result.push_back({"__late.grace", std::to_string(window.grace_ms)});
  return result;
}

}  // namespace tailrace::processor::detail
