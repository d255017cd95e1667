#include "tailrace/pipeline/skip_reason.h"

#include "tailrace/base/check.h"
#include "tailrace/pipeline/event.h"

namespace tailrace::pipeline {

std::string_view FieldTypeName(FieldType type) {
  switch (type) {
    case FieldType::kNull: return "null";
    case FieldType::kText: return "text";
    case FieldType::kInt: return "integer";
    case FieldType::kDouble: return "number";
    case FieldType::kBool: return "true or false";
    case FieldType::kTextList: return "list of texts";
  }
  base::CheckFailed(__FILE__, __LINE__, "FieldType", "unknown value");
}

std::string_view SkipReasonName(SkipReason reason) {
  switch (reason) {
    case SkipReason::kNone: return "event";
    case SkipReason::kBlank: return "blank";
    case SkipReason::kDeleteNotice: return "delete_notice";
    case SkipReason::kLimitNotice: return "limit_notice";
    case SkipReason::kControlFrame: return "control_frame";
    case SkipReason::kMalformedJson: return "malformed_json";
    case SkipReason::kInvalidUtf8: return "invalid_utf8";
    case SkipReason::kNotAnObject: return "not_an_object";
    case SkipReason::kMissingField: return "missing_field";
    case SkipReason::kWrongType: return "wrong_type";
    case SkipReason::kNumberOutOfRange: return "number_out_of_range";
    case SkipReason::kBadTimestamp: return "bad_timestamp";
    case SkipReason::kNegativeTimestamp: return "negative_timestamp";
    case SkipReason::kFutureTimestamp: return "future_timestamp";
    case SkipReason::kTooLarge: return "too_large";
    case SkipReason::kNullValue: return "null_value";
    case SkipReason::kDuplicateKey: return "duplicate_key";
    case SkipReason::kNullKey: return "null_key";
    case SkipReason::kLate: return "late";
  }
  base::CheckFailed(__FILE__, __LINE__, "SkipReason", "unknown value");
}

bool IsExpected(SkipReason reason) {
  switch (reason) {
    case SkipReason::kNone:
    case SkipReason::kBlank:
    case SkipReason::kDeleteNotice:
    case SkipReason::kLimitNotice:
    case SkipReason::kControlFrame:
    case SkipReason::kLate: return true;
    default: return false;
  }
}

int64_t ReasonCounts::skipped() const {
  int64_t sum = 0;
  for (size_t i = 1; i < counts_.size(); ++i) sum += counts_[i];
  return sum;
}

std::string ReasonCounts::Describe() const {
  std::string out;
  for (size_t i = 1; i < counts_.size(); ++i) {
    if (counts_[i] == 0) continue;
    if (!out.empty()) out += ", ";
    out += SkipReasonName(static_cast<SkipReason>(i));
    out += ' ';
    out += std::to_string(counts_[i]);
  }
  return out;
}

}  // namespace tailrace::pipeline
