#include "aggregates/merged.h"

#include <cstring>

#include "aggregates/compensated.h"
#include "aggregates/ordered.h"
#include "aggregates/raw.h"

namespace tailrace::pipeline::aggregates {
namespace {

constexpr size_t kWindowsAt = kOrderedFixedBytes;
constexpr size_t kSumAt = kWindowsAt + 8;
constexpr size_t kAverageBytes = kSumAt + 16;

int64_t WindowsOf(const char* fixed) {
  const auto merged = Load<int64_t>(fixed + kWindowsAt);
  if (merged > 0) return merged;
  return OrderedValue(fixed, nullptr).is_null() ? 0 : 1;
}

void AddSum(char* sum, const char* fixed) {
  if (Load<int64_t>(fixed + kWindowsAt) == 0) return AddCompensated(sum, OrderedValue(fixed, nullptr).AsDouble());
  AddCompensated(sum, Load<double>(fixed + kSumAt));
  AddCompensated(sum, Load<double>(fixed + kSumAt + 8));
}

}  // namespace

size_t MergedFixedBytes(MergeRule rule) { return rule == MergeRule::kAvg ? kAverageBytes : kOrderedFixedBytes; }

bool MergedHeadIsValid(const char* fixed, MergeRule rule) {
  if (rule != MergeRule::kAvg) return true;
  const auto windows = Load<int64_t>(fixed + kWindowsAt);
  constexpr int64_t kWindowsMax = int64_t{1} << 40;  // Nobody has so many; their sum stays an integer.
  return windows == 0 || (windows > 0 && windows <= kWindowsMax && !OrderedValue(fixed, nullptr).is_null());
}

void MergeByRule(MergeRule rule, const char* a, const char* b, char* out) {
  const FieldValue value_a = OrderedValue(a, nullptr), value_b = OrderedValue(b, nullptr);
  const size_t bytes = MergedFixedBytes(rule);
  std::memcpy(out, value_a.is_null() ? b : a, bytes);
  if (value_a.is_null() || value_b.is_null()) return;
  if (rule == MergeRule::kAvg) {
    Store(out + kWindowsAt, WindowsOf(a) + WindowsOf(b));
    std::memset(out + kSumAt, 0, 16);
    AddSum(out + kSumAt, a);
    AddSum(out + kSumAt, b);
    return;
  }
  const int64_t order_a = OrderOf(value_a), order_b = OrderOf(value_b);
  if (rule == MergeRule::kMax ? order_b > order_a : order_b < order_a) std::memcpy(out, b, bytes);
}

FieldValue MergedValue(const char* fixed, MergeRule rule) {
  if (rule != MergeRule::kAvg || Load<int64_t>(fixed + kWindowsAt) == 0) return OrderedValue(fixed, nullptr);
  return FieldValue::Double(CompensatedSum(fixed + kSumAt) / static_cast<double>(Load<int64_t>(fixed + kWindowsAt)));
}

}  // namespace tailrace::pipeline::aggregates
