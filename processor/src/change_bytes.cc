#include "tailrace/processor/detail/change_bytes.h"

#include "tailrace/base/bytes.h"
#include "tailrace/base/check.h"

namespace tailrace::processor::detail {
namespace {

// The last byte of the record's value.
enum class Encoding : char { kOld = 0, kNew = 1, kBoth = 2, kOldWithLatest = 3, kNewWithLatest = 4, kBothWithLatest = 5 };

}  // namespace

void AppendChange(std::string& out, kafka::NullableBytes new_value, kafka::NullableBytes old_value) {
  TAILRACE_CHECK(!new_value.is_null() || !old_value.is_null(), "a change without a value is not sent");
  if (!new_value.is_null() && !old_value.is_null()) {
    base::AppendVarint(out, static_cast<int64_t>(new_value.view().size()));
    out.append(new_value.view());
    out.append(old_value.view());
    out.push_back(static_cast<char>(Encoding::kBoth));
  } else if (!new_value.is_null()) {
    out.append(new_value.view());
    out.push_back(static_cast<char>(Encoding::kNew));
  } else {
    out.append(old_value.view());
    out.push_back(static_cast<char>(Encoding::kOld));
  }
}

std::optional<ChangeBytes> ParseChange(std::string_view bytes) {
  if (bytes.empty()) return std::nullopt;
  const auto encoding = static_cast<Encoding>(bytes.back());
  bytes.remove_suffix(1);
  ChangeBytes change;
  if (encoding >= Encoding::kOldWithLatest && encoding <= Encoding::kBothWithLatest) {
    if (bytes.empty() || (bytes.back() != 0 && bytes.back() != 1)) return std::nullopt;
    change.is_latest = bytes.back() == 1;
    bytes.remove_suffix(1);
  }
  switch (encoding) {
    case Encoding::kOld:
    case Encoding::kOldWithLatest:
      change.old_value = bytes;
      return change;
    case Encoding::kNew:
    case Encoding::kNewWithLatest:
      change.new_value = bytes;
      return change;
    case Encoding::kBoth:
    case Encoding::kBothWithLatest: {
      int64_t new_size = 0;
      std::string_view new_value;
      if (!base::ConsumeVarint(bytes, new_size) || new_size < 0 ||
          !base::ConsumeBytes(bytes, static_cast<size_t>(new_size), new_value))
        return std::nullopt;
      change.new_value = new_value;
      change.old_value = bytes;
      return change;
    }
  }
  return std::nullopt;
}

}  // namespace tailrace::processor::detail
