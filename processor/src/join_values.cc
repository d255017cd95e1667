#include "join_values.h"

#include "tailrace/base/bytes.h"

namespace tailrace::processor {
namespace {

constexpr int8_t kVariableSize = 1;

bool ConsumeCount(std::string_view& list, int32_t& count) {
  int8_t strategy = 0;
  return base::ConsumeBigEndian(list, strategy) && strategy == kVariableSize && base::ConsumeBigEndian(list, count) &&
         count >= 0;
}

}  // namespace

bool AppendJoinValue(std::string_view list, bool left, std::string_view value, std::string& out) {
  int32_t count = 0;
  if (!list.empty() && !ConsumeCount(list, count)) return false;
  out.clear();
  base::AppendBigEndian(out, kVariableSize);
  base::AppendBigEndian(out, count + 1);
  out.append(list);
  base::AppendBigEndian(out, static_cast<int32_t>(value.size() + 1));
  base::AppendBigEndian(out, static_cast<int8_t>(left));
  out.append(value);
  return true;
}

int32_t CountJoinValues(std::string_view list) {
  int32_t count = 0;
  return ConsumeCount(list, count) ? count : 0;
}

bool VisitJoinValues(std::string_view list, absl::FunctionRef<void(bool, std::string_view)> visit) {
  int32_t count = 0;
  if (!ConsumeCount(list, count)) return false;
  for (; count > 0; --count) {
    int32_t size = 0;
    int8_t side = 0;
    std::string_view value;
    if (!base::ConsumeBigEndian(list, size) || size < 1 || !base::ConsumeBigEndian(list, side) ||
        !base::ConsumeBytes(list, static_cast<size_t>(size) - 1, value))
      return false;
    visit(side == 1, value);
  }
  return list.empty();
}

}  // namespace tailrace::processor
