// Why a piece of input gave no event. Bad input is counted by these reasons and stops nothing.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace tailrace::pipeline {

enum class SkipReason : uint8_t {
  kNone,  // there is an event
  kBlank,
  kDeleteNotice,
  kLimitNotice,
  kControlFrame,
  kMalformedJson,
  kInvalidUtf8,
  kNotAnObject,
  kMissingField,
  kWrongType,
  kNumberOutOfRange,
  kBadTimestamp,
  kNegativeTimestamp,
  kFutureTimestamp,
  kTooLarge,
  kNullValue,
  kDuplicateKey,  // a field that is used occurs twice, so that nobody knows which one is meant
  // The following are decided after reading, by the pipeline.
  kNullKey,
  kLate,
};
inline constexpr int kSkipReasonCount = static_cast<int>(SkipReason::kLate) + 1;

// "malformed_json", ...: the label of metrics and summaries.
std::string_view SkipReasonName(SkipReason reason);

// True for what a healthy stream also holds (blank lines, notices, control frames): not reported line by line.
bool IsExpected(SkipReason reason);

// Events and skipped pieces of one input, by reason. Not thread-safe.
class ReasonCounts {
 public:
  void Add(SkipReason reason) { ++counts_[static_cast<size_t>(reason)]; }
  int64_t events() const { return counts_[0]; }
  int64_t of(SkipReason reason) const { return counts_[static_cast<size_t>(reason)]; }
  int64_t skipped() const;
  // "blank 3, malformed_json 1" in the order of the enum; "" when nothing was skipped.
  std::string Describe() const;

 private:
  std::array<int64_t, kSkipReasonCount> counts_{};
};

}  // namespace tailrace::pipeline
